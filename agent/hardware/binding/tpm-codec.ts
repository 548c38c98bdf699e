/**
 * The three TPM 2.0 commands the binding needs, as bytes (TPM 2.0 Library, parts 2 and 3). Pure. Everything a TPM answers is read
 * with bounds; an answer that does not fit is `undefined`, never an exception.
 */
import { concat } from '#core/bytes/bytes.ts';

const TAG_PLAIN = 0x8001;
const TAG_SESSIONS = 0x8002;
const COMMAND_CREATE_PRIMARY = 0x131;
const COMMAND_HMAC = 0x155;
const COMMAND_FLUSH = 0x165;
const HANDLE_OWNER = 0x4000_0001;
const HANDLE_PASSWORD = 0x4000_0009;
const ALGORITHM_HMAC = 0x0005;
const ALGORITHM_KEYED_HASH = 0x0008;
const ALGORITHM_SHA256 = 0x000b;
/** fixedTPM · fixedParent · sensitiveDataOrigin · userWithAuth · noDA · sign. */
const ATTRIBUTES = 0x2 | 0x10 | 0x20 | 0x40 | 0x400 | 0x4_0000;

/** A TPM's answer: its return code and what follows the header. */
export interface TpmResponse {
  readonly code: number;
  readonly body: Uint8Array;
}

/**
 * An HMAC key in the owner hierarchy, derived from the TPM's own seed and `unique`: the same template gives the same key every
 * time on the same TPM, another key on every other TPM, and no key at all once the TPM has been cleared. Nothing is stored.
 */
export function createHmacPrimary(unique: Uint8Array): Uint8Array {
  const template = concat(
    u16(ALGORITHM_KEYED_HASH),
    u16(ALGORITHM_SHA256),
    u32(ATTRIBUTES),
    sized(new Uint8Array(0)), // no policy
    u16(ALGORITHM_HMAC),
    u16(ALGORITHM_SHA256),
    sized(unique),
  );
  const sensitive = sized(concat(sized(new Uint8Array(0)), sized(new Uint8Array(0))));
  return command(
    TAG_SESSIONS,
    COMMAND_CREATE_PRIMARY,
    concat(u32(HANDLE_OWNER), emptyPassword(), sensitive, sized(template), sized(new Uint8Array(0)), u32(0)),
  );
}

/** HMAC-SHA-256 of `data` by a loaded key. */
export function hmacWith(handle: number, data: Uint8Array): Uint8Array {
  return command(TAG_SESSIONS, COMMAND_HMAC, concat(u32(handle), emptyPassword(), sized(data), u16(ALGORITHM_SHA256)));
}

/** Forget a loaded key; TPMs have room for three. */
export function flush(handle: number): Uint8Array {
  return command(TAG_PLAIN, COMMAND_FLUSH, u32(handle));
}

/** Split an answer into code and body; `undefined` for a length that does not fit. */
export function parseResponse(bytes: Uint8Array): TpmResponse | undefined {
  if (bytes.length < 10) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(2) === bytes.length ? { code: view.getUint32(6), body: bytes.subarray(10) } : undefined;
}

/** Handle and public area of a created key. */
export function parsePrimary(body: Uint8Array): { readonly handle: number; readonly publicArea: Uint8Array } | undefined {
  if (body.length < 8) return undefined;
  const publicArea = sizedAt(body, 8);
  return publicArea === undefined ? undefined : { handle: new DataView(body.buffer, body.byteOffset).getUint32(0), publicArea };
}

/** The digest of an HMAC answer. */
export function parseDigest(body: Uint8Array): Uint8Array | undefined {
  return sizedAt(body, 4);
}

function sizedAt(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (offset + 2 > bytes.length) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint16(offset);
  return length > 0 && offset + 2 + length <= bytes.length ? bytes.slice(offset + 2, offset + 2 + length) : undefined;
}

function command(tag: number, code: number, body: Uint8Array): Uint8Array {
  return concat(u16(tag), u32(10 + body.length), u32(code), body);
}

/** The authorisation area for an empty password: size, session handle, empty nonce, no attributes, empty password. */
function emptyPassword(): Uint8Array {
  return concat(u32(9), u32(HANDLE_PASSWORD), u16(0), new Uint8Array(1), u16(0));
}

function sized(bytes: Uint8Array): Uint8Array {
  return concat(u16(bytes.length), bytes);
}

function u16(value: number): Uint8Array {
  return new Uint8Array([value >> 8, value & 255]);
}

function u32(value: number): Uint8Array {
  return new Uint8Array([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
}
