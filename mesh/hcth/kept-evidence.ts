/**
 * A piece of evidence that convicts nobody and must not be lost (protocol.md §2.10, "evidence store"): the signed objects
 * of both sides, the class of the break they belong to, and what it was in words. Stays on the disk of whoever found it.
 */
import type { RmpValue } from '#core/msgpack/value.ts';
import { BREAK_CLASSES, type BreakClass } from './breaks.ts';
import { encodeFields, Fields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { encodeObject } from './peer-record.ts';
import type { SignedObject } from './signed-object.ts';

/** Objects of one piece: a report, a boot event and a statement, checkpoints each way. */
const OBJECTS_MAX = 16;
const WHY_CHARACTERS_MAX = 160;

/** See the header. */
export interface KeptPiece {
  readonly class: BreakClass;
  /** Whom it is about. */
  readonly aid: Aid;
  readonly objects: readonly SignedObject[];
  readonly why: string;
}

/** Bytes of the file. */
export function encodeKept(piece: KeptPiece): Uint8Array {
  const { aid, objects, why } = piece;
  return encodeFields({ v: 1, k: piece.class, a: aid, o: objects.slice(0, OBJECTS_MAX).map(encodeObject), w: why.slice(0, WHY_CHARACTERS_MAX) });
}

/** The counterpart of {@link encodeKept}; undefined for other files of the store. */
export function decodeKept(bytes: Uint8Array): KeptPiece | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const [first, ...others] = BREAK_CLASSES;
  const piece: KeptPiece = {
    class: fields.oneOf('k', [first ?? 'B0', ...others]),
    aid: fields.bytes('a', 32),
    objects: fields.list('o', OBJECTS_MAX).map((value: RmpValue) => {
      const object = new Fields(value);
      const signed = { body: object.blob('b', LIMITS.signedBodyBytesMax), sig: object.bytes('s', 64) };
      fields.require(object.sound, 'a signed object is malformed');
      return signed;
    }),
    why: fields.text('w', WHY_CHARACTERS_MAX),
  };
  return fields.sound ? piece : undefined;
}
