/**
 * ADMIT_REQ, ADMIT_STATUS and WELCOME: the conversation of the lobby (protocol.md §2.14). Maps: rare, and likely to grow.
 */
import { binField, intField, strField } from '#core/msgpack/fields.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpMap } from '#core/msgpack/value.ts';
import type { Decoded } from '../decoded.ts';
import { NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../limits.ts';
import type { AdmitReq, AdmitStatus, Welcome } from '../message.ts';
import { type DocumentForm, decodeDocument } from './document.ts';
import { DIGEST_BYTES } from './handshake-payload.ts';

const states: readonly AdmitStatus['state'][] = ['waiting', 'approved', 'denied', 'expired'];

/** The payload of an ADMIT_REQ frame. */
export function encodeAdmitReq(message: AdmitReq): Uint8Array {
  return encodeRmp({ cap: message.capabilities, n: message.name, rl: message.role });
}

/** Decode the payload of an ADMIT_REQ frame. */
export function decodeAdmitReq(payload: Uint8Array): Decoded<AdmitReq> {
  return decodeDocument(reqForm, payload);
}

/** The payload of an ADMIT_STATUS frame. */
export function encodeAdmitStatus(message: AdmitStatus): Uint8Array {
  return encodeRmp({ rm: message.remainingMs ?? undefined, st: message.state, why: message.reason ?? undefined });
}

/** Decode the payload of an ADMIT_STATUS frame. */
export function decodeAdmitStatus(payload: Uint8Array): Decoded<AdmitStatus> {
  return decodeDocument(statusForm, payload);
}

/** The payload of a WELCOME frame. */
export function encodeWelcome(message: Welcome): Uint8Array {
  return encodeRmp({ gn: message.genesis, id: message.meshId, rec: message.record, rl: message.role });
}

/** Decode the payload of a WELCOME frame. */
export function decodeWelcome(payload: Uint8Array): Decoded<Welcome> {
  return decodeDocument(welcomeForm, payload);
}

const reqForm: DocumentForm<AdmitReq> = {
  name: 'ADMIT_REQ',
  fields: ['cap', 'n', 'rl'],
  mode: 'signed',
  read(map) {
    const name = strField(map, 'n', NAME_BYTES_MAX);
    const role = strField(map, 'rl', NAME_BYTES_MAX);
    const capabilities = binField(map, 'cap');
    return name === undefined || role === undefined || capabilities === undefined ? undefined : { kind: 'admit-req', name, role, capabilities };
  },
};

const statusForm: DocumentForm<AdmitStatus> = { name: 'ADMIT_STATUS', fields: ['rm', 'st', 'why'], mode: 'signed', read: readStatus };

function readStatus(map: RmpMap): AdmitStatus | undefined {
  const state = states.find((known) => known === map.get('st'));
  const remainingMs = map.has('rm') ? intField(map, 'rm') : null;
  const reason = map.has('why') ? strField(map, 'why', TEXT_BYTES_MAX) : null;
  return state === undefined || remainingMs === undefined || reason === undefined ? undefined : { kind: 'admit-status', state, remainingMs, reason };
}

const welcomeForm: DocumentForm<Welcome> = {
  name: 'WELCOME',
  fields: ['gn', 'id', 'rec', 'rl'],
  mode: 'signed',
  read(map) {
    const meshId = binField(map, 'id', DIGEST_BYTES);
    const role = strField(map, 'rl', NAME_BYTES_MAX);
    const genesis = binField(map, 'gn');
    const record = binField(map, 'rec');
    if (meshId === undefined || role === undefined || genesis === undefined || record === undefined) return undefined;
    return { kind: 'welcome', meshId, role, genesis, record };
  },
};
