/**
 * What each side says of itself inside the encrypted handshake (protocol.md §2.4), and what the other side believes of it:
 * a valid establishment log, a boot event by its current key, a signature over this very session's handshake hash, and
 * the Noise static of that same log. Both of the last two are needed: DH proves the static, the signature proves the
 * current signing key. Whether the peer may enter is decided elsewhere; here only who it is.
 */
import { bytesEqual, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { HandshakePayload } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { type Boot, decodeBoot, verifyBoot } from './boot-event.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import { type Established, relateEstablishment, verifyEstablishment } from './establishment.ts';
import type { Aid } from './identity-text.ts';
import { labelled, LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import type { SignedObject } from './signed-object.ts';

/** Which end of the handshake somebody is. */
export type HandshakeRole = 'initiator' | 'responder';

/** Rotations shown to somebody who uses an old key; a REJECT must stay small. */
const EVIDENCE_EVENTS_MAX = 4;

const BIND = labelled(LABELS.binding);
const ROLE: Readonly<Record<HandshakeRole, Uint8Array>> = { initiator: utf8('I'), responder: utf8('R') };

/**
 * The `est` part of a payload: inline while short, else the digest of its newest event, and the peer asks for what it lacks.
 * `inline` false: the rest of the payload leaves no room for the events.
 */
export function establishmentPart(established: Established, inline: boolean): HandshakePayload['establishment'] {
  if (inline && established.events.length <= LIMITS.establishmentEventsMax) return { kind: 'events', events: established.events };
  return { kind: 'digest', digest: established.head, count: established.events.length };
}

/** The `sg` part: our current key's signature over our role and the handshake hash. */
export function signBinding(crypto: CryptoPort, key: SignKey, role: HandshakeRole, handshakeHash: Uint8Array): Uint8Array {
  return crypto.sign(key, BIND, ROLE[role], handshakeHash);
}

/** What is known when a payload arrives. */
export interface PayloadContext {
  /** The role of the sender. */
  readonly role: HandshakeRole;
  /** Handshake hash at the moment the payload was encrypted. */
  readonly handshakeHash: Uint8Array;
  /** The static key that the Noise handshake proved. */
  readonly remoteStatic: Uint8Array;
  readonly self: Aid;
  /** The log we hold of an identity, if any. */
  readonly known: (aid: Aid) => Established | undefined;
  /** The log we hold whose newest event has this digest, if any. */
  readonly knownByHead: (head: Uint8Array) => Established | undefined;
  /** The whole log, where it was fetched from the peer because its digest was not known; nothing of it has been verified. */
  readonly fetched: readonly EstablishmentEvent[] | null;
}

/** Who the peer is, or why it is turned away. */
export type PayloadVerdict =
  /** Its log is named by a digest that is not known here: fetch its `count` events, then ask again. The identity is only its claim. */
  | { readonly kind: 'unknown-log'; readonly aid: Aid; readonly count: number }
  | {
      readonly kind: 'verified';
      readonly established: Established;
      readonly boot: Boot;
      readonly bootEvent: SignedObject;
      /** Its log is longer than what we held: keep it. */ readonly news: boolean;
    }
  | {
      readonly kind: 'refused';
      readonly code: Extract<RefusalCode, 'IDENTITY_BAD' | 'IDENTITY_STALE' | 'EQUIVOCATION'>;
      readonly why: string;
      /** The identity, once its own key had signed this session; only then may anything be held against it. */
      readonly aid: Aid | null;
      readonly evidence: readonly SignedObject[];
    };

/** What the older of two logs of one identity lacks, as much of it as a refusal shows. */
export function newerEvents(held: Established, older: Established): readonly SignedObject[] {
  return held.events.slice(older.rotations + 1, older.rotations + 1 + EVIDENCE_EVENTS_MAX);
}

/** Verify the identity part of a peer's payload. */
export function verifyHandshakePayload(crypto: CryptoPort, payload: HandshakePayload, context: PayloadContext): PayloadVerdict {
  const refuse = (
    code: 'IDENTITY_BAD' | 'IDENTITY_STALE' | 'EQUIVOCATION',
    why: string,
    aid: Aid | null = null,
    evidence: readonly SignedObject[] = [],
  ): PayloadVerdict => ({ kind: 'refused', code, why, aid, evidence });
  const { establishment } = payload;
  let established: Established | undefined;
  if (establishment.kind === 'events') {
    const verdict = verifyEstablishment(crypto, establishment.events);
    if (verdict.kind === 'bad') return refuse('IDENTITY_BAD', verdict.why);
    established = verdict.established;
  } else {
    established = context.knownByHead(establishment.digest);
    if (established === undefined && context.fetched === null) {
      const claimed = decodeBoot(payload.boot.body);
      if (claimed === undefined) return refuse('IDENTITY_BAD', 'its boot event does not decode');
      const { count } = establishment;
      if (count > LIMITS.establishmentLogEventsMax) return refuse('IDENTITY_BAD', `it claims ${count} establishment events`);
      return { kind: 'unknown-log', aid: claimed.aid, count };
    }
    if (established === undefined) {
      const verdict = verifyEstablishment(crypto, context.fetched ?? []);
      if (verdict.kind === 'bad') return refuse('IDENTITY_BAD', verdict.why);
      established = verdict.established;
      if (!bytesEqual(established.head, establishment.digest)) return refuse('IDENTITY_BAD', 'the log it sent is not the one it had named');
    }
  }
  if (bytesEqual(established.aid, context.self)) return refuse('IDENTITY_BAD', 'it claims to be this node itself');
  if (!crypto.equal(established.staticKey, context.remoteStatic)) return refuse('IDENTITY_BAD', 'the channel key is not the one of its establishment log');
  if (!crypto.verify(established.signKey, payload.binding, BIND, ROLE[context.role], context.handshakeHash))
    return refuse('IDENTITY_BAD', 'it did not sign this session with its current key');
  const aid = established.aid;
  const held = context.known(aid);
  const relation = held === undefined ? undefined : relateEstablishment(held, established);
  if (relation?.kind === 'conflict')
    return refuse('EQUIVOCATION', `two different establishment events number ${relation.at}`, aid, [relation.ours, relation.theirs]);
  if (relation?.kind === 'ours-longer' && held !== undefined) {
    return refuse(
      'IDENTITY_STALE',
      `it uses the key of rotation ${established.rotations}, which rotation ${held.rotations} has replaced`,
      aid,
      newerEvents(held, established),
    );
  }
  const boot = verifyBoot(crypto, established, payload.boot);
  if (boot === undefined) return refuse('IDENTITY_BAD', 'its boot event is not its own', aid);
  if (!bytesEqual(boot.establishmentHead, established.head))
    return refuse('IDENTITY_BAD', 'its boot event names another establishment event than its newest', aid);
  return { kind: 'verified', established, boot, bootEvent: payload.boot, news: relation === undefined || relation.kind === 'theirs-longer' };
}
