/**
 * What this node knows of one other member: who it is, where our shared history stands, what it says of itself. The part
 * that must survive a restart goes into a peer record (protocol.md §2.10); the rest is told again.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { type Boot, decodeBoot } from '#mesh/hcth/boot-event.ts';
import { decodeCheckpoint, type OpenedCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { type Aid, type AidText, aidText } from '#mesh/hcth/identity-text.ts';
import { encodePeerRecord, keepNewest, type PeerRecord } from '#mesh/hcth/peer-record.ts';
import type { LinkChain } from '#mesh/hcth/link-chain.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { Link } from '#mesh/session/link.ts';
import type { Session } from '#mesh/session/session.ts';
import type { Position } from '#mesh/wire/message.ts';
import { encodeHistory } from '#mesh/trust/history-codec.ts';
import type { PeerTrust } from '#mesh/trust/peer-trust.ts';
import type { SlotMeter } from '#mesh/trust/slot-meter.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { Capabilities, Condition } from './views.ts';

/** See the header. Mutable state, owned by the swarm. */
export class Peer {
  readonly aid: Aid;
  readonly text: AidText;
  readonly trust: PeerTrust;
  readonly meter: SlotMeter;
  established: Established | null = null;
  bootObject: SignedObject | null = null;
  boot: Boot | null = null;
  /** Chains of this run; null until the first session of this run. */
  link: Link | null = null;
  /** Our direction of an earlier membership in this run: it goes on, or we would sign a second thing in its places. */
  formerSending: LinkChain | null = null;
  /** The open session, if any. */
  session: Session | null = null;
  /** The connection whose place in the history was decided last: only that one may open (H-39). */
  judged: Session | null = null;
  /** Turned away until then: it broke the protocol. */
  pausedUntil: Millis = 0;
  /** Violations since the first of a day, and when that was. */
  violations = { since: 0, count: 0 };
  #theirsForgotten = false;
  /** Our account of its place does not hold: its own one counts (R6, R7). */
  #placeForgotten = false;
  /** It claimed to have received what we had not sent, once; it may have been its own record. */
  mismatched = false;
  /** Positions of an earlier run. */
  storedReceived: Position | null = null;
  ownCheckpoints: readonly SignedObject[] = [];
  peerCheckpoints: readonly SignedObject[] = [];
  /** Its newest statement, kept so that it can be told what it had said (H-13). */
  statement: SignedObject | null = null;
  /** Checkpoints of it that were verified in this run, oldest first. */
  remembered: readonly OpenedCheckpoint[] = [];
  lastCheckpointAt: Millis | null = null;
  heardWall: Millis | null = null;
  name: string | null = null;
  capabilities: Capabilities | null = null;
  conditions: readonly Condition[] = [];
  /** What its boot event does not name, until its first word explains it or it is held against it (R8). */
  unexplained: { readonly held: SignedObject; readonly shown: SignedObject } | null = null;
  /** It was met for the first time on the present link: what it reports of its past was before our time. */
  newcomer = false;
  /** A declared loss was recorded when the present link was resumed. */
  lossDeclared = false;
  /** Incarnation and nonce that were refused last, as text. */
  lastRefused: string | null = null;
  /** Frames received when the record was last written. */
  flushedSequence = 0;
  /** The disk has a record of it. */
  stored = false;
  /** Something of the record has changed since it was last offered to the disk. */
  changed = false;
  /** Commit index the peer told when it connected. */
  commit = 0;

  constructor(aid: Aid, trust: PeerTrust, meter: SlotMeter) {
    this.aid = aid;
    this.text = aidText(aid);
    this.trust = trust;
    this.meter = meter;
  }

  /** Settle the slots that are over; true when the level changed. */
  advanceTrust(mono: Millis): boolean {
    let changed = false;
    for (const event of this.meter.advance(mono)) {
      if (this.trust.record(event)) changed = true;
      this.changed = true;
    }
    return changed;
  }

  /** An authenticated break; true when the level changed. */
  broke(breakClass: BreakClass, why: string, mono: Millis, wall: Millis): boolean {
    this.advanceTrust(mono);
    this.meter.onBreak();
    this.changed = true;
    return this.trust.record({ kind: 'break', class: breakClass, at: Math.floor(wall), why: why.slice(0, 160) });
  }

