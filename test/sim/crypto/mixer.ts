/**
 * The hash of the simulated cryptography: 128 bits of state (the steps are those of MurmurHash3 x86_128), stretched to 32
 * bytes. Two things that happen to differ never meet in it within a simulation; against somebody who looks for collisions
 * it is worth nothing, and nobody in the simulator does. It costs a tenth of SHA-256 on inputs as short as ours.
 */

const SCRATCH_BYTES = 65_536;
const [C1, C2, C3, C4] = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];

let scratch = new Uint8Array(SCRATCH_BYTES);
let words = new Uint32Array(scratch.buffer);

/** Bytes, or a length below 2^24 as three bytes: what keeps neighbouring parts apart. */
export type Part = Uint8Array | number;
const LENGTH_BYTES = 3;

/** 32 bytes that depend on the purpose and on every byte of the parts, as if joined. */
export function mix(purpose: number, parts: readonly Part[]): Uint8Array {
  const out = new Uint8Array(32);
  mixInto(out, purpose, parts);
  return out;
}

/** The same into `out` from `start` on, as many whole blocks of 16 bytes as fit: up to 64 bytes. */
export function mixInto(out: Uint8Array, purpose: number, parts: readonly Part[], start = 0): void {
  const length = gather(parts);
  let h1 = purpose;
  let h2 = purpose ^ 0x5bd1e995;
  let h3 = purpose ^ 0x1b873593;
  let h4 = purpose ^ 0x6b43a9b5;
  const blocks = (length + 15) >> 4;
  for (let block = 0; block < blocks; block += 1) {
    const at = block << 2;
    h1 ^= Math.imul(rotl(Math.imul(words[at] ?? 0, C1), 15), C2);
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= Math.imul(rotl(Math.imul(words[at + 1] ?? 0, C2), 16), C3);
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= Math.imul(rotl(Math.imul(words[at + 2] ?? 0, C3), 17), C4);
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= Math.imul(rotl(Math.imul(words[at + 3] ?? 0, C4), 18), C1);
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  for (let at = 0; start + at < out.length; at += 16) {
    h1 = (h1 + h2 + h3 + h4 + at) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    h1 = final(h1);
    h2 = final(h2);
    h3 = final(h3);
    h4 = final(h4);
    h1 = (h1 + h2 + h3 + h4) | 0;
    h2 = (h2 + h1) | 0;
    h3 = (h3 + h1) | 0;
    h4 = (h4 + h1) | 0;
    put(out, start + at, h1);
    put(out, start + at + 4, h2);
    put(out, start + at + 8, h3);
    put(out, start + at + 12, h4);
  }
}

/** Join the parts in the scratch space, padded with zeros to whole blocks; their length. */
function gather(parts: readonly Part[]): number {
  let length = 0;
  for (const part of parts) length += typeof part === 'number' ? LENGTH_BYTES : part.length;
  if (length + 16 > scratch.length) {
    scratch = new Uint8Array(2 ** Math.ceil(Math.log2(length + 16)));
    words = new Uint32Array(scratch.buffer);
  }
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') {
      for (let index = 0; index < LENGTH_BYTES; index += 1) scratch[at + index] = part >> (8 * index);
      at += LENGTH_BYTES;
      continue;
    }
    // A call of `set` costs more than a few bytes by hand.
    if (part.length > 24) scratch.set(part, at);
    else for (let index = 0; index < part.length; index += 1) scratch[at + index] = part[index] ?? 0;
    at += part.length;
  }
  for (const end = (length + 15) & ~15; at < end; at += 1) scratch[at] = 0;
  return length;
}

function put(out: Uint8Array, at: number, word: number): void {
  out[at] = word;
  out[at + 1] = word >>> 8;
  out[at + 2] = word >>> 16;
  out[at + 3] = word >>> 24;
}

function rotl(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function final(word: number): number {
  let value = word;
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return value ^ (value >>> 16);
}
