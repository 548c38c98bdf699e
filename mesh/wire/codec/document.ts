/**
 * Decoding of messages that are maps: the scanner and msgpackr, then a map with no fields but the known ones.
 */
import { hasOnly, mapOf } from '#core/msgpack/fields.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import type { RmpMap, RmpMode } from '#core/msgpack/value.ts';
import { type Decoded, decoded } from '../decoded.ts';
import { malformed } from './positional.ts';

/** How one kind of document is read. */
export interface DocumentForm<T> {
  readonly name: string;
  /** All fields there are; null tolerates unknown ones (HELLO, so that a newer agent can still be answered). */
  readonly fields: readonly string[] | null;
  readonly mode: RmpMode;
  /** The typed message, or `undefined` where a field is missing, of another type or out of bounds. */
  readonly read: (map: RmpMap) => T | undefined;
}

/** Decode bytes by a form. */
export function decodeDocument<T>(form: DocumentForm<T>, bytes: Uint8Array): Decoded<T> {
  const outcome = decodeRmp(bytes, form.mode);
  if (outcome.kind === 'refused') return malformed(form.name, `${outcome.error} at byte ${String(outcome.offset)}`);
  const map = mapOf(outcome.value);
  if (map === undefined) return malformed(form.name, 'it is not a map');
  if (form.fields !== null && !hasOnly(map, form.fields)) return malformed(form.name, 'it has a field that version 1 does not know');
  const message = form.read(map);
  return message === undefined ? malformed(form.name, 'a field is missing, of the wrong type or out of bounds') : decoded(message);
}
