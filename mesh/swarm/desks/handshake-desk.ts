/**
 * The answers that a handshake needs from its node (protocol.md §2.4): whether to go on, with whom, and what to show.
 * Implements the session's port together with the links' room.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { type VoterKeys, verifyMembershipRecord } from '#mesh/admission/membership-record.ts';
import { judgeTokenNumber } from '#mesh/admission/policy.ts';
import { removalWords, voterKeysOf } from '#mesh/admission/registry.ts';
import { judgePresentedRecord } from '#mesh/admission/presented-record.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { addressText, isRelayed } from '#mesh/membership/address-policy.ts';
import type { HelloVerdict, PeerIdentity, PeerVerdict, Turned } from '#mesh/session/host.ts';
import type { Session } from '#mesh/session/session.ts';
import type { Accept, HandshakePayload, Hello, HelloMode, ResumeBlock } from '#mesh/wire/message.ts';
import type { Context } from '../context.ts';
import { type SwarmCore, turned } from '../core.ts';
import type { MeshState } from '../mesh-state.ts';
import type { HandshakeDoor } from '../rooms.ts';

const ZERO_TAG = new Uint8Array(8);

/** Two connections of one pair opened within so short a time were dialled at once. */
const SIMULTANEOUS_MS: Millis = 5_000;

