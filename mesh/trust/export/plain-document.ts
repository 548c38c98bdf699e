/**
 * Foreign JSON as values that have exactly one encoding: texts, whole numbers, arrays, objects with plain keys, all
 * bounded. Everything else is refused before anything is verified.
 */
import type { RmpInput } from '#core/msgpack/value.ts';

/** Plain JSON: texts, integers, arrays, objects. */
export type JsonDocument = { readonly [key: string]: RmpInput | undefined };

const DEPTH_MAX = 8;
const NODES_MAX = 2_048;
/** A proof of full length in hexadecimal. */
const TEXT_CHARACTERS_MAX = 65_536;

/** The document as encodable values; `undefined` for floats, foreign types, forbidden keys, too much or too deep. */
export function plainDocument(json: unknown): { readonly [key: string]: RmpInput } | undefined {
  const budget = { nodes: NODES_MAX };
  const value = plainValue(json, DEPTH_MAX, budget);
  return isPlainObject(value) ? value : undefined;
}

function plainValue(json: unknown, depth: number, budget: { nodes: number }): RmpInput | undefined {
  budget.nodes -= 1;
  if (depth < 0 || budget.nodes < 0) return undefined;
  if (typeof json === 'string') return json.length <= TEXT_CHARACTERS_MAX ? json : undefined;
  if (typeof json === 'number') return Number.isSafeInteger(json) && !Object.is(json, -0) ? json : undefined;
  if (Array.isArray(json)) {
    const items: RmpInput[] = [];
    for (const item of json) {
      const value = plainValue(item, depth - 1, budget);
      if (value === undefined) return undefined;
      items.push(value);
    }
    return items;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const entries: [string, RmpInput][] = [];
  for (const [key, item] of Object.entries(json)) {
    const value = plainValue(item, depth - 1, budget);
    if (value === undefined || !/^[A-Za-z0-9]{1,32}$/.test(key) || key === 'constructor' || key === 'prototype') return undefined;
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function isPlainObject(value: RmpInput | undefined): value is { readonly [key: string]: RmpInput } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Map);
}
