/**
 * Randomness as a port: `Entropy` for keys, nonces and challenges (the operating system's generator in production, a
 * seeded one in the simulator), `Rng` for choices that need no secrecy (jitter, sampling).
 */

/** Unpredictable bytes; in production the operating system's CSPRNG (protocol.md §2.1). */
export type Entropy = (byteCount: number) => Uint8Array;

/** Reproducible pseudo-random numbers; forked by label, so that a new draw in one machine does not shift the others. */
export interface Rng {
  /** A number in [0, 1). */
  next(): number;
  /** An independent generator derived from this one's seed and the label. */
  fork(label: string): Rng;
}

/** A small deterministic generator (sfc32 seeded through FNV-1a); not for secrets. */
export function createRng(seed: string): Rng {
  let [a, b, c, d] = [hash(`${seed}/a`), hash(`${seed}/b`), hash(`${seed}/c`), 1];
  const next = (): number => {
    const t = (((a + b) >>> 0) + d) >>> 0;
    d = (d + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = ((c << 21) | (c >>> 11)) >>> 0;
    c = (c + t) >>> 0;
    return t / 0x1_0000_0000;
  };
  for (let round = 0; round < 15; round += 1) next();
  return { next, fork: (label) => createRng(`${seed}/${label}`) };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193) >>> 0;
  }
  return value;
}
