/**
 * Canonical RMP: shortest forms, map keys in ascending byte order. The same value always gives the same bytes, and they
 * pass the scanner. Breaking a limit here is our own mistake, hence assertions.
 */
import { compareBytes, utf8 } from '#core/bytes/bytes.ts';
import { assert } from '#core/errors/assert.ts';
import { DEPTH_MAX, KEY_BYTES_MAX, STR_BYTES_MAX } from './limits.ts';
import type { RmpInput } from './value.ts';
import { RmpWriter } from './writer.ts';

/** The bytes of a value. */
export function encodeRmp(value: RmpInput): Uint8Array {
  const writer = new RmpWriter(256);
  writeRmp(writer, value);
  return writer.copy();
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
  const entries = sortedEntries(value);
  writer.mapHead(entries.length);
  for (const [key, item] of entries) {
    writer.str(key);
    writeRmp(writer, item, depth + 1);
  }
}

type Container = ReadonlyMap<string, RmpInput> | { readonly [key: string]: RmpInput | undefined };

function sortedEntries(value: Container): [string, RmpInput][] {
  const entries: [string, RmpInput][] = [];
  const add = (key: string, item: RmpInput | undefined): void => {
    if (item !== undefined) entries.push([key, item]);
  };
  if (isMap(value)) for (const [key, item] of value) add(key, item);
  else for (const [key, item] of Object.entries(value)) add(key, item);
  for (const [key] of entries) assert(key.length <= KEY_BYTES_MAX && !forbidden.has(key), 'map keys are short and harmless');
  // ASCII keys sort alike as text and as bytes; anything else is compared as bytes.
  return entries.sort(([a], [b]) => (ascii.test(a) && ascii.test(b) ? (a < b ? -1 : 1) : compareBytes(utf8(a), utf8(b))));
}

const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const ascii = /^[ -~]*$/;

function isList(value: readonly RmpInput[] | Container): value is readonly RmpInput[] {
  return Array.isArray(value);
}

function isMap(value: Container): value is ReadonlyMap<string, RmpInput> {
  return value instanceof Map;
}
