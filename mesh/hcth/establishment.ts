/**
 * The establishment log of an identity: one inception, then rotations, each signed by the key the event before committed
 * to (protocol.md §2.2). Verifying one gives the identity and its current keys; two logs of one identity either continue
 * each other or prove that it said two things in one place. Never pruned, never merged.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { decodeInception, decodeRotation, type EstablishmentEvent, type IdentityKind, type Inception, rotationStatement } from './establishment-events.ts';
import type { Aid } from './identity-text.ts';
import { LABELS, labelled } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { objectDigest, verifyObject } from './signed-object.ts';

/** An identity and every signing key it has had, the current one last. */
export interface KeyHistory {
  readonly aid: Aid;
  readonly signKeys: readonly Uint8Array[];
}

/** What a valid establishment log establishes. */
export interface Established extends KeyHistory {
  readonly identityKind: IdentityKind;
  /** Current Ed25519 public key. */
  readonly signKey: Uint8Array;
  /** Current X25519 public key. */
  readonly staticKey: Uint8Array;
  readonly nextDigest: Uint8Array;
  readonly binding: Inception['binding'];
  /** Rotations so far; 0 after the inception. */
  readonly rotations: number;
  /** Digest of the newest event (`pe` of boot events). */
  readonly head: Uint8Array;
  /** Digests of all events, the inception first. */
  readonly digests: readonly Uint8Array[];
  readonly events: readonly EstablishmentEvent[];
}

/** The outcome of verifying a log; `at` is the index of the first bad event. */
export type EstablishmentVerdict =
  { readonly kind: 'valid'; readonly established: Established } | { readonly kind: 'bad'; readonly at: number; readonly why: string };

/** Verify a whole log, inception first. */
export function verifyEstablishment(crypto: CryptoPort, events: readonly EstablishmentEvent[]): EstablishmentVerdict {
  const first = events[0];
  if (first === undefined) return { kind: 'bad', at: 0, why: 'the establishment log is empty' };
  if (events.length > LIMITS.establishmentLogEventsMax)
    return { kind: 'bad', at: LIMITS.establishmentLogEventsMax, why: `more than ${LIMITS.establishmentLogEventsMax} establishment events` };
  const inception = decodeInception(first.body);
  if (inception === undefined) return { kind: 'bad', at: 0, why: 'the inception event does not decode' };
  if (!verifyObject(crypto, inception.signKey, LABELS.inception, first)) return { kind: 'bad', at: 0, why: 'the inception event is not signed by its own key' };
  const aid = objectDigest(crypto, LABELS.inception, first.body);
  let established: Established = {
    aid,
    identityKind: inception.identityKind,
    signKey: inception.signKey,
    signKeys: [inception.signKey],
    staticKey: inception.staticKey,
    nextDigest: inception.nextDigest,
    binding: inception.binding,
    rotations: 0,
    head: aid,
    digests: [aid],
    events: [first],
  };
  for (const [index, event] of events.slice(1).entries()) {
    const extended = extendEstablishment(crypto, established, event);
    if (extended.kind === 'bad') return { kind: 'bad', at: index + 1, why: extended.why };
    established = extended.established;
  }
  return { kind: 'valid', established };
}

/** Verify one more rotation on top of a verified log. */
export function extendEstablishment(crypto: CryptoPort, before: Established, event: EstablishmentEvent): EstablishmentVerdict {
  const at = before.rotations + 1;
  const bad = (why: string): EstablishmentVerdict => ({ kind: 'bad', at, why });
  const rotation = decodeRotation(event.body);
  if (rotation === undefined) return bad(`rotation ${at} does not decode`);
  if (!bytesEqual(rotation.aid, before.aid)) return bad(`rotation ${at} belongs to another identity`);
  if (rotation.number !== at || !bytesEqual(rotation.previous, before.head))
    return bad(`rotation ${rotation.number} does not continue event ${before.rotations}`);
  if (!bytesEqual(crypto.sha256(rotation.signKey), before.nextDigest)) return bad(`rotation ${at} reveals a key that was not committed to`);
  if (!verifyObject(crypto, rotation.signKey, LABELS.rotation, event)) return bad(`rotation ${at} is not signed by the revealed key`);
  const { cause, oldSig } = rotation;
  const oldSigned = oldSig !== null && crypto.verify(before.signKey, oldSig, labelled(LABELS.rotation), rotationStatement(rotation));
  if (oldSig !== null && !oldSigned) return bad(`rotation ${at} carries a signature that is not the old key's`);
  if ((cause === 'planned') !== oldSigned) return bad(`rotation ${at} says ${cause} but ${oldSigned ? 'carries' : 'lacks'} the old key's signature`);
  const head = objectDigest(crypto, LABELS.rotation, event.body);
  return {
    kind: 'valid',
    established: {
      ...before,
      signKey: rotation.signKey,
      signKeys: [...before.signKeys, rotation.signKey],
      staticKey: rotation.staticKey,
      nextDigest: rotation.nextDigest,
      rotations: at,
      head,
      digests: [...before.digests, head],
      events: [...before.events, event],
    },
  };
}

/** How two valid logs of one identity relate. Two different events at one place convict the identity (case R5). */
export type EstablishmentRelation =
  | { readonly kind: 'same' | 'ours-longer' | 'theirs-longer' }
  | { readonly kind: 'conflict'; readonly at: number; readonly ours: EstablishmentEvent; readonly theirs: EstablishmentEvent };

/** Compare what we hold of an identity with what it shows. */
export function relateEstablishment(ours: Established, theirs: Established): EstablishmentRelation {
  for (const [index, digest] of ours.digests.entries()) {
    const other = theirs.digests[index];
    if (other === undefined) return { kind: 'ours-longer' };
    const [a, b] = [ours.events[index], theirs.events[index]];
    if (!bytesEqual(digest, other) && a !== undefined && b !== undefined) return { kind: 'conflict', at: index, ours: a, theirs: b };
  }
  return { kind: theirs.digests.length > ours.digests.length ? 'theirs-longer' : 'same' };
}
