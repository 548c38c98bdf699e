/**
 * ACCEPT, REJECT and BYE: how a connection begins to count, and how it ends. Maps, because they are rare and may grow.
 */
import { binField, intField, listField, strField } from '#core/msgpack/fields.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpMap } from '#core/msgpack/value.ts';
import type { Decoded } from '../decoded.ts';
import { EVIDENCE_ITEMS_MAX, NAME_BYTES_MAX } from '../limits.ts';
import type { Accept, Bye, Reject, ResumeVerdict } from '../message.ts';
import { type FarewellCode, type RefusalCode, isFarewellCode, isRefusalCode } from '../refusal.ts';
import { type DocumentForm, decodeDocument } from './document.ts';
import { DIGEST_BYTES, resumeInput, resumeOf } from './handshake-payload.ts';
import { refusalCodeOf, signedListOf, signedOf } from './positional.ts';

const verdicts: readonly ResumeVerdict[] = ['first-contact', 'continue', 'restart', 'fast-forward'];

/** The payload of an ACCEPT frame. */
export function encodeAccept(accept: Accept): Uint8Array {
  const { limits } = accept;
  return encodeRmp({
    id: accept.meshId ?? undefined,
    lim: [limits.payloadBytesMax, limits.framesPerSecond, limits.bytesPerSecond],
    lv: accept.level,
    pf: accept.proof ?? undefined,
    rl: accept.role,
    rs: accept.resume === null ? undefined : resumeInput(accept.resume),
    rv: accept.verdict,
  });
}

/** Decode the payload of an ACCEPT frame. */
export function decodeAccept(payload: Uint8Array): Decoded<Accept> {
  return decodeDocument(acceptForm, payload);
}

/** The payload of a REJECT frame. */
export function encodeReject(reject: Reject): Uint8Array {
  return encodeRmp({
    code: reject.code,
    ev: reject.evidence.length === 0 ? undefined : reject.evidence.map(({ body, sig }) => [body, sig]),
    ra: reject.retryAfterMs ?? undefined,
  });
}

/** Decode the payload of a REJECT frame. */
export function decodeReject(payload: Uint8Array): Decoded<Reject> {
  return decodeDocument(rejectForm, payload);
}

/** The payload of a BYE frame. */
export function encodeBye(bye: Bye): Uint8Array {
  return encodeRmp({ ck: bye.checkpoint === null ? undefined : [bye.checkpoint.body, bye.checkpoint.sig], code: bye.code });
}

/** Decode the payload of a BYE frame. */
export function decodeBye(payload: Uint8Array): Decoded<Bye> {
  return decodeDocument(byeForm, payload);
}

const acceptForm: DocumentForm<Accept> = { name: 'ACCEPT', fields: ['id', 'lim', 'lv', 'pf', 'rl', 'rs', 'rv'], mode: 'signed', read: readAccept };
const rejectForm: DocumentForm<Reject> = { name: 'REJECT', fields: ['code', 'ev', 'ra'], mode: 'signed', read: readReject };
const byeForm: DocumentForm<Bye> = { name: 'BYE', fields: ['ck', 'code'], mode: 'signed', read: readBye };

function readAccept(map: RmpMap): Accept | undefined {
  const meshId = map.has('id') ? binField(map, 'id', DIGEST_BYTES) : null;
  const proof = map.has('pf') ? binField(map, 'pf') : null;
  const level = levelOf(map);
  const role = strField(map, 'rl', NAME_BYTES_MAX);
  const verdict = verdicts.find((known) => known === map.get('rv'));
  const limits = limitsOf(map);
  const resume = map.has('rs') ? resumeOf(map.get('rs')) : null;
  if (
    meshId === undefined ||
    proof === undefined ||
    level === undefined ||
    role === undefined ||
    verdict === undefined ||
    limits === undefined ||
    resume === undefined
  )
    return undefined;
  return { kind: 'accept', meshId, level, role, verdict, resume, limits, proof };
}

function levelOf(map: RmpMap): Accept['level'] | undefined {
  const level = map.get('lv');
  return level === 0 || level === 1 || level === 2 || level === 3 || level === 4 ? level : undefined;
}

function limitsOf(map: RmpMap): Accept['limits'] | undefined {
  const [payloadBytesMax, framesPerSecond, bytesPerSecond, ...more] = listField(map, 'lim', 3) ?? [];
  if (typeof payloadBytesMax !== 'number' || typeof framesPerSecond !== 'number' || typeof bytesPerSecond !== 'number' || more.length > 0) return undefined;
  return payloadBytesMax >= 0 && framesPerSecond >= 0 && bytesPerSecond >= 0 ? { payloadBytesMax, framesPerSecond, bytesPerSecond } : undefined;
}

function readReject(map: RmpMap): Reject | undefined {
  const code = refusalCodeOf(map.get('code'));
  const evidence = map.has('ev') ? signedListOf(map.get('ev'), EVIDENCE_ITEMS_MAX) : [];
  const retryAfterMs = map.has('ra') ? intField(map, 'ra') : null;
  if (code === undefined || evidence === undefined || retryAfterMs === undefined) return undefined;
  return { kind: 'reject', code, evidence, retryAfterMs };
}

function readBye(map: RmpMap): Bye | undefined {
  const code = byeCodeOf(strField(map, 'code', NAME_BYTES_MAX));
  const checkpoint = map.has('ck') ? signedOf(map.get('ck')) : null;
  return code === undefined || checkpoint === undefined ? undefined : { kind: 'bye', code, checkpoint };
}

function byeCodeOf(code: string | undefined): RefusalCode | FarewellCode | undefined {
  return code !== undefined && (isRefusalCode(code) || isFarewellCode(code)) ? code : undefined;
}
