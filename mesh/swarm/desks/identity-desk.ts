/**
 * Establishment logs in life (protocol.md §2.2, §2.4, §2.14 "Rotation"): what this node knows of the keys of others, how it
 * learns that one was replaced, and what becomes of whoever still uses the old one. A rotation proves itself, so it
 * may come from anybody: the member's own EST, its next handshake, the ledger.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { type Millis, NEVER, SECOND } from '#core/time/time.ts';
import { decideSeal } from '#mesh/admission/seal-rotations.ts';
import type { Member } from '#mesh/admission/registry.ts';
import { decodeRotation } from '#mesh/hcth/establishment-events.ts';
import type { IdentityParts } from '#mesh/hcth/identity-document.ts';
import { judgeEstablishmentNews } from '#mesh/hcth/establishment-news.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { newerEvents } from '#mesh/hcth/handshake-payload.ts';
import { type Aid, aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import { logPiece } from '#mesh/session/log-exchange.ts';
import type { PeerIdentity, Turned } from '#mesh/session/host.ts';
import type { Session } from '#mesh/session/session.ts';
import type { Est, EstFetch } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { type SwarmCore, turned } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { Peer } from '../peer.ts';
import type { IdentityDoor } from '../rooms.ts';
import type { MeshState } from '../mesh-state.ts';
import type { ConnectionId } from '../step.ts';

/** See the header. */
export class IdentityDesk implements IdentityDoor {
  readonly #core: SwarmCore;
  /** Sessions under a replaced key, and when they end; a member says goodbye by itself before that. */
  readonly #ending = new Map<ConnectionId, Millis>();
  /** Logs with rotations that the ledger lacks, at the voter. */
  readonly #unsealed = new Map<AidText, Established>();
  #sealAt: Millis = NEVER;
  /** Newest rotation by member that an event was raised for. */
  readonly #told = new Map<AidText, number>();
  /** Old keys that were reported: identity, rotation, source. */
  readonly #oldKeys = new Set<string>();
  /** Events served per link since `since`. */
  readonly #served = new Map<ConnectionId, { events: number; since: Millis }>();
  #asked = false;
  #superseded: string | null = null;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  // ---- what others' keys are -----------------------------------------------------------------------------------------

