/**
 * Changing inputs: blindly, as bytes, and with understanding, as RMP documents whose nodes are replaced, removed, repeated
 * or changed (into byte strings that hold documents themselves, too). Deterministic in the generator given.
 */
import { concat } from '#core/bytes/bytes.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { mapOf } from '#core/msgpack/fields.ts';
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';
import type { Rng } from '#core/random/random.ts';

/** What mutations draw from. */
export interface MutationSources {
  readonly rng: Rng;
  /** Other inputs, to take pieces from. */
  readonly others: readonly Uint8Array[];
  readonly tokens: readonly Uint8Array[];
  readonly prefixBytes: number;
  readonly bytesMax: number;
}

const STEPS_MAX = 6;
/** Numbers around which parsers break. */
const NUMBERS = [
  0,
  1,
  2,
  15,
  16,
  31,
  32,
  63,
  64,
  65,
  127,
  128,
  255,
  256,
  1_023,
  4_095,
  4_096,
  65_535,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  Number.MAX_SAFE_INTEGER,
];

/** One more input, made from this one. */
export function mutate(input: Uint8Array, from: MutationSources): Uint8Array {
  const steps = 1 + below(from.rng, STEPS_MAX);
  let bytes: Uint8Array = input;
  for (let step = 0; step < steps; step += 1) {
    const structured = below(from.rng, 3) > 0 ? mutateDocument(bytes, from) : undefined;
    bytes = structured ?? mutateBytes(bytes, from);
  }
  return bytes.length > from.bytesMax ? bytes.slice(0, from.bytesMax) : bytes;
}

/** A whole number from 0 up to, and without, `limit`. */
export function below(rng: Rng, limit: number): number {
  return Math.floor(rng.next() * limit);
}

function pick<Item>(rng: Rng, items: readonly Item[]): Item | undefined {
  return items[below(rng, items.length)];
}

// ---- bytes ------------------------------------------------------------------------------------------------------------

function mutateBytes(input: Uint8Array, from: MutationSources): Uint8Array {
  const { rng } = from;
  const at = below(rng, input.length + 1);
  const length = Math.min(input.length - at, 1 + below(rng, pick(rng, [1, 2, 4, 8, 32, 256]) ?? 1));
  switch (below(rng, 10)) {
    case 0:
      return edited(input, at, (byte) => byte ^ (1 << below(rng, 8)));
    case 1:
      return edited(input, at, () => below(rng, 256));
    case 2:
      return edited(input, at, (byte) => byte + (below(rng, 2) === 0 ? 1 : 255));
    case 3:
      return concat(input.subarray(0, at), input.subarray(at + length));
    case 4:
      return concat(input.subarray(0, at + length), input.subarray(at));
    case 5:
      return concat(input.subarray(0, at), bigEndian(pick(rng, NUMBERS) ?? 0, pick(rng, [1, 2, 4, 8]) ?? 4), input.subarray(at));
    case 6: {
      const number = bigEndian(pick(rng, NUMBERS) ?? 0, pick(rng, [1, 2, 4, 8]) ?? 4);
      return concat(input.subarray(0, at), number, input.subarray(Math.min(input.length, at + number.length)));
    }
    case 7: {
      const other = pick(rng, from.others) ?? input;
      return concat(input.subarray(0, at), other.subarray(below(rng, other.length + 1)));
    }
    case 8:
      return concat(input.subarray(0, at), pick(rng, from.tokens) ?? Uint8Array.of(below(rng, 256)), input.subarray(at));
    default:
      return input.slice(0, at);
  }
}

function edited(input: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const bytes = input.slice();
  const index = Math.min(at, bytes.length - 1);
  if (index >= 0) bytes[index] = change(bytes[index] ?? 0) & 0xff;
  return bytes;
}

