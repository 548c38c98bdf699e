/**
 * How many handshakes of strangers per second this machine can afford: measured at start, so that a small board and a
 * server both spend at most a tenth of one core on whoever knocks (protocol.md §2.15).
 */
import { performance } from 'node:perf_hooks';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Entropy } from '#core/random/random.ts';
import { GATE_LIMITS } from '#mesh/session/limits.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

/** Samples taken; the fastest counts, the others were disturbed. */
const SAMPLES = 3;
const PER_SECOND_MIN = 2;

/** Handshakes per second. */
export function measureHandshakeBudget(crypto: CryptoPort, entropy: Entropy): number {
  const sign = crypto.signKey(entropy(32));
  const other = crypto.dhKey(entropy(32)).publicKey;
  const body = entropy(256);
  let fastest = Number.POSITIVE_INFINITY;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const start = performance.now();
    // What a responder does for one stranger: an ephemeral, three agreements, one signature, three verifications.
    const ephemeral = crypto.dhKey(entropy(32));
    for (let round = 0; round < 3; round += 1) crypto.dh(ephemeral, other);
    const signature = crypto.sign(sign, body);
    for (let round = 0; round < 3; round += 1) crypto.verify(sign.publicKey, signature, body);
    fastest = Math.min(fastest, performance.now() - start);
  }
  const affordable = (LIMITS.handshakeCpuPercent * 10) / Math.max(0.01, fastest);
  return Math.max(PER_SECOND_MIN, Math.min(GATE_LIMITS.handshakesPerSecond, Math.floor(affordable)));
}
