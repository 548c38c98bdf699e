/**
 * Reading one RMP map field by field: every signed body and stored record of the history protocol is such a map. A
 * reader notes the first thing that is wrong and answers with harmless values from then on, so a decoder is a plain list
 * of fields with one question at its end. Unknown fields are wrong too: one meaning has one encoding. Byte strings are
 * copied out, because the bytes decoded may be a view into a buffer that is used again.
 */
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';

const NOTHING = new Uint8Array(0);

/** Encode a map as RMP; fields that are `undefined` are left out. */
export function encodeFields(fields: Readonly<Record<string, RmpInput | undefined>>): Uint8Array {
  return encodeRmp(fields);
}

/** A reader over the bytes of one map; `sound` is the answer to "was all of it as expected?". */
export function readFields(bytes: Uint8Array): Fields {
  const decoded = decodeRmp(bytes, 'signed');
  return new Fields(decoded.kind === 'ok' ? decoded.value : undefined);
}

/** See the header. */
export class Fields {
  readonly #map: ReadonlyMap<string, RmpValue>;
  readonly #read = new Set<string>();
  #fault: string | undefined;

  constructor(value: RmpValue | undefined) {
    this.#map = isMap(value) ? value : new Map();
    if (!isMap(value)) this.#fault = 'not a map';
  }

  /** The first thing that was wrong, `undefined` while all is well. Asks last: fields never read count as wrong. */
  get fault(): string | undefined {
    if (this.#fault !== undefined) return this.#fault;
    for (const name of this.#map.keys()) if (!this.#read.has(name)) return `field ${name} is unknown`;
    return undefined;
  }

  /** Whether every field was there, well-formed, and none was left over. */
  get sound(): boolean {
    return this.fault === undefined;
  }

  has(name: string): boolean {
    return this.#map.has(name);
  }

  /** A byte string of exactly `length` bytes. */
  bytes(name: string, length: number): Uint8Array {
    const value = this.#take(name);
    return value instanceof Uint8Array && value.length === length ? new Uint8Array(value) : this.#wrong(name, new Uint8Array(length));
  }

  /** A byte string of at most `lengthMax` bytes. */
  blob(name: string, lengthMax: number): Uint8Array {
    const value = this.#take(name);
    return value instanceof Uint8Array && value.length <= lengthMax ? new Uint8Array(value) : this.#wrong(name, NOTHING);
  }

  /** An integer from `min` to `max`, both included. */
  integer(name: string, min: number, max: number): number {
    const value = this.#take(name);
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max ? value : this.#wrong(name, min);
  }

  text(name: string, charactersMax: number): string {
    const value = this.#take(name);
    return typeof value === 'string' && value.length <= charactersMax ? value : this.#wrong(name, '');
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    return typeof value === 'boolean' ? value : this.#wrong(name, false);
  }

  /** One of a fixed set of texts. */
  oneOf<Choice extends string>(name: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const value = this.#take(name);
    return choices.find((choice) => choice === value) ?? this.#wrong(name, choices[0]);
  }

  /** An array of at most `countMax` elements. */
  list(name: string, countMax: number): readonly RmpValue[] {
    const value = this.#take(name);
    return isList(value) && value.length <= countMax ? value : this.#wrong(name, []);
  }

  /** An array of byte strings of exactly `length` bytes. */
  bytesList(name: string, length: number, countMax: number): readonly Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const value of this.list(name, countMax))
      out.push(value instanceof Uint8Array && value.length === length ? new Uint8Array(value) : this.#wrong(name, NOTHING));
    return out;
  }

  /** A nested map, read by its own reader; the caller asks that one too. */
  nested(name: string): Fields {
    return new Fields(this.#take(name));
  }

  /** The value, or `undefined` where the field is absent. */
  optional<Value>(name: string, read: (fields: this) => Value): Value | undefined {
    return this.#map.has(name) ? read(this) : undefined;
  }

  /** Note a rule of the caller's own that the map breaks. */
  require(holds: boolean, why: string): void {
    if (!holds) this.#fault ??= why;
  }

  #take(name: string): RmpValue | undefined {
    this.#read.add(name);
    return this.#map.get(name);
  }

  #wrong<Value>(name: string, harmless: Value): Value {
    this.#fault ??= this.#map.has(name) ? `field ${name} is malformed` : `field ${name} is missing`;
    return harmless;
  }
}

function isMap(value: RmpValue | undefined): value is ReadonlyMap<string, RmpValue> {
  return value instanceof Map;
}

function isList(value: RmpValue | undefined): value is readonly RmpValue[] {
  return Array.isArray(value);
}
