import { describe, expect, test } from 'vitest';
import type { HandshakePayload } from '#mesh/wire/message.ts';
import { bootOf, bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { makeRotation } from './establishment-events.ts';
import { type Established, verifyEstablishment } from './establishment.ts';
import { establishmentPart, type HandshakeRole, type PayloadContext, signBinding, verifyHandshakePayload } from './handshake-payload.ts';
import type { Identity } from './identity-file.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];
const hash = bytesFor('handshake hash', 32);
const nobody = (): undefined => undefined;

function payloadOf(identity: Identity, role: HandshakeRole = 'initiator'): HandshakePayload {
  return {
    kind: 'handshake-payload',
    establishment: establishmentPart(identity.established, true),
    boot: bootOf(identity, 3).object,
    binding: signBinding(crypto, identity.signKey, role, hash),
    resume: null,
    ledger: { term: 1, commit: 1 },
    hardwareQuote: null,
    record: null,
  };
}

function contextFor(identity: Identity, change: Partial<PayloadContext> = {}): PayloadContext {
  return {
    role: 'initiator',
    handshakeHash: hash,
    remoteStatic: identity.staticKey.publicKey,
    self: bob.established.aid,
    known: nobody,
    knownByHead: nobody,
    fetched: null,
    ...change,
  };
}

/** Ada after a planned rotation: a longer log, another key. */
function rotated(planned = true): Identity {
  const signKey = crypto.signKey(ada.nextSeed!);
  const event = makeRotation(crypto, signKey, planned ? ada.signKey : null, {
    aid: ada.established.aid,
    number: 1,
    previous: ada.established.head,
    staticKey: ada.staticKey.publicKey,
    nextDigest: bytesFor('n', 32),
  });
  const verdict = verifyEstablishment(crypto, [...ada.established.events, event]);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  return { ...ada, established: verdict.established, signKey };
}

describe('the identity part of the handshake', () => {
  test('H-14: an honest payload gives identity, keys and boot event', () => {
    expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada))).toMatchObject({
      kind: 'verified',
      established: { aid: ada.established.aid },
      boot: { incarnation: 3 },
      news: true,
    });
    expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada, { known: () => ada.established }))).toMatchObject({ kind: 'verified', news: false });
  });

  test('H-14: a signature over another session, or for the other role, is no proof', () => {
    for (const change of [{ handshakeHash: bytesFor('recorded', 32) }, { role: 'responder' as const }]) {
      expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada, change))).toMatchObject({ kind: 'refused', code: 'IDENTITY_BAD', aid: null });
    }
  });

  test('H-15: the channel key must be the one of the establishment log', () => {
    expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada, { remoteStatic: bob.staticKey.publicKey }))).toMatchObject({
      kind: 'refused',
      code: 'IDENTITY_BAD',
      why: expect.stringContaining('channel key'),
    });
  });

  test('H-14: our own identity coming back to us is refused', () => {
    expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada, { self: ada.established.aid }))).toMatchObject({
      kind: 'refused',
      code: 'IDENTITY_BAD',
    });
  });

  test('H-7: a key that has been rotated away is stale, and the newer events are shown', () => {
    const newer = rotated();
    expect(verifyHandshakePayload(crypto, payloadOf(ada), contextFor(ada, { known: () => newer.established }))).toMatchObject({
      kind: 'refused',
      code: 'IDENTITY_STALE',
      aid: ada.established.aid,
      evidence: [newer.established.events[1]],
    });
    expect(verifyHandshakePayload(crypto, payloadOf(newer), contextFor(ada, { known: () => ada.established }))).toMatchObject({ kind: 'verified', news: true });
  });

  test('H-7: two rotations number 1 convict, with both events as evidence', () => {
    const [a, b] = [rotated(true), rotated(false)];
    expect(verifyHandshakePayload(crypto, payloadOf(a), contextFor(ada, { known: () => b.established }))).toMatchObject({
      kind: 'refused',
      code: 'EQUIVOCATION',
      evidence: [b.established.events[1], a.established.events[1]],
    });
  });

  test('H-12: a boot event from before the newest rotation is not accepted', () => {
    const newer = rotated();
    expect(verifyHandshakePayload(crypto, { ...payloadOf(newer), boot: bootOf(ada, 3).object }, contextFor(ada))).toMatchObject({
      kind: 'refused',
      code: 'IDENTITY_BAD',
      aid: ada.established.aid,
    });
    const misdated = bootOf({ ...newer, established: { ...newer.established, head: ada.established.head } }, 3).object;
    expect(verifyHandshakePayload(crypto, { ...payloadOf(newer), boot: misdated }, contextFor(ada))).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('names another establishment event'),
    });
  });

  test('H-60: a log that a payload does not carry is found by its digest, or asked for and then verified against it', () => {
    const payload: HandshakePayload = { ...payloadOf(ada), establishment: { kind: 'digest', digest: ada.established.head, count: 1 } };
    expect(verifyHandshakePayload(crypto, payload, contextFor(ada))).toEqual({ kind: 'unknown-log', aid: ada.established.aid, count: 1 });
    expect(verifyHandshakePayload(crypto, payload, contextFor(ada, { fetched: ada.established.events }))).toMatchObject({ kind: 'verified' });
    for (const fetched of [bob.established.events, [], rotated().established.events])
      expect(verifyHandshakePayload(crypto, payload, contextFor(ada, { fetched }))).toMatchObject({ kind: 'refused', code: 'IDENTITY_BAD' });
    const endless: HandshakePayload = { ...payloadOf(ada), establishment: { kind: 'digest', digest: ada.established.head, count: 65 } };
    expect(verifyHandshakePayload(crypto, endless, contextFor(ada))).toMatchObject({ kind: 'refused', code: 'IDENTITY_BAD' });
    const lookUp = (head: Uint8Array): Established | undefined => (head === ada.established.head ? ada.established : undefined);
    expect(verifyHandshakePayload(crypto, payload, contextFor(ada, { knownByHead: lookUp }))).toMatchObject({ kind: 'verified' });
  });
});
