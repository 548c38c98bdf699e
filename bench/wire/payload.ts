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

/** 500 objects of about `bytes` bytes of JSON each. */
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
    let text = '';
    while (text.length < room) text += LETTERS.charAt(Math.floor(rng.next() * LETTERS.length));
    return { ...bare, text };
  });
}
