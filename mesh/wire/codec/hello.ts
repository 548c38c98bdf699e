/**
 * HELLO (protocol.md §2.4): the only message in plaintext from a complete stranger, hence the smallest. The initiator
 * offers versions as a list, the responder answers with one number; that also tells the two apart.
 */
import { binField, intField, intOf, listField } from '#core/msgpack/fields.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpMap } from '#core/msgpack/value.ts';
import { type Decoded, refused } from '../decoded.ts';
import { HELLO_BYTES_MAX, VERSIONS_OFFERED_MAX } from '../limits.ts';
import type { Hello, HelloMode } from '../message.ts';
import { type DocumentForm, decodeDocument } from './document.ts';

/** Bytes of a mesh tag. */
export const MESH_TAG_BYTES = 8;
/** Bytes of a token's public name. */
export const TOKEN_ID_BYTES = 8;
/** Bytes of a HELLO's random part. */
export const HELLO_RANDOM_BYTES = 16;
const VERSION_MAX = 255;

/** The payload of a HELLO frame. */
export function encodeHello(hello: Hello): Uint8Array {
  return encodeRmp({
    fb: hello.features,
    m: hello.meshTag,
    md: hello.mode,
    r: hello.random,
    tid: hello.tokenId ?? undefined,
    v: hello.answer ? (hello.versions[0] ?? 0) : [...hello.versions],
  });
}

/** Decode the payload of a HELLO frame. */
export function decodeHello(payload: Uint8Array): Decoded<Hello> {
  if (payload.length > HELLO_BYTES_MAX) {
    return refused('FRAME_SIZE', `HELLO of ${String(payload.length)} bytes exceeds the limit of ${String(HELLO_BYTES_MAX)}`);
  }
  return decodeDocument(form, payload);
}

const form: DocumentForm<Hello> = { name: 'HELLO', fields: null, mode: 'signed', read: readHello };

function readHello(map: RmpMap): Hello | undefined {
  const meshTag = binField(map, 'm', MESH_TAG_BYTES);
  const mode = modeOf(map);
  const features = intField(map, 'fb');
  const random = binField(map, 'r', HELLO_RANDOM_BYTES);
  const versions = versionsOf(map);
  const tokenId = binField(map, 'tid', TOKEN_ID_BYTES) ?? null;
  if (meshTag === undefined || mode === undefined || features === undefined || random === undefined || versions === undefined) return undefined;
  const answer = !Array.isArray(map.get('v'));
  // The initiator names its token in mode 1; nobody else mentions one.
  if ((tokenId !== null) !== (mode === 1 && !answer) || (tokenId === null && map.has('tid'))) return undefined;
  return { kind: 'hello', answer, versions, meshTag, mode, tokenId, features, random };
}

function modeOf(map: RmpMap): HelloMode | undefined {
  const mode = map.get('md');
  return mode === 0 || mode === 1 || mode === 2 ? mode : undefined;
}

function versionsOf(map: RmpMap): readonly number[] | undefined {
  const single = intField(map, 'v', 1, VERSION_MAX);
  if (single !== undefined) return [single];
  const versions = listField(map, 'v', VERSIONS_OFFERED_MAX)?.map((item) => intOf(item, 1, VERSION_MAX));
  return versions !== undefined && versions.length > 0 && versions.every((item) => item !== undefined) ? versions : undefined;
}
