/**
 * RMP a second time, written from the MessagePack specification and protocol.md §2.1 alone, slowly and plainly: a lenient
 * decoder, then every restriction on its result, then an encoder of one's own to see whether the spelling was the shortest.
 * The fuzzer holds the scanner, msgpackr and our encoder against it. Must never import any of them.
 */

/** A value as this reference understands it; integers of 64 bits stay exact. */
export type ReferenceValue =
  | { readonly is: 'nil' }
  | { readonly is: 'bool'; readonly value: boolean }
  | { readonly is: 'int'; readonly value: bigint }
  | { readonly is: 'float'; readonly value: number }
  | { readonly is: 'str'; readonly value: Buffer }
  | { readonly is: 'bin'; readonly value: Buffer }
  | { readonly is: 'array'; readonly items: readonly ReferenceValue[] }
  | { readonly is: 'map'; readonly entries: readonly (readonly [ReferenceValue, ReferenceValue])[] };

class NotMsgpack extends Error {}

const SAFE = 2n ** 53n - 1n;

/** The value, when the bytes are RMP; the words say which rule they break otherwise. */
export function referenceRmp(bytes: Uint8Array, floats: boolean): ReferenceValue | string {
  const data = Buffer.from(bytes);
  try {
    const [value, end] = decode(data, 0, 0);
    if (end !== data.length) return 'something stands behind the value';
    const nodes = { count: 0 };
    const fault = restriction(value, 1, floats, nodes);
    if (fault !== undefined) return fault;
    if (nodes.count > 4_096) return 'too many nodes';
    return encode(value).equals(data) ? value : 'not the shortest form';
  } catch (error) {
    if (error instanceof NotMsgpack) return error.message;
    throw error;
  }
}

/** Plain JavaScript, to compare with what the product's decoder gives. */
export function plain(value: ReferenceValue): unknown {
  switch (value.is) {
    case 'nil':
      return null;
    case 'bool':
    case 'float':
      return value.value;
    case 'int':
      return Number(value.value);
    case 'str':
      return value.value.toString('utf8');
    case 'bin':
      return `h'${value.value.toString('hex')}'`;
    case 'array':
      return value.items.map(plain);
    case 'map':
      return { map: value.entries.map(([key, item]) => [plain(key), plain(item)]) };
  }
}

function decode(data: Buffer, at: number, depth: number): [ReferenceValue, number] {
  if (depth > 200) throw new NotMsgpack('nests without end');
  const head = data[at];
  if (head === undefined) throw new NotMsgpack('ends early');
  const need = (count: number): number => {
    if (at + 1 + count > data.length) throw new NotMsgpack('ends early');
    return at + 1;
  };
  const cut = (start: number, length: number): Buffer => {
    if (start + length > data.length) throw new NotMsgpack('ends early');
    return data.subarray(start, start + length);
  };
  const int = (value: bigint, end: number): [ReferenceValue, number] => [{ is: 'int', value }, end];
  const str = (start: number, length: number): [ReferenceValue, number] => [{ is: 'str', value: cut(start, length) }, start + length];
  const bin = (start: number, length: number): [ReferenceValue, number] => [{ is: 'bin', value: cut(start, length) }, start + length];
  if (head <= 0x7f) return int(BigInt(head), at + 1);
  if (head >= 0xe0) return int(BigInt(head) - 256n, at + 1);
  if (head <= 0x8f) return decodeMap(data, at + 1, head - 0x80, depth);
  if (head <= 0x9f) return decodeArray(data, at + 1, head - 0x90, depth);
  if (head <= 0xbf) return str(at + 1, head - 0xa0);
  switch (head) {
    case 0xc0:
      return [{ is: 'nil' }, at + 1];
    case 0xc2:
      return [{ is: 'bool', value: false }, at + 1];
    case 0xc3:
      return [{ is: 'bool', value: true }, at + 1];
    case 0xc4:
      return bin(at + 2, data.readUInt8(need(1)));
    case 0xc5:
      return bin(at + 3, data.readUInt16BE(need(2)));
    case 0xc6:
      return bin(at + 5, data.readUInt32BE(need(4)));
    case 0xcb:
      return [{ is: 'float', value: data.readDoubleBE(need(8)) }, at + 9];
    case 0xcc:
      return int(BigInt(data.readUInt8(need(1))), at + 2);
    case 0xcd:
      return int(BigInt(data.readUInt16BE(need(2))), at + 3);
    case 0xce:
      return int(BigInt(data.readUInt32BE(need(4))), at + 5);
    case 0xcf:
      return int(data.readBigUInt64BE(need(8)), at + 9);
    case 0xd0:
      return int(BigInt(data.readInt8(need(1))), at + 2);
    case 0xd1:
      return int(BigInt(data.readInt16BE(need(2))), at + 3);
    case 0xd2:
      return int(BigInt(data.readInt32BE(need(4))), at + 5);
    case 0xd3:
      return int(data.readBigInt64BE(need(8)), at + 9);
    case 0xd9:
      return str(at + 2, data.readUInt8(need(1)));
    case 0xda:
      return str(at + 3, data.readUInt16BE(need(2)));
    case 0xdb:
      return str(at + 5, data.readUInt32BE(need(4)));
    case 0xdc:
      return decodeArray(data, at + 3, data.readUInt16BE(need(2)), depth);
    case 0xdd:
      return decodeArray(data, at + 5, data.readUInt32BE(need(4)), depth);
    case 0xde:
      return decodeMap(data, at + 3, data.readUInt16BE(need(2)), depth);
    case 0xdf:
      return decodeMap(data, at + 5, data.readUInt32BE(need(4)), depth);
    default:
      throw new NotMsgpack('a form that RMP has not');
  }
}