  /** Our direction, as far as it has come in this run. */
  get sending(): LinkChain | null {
    return this.link?.sending ?? this.formerSending;
  }

  /** How far we have received from the peer, whichever run it was in. */
  get received(): Position | null {
    if (this.#theirsForgotten || this.#placeForgotten) return null;
    return this.link?.receiving.position ?? this.storedReceived;
  }

  /**
   * What we hold of its side was signed by a copy: its next words are the first. Our own side goes on, so that nothing is
   * signed twice.
   */
  forgetTheirSide(): void {
    this.#theirsForgotten = true;
    this.boot = null;
    this.bootObject = null;
    this.storedReceived = null;
    this.peerCheckpoints = [];
    this.changed = true;
  }

  /** See {@link received}: null until the next link. */
  forgetPlace(): void {
    this.#placeForgotten = true;
    this.storedReceived = null;
    this.changed = true;
  }

  /** A session works on this link now. */
  opened(link: Link): void {
    this.link = link;
    this.#theirsForgotten = false;
    this.#placeForgotten = false;
  }

  /** Newest checkpoint of the peer, decoded. */
  get newestPeerCheckpoint(): OpenedCheckpoint | null {
    const object = this.peerCheckpoints.at(-1);
    if (object === undefined) return null;
    const known = this.remembered.findLast((remembered) => bytesEqual(remembered.object.sig, object.sig));
    const checkpoint = known?.checkpoint ?? decodeCheckpoint(object.body);
    return checkpoint === undefined ? null : { checkpoint, object };
  }

  keepOwnCheckpoint(object: SignedObject): void {
    this.ownCheckpoints = keepNewest(this.ownCheckpoints, object);
    this.changed = true;
  }

  keepPeerCheckpoint(object: SignedObject): void {
    const kept = { body: object.body.slice(), sig: object.sig.slice() };
    this.peerCheckpoints = keepNewest(this.peerCheckpoints, kept);
    this.changed = true;
    this.remember(kept);
  }

  /** Remember a checkpoint of the peer whose signature has been verified: what it signs later must not contradict it. */
  remember(object: SignedObject): void {
    const checkpoint = decodeCheckpoint(object.body);
    if (checkpoint === undefined || this.remembered.some((known) => bytesEqual(known.object.sig, object.sig))) return;
    const kept = { checkpoint, object: { body: object.body.slice(), sig: object.sig.slice() } };
    this.remembered = [...this.remembered, kept].slice(-HCTH_LIMITS.checkpointsRememberedMax);
  }

  keepStatement(object: SignedObject): void {
    this.statement = { body: object.body.slice(), sig: object.sig.slice() };
    this.changed = true;
  }

  /** The peer proved itself in a handshake. */
  proved(established: Established, boot: Boot, bootObject: SignedObject): void {
    if (this.established === null || established.rotations >= this.established.rotations) this.established = established;
    if (this.boot === null || boot.incarnation >= this.boot.incarnation) {
      this.boot = boot;
      this.bootObject = { body: bootObject.body.slice(), sig: bootObject.sig.slice() };
    }
    this.changed = true;
  }

  /** Bytes for the journal. */
  record(): Uint8Array {
    return encodePeerRecord({
      aid: this.aid,
      establishment: this.established?.events ?? [],
      boot: this.bootObject,
      received: this.received,
      sent: this.sending?.position ?? null,
      ownCheckpoints: this.ownCheckpoints,
      peerCheckpoints: this.peerCheckpoints,
      ...(this.statement === null ? {} : { statement: this.statement }),
      trust: encodeHistory(this.trust.history),
      heardAt: this.heardWall ?? 0,
    });
  }

  /** Take over what an earlier run remembered. */
  restore(crypto: CryptoPort, record: PeerRecord): void {
    const verdict = record.establishment.length === 0 ? undefined : verifyEstablishment(crypto, record.establishment);
    if (verdict?.kind === 'valid') this.established = verdict.established;
    this.bootObject = record.boot;
    this.boot = record.boot === null ? null : (decodeBoot(record.boot.body) ?? null);
    this.storedReceived = record.received;
    this.ownCheckpoints = record.ownCheckpoints;
    this.peerCheckpoints = record.peerCheckpoints;
    this.statement = record.statement ?? null;
    for (const object of record.peerCheckpoints) this.remember(object);
    this.heardWall = record.heardAt === 0 ? null : record.heardAt;
  }
}
