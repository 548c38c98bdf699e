/**
 * Typed reading of decoded values: each reader answers `undefined` for anything absent, of another type or out of
 * bounds, so that message decoders need neither `as` nor exceptions.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import { STR_BYTES_MAX } from './limits.ts';
import type { RmpMap, RmpValue } from './value.ts';

/** The value as a map. */
export function mapOf(value: RmpValue | undefined): RmpMap | undefined {
  return value instanceof Map ? value : undefined;
}

/** The value as a list. */
export function listOf(value: RmpValue | undefined, countMax = Number.MAX_SAFE_INTEGER): readonly RmpValue[] | undefined {
  return isList(value) && value.length <= countMax ? value : undefined;
}

/** The value as bytes, of exactly `length` where given. */
export function binOf(value: RmpValue | undefined, length?: number): Uint8Array | undefined {
  return value instanceof Uint8Array && (length === undefined || value.length === length) ? value : undefined;
}

/** The value as an integer within bounds; negative ones only where `min` says so. */
export function intOf(value: RmpValue | undefined, min = 0, max = Number.MAX_SAFE_INTEGER): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : undefined;
}

/** The value as any finite number. */
export function numberOf(value: RmpValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The value as text of at most this many UTF-8 bytes. */
export function strOf(value: RmpValue | undefined, byteMax: number = STR_BYTES_MAX): string | undefined {
  if (typeof value !== 'string' || value.length > byteMax) return undefined;
  // A UTF-16 unit takes at most three bytes, so most texts need no counting.
  return value.length * 3 <= byteMax || utf8(value).length <= byteMax ? value : undefined;
}

/** A map inside a map. */
export function mapField(map: RmpMap, key: string): RmpMap | undefined {
  return mapOf(map.get(key));
}

/** A list inside a map. */
export function listField(map: RmpMap, key: string, countMax?: number): readonly RmpValue[] | undefined {
  return listOf(map.get(key), countMax);
}

/** Bytes inside a map. */
export function binField(map: RmpMap, key: string, length?: number): Uint8Array | undefined {
  return binOf(map.get(key), length);
}

/** An integer inside a map. */
export function intField(map: RmpMap, key: string, min?: number, max?: number): number | undefined {
  return intOf(map.get(key), min, max);
}

/** Any finite number inside a map. */
export function numberField(map: RmpMap, key: string): number | undefined {
  return numberOf(map.get(key));
}

/** Text inside a map. */
export function strField(map: RmpMap, key: string, byteMax?: number): string | undefined {
  return strOf(map.get(key), byteMax);
}

/** Whether every key of the map is one of these: an unknown field is a refusal, not a surprise. */
export function hasOnly(map: RmpMap, keys: readonly string[]): boolean {
  for (const key of map.keys()) if (!keys.includes(key)) return false;
  return true;
}

// `Array.isArray` does not narrow readonly arrays out of a union.
function isList(value: RmpValue | undefined): value is readonly RmpValue[] {
  return Array.isArray(value);
}