function bigEndian(value: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let index = size - 1; index >= 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

// ---- documents --------------------------------------------------------------------------------------------------------

function mutateDocument(input: Uint8Array, from: MutationSources): Uint8Array | undefined {
  const decoded = decodeRmp(input.subarray(from.prefixBytes));
  if (decoded.kind === 'refused') return undefined;
  const target = { left: below(from.rng, countNodes(decoded.value)) };
  const body = tryEncode(changed(decoded.value, target, from));
  return body === undefined ? undefined : concat(input.subarray(0, from.prefixBytes), body);
}

/** A value that our own encoder takes; what it asserts against is of no use here. */
function tryEncode(value: RmpInput): Uint8Array | undefined {
  try {
    return encodeRmp(value);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function countNodes(value: RmpValue): number {
  if (isList(value)) return value.reduce<number>((sum, item) => sum + countNodes(item), 1);
  return [...(mapOf(value)?.values() ?? [])].reduce<number>((sum, item) => sum + countNodes(item), 1);
}

/** The value with its `left`-th node changed. */
function changed(value: RmpValue, target: { left: number }, from: MutationSources): RmpInput {
  const isIt = target.left === 0;
  target.left -= 1;
  if (isIt) return replacement(value, from);
  if (isList(value)) return value.map((item) => changed(item, target, from));
  const map = mapOf(value);
  return map === undefined ? value : new Map([...map].map(([key, item]) => [key, changed(item, target, from)]));
}

function replacement(value: RmpValue, from: MutationSources): RmpInput {
  const { rng } = from;
  if (below(rng, 6) === 0) return specimen(from);
  if (typeof value === 'number') return pick(rng, [value + 1, Math.max(0, value - 1), -value, pick(rng, NUMBERS) ?? 0]) ?? 0;
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string')
    return pick(rng, ['', `${value}${value}`, value.slice(1), `${value}\u0000`, `${value.slice(0, -1)}é`, value.toUpperCase()]) ?? '';
  if (value instanceof Uint8Array) {
    // Often a document inside a document.
    const inner = below(rng, 2) === 0 && value.length > 1 ? mutateDocument(value, { ...from, prefixBytes: 0 }) : undefined;
    return inner ?? mutateBytes(value, { ...from, others: [value] });
  }
  if (isList(value)) return changedList(value, rng);
  if (value instanceof Map) return changedMap(value, from);
  return specimen(from);
}

function changedList(value: readonly RmpValue[], rng: Rng): RmpInput {
  const at = below(rng, value.length + 1);
  switch (below(rng, 4)) {
    case 0:
      return value.filter((_, index) => index !== at);
    case 1:
      return [...value.slice(0, at), ...value.slice(Math.max(0, at - 1))];
    case 2:
      return value.toReversed();
    default:
      return [...value, ...value];
  }
}

function changedMap(value: ReadonlyMap<string, RmpValue>, from: MutationSources): RmpInput {
  const { rng } = from;
  const entries = [...value];
  const at = below(rng, entries.length + 1);
  const [key = 'k', item = null] = entries[at] ?? [];
  switch (below(rng, 4)) {
    case 0:
      return new Map(entries.filter((_, index) => index !== at));
    case 1:
      return new Map<string, RmpInput>([...entries, [`${key}x`, specimen(from)]]);
    case 2: {
      const [otherKey = 'k'] = pick(rng, entries) ?? [];
      return new Map<string, RmpInput>([...entries, [otherKey, item]]);
    }
    default:
      return new Map<string, RmpInput>([...entries.filter(([other]) => other !== key), [key.toUpperCase(), item]]);
  }
}

function specimen({ rng, tokens }: MutationSources): RmpInput {
  switch (below(rng, 9)) {
    case 0:
      return null;
    case 1:
      return below(rng, 2) === 0;
    case 2:
      return pick(rng, NUMBERS) ?? 0;
    case 3:
      return -(pick(rng, NUMBERS) ?? 0);
    case 4:
      return 'x'.repeat(below(rng, 80));
    case 5:
      return new Uint8Array(pick(rng, [0, 8, 16, 31, 32, 33, 64, 65]) ?? 0).fill(below(rng, 256));
    case 6:
      return Array.from({ length: below(rng, 20) }, () => below(rng, 300));
    case 7:
      return pick(rng, tokens)?.slice() ?? 1.5;
    default:
      return { a: 1, b: new Uint8Array(2) };
  }
}

function isList(value: RmpValue): value is readonly RmpValue[] {
  return Array.isArray(value);
}
