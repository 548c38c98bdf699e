/**
 * The message every system carries: one structured object whose JSON text is about the wanted number of bytes, in 500
 * differing copies, so that no codec profits from a cached string. Deterministic: the same objects in every process.
 */
import { createRng } from '#core/random/random.ts';

export interface Payload {
  readonly id: number;
  readonly node: string;
  readonly celsius: number;
  readonly flags: readonly number[];
  readonly text: string;
}

export const PAYLOAD_VARIANTS = 500;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** 500 objects of about `bytes` bytes of JSON each. Make them before measuring: 16 KiB of them is a quarter of a second of work. */
export function payloads(bytes: number): readonly Payload[] {
  const rng = createRng(`payload/${String(bytes)}`);
  return Array.from({ length: PAYLOAD_VARIANTS }, (_, index) => {
    const bare = {
      id: 100_000 + index,
      node: `n${String(index % 97).padStart(2, '0')}`,
      celsius: Math.round(rng.next() * 800) / 10,
      flags: [index % 2],
      text: '',
    };
    const room = Math.max(0, bytes - JSON.stringify(bare).length);
    // One flat string: a rope of appended letters would charge its flattening to whichever codec touches it first.
    const text = Buffer.alloc(room);
    for (let at = 0; at < room; at += 1) text[at] = LETTERS.charCodeAt(Math.floor(rng.next() * LETTERS.length));
    return { ...bare, text: text.toString('latin1') };
  });
}
