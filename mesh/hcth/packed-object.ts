/** A signed object as one stored or told record: an RMP pair of body and signature. */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { SignedObject } from './signed-object.ts';

/** Body and signature as one record. */
export function packObject(object: SignedObject): Uint8Array {
  const writer = new RmpWriter(object.body.length + 80);
  writer.arrayHead(2);
  writer.bin(object.body);
  writer.bin(object.sig);
  return writer.copy();
}

/** The counterpart of {@link packObject}; undefined for anything else, bytes behind it included, and for a body of more than `bodyBytesMax` bytes. */
export function unpackObject(record: Uint8Array, bodyBytesMax: number): SignedObject | undefined {
  const reader = new RmpReader(record);
  const pair = reader.arrayHead();
  const body = reader.bin();
  const sig = reader.bin(64);
  return pair === 2 && body !== undefined && sig?.length === 64 && reader.atEnd && body.length <= bodyBytesMax
    ? { body: body.slice(), sig: sig.slice() }
    : undefined;
}