  /** A handshake has proved this log. An older session of the same identity ends at once: its key has been replaced. */
  onProved(session: Session, { text, established, boot }: PeerIdentity): void {
    const peer = this.#core.peers.get(text);
    if (peer === undefined) return;
    this.#learn(peer, established);
    // Incarnations under the old key may have been a copy's; whoever has the next key does not answer for them.
    if (peer.boot !== null && !bytesEqual(peer.boot.establishmentHead, established.head) && boot.incarnation <= peer.boot.incarnation) {
      peer.boot = null;
      peer.bootObject = null;
    }
    for (const { session: other } of [...this.#core.contexts.values()])
      if (other !== session && this.#usesOlderKey(other, established)) this.#end(other, established);
  }

  refusalFor({ text, established }: PeerIdentity): Turned | undefined {
    const newest = this.#core.peers.get(text)?.established ?? null;
    if (newest === null || newest.rotations <= established.rotations) return undefined;
    const why = `it uses the key of rotation ${established.rotations}, which rotation ${newest.rotations} has replaced during this handshake`;
    return { ...turned('IDENTITY_STALE', why), evidence: newerEvents(newest, established) };
  }

  onEst(session: Session, peer: Peer, message: Est): void {
    const about = this.#core.peers.get(aidText(message.aid));
    // Of ourselves we know best, and of strangers nothing is kept.
    if (about === undefined || about.established === null || this.#core.mesh?.member(about.text) === undefined) return;
    const news = judgeEstablishmentNews(this.#core.crypto, about.established, message.from, message.events.map(copyOf));
    switch (news.kind) {
      case 'nothing':
        return;
      case 'gap':
        session.send({ kind: 'est-fetch', aid: about.aid, from: news.from });
        this.#core.touched.add(session);
        return;
      case 'extended':
        return this.#learn(about, news.established);
      case 'conflict':
        return this.#core.rooms.handshakes.onEquivocation(session, about.aid, [news.ours, news.theirs], `two different establishment events number ${news.at}`);
      case 'bad':
        return this.#core.rooms.links.misbehaved(
          session,
          'IDENTITY_BAD',
          `${this.#core.nameOf(peer.text)} shows an establishment log that does not hold: ${news.why}`,
        );
    }
  }

  /** Members may ask for the logs of members, each log about once a minute. */
  onEstFetch(session: Session, message: EstFetch): void {
    const { mono } = this.#core.now;
    const own = bytesEqual(message.aid, this.#core.self.aid);
    const log = own ? this.#core.self.established : this.#core.peers.get(aidText(message.aid))?.established;
    if (log == null || message.from >= log.events.length) return;
    const served = this.#served.get(session.id);
    const fresh = served === undefined || mono - served.since >= LIMITS.establishmentServedMs ? { events: 0, since: mono } : served;
    if (fresh.events >= LIMITS.establishmentServedMax) return;
    const piece = logPiece(log.aid, log.events, message.from, this.#core.messageBytesMax(session));
    this.#served.set(session.id, { ...fresh, events: fresh.events + piece.events.length });
    session.send(piece);
    this.#core.touched.add(session);
  }

  /** The ledger has sealed rotations of a member. */
  onSealed(member: Member, events: readonly SignedObject[]): void {
    this.#unsealed.delete(member.text);
    const peer = this.#core.peers.get(member.text);
    const first = events[0] === undefined ? undefined : decodeRotation(events[0].body);
    if (member.text === this.#core.self.text || peer === undefined || first === undefined) return;
    if (peer.established === null) return this.#tell(peer, first.number + events.length - 1, null);
    const news = judgeEstablishmentNews(this.#core.crypto, peer.established, first.number, events);
    if (news.kind === 'extended') return this.#learn(peer, news.established);
    if (news.kind !== 'conflict') return;
    this.#core.rooms.evidence.found('rotation', peer.established, [news.ours, news.theirs], 'the ledger seals another rotation than the one known here');
  }

  /** Somebody proved a key that was replaced: a stolen or restored card, or a copy that did not hear of the rotation. */
  onOldKey(session: Session, aid: Aid, why: string): void {
    const text = aidText(aid);
    const key = `${text}/${why}/${session.source}`;
    if (this.#oldKeys.has(key)) return;
    if (this.#oldKeys.size >= LIMITS.oldKeysMax) this.#oldKeys.clear();
    this.#oldKeys.add(key);
    this.#core.event(
      'OLD_KEY_REFUSED',
      'critical',
      `somebody at ${session.source} holds an old key of ${this.#core.nameOf(text)}: ${why}; refused`,
      text,
      session.source,
    );
  }

  #learn(peer: Peer, established: Established): void {
    const before = peer.established;
    // At first contact the handshake itself decides whether anything is kept.
    if (before === null || before.rotations >= established.rotations) return this.#maybeSeal(established);
    peer.established = established;
    // One record: whoever loses power now must not come back with the new key known and the old doubt still held.
    this.#settle(peer);
    this.#core.storePeer(peer, true);
    this.#tell(peer, established.rotations, established.events.at(-1) ?? null);
    for (const { session } of this.#core.contexts.values())
      if (this.#usesOlderKey(session, established)) this.#ending.set(session.id, this.#core.now.mono + LIMITS.supersededMs);
    this.#maybeSeal(established);
  }

  /** Only the owner has the next key: whoever was a copy is out, and the doubt about this identity ends (§2.14). */
  #settle(peer: Peer): void {
    const { standing } = peer.trust;
    this.#core.rooms.contests.rotated(peer.text);
    if (standing !== 'contested' && standing !== 'frozen') return;
    peer.advanceTrust(this.#core.now.mono);
    if (peer.trust.record({ kind: 'settled', at: Math.floor(this.#core.now.wall) })) this.#core.levelChanged(peer);
    peer.changed = true;
    this.#core.event('IDENTITY_SETTLED', 'notice', `${this.#core.nameOf(peer.text)} rotated its key; it is no longer ${standing}`, peer.text, null);
  }

  #tell(peer: Peer, rotation: number, event: SignedObject | null): void {
    if ((this.#told.get(peer.text) ?? 0) >= rotation) return;
    this.#told.set(peer.text, rotation);
    const cause = event === null ? null : (decodeRotation(event.body)?.cause ?? null);
    const how = cause === 'recovery' ? 'took its identity back with its next key' : 'has a new key';
    this.#core.event(
      'KEY_ROTATED',
      cause === 'recovery' ? 'warning' : 'notice',
      `${this.#core.nameOf(peer.text)} ${how} (rotation ${rotation}); its former key is refused from now on`,
      peer.text,
      null,
      { rotation, cause },
    );
  }

  #usesOlderKey(session: Session, established: Established): boolean {
    const { peer } = session;
    return session.state !== 'closed' && peer?.text === aidText(established.aid) && peer.established.rotations < established.rotations;
  }

  #end(session: Session, established: Established): void {
    session.refuse(turned('IDENTITY_STALE', `rotation ${established.rotations} has replaced the key of this session`));
    this.#ending.delete(session.id);
    this.#core.touched.add(session);
  }

  // ---- our own key ---------------------------------------------------------------------------------------------------

  /** This node has a new key, which is on the disk: tell everybody, then begin the new incarnation (H-12). */
  announce(event: SignedObject, number: number): void {
    for (const { session, lobby } of [...this.#core.contexts.values()]) {
      if (session.state === 'open' && lobby === null) session.send({ kind: 'est', aid: this.#core.self.aid, from: number, events: [event] });
      if (session.state === 'open') session.close('RENEW');
      else session.disconnected('this node begins an incarnation with a new key');
      this.#core.touched.add(session);
    }
    this.#core.stopping = true;
    this.#core.rooms.members.flushPeers(true);
  }

  get superseded(): string | null {
    return this.#superseded;
  }

  /** Why this node must not rotate now; undefined when it may. Two rotations at one place would convict it for ever (H-7). */
  rotationFault(): string | undefined {
    if (this.#superseded !== null) return this.#superseded;
    const { mesh } = this.#core;
    if (mesh === null || this.#asked || mesh.members().every((member) => member.text === this.#core.self.text)) return undefined;
    return 'no member has been reached since this node started, so it cannot know whether its identity has been rotated already';
  }

  /** A member has judged our log, and it is not older than what that member knows; or it is, and the member shows what replaced it. */
  onJudged(code: RefusalCode | null, evidence: readonly SignedObject[]): void {
    const rotations = code === 'IDENTITY_STALE' ? evidence.flatMap((object) => decodeRotation(object.body) ?? []) : [];
    const [first] = rotations;
    if (first === undefined) {
      if (!this.#asked && this.#unsealed.size > 0) this.#sealAt = Math.min(this.#sealAt, this.#core.now.mono + SECOND);
      this.#asked = true;
      return;
    }
    const events = evidence.filter((object) => decodeRotation(object.body) !== undefined);
    const news = judgeEstablishmentNews(this.#core.crypto, this.#core.self.established, first.number, events);
    if (news.kind !== 'extended' || this.#superseded !== null) return;
    this.#superseded = `rotation ${news.established.rotations} of this identity was made elsewhere and has replaced the key that this device holds`;
    this.#core.refused = this.#superseded;
    this.#core.event('IDENTITY_SUPERSEDED', 'critical', `${this.#superseded}; members refuse this device`, this.#core.self.text, null);
  }

  document(id: number, who: string | null, mesh: MeshState): void {
    const member = mesh.find(who ?? this.#core.self.text);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const own = member.text === this.#core.self.text;
    const log = own ? this.#core.self.established : (this.#core.peers.get(member.text)?.established ?? null);
    if (log === null) return this.#core.refuse(id, 'RN-MESH-020', `this node has never met ${member.name} and does not know its keys; ask another member`);
    const value: IdentityParts = {
      established: log,
      name: member.name,
      mesh: { id: mesh.id, name: mesh.mesh.genesis.name },
      membership: mesh.welcomeFor(member.text) ?? mesh.founderWelcome(),
      peers: [...this.#core.addresses, ...[...this.#core.peers.keys()].flatMap((text) => this.#core.dials.addressesOf(text).slice(0, 1))].map(addressText),
    };
    this.#core.fx.reply({ id, kind: 'done', value });
  }

  // ---- the ledger ----------------------------------------------------------------------------------------------------

  /** The voter's own rotations come first: everything else that it signs is checked against them. */
  sealOwn(): void {
    this.#maybeSeal(this.#core.self.established);
  }

  #maybeSeal(established: Established): void {
    const { mesh } = this.#core;
    if (mesh === null || !mesh.log.decides || decideSeal(mesh.registry, established) === undefined) return;
    this.#unsealed.set(aidText(established.aid), established);
    this.#sealAt = Math.min(this.#sealAt, this.#core.now.mono);
  }

  #seal(): void {
    this.#sealAt = NEVER;
    const { mesh } = this.#core;
    // A voter whose card was restored would sign a second entry at an index that others hold: one of them is heard first.
    if (mesh === null || this.#superseded !== null || (!this.#asked && mesh.members().some((member) => member.text !== this.#core.self.text))) return;
    for (const [text, established] of [...this.#unsealed]) {
      const change = decideSeal(mesh.registry, established);
      this.#unsealed.delete(text);
      if (change === undefined) continue;
      this.#core.rooms.decisions.commit(change);
      // Refused while the ledger catches up, or more rotations than one entry holds: once more.
      if (decideSeal(mesh.registry, established) === undefined) continue;
      this.#unsealed.set(text, established);
      this.#sealAt = this.#core.now.mono + SECOND;
    }
  }

  get wakeAt(): Millis {
    return Math.min(this.#sealAt, ...this.#ending.values());
  }

  tick(): void {
    const { mono } = this.#core.now;
    if (mono >= this.#sealAt) this.#seal();
    for (const [id, until] of [...this.#ending]) {
      const session = this.#core.contexts.get(id)?.session;
      const log = session?.peer == null ? null : (this.#core.peers.get(session.peer.text)?.established ?? null);
      if (session === undefined || log === null) this.#ending.delete(id);
      else if (mono >= until) this.#end(session, log);
    }
    for (const id of this.#served.keys()) if (!this.#core.contexts.has(id)) this.#served.delete(id);
  }
}

function copyOf({ body, sig }: SignedObject): SignedObject {
  return { body: body.slice(), sig: sig.slice() };
}
