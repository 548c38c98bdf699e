/**
 * `node test/sim/approvals/run-traces.ts [FROM] [TO]`: many traces of simulated approvals, with what they came to. Exit 1 where
 * something ran that must not have.
 */
import { KeyRegistry } from '../crypto/sim-crypto.ts';
import { runApprovalsTrace } from './world.ts';

const STEPS = 60;
const [from, to] = [Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 1_001)];
const sum = { certified: 0, ran: 0, vetoed: 0, expired: 0, voided: 0 };
let broken = 0;
for (let seed = from; seed < to; seed += 1) {
  const result = runApprovalsTrace(new KeyRegistry().port(), seed, STEPS);
  sum.certified += result.certified;
  sum.ran += result.ran;
  sum.vetoed += result.vetoed;
  sum.expired += result.expired;
  sum.voided += result.voided;
  if (result.violations.length === 0) continue;
  broken += 1;
  process.stdout.write(`seed ${seed}: ${JSON.stringify(result.violations)}\n`);
}
process.stdout.write(`seeds ${from} to ${to - 1}: ${JSON.stringify(sum)}, ${broken} broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
