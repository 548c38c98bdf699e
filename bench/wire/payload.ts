/**
 * The message every system carries: one structured object whose JSON text is about the wanted number of bytes, in 500
 * differing copies, so that no codec profits from a cached string. What grows with the size is a list of records, as it
 * is between machines; a single long text would measure memcpy. Deterministic: the same objects in every process.
 */
import { createRng } from '#core/random/random.ts';

/** One line of what grows. */
export interface Reading {
  readonly at: number;
  readonly sensor: string;
  readonly celsius: number;
  readonly ok: boolean;
}

export interface Payload {
  readonly id: number;
  readonly node: string;
  readonly celsius: number;
  readonly flags: readonly number[];
  readonly text: string;
  readonly readings: readonly Reading[];
}

export const PAYLOAD_VARIANTS = 500;
/** Text beside the readings; what is left of small sizes is text as well. */
const TEXT_BYTES_MAX = 64;
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
    };
    let room = Math.max(0, bytes - JSON.stringify({ ...bare, text: '', readings: [] }).length);
    const readings: Reading[] = [];
    while (room > TEXT_BYTES_MAX) {
      const reading = {
        at: 1_700_000_000_000 + Math.floor(rng.next() * 1e9),
        sensor: `s${String(Math.floor(rng.next() * 500))}`,
        celsius: Math.round(rng.next() * 800) / 10,
        ok: rng.next() < 0.9,
      };
      readings.push(reading);
      room -= JSON.stringify(reading).length + 1;
    }
    // One flat string: a rope of appended letters would charge its flattening to whichever codec touches it first.
    const text = Buffer.alloc(Math.max(0, room));
    for (let at = 0; at < text.length; at += 1) text[at] = LETTERS.charCodeAt(Math.floor(rng.next() * LETTERS.length));
    return { ...bare, text: text.toString('latin1'), readings };
  });
}