function decodeArray(data: Buffer, start: number, count: number, depth: number): [ReferenceValue, number] {
  const items: ReferenceValue[] = [];
  let at = start;
  for (let index = 0; index < count; index += 1) {
    const [item, end] = decode(data, at, depth + 1);
    items.push(item);
    at = end;
  }
  return [{ is: 'array', items }, at];
}

function decodeMap(data: Buffer, start: number, count: number, depth: number): [ReferenceValue, number] {
  const entries: (readonly [ReferenceValue, ReferenceValue])[] = [];
  let at = start;
  for (let index = 0; index < count; index += 1) {
    const [key, behindKey] = decode(data, at, depth + 1);
    const [item, end] = decode(data, behindKey, depth + 1);
    entries.push([key, item]);
    at = end;
  }
  return [{ is: 'map', entries }, at];
}

/** The rule of §2.1 that the value breaks, if any; `depth` counts containers, the value's own included. */
function restriction(value: ReferenceValue, depth: number, floats: boolean, nodes: { count: number }): string | undefined {
  nodes.count += 1;
  switch (value.is) {
    case 'nil':
    case 'bool':
    case 'bin':
      return undefined;
    case 'int':
      return value.value > SAFE || value.value < -SAFE ? 'an integer out of range' : undefined;
    case 'float':
      if (!floats || !Number.isFinite(value.value)) return 'a float that is not allowed';
      return Number.isSafeInteger(value.value) ? 'an integer spelt as a float' : undefined;
    case 'str':
      if (value.value.length > 65_536) return 'a long str';
      return isUtf8(value.value) ? undefined : 'a str that is not UTF-8';
    case 'array':
      if (depth > 16) return 'too deep';
      return firstFault(value.items.map((item) => () => restriction(item, depth + 1, floats, nodes)));
    case 'map': {
      if (depth > 16) return 'too deep';
      const keys = value.entries.map(([key]) => key);
      for (const [index, key] of keys.entries()) {
        const before = keys[index - 1];
        if (key.is !== 'str' || !isUtf8(key.value)) return 'a key that is no text';
        if (key.value.length > 64) return 'a long key';
        if (['__proto__', 'constructor', 'prototype'].includes(key.value.toString())) return 'a forbidden key';
        if (before?.is === 'str' && Buffer.compare(before.value, key.value) >= 0) return 'keys out of order';
      }
      return firstFault(
        value.entries.map(
          ([, item]) =>
            () =>
              restriction(item, depth + 1, floats, nodes),
        ),
      );
    }
  }
}

function firstFault(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

function encode(value: ReferenceValue): Buffer {
  switch (value.is) {
    case 'nil':
      return Buffer.of(0xc0);
    case 'bool':
      return Buffer.of(value.value ? 0xc3 : 0xc2);
    case 'int':
      return encodeInt(value.value);
    case 'float': {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value.value, 1);
      return bytes;
    }
    case 'str':
      return Buffer.concat([value.value.length < 32 ? Buffer.of(0xa0 + value.value.length) : sized([0xd9, 0xda, 0xdb], value.value.length), value.value]);
    case 'bin':
      return Buffer.concat([sized([0xc4, 0xc5, 0xc6], value.value.length), value.value]);
    case 'array':
      return Buffer.concat([
        value.items.length < 16 ? Buffer.of(0x90 + value.items.length) : sized([null, 0xdc, 0xdd], value.items.length),
        ...value.items.map(encode),
      ]);
    case 'map':
      return Buffer.concat([
        value.entries.length < 16 ? Buffer.of(0x80 + value.entries.length) : sized([null, 0xde, 0xdf], value.entries.length),
        ...value.entries.flatMap(([key, item]) => [encode(key), encode(item)]),
      ]);
  }
}

function sized([one, two, four]: readonly [number | null, number, number], length: number): Buffer {
  if (one !== null && length < 0x100) return Buffer.of(one, length);
  if (length < 0x1_0000) return Buffer.of(two, length >> 8, length & 0xff);
  const bytes = Buffer.alloc(5, four);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function encodeInt(value: bigint): Buffer {
  const form = (head: number, size: number): Buffer => {
    const bytes = Buffer.alloc(1 + size, head);
    let rest = BigInt.asUintN(size * 8, value);
    for (let index = size; index > 0; index -= 1) {
      bytes[index] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    return bytes;
  };
  if (value >= 0n) {
    if (value < 0x80n) return Buffer.of(Number(value));
    if (value < 0x100n) return form(0xcc, 1);
    if (value < 0x1_0000n) return form(0xcd, 2);
    return value < 0x1_0000_0000n ? form(0xce, 4) : form(0xcf, 8);
  }
  if (value >= -32n) return Buffer.of(Number(value + 256n));
  if (value >= -0x80n) return form(0xd0, 1);
  if (value >= -0x8000n) return form(0xd1, 2);
  return value >= -0x8000_0000n ? form(0xd2, 4) : form(0xd3, 8);
}
