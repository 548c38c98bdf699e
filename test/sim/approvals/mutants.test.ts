import { describe, expect, test } from 'vitest';
import { loadBroken } from '../broken-source.ts';
import type { ApprovalsResult } from './world.ts';

/** The machine with one rule broken: places in its source, each there exactly once, and what stands there instead. */
interface Mutant {
  readonly rule: string;
  readonly name: string;
  readonly changes: readonly (readonly [file: string, from: string, to: string])[];
  /** A trace in which it shows, found by looking; to be looked for again when the generator draws otherwise. */
  readonly seed: number;
  readonly checkers: readonly string[];
}

const MUTANTS: readonly Mutant[] = [
  {
    rule: 'Q-3',
    name: 'approvals are counted by message',
    changes: [
      [
        'certificate.ts',
        'return new Set(decisions.map(({ voter }) => aidText(voter)).map((text) => (text === host ? asker : text))).size;',
        'return asker === host || asker !== host ? decisions.length : 0;',
      ],
      ['certificate.ts', '.size === certificate.decisions.length ?', '.size > 0 ?'],
    ],
    seed: 4,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-3',
    name: 'signatures of approvals are not looked at',
    changes: [
      [
        'certificate.ts',
        'voter === undefined || !verifyDecision(crypto, voter.signKey, decision)',
        'voter === undefined || (verifyDecision as unknown) === crypto',
      ],
    ],
    seed: 3,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-3',
    name: 'a no is counted as a yes',
    changes: [['certificate.ts', "!approves && 'is a no'", "approves && !approves && 'is a no'"]],
    seed: 35,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-3',
    name: 'a majority is enough whatever may lie',
    changes: [['quorum.ts', 'Math.floor((voters + liars) / 2) + 1', 'Math.floor((voters + liars * 0) / 2) + 1']],
    seed: 1,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-3',
    name: 'who asks counts once more at its host',
    changes: [['certificate.ts', '(text === host ? asker : text)', '(text === host ? text : text)']],
    seed: 4,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-2',
    name: 'arguments and targets are not compared',
    changes: [['request.ts', 'request.operation === order.operation &&', 'request.operation === order.operation ||']],
    seed: 1,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-2',
    name: 'approvals of one request are good for another',
    changes: [['certificate.ts', 'bytesEqual(certificate.digest, request.digest) &&', 'bytesEqual(certificate.digest, request.digest) ||']],
    seed: 3,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-7',
    name: 'requests never expire',
    changes: [
      [
        'apply.ts',
        "state.phase === 'open' && (index > state.request.notAfterIndex || at > state.at + LIMITS.validityMs)",
        "state.phase === 'vetoed' && index < 0 && at > LIMITS.validityMs",
      ],
      ['certificate.ts', 'if (index > request.notAfterIndex) return', 'if (index < 0) return'],
      ['certificate.ts', 'return late > 0 ?', 'return late > 1e15 ?'],
    ],
    seed: 1,
    checkers: ['only-if-approved', 'all-settled'],
  },
  {
    rule: 'Q-5',
    name: 'whom a command is against has a say',
    changes: [['certificate.ts', '?.against !== true ||', '?.against !== undefined ||']],
    seed: 32,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-1',
    name: 'who asked is not verified',
    changes: [
      ['apply.ts', 'if (!verifyRequest(crypto, electorate.keyOf(request.initiator), request)) return', 'if (verifyRequest.length < 0) return'],
      ['certificate.ts', 'verifyRequest(crypto, electorate.keyOf(request.initiator), request)', 'verifyRequest.length > 0'],
    ],
    seed: 1,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-11',
    name: 'a request is taken again',
    changes: [['apply.ts', 'if (approvals.requests.has(hex(request.id))) return', 'if (approvals.requests.size < 0) return']],
    seed: 5,
    checkers: ['in-turn-and-once', 'only-if-approved'],
  },
  {
    rule: 'Q-10',
    name: 'a veto ends nothing',
    changes: [['apply.ts', "phase: 'vetoed', decided:", "phase: 'open', decided:"]],
    seed: 14,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-8',
    name: 'a quorum is changed by fewer than the command takes',
    changes: [
      [
        'apply.ts',
        'return Math.max(needed, present, Math.min(setting.quorum ?? 0, quorumRange(voters).most));',
        'return Math.min(needed, present + quorumRange(voters).most);',
      ],
    ],
    seed: 3,
    checkers: ['only-if-approved'],
  },
  {
    rule: 'Q-12',
    name: 'everybody takes its turn at once',
    changes: [
      [
        'turn.ts',
        '(target) => outcomeOf(running, target) === undefined',
        '(target) => bytesEqual(target, knows.self) && outcomeOf(running, target) === undefined',
      ],
    ],
    seed: 1,
    checkers: ['in-turn-and-once'],
  },
  {
    rule: 'Q-12',
    name: 'others tell the outcome of a machine',
    changes: [['apply.ts', 'if (!verifyOutcome(crypto, electorate.keyOf(outcome.executor), outcome)) return', 'if (verifyOutcome.length < 0) return']],
    seed: 14,
    checkers: ['in-turn-and-once'],
  },
  {
    rule: 'Q-13',
    name: 'a machine forgets that it has acted',
    changes: [['turn.ts', "if (term === knows.fence.term && index === knows.fence.index) return { kind: 'acted', state: running };", '']],
    seed: 2,
    checkers: ['in-turn-and-once'],
  },
];

interface Machine {
  run(seed: number): ApprovalsResult;
}

async function broken(mutant: Mutant | undefined): Promise<Machine> {
  const entry = `export { KeyRegistry } from '../crypto/sim-crypto.ts'; export { runApprovalsTrace } from './world.ts';`;
  const changes = (mutant?.changes ?? []).map(([file, from, to]) => ({ file: `mesh/approvals/${file}`, from, to }));
  const { KeyRegistry, runApprovalsTrace } = (await loadBroken(entry, import.meta.dirname, changes)) as {
    KeyRegistry: new () => { port(): never };
    runApprovalsTrace(crypto: never, seed: number, steps: number): ApprovalsResult;
  };
  return { run: (seed) => runApprovalsTrace(new KeyRegistry().port(), seed, 60) };
}

describe('the simulated approvals see a broken machine', () => {
  test.each(MUTANTS)('$rule: $name', async (mutant) => {
    const machine = await broken(mutant);
    expect(mutant.checkers).toContain(machine.run(mutant.seed).violations[0]?.checker);
  });

  test('and nothing wrong with the whole one', async () => {
    const machine = await broken(undefined);
    for (const { seed } of MUTANTS) expect(machine.run(seed).violations).toEqual([]);
  });
});
