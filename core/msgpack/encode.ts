/**
 * Canonical RMP: shortest forms, map keys in ascending byte order. The same value always gives the same bytes, and they
 * pass the scanner. Breaking a limit here is our own mistake, hence assertions.
 */
import { compareBytes, utf8 } from '#core/bytes/bytes.ts';
import { assert } from '#core/errors/assert.ts';
import { DEPTH_MAX, KEY_BYTES_MAX, STR_BYTES_MAX } from './limits.ts';
import type { RmpInput } from './value.ts';
import { RmpWriter } from './writer.ts';

/** Nothing of it outlives a call: a buffer for each value, grown as it is written, costs more than the writing. */
const scratch = new RmpWriter(4_096);

/** The bytes of a value. */
export function encodeRmp(value: RmpInput): Uint8Array {
  scratch.reset();
  writeRmp(scratch, value);
  return scratch.copy();
}

/** Append a value to a writer. */
export function writeRmp(writer: RmpWriter, value: RmpInput, depth = 0): void {
  if (value === null) return writer.nil();
  if (typeof value === 'boolean') return writer.bool(value);
  if (typeof value === 'number') return writer.number(value);
  if (typeof value === 'string') {
    assert(value.length <= STR_BYTES_MAX, `a string of ${String(value.length)} units exceeds the limit of ${String(STR_BYTES_MAX)} bytes`);
    return writer.str(value);
  }
  if (value instanceof Uint8Array) return writer.bin(value);
  assert(depth < DEPTH_MAX, `values nest at most ${String(DEPTH_MAX)} deep`);
  if (isList(value)) {
    writer.arrayHead(value.length);
    for (const item of value) writeRmp(writer, item, depth + 1);
    return;
  }
  if (isMap(value)) return writeMap(writer, [...value.keys()], (key) => value.get(key), depth);
  writeMap(writer, Object.keys(value), (key) => value[key], depth);
}

/** A map of those keys that have a value. */
function writeMap(writer: RmpWriter, keys: string[], itemOf: (key: string) => RmpInput | undefined, depth: number): void {
  const present = keys.filter((key) => itemOf(key) !== undefined);
  writer.mapHead(present.length);
  for (const key of inByteOrder(present)) {
    assert(key.length <= KEY_BYTES_MAX && !forbidden.has(key), 'map keys are short and harmless');
    writer.str(key);
    writeRmp(writer, itemOf(key) ?? null, depth + 1);
  }
}

type Container = ReadonlyMap<string, RmpInput> | { readonly [key: string]: RmpInput | undefined };

/** Sorts in place. ASCII keys sort alike as text and as bytes; anything else is compared as bytes. */
function inByteOrder(keys: string[]): readonly string[] {
  return keys.every((key) => ascii.test(key)) ? keys.sort() : keys.sort((a, b) => compareBytes(utf8(a), utf8(b)));
}

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const ascii = /^[ -~]*$/;

function isList(value: readonly RmpInput[] | Container): value is readonly RmpInput[] {
  return Array.isArray(value);
}

function isMap(value: Container): value is ReadonlyMap<string, RmpInput> {
  return value instanceof Map;
}
