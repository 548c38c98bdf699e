/**
 * Small pieces that several codecs share: signed objects, optional values and names, written and read by position.
 * A reader answers `undefined` for anything that is not exactly in form.
 */
import { binOf, listOf, strOf } from '#core/msgpack/fields.ts';
import type { RmpReader } from '#core/msgpack/reader.ts';
import type { RmpValue } from '#core/msgpack/value.ts';
import type { RmpWriter } from '#core/msgpack/writer.ts';
import { type Decoded, decoded, refused } from '../decoded.ts';
import { SIGNED_BODY_BYTES_MAX } from '../limits.ts';
import type { Message, SignedBytes } from '../message.ts';
import { type RefusalCode, isRefusalCode } from '../refusal.ts';

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_BYTES = 64;

/** `[body, sig]`. */
export function writeSigned(writer: RmpWriter, object: SignedBytes): void {
  writer.arrayHead(2);
  writer.bin(object.body);
  writer.bin(object.sig);
}

/** A bin or nil. */
export function writeBinOrNil(writer: RmpWriter, bytes: Uint8Array | null): void {
  if (bytes === null) writer.nil();
  else writer.bin(bytes);
}

/** Reads `[body, sig]`. */
export function readSigned(reader: RmpReader): SignedBytes | undefined {
  if (reader.arrayHead() !== 2) return undefined;
  const body = reader.bin();
  const sig = body === undefined || body.length > SIGNED_BODY_BYTES_MAX ? undefined : reader.bin(SIGNATURE_BYTES);
  return body === undefined || sig === undefined ? undefined : { body, sig };
}

/** Reads a list of signed objects. */
export function readSignedList(reader: RmpReader, countMax: number): readonly SignedBytes[] | undefined {
  const count = reader.arrayHead();
  if (count === undefined || count > countMax) return undefined;
  const list: SignedBytes[] = [];
  for (let index = 0; index < count; index += 1) {
    const item = readSigned(reader);
    if (item === undefined) return undefined;
    list.push(item);
  }
  return list;
}

/** Writes a list of signed objects. */
export function writeSignedList(writer: RmpWriter, list: readonly SignedBytes[]): void {
  writer.arrayHead(list.length);
  for (const item of list) writeSigned(writer, item);
}

/** A decoded value as a signed object. */
export function signedOf(value: RmpValue | undefined): SignedBytes | undefined {
  const list = listOf(value, 2);
  const body = binOf(list?.[0]);
  const sig = binOf(list?.[1], SIGNATURE_BYTES);
  return body === undefined || sig === undefined || body.length > SIGNED_BODY_BYTES_MAX ? undefined : { body, sig };
}

/** A decoded value as a list of signed objects. */
export function signedListOf(value: RmpValue | undefined, countMax: number): readonly SignedBytes[] | undefined {
  const items = listOf(value, countMax)?.map(signedOf);
  return items?.every((item) => item !== undefined) === true ? items : undefined;
}

/** A decoded value as a refusal code. */
export function refusalCodeOf(value: RmpValue | undefined): RefusalCode | undefined {
  const code = strOf(value);
  return code !== undefined && isRefusalCode(code) ? code : undefined;
}

/** The end of every positional decoder: a complete message and nothing behind it, or a refusal that names the message. */
export function complete<T extends Message>(name: string, reader: RmpReader, message: T | undefined): Decoded<T> {
  if (message === undefined) return malformed(name, `unexpected value at byte ${String(reader.offset)}`);
  return reader.atEnd ? decoded(message) : malformed(name, `bytes behind the end at byte ${String(reader.offset)}`);
}

/** Not in form. */
export function malformed(name: string, why: string): ReturnType<typeof refused> {
  return refused('RMP_INVALID', `${name} is malformed: ${why}`);
}