/** See the header. */
export class HandshakeDesk implements HandshakeDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  helloTag(mode: HelloMode): Uint8Array {
    if (this.#core.mesh !== null) return this.#core.mesh.tag;
    return mode === 0 ? ZERO_TAG : (this.#core.joiner?.helloTag ?? ZERO_TAG);
  }

  ledgerPosition(): { readonly term: number; readonly commit: number } {
    return { term: this.#core.mesh?.log.term ?? 0, commit: this.#core.mesh?.log.commitIndex ?? 0 };
  }

  hostName(): string {
    return this.#core.facts.name;
  }

  membershipRecord(): Uint8Array | null {
    return this.#core.mesh?.ownRecord ?? null;
  }

  establishedOf(aid: Aid): Established | undefined {
    for (const peer of this.#core.peers.values()) if (bytesEqual(peer.aid, aid)) return peer.established ?? undefined;
    return undefined;
  }

  establishedByHead(head: Uint8Array): Established | undefined {
    for (const peer of this.#core.peers.values()) if (peer.established !== null && bytesEqual(peer.established.head, head)) return peer.established;
    return undefined;
  }

  onEquivocation(session: Session, aid: Aid, proof: readonly SignedObject[], why: string): void {
    const established = this.#core.peerOf(aid).established;
    // The rotation that differs is the newest of ours that it contradicts; the log before it is common to both.
    if (established !== null) this.#core.rooms.evidence.found('rotation', established, proof, why);
    void session;
  }

  maySpendHandshake(session: Session): boolean {
    return this.#core.gate.spend(this.#core.isKnownHost(session.remote.host), this.#core.now.mono);
  }

  /** Drawn once per handshake, seen twice: somebody plays back what was recorded, or sends us our own words (§2.4). */
  recognize(session: Session, once: Uint8Array): Turned | undefined {
    const known = this.#core.handshakes.recognize(once);
    if (known === undefined) return undefined;
    const where = addressText(session.remote);
    if (known.kind === 'reflected') {
      this.#core.incident('HANDSHAKE_REFLECTED', 'warning', `${where} sends this node's own handshake back to it; it was refused`, session.source, null);
      return turned('HS_FAIL', 'our own handshake came back to us');
    }
    const { at, source } = known.first;
    const text = `a handshake that was recorded earlier is replayed from ${where}; it was made with ${source} ${Math.round((this.#core.now.wall - at) / 1_000)} s ago, and was refused now`;
    this.#core.incident('HANDSHAKE_REPLAYED', 'warning', text, session.source, null, { firstAt: Math.floor(at), firstSource: source });
    return turned('HS_FAIL', 'a recorded handshake is replayed');
  }

  /** On one link nobody translates addresses: where the other end sees us must be where we are (W-27). Reported at once. */
  #noteRelay(context: Context, peer: PeerIdentity, payload: HandshakePayload): string | null {
    const { session, local } = context;
    const { seenAt } = payload;
    if (local === null || seenAt === undefined || isRelayed(seenAt, local.host) !== true) return null;
    const who = this.#core.nameOf(peer.text);
    const why = session.initiator
      ? `${who} answered the dial to ${session.remote.host}, but was reached from ${seenAt}, which is not this node (${local.host}): somebody in between passes the handshake on`
      : `${who} dialled ${seenAt}, which is not this node (${local.host}), and arrives from ${session.remote.host}: somebody in between passes the handshake on`;
    this.#core.incident('RELAY_SUSPECTED', 'warning', `${why}; the connection was refused`, session.source, peer.text, { seenAt, local: local.host });
    return why;
  }

  onHello(session: Session, hello: Hello): HelloVerdict {
    const mesh = this.#core.mesh;
    // Without a mesh we still answer, with an empty tag, so that who scans can see what we are.
    if (mesh === null) return { kind: 'go', psk: null, answerTag: ZERO_TAG };
    const meshTag = mesh.tag;
    const anyMesh = hello.mode === 2 && bytesEqual(hello.meshTag, ZERO_TAG);
    if (!anyMesh && !bytesEqual(hello.meshTag, meshTag)) return turned('MESH_MISMATCH', `it asks for mesh ${hex(hello.meshTag)}, this is ${hex(meshTag)}`);
    if (hello.mode !== 1) return { kind: 'go', psk: null, answerTag: meshTag };
    if (!mesh.log.decides) return turned('QUORUM_UNREACHABLE', 'only the leader can answer an invitation');
    const judged = judgeTokenNumber(mesh.registry, hello.tokenId ?? new Uint8Array(8), this.#core.now.wall);
    if (judged.kind === 'refuse') return turned(judged.code, judged.why);
    const psk = this.#core.psks.get(judged.token.text);
    if (psk === undefined) return turned('TOKEN_BAD', 'this voter no longer has the secret of that invitation');
    void session;
    return { kind: 'go', psk, answerTag: meshTag };
  }

  onHelloAnswer(session: Session, hello: Hello): Turned | undefined {
    const expected = this.#core.mesh?.tag;
    if (expected !== undefined && session.mode !== 0) return turned('DUP_CONN', 'this node has become a member meanwhile');
    if (expected !== undefined)
      return bytesEqual(hello.meshTag, expected) ? undefined : turned('MESH_MISMATCH', `mesh ${hex(hello.meshTag)} answers, ${hex(expected)} was expected`);
    if (this.#core.joiner === null) return turned('MESH_MISMATCH', 'this node no longer looks for a mesh');
    return this.#core.joiner.acceptsTag(hello.meshTag) ? undefined : turned('MESH_MISMATCH', tagText(hello.meshTag));
  }

  onResponder(session: Session, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned {
    const context = this.#core.contextOf(session);
    context.payload = payload;
    // Refused only once the other end has heard our side of it, so that both can tell their people.
    context.relayed = this.#noteRelay(context, peer, payload);
    if (this.#core.mesh === null) {
      const expect = this.#core.joiner?.intent.expect ?? null;
      const pins = this.#core.joiner?.intent.token?.pins ?? [];
      if (expect !== null && fingerprintOf(peer.aid) !== expect)
        return turned('IDENTITY_BAD', `the member there has the fingerprint ${fingerprintOf(peer.aid)}, not ${expect}`);
      if (pins.length > 0 && !pins.some((pin) => bytesEqual(pin, peer.aid)))
        return turned('IDENTITY_BAD', 'the member there is not among those the invitation names');
      const duplicate = this.#checkDuplicate(session, peer);
      if (duplicate !== undefined) return duplicate;
      // A stranger's history with us begins at nothing, unless we have met before.
      context.ourBlock = this.#core.rooms.history.blockFor(this.#core.peers.get(peer.text));
      return { kind: 'go', resume: context.ourBlock };
    }
    const turnedAway = this.#checkMember(session, peer, payload) ?? this.#checkTarget(context, peer);
    if (turnedAway !== undefined) return turnedAway;
    this.#core.rooms.identities.onProved(session, peer);
    const duplicate = this.#checkDuplicate(session, peer);
    if (duplicate !== undefined) return duplicate;
    context.ourBlock = this.#core.rooms.history.blockFor(this.#core.peerOf(peer.aid));
    return { kind: 'go', resume: context.ourBlock };
  }

  onInitiator(session: Session, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict {
    const context = this.#core.contextOf(session);
    context.payload = payload;
    const mesh = this.#core.mesh;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    const relayed = this.#noteRelay(context, peer, payload);
    if (relayed !== null) return turned('HS_FAIL', relayed);
    const removal = mesh.removal(peer.text);
    if (removal?.bar != null)
      this.#core.incident(
        'BARRED_SEEN',
        'critical',
        `${removal.name}, which is barred, is at ${session.remote.host}: whoever has it is on this network. It was refused; find the machine and take it back, or rotate what it knew`,
        peer.text,
        peer.text,
      );
    if (removal !== undefined) return turned('IDENTITY_BARRED', `${removal.name} (${removal.fingerprint}) ${removalWords(removal)}`);
    const known = mesh.member(peer.text);
    if (known === undefined && session.mode !== 0) {
      const verdict = this.#core.rooms.admission.judgeApplicant(context, peer, payload);
      this.#noteStranger(context, peer, verdict);
      return verdict;
    }
    const turnedAway = this.#checkMember(session, peer, payload);
    if (turnedAway !== undefined) return turnedAway;
    this.#core.rooms.identities.onProved(session, peer);
    const duplicate = this.#checkDuplicate(session, peer);
    if (duplicate !== undefined) return duplicate;
    return this.#core.rooms.history.resume(context, peer, payload.resume, session.mode === 0 ? null : mesh.welcomeFor(peer.text), null);
  }

  /** Whoever was admitted (it brought an invitation, or the mesh is open) is no stranger. */
  #noteStranger(context: Context, peer: PeerIdentity, verdict: PeerVerdict): void {
    if (this.#core.mesh?.member(peer.text) !== undefined) return;
    const machine = { key: context.machine, mac: context.mac, address: context.session.remote.host };
    this.#core.strangers.identity(machine, peer.text, this.#core.now);
    if (verdict.kind === 'refuse') this.#core.strangers.turnedAway(machine, this.#core.now);
  }

  onAccepted(session: Session, peer: PeerIdentity, accept: Accept): PeerVerdict {
    const context = this.#core.contextOf(session);
    if (context.relayed !== null) return turned('HS_FAIL', context.relayed);
    if (this.#core.mesh === null) {
      const joiner = this.#core.joiner;
      if (joiner === null) return turned('MESH_MISMATCH', 'this node no longer looks for a mesh');
      if (joiner.mode === 2 && accept.role === 'lobby') return this.#core.rooms.joining.enterLobbyAsGuest(context, peer, accept, joiner);
      const refusal = this.#core.rooms.joining.believeWelcome(accept.proof, peer);
      if (refusal !== undefined) return refusal;
    }
    return this.#core.rooms.history.resume(context, peer, accept.resume, null, null);
  }

  #checkMember(session: Session, peer: PeerIdentity, payload: HandshakePayload): Turned | undefined {
    const mesh = this.#core.mesh;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    const voterKeys = this.#voterKeys(mesh);
    // Our log may be behind the decision that admitted it: a voter's signature over its membership is as good (§2.14).
    const standing = this.#core.peers.get(peer.text);
    if (standing?.trust.standing === 'convicted')
      return {
        ...turned('EQUIVOCATION', `${this.#core.nameOf(peer.text)} is convicted of saying two things in one place`),
        evidence: this.#core.rooms.evidence.shown(peer.text),
      };
    const pause = (standing?.pausedUntil ?? 0) - this.#core.now.mono;
    if (pause > 0)
      return {
        ...turned('RATE_LIMIT', `${this.#core.nameOf(peer.text)} broke the protocol and waits another ${Math.ceil(pause / 1_000)} s`),
        retryAfterMs: pause,
      };
    const copy = this.#core.rooms.contests.refusalFor(peer);
    if (copy !== undefined) return copy;
    const verdict = judgePresentedRecord(this.#core.crypto, mesh.registry, peer.established, payload.record, voterKeys);
    if (verdict.kind === 'refuse' && verdict.code === 'IDENTITY_STALE') this.#core.rooms.identities.onOldKey(session, peer.aid, verdict.why);
    if (verdict.kind === 'refuse') return turned(verdict.code, verdict.why);
    if (verdict.by === 'ledger' || payload.record === null) return undefined;
    const record = verifyMembershipRecord(this.#core.crypto, payload.record, mesh.id, voterKeys);
    if (record.kind === 'valid') mesh.believe(record.record, payload.record.slice());
    this.#core.rooms.members.watch(peer.aid);
    return undefined;
  }

  /** A voter may have rotated without our ledger knowing yet: the newest key that it has proved to us counts as well. */
  #voterKeys(mesh: MeshState): VoterKeys {
    const sealed = voterKeysOf(mesh.registry);
    return (voter) => {
      const keys = sealed(voter);
      const newest = this.#core.peers.get(aidText(voter))?.established?.signKey;
      return keys === undefined || newest === undefined ? keys : [...keys, newest];
    };
  }

  #checkTarget(context: Context, peer: PeerIdentity): Turned | undefined {
    const { target } = context;
    if (target?.kind !== 'member' || target.id === peer.text) return undefined;
    return turned('IDENTITY_BAD', `${this.#core.nameOf(peer.text)} answers where ${this.#core.nameOf(target.id)} was expected`);
  }

  /**
   * One connection per peer (§2.4). We never go on with a second one of our own; where both ends dialled at once, the
   * connection that the lower identity initiated is kept. A peer that comes again with an older connection still open is
   * not a duplicate: that is judged with its history (R0, R1, R4).
   */
  #checkDuplicate(session: Session, peer: PeerIdentity): Turned | undefined {
    for (const { session: other } of [...this.#core.contexts.values()]) {
      if (other === session || other.state === 'closed' || other.peer?.text !== peer.text) continue;
      const sameProcess = bytesEqual(other.peer.boot.nonce, peer.boot.nonce);
      if (session.initiator && other.initiator) return turned('DUP_CONN', 'this node is already connected to it, or about to be');
      if (other.initiator === session.initiator || !sameProcess) continue;
      if (other.state === 'open' && !session.initiator && this.#core.now.mono - other.openedAt >= SIMULTANEOUS_MS) continue;
      const keepOther = other.initiator === this.#core.self.text < peer.text;
      if (keepOther || other.state === 'open') return turned('DUP_CONN', 'both ends dialled at once; the other connection is kept');
      other.refuse(turned('DUP_CONN', 'both ends dialled at once; the other connection is kept'));
      this.#core.touched.add(other);
    }
    return undefined;
  }
}

function tagText(tag: Uint8Array): string {
  return tag.every((byte) => byte === 0) ? 'the node there belongs to no mesh' : `the node there belongs to mesh ${hex(tag)}`;
}
