/**
 * Rotations in the ledger (protocol.md §3.8, identity-log seals): from the entry on, an older key of the member is nobody's
 * on every node that has the entry, whether or not it has ever met the member. A member's log is not in the ledger, only
 * its newest digest; the voter has verified the log, and everybody else checks that the rotations continue that digest. A
 * founder's log is in the genesis, so its rotations are verified in full: they change the keys that decide.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { decodeRotation, type Rotation } from '#mesh/hcth/establishment-events.ts';
import { type Established, extendEstablishment } from '#mesh/hcth/establishment.ts';
import { type Aid, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { objectDigest, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import type { LedgerChange } from './entries.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type Member, memberOf, type Registry } from './registry.ts';

/** A registry with the rotations sealed, or why they are not. */
export type SealOutcome = { readonly registry: Registry; readonly seal: { readonly member: Member; readonly rotation: Rotation } } | string;

/** Fold the rotations of one member. */
export function sealRotations(crypto: CryptoPort, registry: Registry, aid: Aid, events: readonly SignedObject[], at: Millis): SealOutcome {
  const member = memberOf(registry, aid);
  if (member === undefined) return `${fingerprintOf(aid)} is not a member`;
  let head = member.establishment;
  let last: Rotation | undefined;
  const former = [...member.formerEstablishments];
  for (const event of events) {
    const rotation = decodeRotation(event.body);
    if (rotation === undefined || !bytesEqual(rotation.aid, aid) || !bytesEqual(rotation.previous, head))
      return `a rotation does not continue the keys of ${member.name} that the ledger knows`;
    if (!verifyObject(crypto, rotation.signKey, LABELS.rotation, event)) return `a rotation of ${member.name} is not signed by the key it reveals`;
    former.push(head);
    head = objectDigest(crypto, LABELS.rotation, event.body);
    last = rotation;
  }
  if (last === undefined) return 'an entry without a rotation seals nothing';
  const voterLogs = new Map(registry.voterLogs);
  const log = voterLogs.get(member.text);
  if (log !== undefined) {
    const extended = extendByAll(crypto, log, events);
    if (extended === undefined) return `a rotation of the voter ${member.name} does not hold`;
    voterLogs.set(member.text, extended);
  }
  const rotated: Member = { ...member, establishment: head, formerEstablishments: former, rotatedAt: at };
  const members = new Map(registry.members).set(member.text, rotated);
  return { registry: { ...registry, members, voterLogs }, seal: { member: rotated, rotation: last } };
}

/** The log after all of the events; `undefined` where one does not continue it. */
export function extendByAll(crypto: CryptoPort, log: Established, events: readonly SignedObject[]): Established | undefined {
  let extended = log;
  for (const event of events) {
    const verdict = extendEstablishment(crypto, extended, event);
    if (verdict.kind === 'bad') return undefined;
    extended = verdict.established;
  }
  return extended;
}

/** What the voter should seal of a member's log that it has verified; `undefined` where the ledger knows it all, or another one. */
export function decideSeal(registry: Registry, log: Established): Extract<LedgerChange, { kind: 'rotate' }> | undefined {
  const member = memberOf(registry, log.aid);
  const known = member === undefined ? -1 : log.digests.findIndex((digest) => bytesEqual(digest, member.establishment));
  const events = known < 0 ? [] : log.events.slice(known + 1, known + 1 + LIMITS.rotationsPerEntryMax);
  return events.length === 0 ? undefined : { kind: 'rotate', aid: log.aid, events };
}
