/**
 * One node: the machines composed. Pure: inputs and the present go in, effects come out (step.ts); the driver or the
 * simulator performs them in the one right order. The swarm owns the peers, the connections, the mesh's log and the way
 * into a mesh; it decides nothing that a machine below it can decide.
 */
import { bytesEqual, concat, hex, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { FaultCode } from '#core/errors/fault.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { listOf } from '#core/msgpack/fields.ts';
import type { Entropy, Rng } from '#core/random/random.ts';
import { HOUR, type Instant, type Millis, MINUTE, NEVER } from '#core/time/time.ts';
import type { EntryEffect } from '#mesh/admission/apply-entry.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { GENESIS_RANDOM_BYTES, makeGenesis, type Mesh, verifyGenesis } from '#mesh/admission/genesis.ts';
import { INVITATION_RANDOM_BYTES, makeInvitation } from '#mesh/admission/invitation.ts';
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { Lobby, type LobbyEntry } from '#mesh/admission/lobby.ts';
import { decidePromotion, decideRemoval, findSuspended, promotion } from '#mesh/admission/membership-changes.ts';
import { genesisVoterKeys, verifyMembershipRecord } from '#mesh/admission/membership-record.ts';
import { isNodeName, nodeNameOf } from '#mesh/admission/names.ts';
import { admission, decideAdmission, judgeTokenNumber } from '#mesh/admission/policy.ts';
import { judgePresentedRecord } from '#mesh/admission/presented-record.ts';
import { effectiveRole, type Member, tokenStanding, type TokenState } from '#mesh/admission/registry.ts';
import { roleLevelMax } from '#mesh/admission/roles.ts';
import { verifyMembership } from '#mesh/admission/welcome.ts';
import { decodeLogMessage, encodeLogMessage, packEntry, sealEntry, unpackEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { LogOutput, SealedEntry } from '#mesh/consensus/log.ts';
import { verifyBoot } from '#mesh/hcth/boot-event.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import { NO_ANCHOR } from '#mesh/hcth/chain.ts';
import { checkCheckpoint } from '#mesh/hcth/checkpoint-check.ts';
import { openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText, type AidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { judgeSelfEvidence } from '#mesh/hcth/incarnation.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import { decodePeerRecord } from '#mesh/hcth/peer-record.ts';
import { decideResume, genesisPosition, resumeSending } from '#mesh/hcth/resume.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { type Address, addressText, isLocalAddress, parseAddress } from '#mesh/membership/address-policy.ts';
import { DialPlan, type DialTarget } from '#mesh/membership/dial-plan.ts';
import { type LivenessChange, LivenessTable } from '#mesh/membership/liveness.ts';
import { ConnectionGate } from '#mesh/session/connection-gate.ts';
import type { Ending, HelloVerdict, LocalIdentity, PeerIdentity, PeerVerdict, SessionHost, Turned } from '#mesh/session/host.ts';
import { LEVEL_RATES, type LevelRate, SESSION_LIMITS } from '#mesh/session/limits.ts';
import { Link, type LinkStart, slotOf } from '#mesh/session/link.ts';
import { Session } from '#mesh/session/session.ts';
import { explainTrust } from '#mesh/trust/explain.ts';
import { exportTrust } from '#mesh/trust/export.ts';
import { decodeHistory } from '#mesh/trust/history-codec.ts';
import { PeerTrust } from '#mesh/trust/peer-trust.ts';
import { permits } from '#mesh/trust/permissions.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { scoreNumber } from '#mesh/trust/score.ts';
import { SlotMeter } from '#mesh/trust/slot-meter.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { payloadBytesMaxAt } from '#mesh/wire/limits.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { type Accept, GOSSIP_TOPIC, type HandshakePayload, type Hello, type HelloMode, type ResumeBlock, type ResumeVerdict, type SessionMessage, type Welcome } from '#mesh/wire/message.ts';
import { isFarewellCode, type RefusalCode, refusalText } from '#mesh/wire/refusal.ts';
import { CallTable } from './call-table.ts';
import { EffectCollector } from './effects.ts';
import { decodeAddresses, decodeCapabilities, decodeCapabilitiesAlone, decodeConditions, decodeRequests, encodeAddresses, encodeCapabilities, encodeCapabilitiesAlone, encodeConditions, encodeRequests } from './facts-codec.ts';
import { decodeIntent, encodeIntent, Joiner, readIntent } from './joiner.ts';
import { SWARM_LIMITS as LIMITS } from './limits.ts';
import { MeshState } from './mesh-state.ts';
import { Peer } from './peer.ts';
import type { CallResult, Command, ConnectionId, Refusal, SelfFacts, SwarmEffects, SwarmInput } from './step.ts';
import type { AdmissionRequest, Condition, EventRecord, FoundOptions, Invitation, InviteOptions, JoinOptions, MeshView, NodeState, NodeView, StatusView, TrustLevel, TrustView } from './views.ts';

/** What a node is started with; everything from disk has been read, nothing has been sent yet. */
export interface SwarmOptions {
  readonly crypto: CryptoPort;
  readonly entropy: Entropy;
  readonly rng: Rng;
  readonly identity: LocalIdentity;
  /** Identities shown in `status`. */
  readonly startReason: string;
  readonly degraded: readonly string[];
  readonly facts: SelfFacts;
  readonly port: number;
  /** Records of `ledger.journal`, of `peers.journal` (newest last), and the small documents. */
  readonly ledger: readonly Uint8Array[];
  readonly peers: readonly Uint8Array[];
  readonly documents: { readonly membership: Uint8Array | null; readonly intent: Uint8Array | null; readonly tokenSecrets: Uint8Array | null; readonly peerCache: readonly CachedAddress[] };
  readonly rates?: readonly LevelRate[];
  /** Rights of every member are at least those of this level: for laboratories and benchmarks. */
  readonly levelFloor?: TrustLevel;
  readonly handshakesPerSecond: number;
}

/** Where a member was last reached. */
export interface CachedAddress {
  readonly aid: string;
  readonly host: string;
  readonly port: number;
}

/** What the swarm knows about one connection besides the session itself. */
interface Context {
  readonly session: Session;
  readonly target: DialTarget | null;
  readonly source: string;
  /** What the peer said in its handshake payload. */
  payload: HandshakePayload | null;
  /** The resume block that we showed. */
  ourBlock: ResumeBlock | null;
  lobby: 'guest' | 'host' | null;
  counted: 'half-open' | 'open' | 'no';
  probe: { readonly until: Millis; readonly peer: PeerIdentity; readonly block: ResumeBlock | null } | null;
  pings: Map<number, { readonly at: Millis; readonly command: number | null }>;
  paused: boolean;
  pausedUntil: Millis;
  /** After a change of the network: the link is given up when nothing was heard by then. */
  aliveBy: Millis;
  heard: boolean;
}

const ZERO_TAG = new Uint8Array(8);
/** Two connections of one pair opened within so short a time were dialled at once. */
const SIMULTANEOUS_MS: Millis = 5_000;
const LOBBY_ANCHOR_LABEL = labelled('HCTH1:lobby');
const SELF_REQUEST_VERBS = new Set(['mesh.leave']);

/** See the header. */
export class Swarm implements SessionHost {
  readonly crypto: CryptoPort;
  readonly entropy: Entropy;
  readonly self: LocalIdentity;
  readonly #options: SwarmOptions;
  readonly #rates: readonly LevelRate[];
  readonly #fx = new EffectCollector();
  readonly #gate: ConnectionGate;
  readonly #dials: DialPlan;
  readonly #liveness = new LivenessTable();
  readonly #calls = new CallTable();
  readonly #lobby = new Lobby();
  readonly #contexts = new Map<ConnectionId, Context>();
  readonly #peers = new Map<AidText, Peer>();
  readonly #touched = new Set<Session>();
  #mesh: MeshState | null = null;
  #joiner: Joiner | null = null;
  #now: Instant = { mono: 0, wall: 0 };
  #facts: SelfFacts;
  #factsSerial = 0;
  #factsAt: Millis = NEVER;
  #addresses: readonly Address[] = [];
  #nextDial = -1;
  #nextPing = 1;
  #request = 0;
  #spoken = false;
  readonly #startedAt: Millis;
  #contested: string | null = null;
  #refused: string | null = null;
  #flushPeersAt: Millis = NEVER;
  #remoteRequests: readonly AdmissionRequest[] = [];
  #stopping = false;

  constructor(options: SwarmOptions, now: Instant) {
    this.#options = options;
    this.#startedAt = now.mono;
    this.#now = now;
    this.crypto = options.crypto;
    this.entropy = options.entropy;
    this.self = options.identity;
    this.#rates = options.rates ?? LEVEL_RATES;
    this.#facts = options.facts;
    this.#gate = new ConnectionGate(options.handshakesPerSecond, now.mono);
    this.#dials = new DialPlan(this.self.text, options.rng.fork('dial'));
    this.#load(now);
  }

  // ---- the machine ---------------------------------------------------------------------------------------------------

  /** Advance by one input. */
  step(input: SwarmInput, now: Instant): SwarmEffects {
    this.#now = now;
    switch (input.kind) {
      case 'received':
        this.#onReceived(input.connection, input.bytes);
        break;
      case 'request':
        this.#onRequest(input.id, input.who, input.verb, input.body, input.timeoutMs);
        break;
      case 'respond':
        this.#onRespond(input.call, input.result);
        break;
      case 'flush':
        for (const { session } of this.#contexts.values()) {
          if (!session.hasUnflushed) continue;
          session.flush(now.mono);
          this.#touched.add(session);
        }
        break;
      case 'tick':
        this.#onTick();
        break;
      case 'accepted':
        this.#onConnection(input.connection, input.remote, null);
        break;
      case 'connected':
        this.#onConnected(input.connection, input.remote);
        break;
      case 'dial-failed':
        this.#onDialFailed(input.connection, input.why);
        break;
      case 'closed':
        this.#contexts.get(input.connection)?.session.disconnected(input.why);
        break;
      case 'backlog':
        this.#onBacklog(input.connection, input.bytes);
        break;
      case 'command':
        this.#onCommand(input.id, input.command);
        break;
      case 'announce-self':
        this.#facts = input.facts;
        this.#maybeRename(this.self.aid, input.facts.name);
        this.#gossipFacts();
        break;
      case 'hint':
        this.#onHint(input.address, input.meshTag, input.origin);
        break;
      case 'listening':
        this.#addresses = input.addresses;
        this.#gossipFacts();
        break;
      case 'network-changed':
        this.#onNetworkChanged();
        break;
      case 'stalled':
        this.#liveness.stalled(input.lagMs);
        break;
      case 'stop':
        this.#stopping = true;
        for (const { session } of [...this.#contexts.values()]) {
          if (session.state === 'open') session.close('SHUTDOWN');
          else session.disconnected('this node stops');
          this.#touched.add(session);
        }
        this.#flushPeers(true);
        break;
    }
    this.#collect();
    return this.#fx.take();
  }

  /** When `tick` is next needed. */
  get wakeAt(): Millis {
    let earliest = Math.min(this.#liveness.wakeAt(), this.#calls.wakeAt(), this.#factsAt, this.#flushPeersAt, this.#promoteAt);
    if (!this.#stopping) earliest = Math.min(earliest, this.#dials.wakeAt());
    if (this.#joiner?.command != null) earliest = Math.min(earliest, this.#joiner.until);
    if (this.#awaitsLedger !== null) earliest = Math.min(earliest, this.#awaitsLedger.until);
    for (const context of this.#contexts.values()) {
      earliest = Math.min(earliest, context.session.wakeAt());
      earliest = Math.min(earliest, context.aliveBy);
      if (context.probe !== null) earliest = Math.min(earliest, context.probe.until);
      if (context.paused) earliest = Math.min(earliest, context.pausedUntil);
    }
    for (const peer of this.#peers.values()) earliest = Math.min(earliest, peer.meter.wakeAt);
    if (this.#lobby.entries.length > 0) earliest = Math.min(earliest, this.#lobby.wakeAt, this.#now.mono + MINUTE);
    return earliest;
  }

  #onTick(): void {
    const { mono } = this.#now;
    for (const context of [...this.#contexts.values()]) {
      const { session } = context;
      session.tick(mono);
      this.#touched.add(session);
      if (context.probe !== null && mono >= context.probe.until) this.#probeOver(context, 'silent');
      if (mono >= context.aliveBy) {
        context.aliveBy = NEVER;
        if (!context.heard) this.#giveUp(session, 'nothing was heard after a change of the network');
      }
      if (context.paused && mono >= context.pausedUntil) {
        context.paused = false;
        this.#fx.now.pause.push({ connection: session.id, paused: false });
      }
    }
    const { changes, pings } = this.#liveness.tick(mono);
    for (const change of changes) this.#onLiveness(change);
    for (const id of pings) {
      const session = this.#peers.get(id)?.session;
      if (session != null) this.#ping(session, null);
    }
    for (const peer of this.#peers.values()) if (mono >= peer.meter.wakeAt && peer.advanceTrust(mono)) this.#levelChanged(peer);
    for (const context of this.#contexts.values()) if (context.lobby === 'host' && context.session.peer !== null) this.#lobby.renew(context.session.peer.aid, this.#now);
    for (const entry of this.#lobby.expire(this.#now)) {
      this.#event('ADMIT_EXPIRED', 'notice', `${entry.name} (${entry.fingerprint}) no longer waits`, aidText(entry.aid), entry.address);
      this.#gossipRequests();
    }
    for (const call of this.#calls.sweep(mono)) {
      this.#peers.get(call.peer)?.session?.send({ kind: 'cancel', id: call.wireId });
      this.#refuse(call.request, 'RN-MESH-021', `${this.#nameOf(call.peer)} did not answer within ${Math.round(call.waitedMs)} ms`);
    }
    if (mono >= this.#factsAt) this.#gossipFacts();
    if (mono >= this.#promoteAt) this.#maybePromote();
    if (mono >= this.#flushPeersAt) this.#flushPeers(false);
    this.#joinerTick();
    this.#maybeAnswerJoin();
    if (!this.#stopping) for (const dial of this.#dials.due(mono)) this.#dial(dial.target, dial.address);
  }

  /** An interface came or went: every link is asked at once, everybody else is dialled anew. */
  #onNetworkChanged(): void {
    const { mono } = this.#now;
    this.#dials.retryAll(mono);
    for (const context of this.#contexts.values()) {
      if (context.session.state !== 'open' || context.lobby !== null) continue;
      context.aliveBy = mono + LIMITS.contestMs;
      context.heard = false;
      this.#ping(context.session, null);
    }
  }

  /** Move what the touched sessions produced into the effects. */
  #collect(): void {
    if (this.#touched.size === 0) return;
    for (const session of this.#touched) {
      const out = session.takeOutput();
      if (out.bytes.length > 0) {
        const { send } = this.#fx.now;
        for (const bytes of out.bytes) send.push({ connection: session.id, bytes });
      }
      if (out.close) this.#fx.now.close.push({ connection: session.id });
      if (session.hasUnflushed) this.#fx.flushWanted = true;
      const peer = session.peer === null ? undefined : this.#peers.get(session.peer.text);
      const own = session.recorded ? session.link?.ownCheckpoint : null;
      if (peer !== undefined && own != null && peer.ownCheckpoints.at(-1) !== own) peer.keepOwnCheckpoint(own);
    }
    this.#touched.clear();
  }

  // ---- connections ---------------------------------------------------------------------------------------------------

  #onReceived(id: ConnectionId, bytes: Uint8Array): void {
    const context = this.#contexts.get(id);
    if (context === undefined) return;
    const { session } = context;
    session.receive(bytes, this.#now.mono);
    this.#touched.add(session);
    const wait = session.pauseMs(this.#now.mono);
    if (wait > 0 && !context.paused) {
      context.paused = true;
      context.pausedUntil = this.#now.mono + wait;
      this.#fx.now.pause.push({ connection: id, paused: true });
    }
  }

  #onConnection(id: ConnectionId, remote: Address, initiate: { readonly target: DialTarget; readonly mode: HelloMode } | null): void {
    if (this.#stopping) {
      this.#fx.now.close.push({ connection: id });
      return;
    }
    const token = initiate?.mode === 1 ? (this.#joiner?.intent ?? null) : null;
    const session = new Session(
      this,
      { id, initiator: initiate !== null, remote, mode: initiate?.mode ?? 0, tokenId: token?.token?.tokenId ?? null, psk: token?.psk ?? null, rates: this.#rates },
      this.#now.mono,
    );
    const context: Context = {
      session,
      target: initiate?.target ?? null,
      source: session.source,
      payload: null,
      ourBlock: null,
      lobby: null,
      counted: 'no',
      probe: null,
      pings: new Map(),
      paused: false,
      pausedUntil: NEVER,
      aliveBy: NEVER,
      heard: false,
    };
    if (initiate === null) {
      const refusal = this.#gate.arrive(session.source, this.#isKnownSource(session.source), this.#now.mono);
      if (refusal !== undefined) {
        this.#incident('RATE_LIMIT', `a connection from ${addressText(remote)} was turned away: ${refusal}`, session.source, null);
        this.#fx.now.close.push({ connection: id });
        return;
      }
      context.counted = 'half-open';
    }
    this.#contexts.set(id, context);
    this.#touched.add(session);
  }

  #onConnected(id: ConnectionId, remote: Address): void {
    const dial = this.#pendingDials.get(id);
    this.#pendingDials.delete(id);
    if (dial === undefined || (dial.mode !== 0) === (this.#mesh !== null)) {
      this.#fx.now.close.push({ connection: id });
      return;
    }
    this.#onConnection(id, { host: remote.host, port: dial.address.port }, { target: dial.target, mode: dial.mode });
  }

  readonly #pendingDials = new Map<ConnectionId, { readonly target: DialTarget; readonly address: Address; readonly mode: HelloMode }>();

  #dial(target: DialTarget, address: Address): void {
    const mode: HelloMode | null = this.#mesh !== null ? 0 : (this.#joiner?.mode ?? null);
    const lobbied = this.#joiner?.lobby ?? null;
    if (mode === null || (lobbied !== null && target.kind === 'hint')) {
      this.#dials.failed(target, this.#now.mono);
      return;
    }
    const id = this.#nextDial;
    this.#nextDial -= 1;
    this.#pendingDials.set(id, { target, address, mode });
    this.#fx.now.dial.push({ connection: id, address });
  }

  #onDialFailed(id: ConnectionId, why: string): void {
    const dial = this.#pendingDials.get(id);
    this.#pendingDials.delete(id);
    if (dial === undefined) return;
    this.#attemptFailed(dial.target, `redial ${why}`);
    this.#joinFailed(dial.target, { code: 'RN-MESH-011', text: `nothing answers at ${addressText(dial.address)} (${why})` }, false);
  }

  /** A dial or a handshake to a target came to nothing. */
  #attemptFailed(target: DialTarget | null, why: string): void {
    if (target === null) return;
    this.#dials.failed(target, this.#now.mono);
    if (target.kind !== 'member') return;
    const change = this.#liveness.probeFailed(target.id, this.#now.mono, why);
    if (change !== undefined) this.#onLiveness(change);
  }

  #onBacklog(id: ConnectionId, bytes: number): void {
    const session = this.#contexts.get(id)?.session;
    if (session === undefined) return;
    session.backlog(bytes);
    this.#touched.add(session);
  }

  #isKnownSource(source: string): boolean {
    for (const peer of this.#peers.values()) {
      for (const address of this.#dials.addressesOf(peer.text)) if (address.host === source) return true;
    }
    return false;
  }

  #onHint(address: Address, meshTag: string | null, origin: 'mdns' | 'typed' | 'cache' | 'gossip'): void {
    if (origin !== 'typed' && !isLocalAddress(address.host)) return;
    const { mono } = this.#now;
    // A machine that announces no tag belongs to no mesh: there is nothing to be had from it.
    if (meshTag === null && origin === 'mdns') return;
    if (this.#mesh !== null) {
      if (meshTag !== null && meshTag !== hex(this.#mesh.tag)) return;
      if (this.#isLinkedAddress(address)) return;
      this.#dials.addHint(address, mono);
    } else if (this.#joiner?.wants(meshTag) === true) {
      if (this.#joiner.isAmbiguous) return this.#joinAmbiguous();
      if (this.#joiner.rejected.has(addressText(address))) return;
      this.#dials.addHint(address, mono);
    } else if (meshTag !== null) this.#tagsInSight.set(meshTag, { address, at: mono });
    if (meshTag === null && this.#mesh === null && this.#joiner === null) this.#tagsInSight.set(addressText(address), { address, at: mono });
    if (this.#tagsInSight.size > 512) this.#tagsInSight.clear();
  }

  /** Hints that came before anybody asked to join. */
  readonly #tagsInSight = new Map<string, { readonly address: Address; readonly at: Millis }>();

  #isLinkedAddress(address: Address): boolean {
    const own = this.#addresses.some((mine) => mine.host === address.host && mine.port === address.port);
    if (own) return true;
    for (const peer of this.#peers.values()) {
      if (peer.session === null) continue;
      if (this.#dials.addressesOf(peer.text).some((known) => known.host === address.host && known.port === address.port)) return true;
    }
    return false;
  }

  // ---- session host: handshake ---------------------------------------------------------------------------------------

  helloTag(mode: HelloMode): Uint8Array {
    if (this.#mesh !== null) return this.#mesh.tag;
    return mode === 0 ? ZERO_TAG : (this.#joiner?.helloTag ?? ZERO_TAG);
  }

  ledgerPosition(): { readonly term: number; readonly commit: number } {
    return { term: this.#mesh?.log.term ?? 0, commit: this.#mesh?.log.commitIndex ?? 0 };
  }

  hostName(): string {
    return this.#facts.name;
  }

  membershipRecord(): Uint8Array | null {
    return this.#mesh?.ownRecord ?? null;
  }

  establishedOf(aid: Aid): Established | undefined {
    for (const peer of this.#peers.values()) if (bytesEqual(peer.aid, aid)) return peer.established ?? undefined;
    return undefined;
  }

  establishedByHead(head: Uint8Array): Established | undefined {
    for (const peer of this.#peers.values()) if (peer.established !== null && bytesEqual(peer.established.head, head)) return peer.established;
    return undefined;
  }

  onEquivocation(session: Session, aid: Aid, proof: readonly SignedObject[], why: string): void {
    const peer = this.#peerOf(aid);
    this.#break(peer, 'B5', why);
    this.#keepEvidence(proof);
    this.#event('EQUIVOCATION', 'critical', `${this.#nameOf(peer.text)}: ${why}`, peer.text, session.source);
  }

  maySpendHandshake(session: Session): boolean {
    return this.#gate.spend(this.#isKnownSource(session.source), this.#now.mono);
  }

  onHello(session: Session, hello: Hello): HelloVerdict {
    const mesh = this.#mesh;
    // Without a mesh we still answer, with an empty tag, so that who scans can see what we are.
    if (mesh === null) return { kind: 'go', psk: null, answerTag: ZERO_TAG };
    const meshTag = mesh.tag;
    const anyMesh = hello.mode === 2 && bytesEqual(hello.meshTag, ZERO_TAG);
    if (!anyMesh && !bytesEqual(hello.meshTag, meshTag)) return turned('MESH_MISMATCH', `it asks for mesh ${hex(hello.meshTag)}, this is ${hex(meshTag)}`);
    if (hello.mode !== 1) return { kind: 'go', psk: null, answerTag: meshTag };
    if (!mesh.log.votes) return turned('QUORUM_UNREACHABLE', 'only a voter can answer an invitation');
    const judged = judgeTokenNumber(mesh.registry, hello.tokenId ?? new Uint8Array(8), this.#now.wall);
    if (judged.kind === 'refuse') return turned(judged.code, judged.why);
    const psk = this.#psks.get(judged.token.text);
    if (psk === undefined) return turned('TOKEN_BAD', 'this voter no longer has the secret of that invitation');
    void session;
    return { kind: 'go', psk, answerTag: meshTag };
  }

  onHelloAnswer(session: Session, hello: Hello): Turned | undefined {
    const expected = this.#mesh?.tag;
    if (expected !== undefined && session.mode !== 0) return turned('DUP_CONN', 'this node has become a member meanwhile');
    if (expected !== undefined) return bytesEqual(hello.meshTag, expected) ? undefined : turned('MESH_MISMATCH', `mesh ${hex(hello.meshTag)} answers, ${hex(expected)} was expected`);
    if (this.#joiner === null) return turned('MESH_MISMATCH', 'this node no longer looks for a mesh');
    return this.#joiner.acceptsTag(hello.meshTag) ? undefined : turned('MESH_MISMATCH', tagText(hello.meshTag));
  }

  onResponder(session: Session, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned {
    const context = this.#contextOf(session);
    context.payload = payload;
    if (this.#mesh === null) {
      const expect = this.#joiner?.intent.expect ?? null;
      const pins = this.#joiner?.intent.token?.pins ?? [];
      if (expect !== null && fingerprintOf(peer.aid) !== expect) return turned('IDENTITY_BAD', `the member there has the fingerprint ${fingerprintOf(peer.aid)}, not ${expect}`);
      if (pins.length > 0 && !pins.some((pin) => bytesEqual(pin, peer.aid))) return turned('IDENTITY_BAD', 'the member there is not among those the invitation names');
      const duplicate = this.#checkDuplicate(session, peer);
      if (duplicate !== undefined) return duplicate;
      // A stranger's history with us begins at nothing, unless we have met before.
      context.ourBlock = this.#blockFor(this.#peers.get(peer.text));
      return { kind: 'go', resume: context.ourBlock };
    }
    const turnedAway = this.#checkMember(peer, payload) ?? this.#checkTarget(context, peer) ?? this.#checkDuplicate(session, peer);
    if (turnedAway !== undefined) return turnedAway;
    context.ourBlock = this.#blockFor(this.#peerOf(peer.aid));
    return { kind: 'go', resume: context.ourBlock };
  }

  onInitiator(session: Session, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict {
    const context = this.#contextOf(session);
    context.payload = payload;
    const mesh = this.#mesh;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    if (mesh.removal(peer.text) !== undefined) return turned('IDENTITY_BARRED', `${this.#nameOf(peer.text)} has been removed from the mesh`);
    const known = mesh.member(peer.text);
    if (known === undefined && session.mode !== 0) return this.#judgeApplicant(context, peer, payload);
    const turnedAway = this.#checkMember(peer, payload) ?? this.#checkDuplicate(session, peer);
    if (turnedAway !== undefined) return turnedAway;
    return this.#resume(context, peer, payload.resume, session.mode === 0 ? null : mesh.welcomeFor(peer.text), null);
  }

  onAccepted(session: Session, peer: PeerIdentity, accept: Accept): PeerVerdict {
    const context = this.#contextOf(session);
    if (this.#mesh === null) {
      const joiner = this.#joiner;
      if (joiner === null) return turned('MESH_MISMATCH', 'this node no longer looks for a mesh');
      if (joiner.mode === 2 && accept.role === 'lobby') return this.#enterLobbyAsGuest(context, peer, accept, joiner);
      const refusal = this.#believeWelcome(accept.proof, peer);
      if (refusal !== undefined) return refusal;
    }
    return this.#resume(context, peer, accept.resume, null, null);
  }

  #checkMember(peer: PeerIdentity, payload: HandshakePayload): Turned | undefined {
    const mesh = this.#mesh;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    // Our log may be behind the decision that admitted it: a voter's signature over its membership is as good (§2.14).
    const verdict = judgePresentedRecord(this.crypto, mesh.registry, peer.established, payload.record);
    if (verdict.kind === 'refuse') return turned(verdict.code, verdict.why);
    if (verdict.by === 'ledger' || payload.record === null) return undefined;
    const record = verifyMembershipRecord(this.crypto, payload.record, mesh.id, genesisVoterKeys(mesh.mesh));
    if (record.kind === 'valid') mesh.believe(record.record, payload.record.slice());
    this.#watch(peer.aid);
    return undefined;
  }

  #checkTarget(context: Context, peer: PeerIdentity): Turned | undefined {
    const { target } = context;
    if (target?.kind !== 'member' || target.id === peer.text) return undefined;
    return turned('IDENTITY_BAD', `${this.#nameOf(peer.text)} answers where ${this.#nameOf(target.id)} was expected`);
  }

  /**
   * One connection per peer (§2.4). We never go on with a second one of our own; where both ends dialled at once, the
   * connection that the lower identity initiated is kept. A peer that comes again with an older connection still open is
   * not a duplicate: that is judged with its history (R0, R1, R4).
   */
  #checkDuplicate(session: Session, peer: PeerIdentity): Turned | undefined {
    for (const { session: other } of [...this.#contexts.values()]) {
      if (other === session || other.state === 'closed' || other.peer?.text !== peer.text) continue;
      const sameProcess = bytesEqual(other.peer.boot.nonce, peer.boot.nonce);
      if (session.initiator && other.initiator) return turned('DUP_CONN', 'this node is already connected to it, or about to be');
      if (other.initiator === session.initiator || !sameProcess) continue;
      if (other.state === 'open' && !session.initiator && this.#now.mono - other.openedAt >= SIMULTANEOUS_MS) continue;
      const keepOther = other.initiator === this.self.text < peer.text;
      if (keepOther || other.state === 'open') return turned('DUP_CONN', 'both ends dialled at once; the other connection is kept');
      other.refuse(turned('DUP_CONN', 'both ends dialled at once; the other connection is kept'));
      this.#touched.add(other);
    }
    return undefined;
  }

  #blockFor(peer: Peer | undefined): ResumeBlock {
    const { boot } = this.self;
    return {
      ownCheckpoint: peer?.ownCheckpoints.at(-1) ?? null,
      peerCheckpoint: peer?.peerCheckpoints.at(-1) ?? null,
      sent: peer?.link?.sending.position ?? { incarnation: boot.incarnation, nonce: boot.nonce, sequence: 0, head: NO_ANCHOR },
      received: peer?.received ?? null,
    };
  }

  /** Judge where the shared history stands and build the link on it. */
  #resume(context: Context, identity: PeerIdentity, block: ResumeBlock | null, proof: Uint8Array | null, probed: 'silent' | 'answers' | null): PeerVerdict {
    const peer = this.#peerOf(identity.aid);
    const { session } = context;
    const earlier = peer.session !== null && peer.session !== session && peer.session.state === 'open' ? (probed ?? 'unprobed') : 'none';
    const ourBlock = context.ourBlock ?? this.#blockFor(peer);
    const decision = decideResume(
      this.crypto,
      {
        self: this.self.established,
        peer: identity.established,
        known: peer.boot,
        received: peer.received,
        peerCheckpoint: peer.peerCheckpoints.at(-1) ?? null,
        peerBoot: peer.bootObject,
        earlier,
        simultaneous: false,
      },
      { incarnation: identity.boot.incarnation, nonce: identity.boot.nonce, block },
    );
    if (decision.kind === 'probe' && peer.session !== null) {
      context.probe = { until: this.#now.mono + LIMITS.contestMs, peer: identity, block };
      this.#ping(peer.session, null);
      this.#touched.add(peer.session);
      return { kind: 'wait' };
    }
    if (decision.kind === 'probe') return turned('IDENTITY_CONTESTED', 'an earlier session cannot be asked');
    if (decision.kind === 'refuse') {
      // Once per incarnation shown: a stale copy that redials every few seconds says nothing new.
      const shown = `${identity.boot.incarnation}/${hex(identity.boot.nonce)}`;
      if (decision.class !== 'B0' && peer.lastRefused !== shown) this.#break(peer, decision.class, decision.meaning);
      peer.lastRefused = shown;
      if (decision.class === 'B5') this.#keepEvidence(decision.evidence);
      const severity = decision.class === 'B4' || decision.class === 'B5' ? 'critical' : 'warning';
      this.#event(decision.code, severity, `${this.#nameOf(peer.text)}: ${decision.meaning} (${decision.case})`, peer.text, session.source, { case: decision.case, class: decision.class });
      return { kind: 'refuse', code: decision.code, why: decision.meaning, evidence: decision.evidence };
    }
    const sending = resumeSending(this.crypto, {
      self: { aid: this.self.aid, signKeys: this.self.established.signKeys, incarnation: this.self.boot.incarnation, nonce: this.self.boot.nonce },
      peer: identity.aid,
      sending: peer.link?.sending ?? null,
      ownCheckpoint: peer.ownCheckpoints.at(-1) ?? null,
      theirs: block,
    });
    if (sending.kind === 'mismatch') return turned('CHAIN_MISMATCH', sending.why);
    if (decision.class !== 'B0') this.#break(peer, decision.class, decision.meaning);
    if (decision.case !== 'new') {
      const data = { case: decision.case, class: decision.class };
      this.#event('RESUMED', decision.class === 'B0' ? 'info' : 'notice', `${this.#nameOf(peer.text)}: ${decision.meaning} (${decision.case})`, peer.text, session.source, data);
    }
    const old = peer.link?.receiving;
    const keep = old !== undefined && old.incarnation === decision.receive.incarnation && bytesEqual(old.nonce, decision.receive.nonce) && old.sequence === decision.receive.sequence && bytesEqual(old.head, decision.receive.head);
    const link = new Link({
      sending: sending.chain,
      receiving: keep ? old : new LinkChain(this.crypto, decision.receive),
      ...(peer.link === null ? {} : { challenges: peer.link.challenges }),
      ownCheckpoint: peer.ownCheckpoints.at(-1) ?? null,
      peerCheckpoint: decision.peerCheckpoint,
    });
    if (decision.peerCheckpoint !== null && peer.peerCheckpoints.at(-1) !== decision.peerCheckpoint) peer.keepPeerCheckpoint(decision.peerCheckpoint);
    peer.proved(identity.established, identity.boot, identity.bootObject);
    return { kind: 'accept', accept: this.#acceptFor(peer, decision.verdict, session.initiator ? null : ourBlock, proof), link: { link, announce: sending.message, recorded: true } };
  }

  #acceptFor(peer: Peer, verdict: ResumeVerdict, resume: ResumeBlock | null, proof: Uint8Array | null): Accept {
    const level = this.#levelOf(peer);
    const rate = this.#rates[level] ?? { framesPerSecond: 2, bytesPerSecond: 8_192 };
    return {
      kind: 'accept',
      meshId: this.#mesh?.id ?? null,
      level,
      role: this.#mesh?.member(peer.text)?.role ?? 'member',
      verdict,
      resume,
      limits: { payloadBytesMax: payloadBytesMaxAt(level), ...rate },
      proof,
    };
  }

  #giveUp(session: Session, why: string): void {
    session.disconnected(why);
    this.#fx.now.close.push({ connection: session.id });
    this.#touched.add(session);
  }

  #probeOver(context: Context, outcome: 'silent' | 'answers'): void {
    const { probe, session } = context;
    if (probe === null) return;
    context.probe = null;
    const earlier = this.#peers.get(probe.peer.text)?.session;
    if (outcome === 'silent' && earlier != null) this.#giveUp(earlier, 'it did not answer a challenge while a newer session of the same node came');
    session.decide(this.#resume(context, probe.peer, probe.block, null, outcome), this.#now.mono);
    this.#touched.add(session);
  }

  // ---- session host: open links --------------------------------------------------------------------------------------

  onOpen(session: Session, accept: Accept): void {
    const context = this.#contextOf(session);
    if (context.counted === 'half-open') this.#gate.opened(session.source);
    context.counted = 'open';
    const identity = session.peer;
    const link = session.link;
    if (identity === null || link === null) return;
    if (context.lobby !== null) return this.#onLobbyOpen(context, identity);
    const peer = this.#peerOf(identity.aid);
    const former = peer.session;
    peer.session = session;
    peer.link = link;
    if (former !== null && former !== session && former.state !== 'closed') {
      former.disconnected('replaced by a newer connection');
      this.#fx.now.close.push({ connection: former.id });
      this.#touched.add(former);
    }
    peer.advanceTrust(this.#now.mono);
    peer.meter.setLinked(true);
    this.#spoken = true;
    this.#applyLevel(peer);
    this.#dials.linked(peer.text);
    if (session.initiator) this.#dials.addressOf(peer.text, session.remote, this.#now.mono);
    this.#dials.linked(peer.text);
    this.#clearTarget(context);
    this.#storePeerCache();
    const change = this.#liveness.linkUp(peer.text, this.#now.mono);
    if (change !== undefined) this.#onLiveness(change);
    peer.heardWall = this.#now.wall;
    peer.changed = true;
    this.#wakeFlush();
    this.#ping(session, null);
    this.#tellFacts(session);
    const commit = context.payload?.ledger.commit ?? 0;
    if (this.#mesh !== null) this.#onLog(this.#mesh.log.step({ kind: 'linked', peer: peer.text, commit }, this.#now.mono));
    void accept;
  }

  onFrame(session: Session, bytes: number): void {
    void bytes;
    const peer = session.peer === null ? undefined : this.#peers.get(session.peer.text);
    if (peer === undefined || peer.session !== session) return;
    peer.heardWall = this.#now.wall;
    peer.meter.onFrames(1);
    const context = this.#contexts.get(session.id);
    if (context !== undefined) context.heard = true;
    const change = this.#liveness.heard(peer.text, this.#now.mono);
    if (change !== undefined) this.#onLiveness(change);
  }

  onMessage(session: Session, message: SessionMessage): void {
    const context = this.#contexts.get(session.id);
    const identity = session.peer;
    if (context === undefined || identity === null) return;
    if (context.lobby !== null) return this.#onLobbyMessage(context, identity, message);
    const peer = this.#peers.get(identity.text);
    if (peer === undefined) return;
    switch (message.kind) {
      case 'res': {
        const request = this.#calls.settle(message.id, peer.text);
        if (request === this.#leaving && request !== undefined) this.#left(request);
        else if (request !== undefined) this.#fx.reply({ id: request, kind: 'done', value: message.body });
        return;
      }
      case 'req':
        return this.#onCall(session, peer, message);
      case 'err': {
        const request = this.#calls.settle(message.id, peer.text);
        if (request !== undefined) this.#refuse(request, message.code === 'NOT_PERMITTED' ? 'RN-MESH-030' : 'RN-MESH-022', `${this.#nameOf(peer.text)}: ${message.text}`);
        return;
      }
      case 'cancel':
        return this.#calls.cancel(peer.text, message.id);
      case 'ping':
        if (session.link !== null) session.link.echo = message.challenge.slice();
        session.send({ kind: 'pong', id: message.id, challenge: message.challenge });
        return;
      case 'pong':
        return this.#onPong(context, peer, message.id);
      case 'ckpt':
        return this.#onCheckpoint(session, peer, message.checkpoint);
      case 'bye':
        if (message.checkpoint !== null) this.#onCheckpoint(session, peer, message.checkpoint);
        return;
      case 'raft': {
        const decoded = decodeLogMessage(message.body);
        if (decoded === undefined) return this.#misbehaved(session, 'RMP_INVALID', 'a ledger message does not decode');
        if (this.#mesh !== null) this.#onLog(this.#mesh.log.step({ kind: 'receive', from: peer.text, message: decoded, bytesMax: this.#messageBytesMax(session) }, this.#now.mono));
        return;
      }
      case 'gossip':
        return this.#onGossip(peer, message.topic, message.body, message.origin);
      case 'evidence':
      case 'est-fetch':
      case 'est':
      case 'sentinel':
      case 'void':
        return;
      case 'bulk-offer':
        session.send({ kind: 'bulk-ack', id: message.id, state: 'refused', next: 0 });
        return;
      case 'bulk-chunk':
      case 'bulk-ack':
      case 'admit-req':
      case 'admit-status':
      case 'welcome':
        return;
    }
  }

  onViolation(session: Session, code: RefusalCode, why: string): void {
    const peer = session.peer === null ? undefined : this.#peers.get(session.peer.text);
    if (peer === undefined || !session.recorded) return;
    this.#break(peer, 'PV', why);
    this.#event(code, 'warning', `${this.#nameOf(peer.text)} broke the protocol: ${why}`, peer.text, session.source, { class: 'PV' });
  }

  onEnded(session: Session, ending: Ending): void {
    const context = this.#contexts.get(session.id);
    if (context === undefined) return;
    this.#contexts.delete(session.id);
    this.#touched.add(session);
    if (context.counted === 'half-open') this.#gate.abandoned(session.source);
    if (context.counted === 'open') this.#gate.closed();
    for (const { command } of context.pings.values()) if (command !== null) this.#refuse(command, 'RN-MESH-023', 'the link broke before the answer came');
    const peer = session.peer === null ? undefined : this.#peers.get(session.peer.text);
    if (peer?.session === session) return this.#onLinkEnded(peer, session, ending);
    if (context.lobby === 'host' && session.peer !== null && this.#lobbySessions.get(session.peer.text) === session) this.#lobbySessions.delete(session.peer.text);
    this.#onOpeningEnded(context, ending);
  }

  #onLinkEnded(peer: Peer, session: Session, ending: Ending): void {
    const { mono } = this.#now;
    peer.session = null;
    peer.advanceTrust(mono);
    peer.meter.setLinked(false);
    peer.changed = true;
    const own = session.recorded ? session.link?.ownCheckpoint : null;
    if (own != null && peer.ownCheckpoints.at(-1) !== own) peer.keepOwnCheckpoint(own);
    for (const request of this.#calls.drop(peer.text)) {
      if (request === this.#leaving) return this.#leftUnrecorded(request, 'the link to the voter broke before it confirmed');
      this.#refuse(request, 'RN-MESH-023', `the link to ${this.#nameOf(peer.text)} broke before the answer came`);
    }
    if (this.#mesh !== null) this.#mesh.log.step({ kind: 'unlinked', peer: peer.text }, mono);
    const farewell = ending.by === 'peer' && ending.code !== null && isFarewellCode(ending.code) ? ending.code : null;
    if (farewell === 'SHUTDOWN' || farewell === 'LEAVE') {
      const change = this.#liveness.farewell(peer.text, mono, farewell === 'LEAVE');
      if (change !== undefined) this.#onLiveness(change);
      this.#dials.resting(peer.text, mono);
    } else if (ending.by === 'network' || farewell === 'RENEW') {
      this.#liveness.linkBroken(peer.text, mono);
      this.#dials.broken(peer.text, mono);
    } else {
      this.#liveness.linkBroken(peer.text, mono);
      this.#dials.resting(peer.text, mono);
      if (ending.code !== null && !isFarewellCode(ending.code)) this.#incident(ending.code, `the link to ${this.#nameOf(peer.text)} was closed ${ending.by === 'us' ? 'here' : 'there'}: ${ending.why}`, session.source, peer.text);
    }
    this.#wakeFlush();
  }

  #onOpeningEnded(context: Context, ending: Ending): void {
    const { session, target } = context;
    const code = ending.code !== null && !isFarewellCode(ending.code) ? ending.code : null;
    if (code !== null && code !== 'DUP_CONN') this.#incident(code, `${session.initiator ? 'the dial to' : 'a connection from'} ${addressText(session.remote)} was refused ${ending.by === 'us' ? 'here' : 'there'}: ${ending.why}`, session.source, session.peer?.text ?? null);
    if (ending.reject !== undefined && session.peer !== null && ending.reject.sealed) this.#onEvidence(session.peer, ending.reject.code, ending.reject.evidence);
    if (code === 'DUP_CONN') {
      if (target !== null) this.#clearTarget(context, false);
      return;
    }
    if (context.lobby === 'guest' && this.#joiner !== null) this.#joiner.lobby = null;
    this.#attemptFailed(target, code ?? ending.why);
    if (session.initiator && target !== null) this.#joinAttemptEnded(context, target, ending, code);
  }

  /** What was dialled has been reached, or is being reached over another connection. */
  #clearTarget(context: Context, reached = true): void {
    const { target } = context;
    if (target === null) return;
    if (target.kind === 'hint') this.#dials.removeHint(target.key);
    else if (!reached) this.#dials.failed(target, this.#now.mono);
  }

  /** A peer shows what we have signed ourselves (§2.9, self-report rule). */
  #onEvidence(peer: PeerIdentity, code: RefusalCode, evidence: readonly SignedObject[]): void {
    if (code === 'IDENTITY_BARRED' && this.#mesh !== null) {
      this.#refused = `${this.#nameOf(peer.text)} says that this node has been removed from the mesh`;
      return;
    }
    if (code !== 'IDENTITY_STALE' && code !== 'IDENTITY_CONTESTED' && code !== 'CHAIN_MISMATCH') return;
    for (const object of evidence) {
      const shown = verifyBoot(this.crypto, this.self.established, object) ?? openCheckpoint(this.crypto, this.self.established, peer.aid, object);
      if (shown === undefined) continue;
      const verdict = judgeSelfEvidence({ incarnation: this.self.boot.incarnation, nonce: this.self.boot.nonce, justStarted: !this.#spoken }, shown);
      if (verdict.kind === 'advance') {
        this.#event('STATE_RESTORED', 'warning', `a member proved that this node had reached incarnation ${shown.incarnation}; it goes on as ${verdict.incarnation}`, this.self.text, null);
        this.#fx.now.reincarnate = { atLeast: verdict.incarnation, why: 'restore' };
        return;
      }
      if (verdict.kind === 'cloned') return this.#becomeContested('a member holds a signature of this identity that this node did not make');
    }
    if (code === 'IDENTITY_CONTESTED') this.#becomeContested('another live machine uses this identity');
    // Without our own signature this is one peer's word: believed at most once an hour, so that a liar cannot push us for ever.
    if (code === 'CHAIN_MISMATCH' && (!this.#spoken || this.#now.mono - this.#startedAt >= HOUR)) this.#fx.now.reincarnate = { atLeast: this.self.boot.incarnation + 1, why: 'restore' };
  }

  #becomeContested(why: string): void {
    if (this.#contested !== null) return;
    this.#contested = why;
    this.#event('IDENTITY_CONTESTED', 'critical', `${why}; an operator has to say which machine is the copy`, this.self.text, null);
  }

  // ---- messages ------------------------------------------------------------------------------------------------------

  #ping(session: Session, command: number | null): void {
    const { link } = session;
    const context = this.#contexts.get(session.id);
    if (link === null || context === undefined) return;
    const slot = slotOf(this.#now.mono);
    if (link.challenges.isDue(slot)) link.challenges.issue(slot, this.entropy(16));
    const id = this.#nextPing;
    this.#nextPing += 1;
    if (context.pings.size > 64) context.pings.clear();
    context.pings.set(id, { at: this.#now.mono, command });
    session.send({ kind: 'ping', id, challenge: link.challenges.newest ?? new Uint8Array(16) });
    this.#touched.add(session);
  }

  #onPong(context: Context, peer: Peer, id: number): void {
    const ping = context.pings.get(id);
    if (ping === undefined) return;
    context.pings.delete(id);
    const rttMs = this.#now.mono - ping.at;
    this.#liveness.roundTrip(peer.text, rttMs);
    if (ping.command !== null) this.#fx.reply({ id: ping.command, kind: 'done', value: { rttMs } });
    for (const other of [...this.#contexts.values()]) if (other.probe?.peer.text === peer.text) this.#probeOver(other, 'answers');
  }

  #onCheckpoint(session: Session, peer: Peer, object: SignedObject): void {
    const { link } = session;
    if (link === null || peer.established === null || !session.recorded) return;
    const verdict = checkCheckpoint(this.crypto, object, {
      self: this.self.aid,
      peer: { aid: peer.aid, signKey: peer.established.signKey },
      receiving: link.receiving,
      sending: link.sending,
      challenges: link.challenges,
      slot: slotOf(this.#now.mono),
      newest: peer.newestPeerCheckpoint,
    });
    if (verdict.kind === 'accepted') {
      peer.keepPeerCheckpoint(object);
      link.peerCheckpoint = peer.peerCheckpoints.at(-1) ?? null;
      peer.lastCheckpointAt = this.#now.wall;
      if (peer.advanceTrust(this.#now.mono)) this.#levelChanged(peer);
      peer.meter.onCheckpoint(verdict.fresh);
      this.#wakeFlush();
      return;
    }
    this.#break(peer, verdict.class, verdict.why);
    if (verdict.class === 'B5') this.#keepEvidence(verdict.proof);
    this.#event(verdict.code, verdict.class === 'B5' ? 'critical' : 'warning', `${this.#nameOf(peer.text)}: ${verdict.why}`, peer.text, session.source, { class: verdict.class });
    session.refuse(turned(verdict.code, verdict.why));
    this.#touched.add(session);
  }

  #misbehaved(session: Session, code: RefusalCode, why: string): void {
    this.onViolation(session, code, why);
    session.refuse(turned(code, why));
    this.#touched.add(session);
  }

  #break(peer: Peer, breakClass: BreakClass, why: string): void {
    if (peer.broke(breakClass, why, this.#now.mono, this.#now.wall)) this.#levelChanged(peer);
    this.#fx.persist({ kind: 'peer', key: peer.text, record: peer.record(), urgent: true });
    peer.changed = false;
  }

  #keepEvidence(proof: readonly SignedObject[]): void {
    for (const object of proof) {
      const record = concat(object.body, object.sig);
      this.#fx.persist({ kind: 'evidence', name: hex(this.crypto.sha256(record)), record });
    }
  }

  // ---- calls ---------------------------------------------------------------------------------------------------------

  #onRequest(id: number, who: string, verb: string, body: Uint8Array, timeoutMs: Millis): void {
    const peer = this.#peers.get(who) ?? this.#findPeer(who);
    if (peer === undefined) return this.#refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const { session } = peer;
    if (session === null || session.state !== 'open') return this.#refuse(id, 'RN-MESH-023', `there is no link to ${this.#nameOf(peer.text)}`);
    if (body.length > this.#messageBytesMax(session)) return this.#refuse(id, 'RN-MESH-025', `${body.length} bytes; ${this.#nameOf(peer.text)} accepts ${this.#messageBytesMax(session)} in one message`);
    const wireId = this.#calls.open(id, peer.text, this.#now.mono, timeoutMs);
    session.send({ kind: 'req', id: wireId, key: null, method: verb, timeoutMs: Math.ceil(timeoutMs), body });
    this.#touched.add(session);
  }

  #onCall(session: Session, peer: Peer, message: Extract<SessionMessage, { kind: 'req' }>): void {
    if (!this.#mayCall(peer, message.method)) {
      session.send({ kind: 'err', id: message.id, code: 'NOT_PERMITTED', text: `${message.method} needs trust level T2 here, this node is at T${this.#levelOf(peer)}` });
      return;
    }
    if (message.method === 'mesh.leave') return this.#onLeaveCall(session, peer, message.id);
    const call = this.#calls.serve({ connection: session.id, peer: peer.text, wireId: message.id, key: null });
    if (call === undefined) session.send({ kind: 'err', id: message.id, code: 'BUSY', text: `${LIMITS.servingMax} calls are under way here` });
    else this.#fx.now.calls.push({ call, from: peer.text, verb: message.method, body: message.body });
  }

  #mayCall(peer: Peer, verb: string): boolean {
    return SELF_REQUEST_VERBS.has(verb) || permits(this.#levelOf(peer), 'call-standard') || (verb.endsWith('?') && permits(this.#levelOf(peer), 'call-read-only'));
  }

  #onRespond(call: number, result: CallResult): void {
    const serving = this.#calls.served(call);
    const session = serving === undefined ? undefined : this.#contexts.get(serving.connection)?.session;
    if (serving === undefined || session === undefined) return;
    if (result.kind === 'ok') session.send({ kind: 'res', id: serving.wireId, body: result.body });
    else session.send({ kind: 'err', id: serving.wireId, code: result.code.slice(0, 64), text: result.text.slice(0, 500) });
    this.#touched.add(session);
  }

  #messageBytesMax(session: Session): number {
    return Math.max(0, (session.accepted?.limits.payloadBytesMax ?? 4_096) - 160);
  }

  // ---- gossip --------------------------------------------------------------------------------------------------------

  #gossipFacts(): void {
    this.#factsSerial += 1;
    this.#factsAt = this.#now.mono + LIMITS.factsRepeatMs;
    for (const peer of this.#peers.values()) if (peer.session !== null) this.#tellFacts(peer.session);
  }

  #tellFacts(session: Session): void {
    const tell = (topic: number, body: Uint8Array): void => {
      session.send({ kind: 'gossip', topic, origin: this.self.aid, serial: this.#factsSerial, body });
    };
    tell(GOSSIP_TOPIC.CAPABILITIES, encodeCapabilities(this.#facts.name, this.#facts.capabilities));
    tell(GOSSIP_TOPIC.CONDITIONS, encodeConditions(this.#facts.conditions));
    tell(GOSSIP_TOPIC.ADDRESSES, encodeAddresses(this.#addresses));
    // Members that multicast does not reach learn of each other through those they are linked with.
    for (const peer of this.#peers.values()) {
      const addresses = this.#dials.addressesOf(peer.text);
      if (peer.session !== null && peer.session !== session && addresses.length > 0) session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.ADDRESSES, origin: peer.aid, serial: 0, body: encodeAddresses(addresses) });
    }
    if (this.#mesh?.log.votes === true) tell(GOSSIP_TOPIC.MEMBERSHIP, encodeRequests(this.#requests()));
    this.#touched.add(session);
  }

  #gossipRequests(): void {
    for (const peer of this.#peers.values()) {
      peer.session?.send({ kind: 'gossip', topic: GOSSIP_TOPIC.MEMBERSHIP, origin: this.self.aid, serial: this.#factsSerial, body: encodeRequests(this.#requests()) });
      if (peer.session !== null) this.#touched.add(peer.session);
    }
  }

  #onGossip(peer: Peer, topic: number, body: Uint8Array, origin: Uint8Array): void {
    const own = bytesEqual(origin, peer.aid);
    if (topic === GOSSIP_TOPIC.ADDRESSES) return this.#onAddresses(peer, aidText(origin), body);
    if (!own) return;
    if (topic === GOSSIP_TOPIC.CAPABILITIES) {
      const facts = decodeCapabilities(body);
      if (facts === undefined) return;
      peer.name = facts.name;
      peer.capabilities = facts.capabilities;
      this.#maybeRename(peer.aid, facts.name);
    }
    if (topic === GOSSIP_TOPIC.CONDITIONS) this.#onConditions(peer, decodeConditions(body) ?? []);
    if (topic === GOSSIP_TOPIC.MEMBERSHIP && this.#mesh?.isVoter(peer.text) === true) this.#remoteRequests = decodeRequests(body) ?? [];
  }

  #onAddresses(from: Peer, about: AidText, body: Uint8Array): void {
    if (about === this.self.text) return;
    const addresses = (decodeAddresses(body) ?? []).filter((address) => isLocalAddress(address.host));
    if (addresses.length === 0) return;
    const text = addresses.map(addressText).join(' ');
    const news = this.#heardAddresses.get(about) !== text;
    if (this.#heardAddresses.size >= LIMITS.addressBooksMax) this.#heardAddresses.clear();
    this.#heardAddresses.set(about, text);
    this.#learnAddresses(about, addresses);
    // Only the owner's own word is passed on, and once: news travels one hop, links are direct.
    if (!news || about !== from.text) return;
    this.#storePeerCache();
    for (const peer of this.#peers.values()) {
      if (peer === from || peer.session === null) continue;
      peer.session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.ADDRESSES, origin: from.aid, serial: 0, body: encodeAddresses(addresses) });
      this.#touched.add(peer.session);
    }
  }

  #learnAddresses(about: AidText, addresses: readonly Address[]): void {
    for (const address of [...addresses].reverse()) this.#dials.addressOf(about, address, this.#now.mono);
  }

  /** Addresses by identity as last told; those of members that our log does not know yet wait here. */
  readonly #heardAddresses = new Map<AidText, string>();

  /** The voter keeps the name that a machine's host has; one entry in the log per change, and not often. */
  #maybeRename(aid: Aid, wanted: string): void {
    const mesh = this.#mesh;
    const member = mesh?.registry.members.get(aidText(aid));
    if (mesh === null || member === undefined || !mesh.log.votes) return;
    const name = isNodeName(wanted) ? wanted : nodeNameOf(wanted);
    if (member.name === name || member.name.startsWith(`${name}-`)) return;
    const last = this.#renamedAt.get(member.text);
    if (last !== undefined && this.#now.mono - last < LIMITS.renameMsMin) return;
    this.#renamedAt.set(member.text, this.#now.mono);
    this.#commit({ kind: 'rename', aid, name });
  }

  readonly #renamedAt = new Map<string, Millis>();

  #onConditions(peer: Peer, conditions: readonly Condition[]): void {
    for (const condition of conditions) {
      const before = peer.conditions.find((known) => known.kind === condition.kind && known.since === condition.since);
      const data = { kind: condition.kind, value: condition.value, worst: condition.worst };
      if (before === undefined && condition.until === null) this.#event('CONDITION_BEGAN', condition.severity, `${this.#nameOf(peer.text)}: ${condition.text}`, peer.text, null, data);
      if (condition.until !== null && before?.until === null) this.#event('CONDITION_ENDED', 'info', `${this.#nameOf(peer.text)}: no longer ${condition.kind}`, peer.text, null, data);
    }
    peer.conditions = conditions;
  }

  // ---- the way in: at the mesh ---------------------------------------------------------------------------------------

  #judgeApplicant(context: Context, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict {
    const mesh = this.#mesh;
    const { session } = context;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    if (!mesh.log.votes) return turned('QUORUM_UNREACHABLE', 'only a voter can admit');
    const tokenId = session.tokenId;
    const waiting = this.#lobby.entries.find((entry) => bytesEqual(entry.aid, peer.aid));
    const decision = decideAdmission(
      {
        established: peer.established,
        approach: session.mode === 1 && tokenId !== null ? { kind: 'token', tokenId } : { kind: 'request' },
        meshTag: null,
        name: waiting?.name ?? payload.name ?? 'node',
        role: 'member',
        hardware: null,
      },
      { registry: mesh.registry, lobby: this.#lobby, now: this.#now, levelOf: (aid) => this.#levelOf(this.#peerOf(aid)) },
    );
    switch (decision.kind) {
      case 'refuse': {
        const alarmKey = decision.alarm === null ? '' : `${hex(decision.alarm.tokenId)}/${peer.text}`;
        if (decision.alarm !== null && !this.#alarms.has(alarmKey)) {
          if (this.#alarms.size >= LIMITS.alarmsMax) this.#alarms.clear();
          this.#alarms.add(alarmKey);
          this.#event('TOKEN_REUSED', 'critical', decision.alarm.text, peer.text, session.source, { token: hex(decision.alarm.tokenId), first: aidText(decision.alarm.first), second: aidText(decision.alarm.second) });
          if (decision.alarm.suspend !== null) this.#commit(decision.alarm.suspend);
        }
        const turnedAway = turned(decision.code, decision.why);
        return decision.retryAfterMs === null ? turnedAway : { ...turnedAway, retryAfterMs: decision.retryAfterMs };
      }
      case 'admit': {
        const failed = this.#commit(admission(this.crypto, this.self.signKey, mesh.registry, decision.draft, this.self.aid, Math.floor(this.#now.wall)));
        if (failed !== undefined) return turned('NOT_PERMITTED', failed);
        return this.#resume(context, peer, payload.resume, mesh.welcomeFor(peer.text), null);
      }
      case 'member':
        return this.#resume(context, peer, payload.resume, mesh.welcomeFor(peer.text), null);
      case 'lobby':
        return this.#enterLobbyAsHost(context, peer);
    }
  }

  #enterLobbyAsHost(context: Context, peer: PeerIdentity): PeerVerdict {
    const mesh = this.#mesh;
    const { session } = context;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    const known = this.#lobby.entries.find((entry) => bytesEqual(entry.aid, peer.aid));
    const request = { aid: peer.aid, name: known?.name ?? context.payload?.name ?? 'node', role: 'member' as const, address: addressText(session.remote), capabilities: known?.capabilities ?? new Uint8Array(0) };
    const standing = this.#lobby.enter(request, this.#now);
    if (standing.kind === 'full') return { ...turned('LOBBY_FULL', 'too many machines already wait'), retryAfterMs: standing.retryAfterMs };
    context.lobby = 'host';
    this.#lobbySessions.set(peer.text, session);
    const accept: Accept = {
      kind: 'accept',
      meshId: mesh.id,
      level: 0,
      role: 'lobby',
      verdict: 'first-contact',
      resume: null,
      limits: { payloadBytesMax: payloadBytesMaxAt(0), ...LOBBY_RATE },
      proof: mesh.mesh.bytes,
    };
    return { kind: 'accept', accept, link: this.#lobbyLink(peer) };
  }

  /** Second users of invitations that were reported; each once. */
  readonly #alarms = new Set<string>();
  /** Connections of machines that wait here. */
  readonly #lobbySessions = new Map<AidText, Session>();
  /** Keys of open invitations; kept by voters, until they expire. */
  readonly #psks = new Map<string, Uint8Array>();

  /** A throw-away history: nothing is signed or remembered about strangers, and its heads meet no member's. */
  #lobbyLink(peer: PeerIdentity): LinkStart {
    const anchor = this.crypto.sha256(LOBBY_ANCHOR_LABEL);
    const link = new Link({
      sending: new LinkChain(this.crypto, genesisPosition(this.crypto, this.self.aid, peer.aid, this.self.boot, anchor)),
      receiving: new LinkChain(this.crypto, genesisPosition(this.crypto, peer.aid, this.self.aid, peer.boot, anchor)),
      ownCheckpoint: null,
      peerCheckpoint: null,
    });
    return { link, announce: null, recorded: false };
  }

  #onLobbyOpen(context: Context, peer: PeerIdentity): void {
    const { session } = context;
    if (context.lobby === 'guest') {
      session.send({ kind: 'admit-req', name: this.#facts.name.slice(0, 63), role: 'member', capabilities: encodeCapabilitiesAlone(this.#facts.capabilities) });
      if (this.#joiner !== null) {
        this.#joiner.lobby = session.id;
        this.#joined(null);
      }
      return;
    }
    session.send({ kind: 'admit-status', state: 'waiting', remainingMs: ADMISSION_LIMITS.lobbyMsMax, reason: null });
    this.#event('ADMIT_REQUESTED', 'notice', `a machine asks to join: ${fingerprintOf(peer.aid)} at ${addressText(session.remote)}; compare with its screen, then \`robonet approve ${fingerprintOf(peer.aid)}\``, peer.text, context.source);
    this.#gossipRequests();
  }

  #onLobbyMessage(context: Context, peer: PeerIdentity, message: SessionMessage): void {
    const { session } = context;
    if (message.kind === 'ping') {
      session.send({ kind: 'pong', id: message.id, challenge: message.challenge });
      return;
    }
    if (context.lobby === 'host' && message.kind === 'admit-req') {
      const name = isNodeName(message.name) ? message.name : nodeNameOf(message.name);
      this.#lobby.enter({ aid: peer.aid, name, role: 'member', address: addressText(session.remote), capabilities: message.capabilities.slice() }, this.#now);
      this.#gossipRequests();
      return;
    }
    if (context.lobby !== 'guest') return;
    if (message.kind === 'welcome') {
      const refusal = this.#believeWelcome(encodeMessage(message), peer);
      if (refusal !== undefined) {
        session.refuse(refusal);
        return;
      }
      // From here on we are a member, and come back as one: the lobby's history is not continued.
      const { remote } = session;
      session.close('RENEW');
      this.#touched.add(session);
      this.#watch(peer.aid);
      this.#dials.addressOf(peer.text, remote, this.#now.mono);
      this.#dials.broken(peer.text, this.#now.mono);
    } else if (message.kind === 'admit-status' && (message.state === 'denied' || message.state === 'expired')) {
      const text = message.state === 'denied' ? `the request was denied: ${message.reason ?? 'no reason given'}` : 'the request lapsed';
      this.#event('APPROVAL_DENIED', 'warning', text, peer.text, context.source);
      this.#refused = text;
      this.#endJoin({ code: 'RN-MESH-013', text });
      session.close('SHUTDOWN');
      this.#touched.add(session);
    }
  }

  /** The machine that waits has become a member: tell it, if it is there. */
  #welcomeIfWaiting(member: Member): void {
    const session = this.#lobbySessions.get(member.text);
    this.#lobby.remove(member.aid);
    this.#lobbySessions.delete(member.text);
    const bytes = this.#mesh?.welcomeFor(member.text) ?? null;
    this.#gossipRequests();
    if (session === undefined || bytes === null) return;
    const decoded = decodeMessage(MESSAGE_TYPE.WELCOME, bytes);
    if (decoded.kind === 'ok' && decoded.message.kind === 'welcome') session.send(decoded.message);
    this.#touched.add(session);
  }

  /** In an open mesh the best of the quarantined rises, at most one per hour (§2.14). */
  #maybePromote(): void {
    const mesh = this.#mesh;
    this.#promoteAt = NEVER;
    if (mesh === null || !mesh.log.votes || mesh.registry.admission !== 'open') return;
    this.#promoteAt = this.#now.mono + MINUTE;
    const candidates = [...mesh.registry.members.values()].flatMap((member) => {
      const peer = this.#peers.get(member.text);
      return member.role === 'quarantine' && peer !== undefined ? [{ aid: member.aid, score: peer.trust.score }] : [];
    });
    const decision = decidePromotion(mesh.registry, candidates, Math.floor(this.#now.wall));
    if (decision.kind === 'promote') this.#commit(promotion(this.crypto, this.self.signKey, mesh.registry, decision.member, this.self.aid, Math.floor(this.#now.wall)));
  }

  #promoteAt: Millis = NEVER;

  // ---- the way in: at the joiner -------------------------------------------------------------------------------------

  #enterLobbyAsGuest(context: Context, peer: PeerIdentity, accept: Accept, joiner: Joiner): PeerVerdict {
    const verdict = verifyGenesis(this.crypto, accept.proof ?? new Uint8Array(0), accept.meshId ?? undefined);
    if (verdict.kind === 'bad') return turned('HS_FAIL', verdict.why);
    const { meshName } = joiner.intent;
    if (meshName !== null && verdict.mesh.genesis.name !== meshName) return turned('MESH_MISMATCH', `the mesh there is called "${verdict.mesh.genesis.name}", not "${meshName}"`);
    context.lobby = 'guest';
    this.#lobbyMesh = { name: verdict.mesh.genesis.name, member: fingerprintOf(peer.aid), firstUse: joiner.intent.expect === null };
    const own: Accept = { kind: 'accept', meshId: null, level: 0, role: 'lobby', verdict: 'first-contact', resume: null, limits: { payloadBytesMax: payloadBytesMaxAt(0), ...LOBBY_RATE }, proof: null };
    return { kind: 'accept', accept: own, link: this.#lobbyLink(peer) };
  }

  #lobbyMesh: { readonly name: string; readonly member: string; readonly firstUse: boolean } | null = null;

  /** Believe that we have been admitted: genesis of the mesh we were told, our own record, signed by a voter (§2.4). */
  #believeWelcome(bytes: Uint8Array | null, peer: PeerIdentity): Turned | undefined {
    const joiner = this.#joiner;
    const decoded = bytes === null ? undefined : decodeMessage(MESSAGE_TYPE.WELCOME, bytes);
    if (joiner === null || decoded === undefined || decoded.kind === 'refused' || decoded.message.kind !== 'welcome') return turned('HS_FAIL', 'accepted without a proof of admission');
    const { message } = decoded;
    const { token, meshTag, meshName } = joiner.intent;
    const verdict = verifyMembership(this.crypto, message.genesis, message.record, { self: this.self.established, meshId: token?.meshId ?? null, meshTag, pins: token?.pins ?? [] });
    if (verdict.kind === 'refuse') return turned(verdict.code, verdict.why);
    const { genesis } = verdict.mesh;
    if (meshName !== null && genesis.name !== meshName) return turned('MESH_MISMATCH', `the mesh there is called "${genesis.name}", not "${meshName}"`);
    this.#becomeMember(verdict.mesh, verdict.recordBytes, []);
    this.#fx.persist({ kind: 'document', name: 'membership', record: encodeMessage({ ...message }) });
    this.#fx.persist({ kind: 'document', name: 'intent', record: null });
    this.#event('JOINED', 'notice', `joined the mesh "${genesis.name}" through ${fingerprintOf(peer.aid)}`, this.self.text, null, { mesh: hex(verdict.mesh.id) });
    // Who asked wants to see itself in the list: answered when the ledger has arrived.
    if (joiner.command !== null) this.#awaitsLedger = { command: joiner.command, until: this.#now.mono + LIMITS.firstLedgerMsMax };
    this.#joiner = null;
    this.#lobbyMesh = null;
    return undefined;
  }

  #awaitsLedger: { readonly command: number; readonly until: Millis } | null = null;

  #maybeAnswerJoin(): void {
    const waiting = this.#awaitsLedger;
    if (waiting === null) return;
    if (this.#mesh?.registry.members.has(this.self.text) !== true && this.#now.mono < waiting.until) return;
    this.#awaitsLedger = null;
    this.#fx.reply({ id: waiting.command, kind: 'done', value: null });
  }

  #startJoin(command: number | null, options: JoinOptions): void {
    const understood = readIntent(this.crypto, options);
    if (understood.kind === 'refused') {
      if (command !== null) this.#refuse(command, understood.refusal.code, understood.refusal.text);
      return;
    }
    const { intent } = understood;
    const { mono } = this.#now;
    if (this.#joiner !== null) this.#endJoin({ code: 'RN-MESH-032', text: 'replaced by a newer wish to join' });
    this.#refused = null;
    this.#joiner = new Joiner(intent, command, mono + LIMITS.joinMsMax);
    this.#fx.persist({ kind: 'document', name: 'intent', record: encodeIntent(options) });
    for (const text of [...options.peers, ...(intent.token?.peers ?? [])]) {
      const address = parseAddress(text, this.#options.port);
      if (address === undefined) continue;
      if (options.peers.includes(text) || isLocalAddress(address.host)) this.#dials.addHint(address, mono);
    }
    for (const [tag, { address }] of this.#tagsInSight) if (this.#joiner.wants(/^[0-9a-f]{16}$/.test(tag) ? tag : null)) this.#dials.addHint(address, mono);
    if (this.#joiner.isAmbiguous) this.#joinAmbiguous();
  }

  #joinAmbiguous(): void {
    const tags = [...(this.#joiner?.tags ?? [])].sort().join(', ');
    this.#dials.clearHints();
    this.#endJoin({ code: 'RN-MESH-012', text: `${this.#joiner?.tags.size ?? 0} meshes are in sight (${tags})` });
  }

  #joinerTick(): void {
    const joiner = this.#joiner;
    if (joiner === null || joiner.command === null || this.#now.mono < joiner.until) return;
    const { command } = joiner;
    joiner.command = null;
    const refusal = joiner.refusal ?? { code: 'RN-MESH-011' as const, text: `no member of the mesh answered within ${LIMITS.joinMsMax / 1_000} s` };
    this.#refuse(command, refusal.code, refusal.text);
  }

  /** Some attempt of the joiner failed; remember the most telling reason, give up where trying again is pointless. */
  #joinFailed(target: DialTarget, refusal: Refusal, final: boolean): void {
    const joiner = this.#joiner;
    if (joiner === null || target.kind !== 'hint') return;
    if (joiner.refusal === null || refusal.code !== 'RN-MESH-011') joiner.refusal = refusal;
    if (final) this.#endJoin(refusal);
  }

  #joinAttemptEnded(context: Context, target: DialTarget, ending: Ending, code: RefusalCode | null): void {
    if (this.#joiner === null) return;
    const typed = target.kind === 'hint' && this.#joiner.intent.options.peers.some((text) => addressTextOf(text, this.#options.port) === target.key);
    const where = addressText(context.session.remote);
    if (code === null) return this.#joinFailed(target, { code: 'RN-MESH-035', text: `${where} closed the connection: ${ending.why}` }, false);
    const refusal = JOIN_REFUSALS[code] ?? { code: 'RN-MESH-035' as const, final: false };
    const why = ending.by === 'us' ? ending.why : refusalText(code);
    const code2 = code === 'IDENTITY_BAD' && ending.by === 'us' && this.#joiner.intent.expect !== null ? ('RN-MESH-017' as const) : refusal.code;
    // Not the one: it is not asked again, and when nobody else is left to ask, that is the answer.
    if (target.kind === 'hint' && (code === 'MESH_MISMATCH' || code2 === 'RN-MESH-017')) {
      this.#dials.removeHint(target.key);
      this.#joiner.rejected.add(target.key);
      if (code2 === 'RN-MESH-017' && !this.#dials.hasHints) return this.#joinFailed(target, { code: code2, text: `${where}: ${why}` }, true);
    }
    this.#joinFailed(target, { code: code2, text: `${where}: ${why}` }, refusal.final || (typed && (code === 'MESH_MISMATCH' || code2 === 'RN-MESH-017')));
  }

  /** The wish came true: member, or standing in the lobby. */
  #joined(value: null): void {
    const joiner = this.#joiner;
    if (joiner === null || joiner.command === null) return;
    const { command } = joiner;
    joiner.command = null;
    this.#fx.reply({ id: command, kind: 'done', value });
  }

  #endJoin(refusal: Refusal): void {
    const joiner = this.#joiner;
    if (joiner === null) return;
    this.#joiner = null;
    this.#lobbyMesh = null;
    this.#dials.clearHints();
    this.#fx.persist({ kind: 'document', name: 'intent', record: null });
    if (joiner.command !== null) this.#refuse(joiner.command, refusal.code, refusal.text);
  }

  // ---- the log -------------------------------------------------------------------------------------------------------

  /** Commit a decision at the voter; the reason where it was not taken. */
  #commit(change: LedgerChange): string | undefined {
    const mesh = this.#mesh;
    if (mesh === null) return 'this node belongs to no mesh';
    const { kind, body } = encodeChange(change);
    this.#request += 1;
    const key = { aid: this.self.aid, incarnation: this.self.boot.incarnation, request: this.#request };
    const { outcome, output } = mesh.log.propose({ key, kind, body }, Math.floor(this.#now.wall));
    if (outcome.kind === 'not-leader') return `only ${outcome.leader === null ? 'the voter' : this.#nameOf(outcome.leader)} can decide`;
    if (outcome.kind === 'too-large') return `the decision has ${outcome.bytes} bytes`;
    return this.#onLog(output);
  }

  /** Persist, replicate, apply. Returns why the last entry was not taken by the registry, if it was not. */
  #onLog(output: LogOutput): string | undefined {
    const mesh = this.#mesh;
    if (mesh === null) return undefined;
    for (const sealed of output.persist) this.#fx.persist({ kind: 'ledger', record: packEntry(sealed) });
    for (const { to, message } of output.send) {
      const session = this.#peers.get(to)?.session;
      if (session == null) continue;
      session.send({ kind: 'raft', body: encodeLogMessage(message) });
      this.#touched.add(session);
    }
    for (const { from, why } of output.faults) {
      const session = this.#peers.get(from)?.session;
      if (session != null) this.#misbehaved(session, 'CHAIN_MISMATCH', why);
    }
    let refused: string | undefined;
    for (const sealed of output.committed) {
      const effect = mesh.apply(sealed);
      refused = effect.kind === 'void' ? effect.why : undefined;
      this.#onDecision(sealed.entry.index, effect);
    }
    this.#maybeAnswerJoin();
    return refused;
  }

  #onDecision(index: number, effect: EntryEffect): void {
    switch (effect.kind) {
      case 'invited':
        return this.#event('TOKEN_ISSUED', 'info', `invitation ${effect.token.text} for ${effect.token.label ?? 'whoever holds it'}: ${effect.token.uses} uses`, null, null, { tokenId: effect.token.text });
      case 'token-revoked':
        this.#forgetPsk(effect.token.text);
        return this.#event('TOKEN_REVOKED', 'notice', `invitation ${effect.token.text} is revoked`, null, null, { tokenId: effect.token.text });
      case 'admitted':
      case 'promoted':
      case 'suspended':
      case 'confirmed':
      case 'renamed':
        return this.#onMemberChanged(effect.kind, effect.member);
      case 'removed': {
        const { member, removed } = effect;
        this.#event('MEMBER_LEFT', 'notice', `${member.name} (${member.fingerprint}) ${removed.how === 'leave' ? 'has left the mesh' : 'was removed from the mesh'}`, member.text, null, { how: removed.how });
        if (member.text !== this.self.text) return this.#unwatch(member.text);
        if (removed.how === 'forget') this.#refused = 'this node has been removed from the mesh';
        return;
      }
      case 'void':
        // The genesis is what a registry begins with; it has nothing to add.
        if (index === 1) return;
        return this.#event('LEDGER_IGNORED', 'warning', `ledger entry ${index} (${effect.change}) changes nothing: ${effect.why}`, null, null);
      case 'setting':
      case 'foreign':
        return;
    }
  }

  #onMemberChanged(how: 'admitted' | 'promoted' | 'suspended' | 'confirmed' | 'renamed', member: Member): void {
    if (how === 'admitted' && member.way.kind !== 'genesis') {
      this.#event('MEMBER_JOINED', 'notice', `${member.name} (${member.fingerprint}) is a member now`, member.text, null, { role: member.role, way: member.way.kind });
      this.#watch(member.aid);
      this.#welcomeIfWaiting(member);
    }
    if (how === 'suspended') this.#event('MEMBER_SUSPENDED', 'critical', `${member.name} (${member.fingerprint}) may do nothing until an operator confirms it with \`robonet approve ${member.fingerprint}\``, member.text, null);
    if (how === 'confirmed') this.#event('MEMBER_CONFIRMED', 'notice', `${member.name} (${member.fingerprint}) is confirmed`, member.text, null);
    if (member.text === this.self.text && this.#mesh !== null && member.record !== null) this.#mesh.ownRecord = member.record;
    const peer = this.#peers.get(member.text);
    if (peer !== undefined) this.#applyLevel(peer);
  }

  #forgetPsk(text: string): void {
    if (this.#psks.delete(text)) this.#storePsks();
  }

  #storePsks(): void {
    const entries = [...this.#psks].map(([text, psk]) => [text, psk] as const);
    this.#fx.persist({ kind: 'document', name: 'token-secrets', record: entries.length === 0 ? null : encodeRmp(entries.map(([text, psk]) => [text, psk])) });
  }

  // ---- members -------------------------------------------------------------------------------------------------------

  #peerOf(aid: Aid): Peer {
    const text = aidText(aid);
    const known = this.#peers.get(text);
    if (known !== undefined) return known;
    const profile = TRUST_PROFILES[this.#mesh?.mesh.genesis.trustProfile ?? 'home'];
    const peer = new Peer(aid.slice(), new PeerTrust(profile), new SlotMeter(slotOf(this.#now.mono) * SESSION_LIMITS.slotMs));
    this.#peers.set(text, peer);
    return peer;
  }

  /** Keep a link to this member and an eye on it. */
  #watch(aid: Aid): void {
    const text = aidText(aid);
    if (text === this.self.text) return;
    this.#peerOf(aid);
    this.#liveness.add(text, this.#now.mono);
    this.#dials.addMember(text, this.#now.mono);
    const heard = this.#heardAddresses.get(text)?.split(' ') ?? [];
    this.#learnAddresses(
      text,
      heard.flatMap((address) => parseAddress(address, this.#options.port) ?? []),
    );
  }

  #unwatch(text: AidText): void {
    const peer = this.#peers.get(text);
    const session = peer?.session ?? null;
    this.#peers.delete(text);
    this.#liveness.remove(text);
    this.#dials.removeMember(text);
    this.#fx.persist({ kind: 'peer', key: text, record: null, urgent: false });
    if (session === null) return;
    session.refuse(turned('IDENTITY_BARRED', 'it is no longer a member'));
    this.#touched.add(session);
  }

  #levelOf(peer: Peer): TrustLevel {
    const member = this.#mesh?.member(peer.text);
    if (member === undefined) return 0;
    // Voters by genesis are not throttled by those they admit: else nobody could receive the ledger (§2.13, young meshes).
    const floor = Math.max(this.#options.levelFloor ?? 0, member.voter && peer.trust.standing === 'clear' ? 2 : 0);
    const ceiling = roleLevelMax(effectiveRole(member));
    return levelOf(Math.min(ceiling, Math.max(floor, peer.trust.level)));
  }

  #applyLevel(peer: Peer): void {
    const level = this.#levelOf(peer);
    const rate = this.#rates[level];
    if (rate !== undefined) peer.session?.setLevel(rate, payloadBytesMaxAt(level), this.#now.mono);
  }

  #levelChanged(peer: Peer): void {
    this.#applyLevel(peer);
    this.#event('TRUST_LEVEL', 'info', `${this.#nameOf(peer.text)} is at level T${peer.trust.level} now`, peer.text, null, { level: peer.trust.level, score: scoreNumber(peer.trust.score) });
  }

  #onLiveness(change: LivenessChange): void {
    if (this.#mesh?.member(change.id) === undefined) return;
    const code = change.to === 'up' ? 'MEMBER_UP' : change.to === 'suspect' ? 'MEMBER_SUSPECT' : 'MEMBER_DOWN';
    const severity = change.to === 'up' ? 'info' : change.to === 'suspect' ? 'notice' : 'warning';
    this.#event(code, severity, `${this.#nameOf(change.id)} is ${change.to}: ${change.why}`, change.id, null, { from: change.from });
  }

  #findPeer(who: string): Peer | undefined {
    const member = this.#mesh?.find(who);
    return member === undefined ? undefined : this.#peers.get(member.text);
  }

  #nameOf(text: string): string {
    return this.#mesh?.member(text)?.name ?? this.#peers.get(text)?.name ?? text.slice(0, 15);
  }

  #wakeFlush(): void {
    if (this.#flushPeersAt === NEVER) this.#flushPeersAt = this.#now.mono + LIMITS.flushMs;
  }

  #flushPeers(all: boolean): void {
    this.#flushPeersAt = NEVER;
    for (const peer of this.#peers.values()) {
      if (!peer.changed || this.#mesh?.member(peer.text) === undefined) continue;
      peer.changed = false;
      this.#fx.persist({ kind: 'peer', key: peer.text, record: peer.record(), urgent: all });
      if (peer.session !== null) this.#wakeFlush();
    }
    this.#storePeerCache();
  }

  /** Written only when something has changed: cards are worn by writes. */
  #storePeerCache(): void {
    const cache: CachedAddress[] = [];
    for (const peer of this.#peers.values()) for (const { host, port } of this.#dials.addressesOf(peer.text)) cache.push({ aid: peer.text, host, port });
    const text = JSON.stringify(cache, undefined, 1);
    if (cache.length === 0 || text === this.#storedCache) return;
    this.#storedCache = text;
    this.#fx.persist({ kind: 'document', name: 'peer-cache', record: utf8(text) });
  }

  #storedCache = '';

  #contextOf(session: Session): Context {
    const context = this.#contexts.get(session.id);
    assert(context !== undefined, 'a session that talks has a context');
    return context;
  }

  // ---- events and answers --------------------------------------------------------------------------------------------

  #event(code: string, severity: EventRecord['severity'], text: string, aid: string | null, source: string | null, data: EventRecord['data'] = {}): void {
    this.#fx.event({ at: Math.floor(this.#now.wall), code, severity, text, aid, source, data });
  }

  /** An event that remote input can cause at will: limited per source, the rest is counted (§2.15). */
  #incident(code: string, text: string, source: string, aid: string | null): void {
    const swallowed = this.#gate.mayLog(source, this.#now.mono);
    if (swallowed === undefined) return;
    this.#event(code, 'warning', text, aid, source, swallowed > 0 ? { swallowed } : {});
  }

  #refuse(id: number, code: FaultCode, text: string): void {
    this.#fx.reply({ id, kind: 'refused', refusal: { code, text } });
  }

  // ---- commands ------------------------------------------------------------------------------------------------------

  #onCommand(id: number, command: Command): void {
    switch (command.kind) {
      case 'found':
        return this.#found(id, command.options);
      case 'join':
        if (this.#mesh !== null) return this.#refuse(id, 'RN-MESH-004', `this node belongs to the mesh "${this.#mesh.mesh.genesis.name}"`);
        return this.#startJoin(id, command.options);
      case 'ping': {
        const session = this.#findPeer(command.who)?.session ?? null;
        if (this.#findPeer(command.who) === undefined) return this.#refuse(id, 'RN-MESH-020', `no member is called "${command.who}"`);
        return session === null ? this.#refuse(id, 'RN-MESH-023', `there is no link to ${command.who}`) : this.#ping(session, id);
      }
      default: {
        const mesh = this.#mesh;
        if (mesh === null) {
          // Giving up an attempt to join is a way of leaving, too.
          if (command.kind === 'leave' && this.#joiner !== null) {
            this.#endJoin({ code: 'RN-MESH-032', text: 'the attempt to join was given up' });
            return this.#fx.reply({ id, kind: 'done', value: null });
          }
          return this.#refuse(id, 'RN-MESH-005', 'this node belongs to no mesh');
        }
        return this.#onMemberCommand(id, command, mesh);
      }
    }
  }

  #onMemberCommand(id: number, command: Exclude<Command, { kind: 'found' | 'join' | 'ping' }>, mesh: MeshState): void {
    switch (command.kind) {
      case 'leave':
        return this.#leave(id, mesh);
      case 'invite':
        return this.#invite(id, command.options, mesh);
      case 'invitations':
        return this.#fx.reply({ id, kind: 'done', value: [...mesh.registry.tokens.values()].map((token) => invitationView(token, mesh, this.#now.wall)) });
      case 'revoke-invitation': {
        const token = mesh.registry.tokens.get(command.tokenId.toLowerCase());
        if (token === undefined) return this.#refuse(id, 'RN-MESH-033', `no invitation has the id "${command.tokenId}"`);
        return this.#decide(id, { kind: 'token-revoke', tokenId: token.tokenId, by: this.self.aid }, null);
      }
      case 'approve':
        return this.#approve(id, command.fingerprint, mesh);
      case 'deny':
        return this.#deny(id, command.fingerprint, command.reason, mesh);
      case 'forget':
        return this.#forget(id, command.who, mesh);
      case 'explain-trust': {
        const peer = this.#findPeer(command.who);
        if (peer === undefined) return this.#refuse(id, 'RN-MESH-020', `no other member is called "${command.who}"`);
        peer.advanceTrust(this.#now.mono);
        const view = this.#nodeView(peer);
        const lines = explainTrust(peer.trust.history, peer.trust.profile);
        const exported =
          peer.established === null
            ? null
            : exportTrust(this.crypto, {
                observer: { established: this.self.established, signKey: this.self.signKey },
                peer: { established: peer.established, name: this.#nameOf(peer.text) },
                profile: peer.trust.profile,
                history: peer.trust.history,
                checkpoints: peer.peerCheckpoints,
                at: this.#now.wall,
              });
        return this.#fx.reply({ id, kind: 'done', value: { peer: view, lines, exported } });
      }
    }
  }

  /** Commit and answer. */
  #decide(id: number, change: LedgerChange, value: unknown): void {
    if (this.#mesh?.log.votes !== true) return this.#refuseNotVoter(id);
    const failed = this.#commit(change);
    if (failed !== undefined) this.#refuse(id, 'RN-MESH-030', failed);
    else this.#fx.reply({ id, kind: 'done', value });
  }

  #refuseNotVoter(id: number): void {
    const leader = this.#mesh?.log.leader ?? null;
    const up = leader !== null && this.#liveness.state(leader) === 'up';
    this.#refuse(id, up ? 'RN-MESH-030' : 'RN-MESH-019', `only the voter ${leader === null ? '' : this.#nameOf(leader)} can decide that${up ? '; run the command there' : ', and it is not reachable'}`);
  }

  #found(id: number, options: FoundOptions): void {
    if (this.#mesh !== null) return this.#refuse(id, 'RN-MESH-004', `this node belongs to the mesh "${this.#mesh.mesh.genesis.name}"`);
    if (this.#joiner !== null) this.#endJoin({ code: 'RN-MESH-032', text: 'a mesh was founded instead' });
    const { self } = this;
    const choices = { name: options.name, admission: options.admission, trustProfile: options.trustProfile };
    const verdict = makeGenesis(this.crypto, choices, [{ established: self.established, signKey: self.signKey, name: this.#facts.name }], this.entropy(GENESIS_RANDOM_BYTES), this.#now.wall);
    if (verdict.kind === 'bad') return this.#refuse(id, 'RN-MESH-028', verdict.why);
    const { mesh } = verdict;
    this.#request += 1;
    const key = { aid: self.aid, incarnation: self.boot.incarnation, request: this.#request };
    const first = sealEntry(this.crypto, self.signKey, { index: 1, term: 1, previous: new Uint8Array(32), kind: 'genesis', body: mesh.bytes, key, at: Math.floor(this.#now.wall), voter: self.aid });
    this.#becomeMember(mesh, null, [first]);
    this.#fx.persist({ kind: 'ledger', record: packEntry(first) });
    this.#fx.persist({ kind: 'document', name: 'membership', record: encodeMessage({ kind: 'welcome', meshId: mesh.id, role: 'voter', genesis: mesh.bytes, record: new Uint8Array(0) }) });
    this.#event('MESH_FOUNDED', 'notice', `founded the mesh "${mesh.genesis.name}"`, self.text, null, { mesh: hex(mesh.id), tag: hex(mesh.tag) });
    this.#fx.reply({ id, kind: 'done', value: null });
  }

  #becomeMember(mesh: Mesh, ownRecord: Uint8Array | null, entries: readonly SealedEntry[]): void {
    this.#mesh = new MeshState(this.crypto, { mesh, entries, self: this.self.aid, signKey: this.self.signKey, ownRecord });
    this.#dials.clearHints();
    this.#refused = null;
    this.#peers.clear();
    this.#promoteAt = this.#now.mono + MINUTE;
    for (const member of this.#mesh.members()) this.#watch(member.aid);
  }

  #invite(id: number, options: InviteOptions, mesh: MeshState): void {
    if (!mesh.log.votes) return this.#refuseNotVoter(id);
    const peers = this.#addresses.map(addressText);
    const order = { role: options.role, uses: options.uses, expiresInMs: options.expiresInMs, label: options.label, hardware: null, peers };
    const outcome = makeInvitation(this.crypto, mesh.registry, order, this.self.aid, this.#now.wall, this.entropy(INVITATION_RANDOM_BYTES));
    if (outcome.kind === 'refuse') return this.#refuse(id, 'RN-MESH-028', outcome.why);
    const failed = this.#commit(outcome.change);
    if (failed !== undefined) return this.#refuse(id, 'RN-MESH-030', failed);
    const tokenId = hex(outcome.token.tokenId);
    for (const [text] of this.#psks) {
      const token = mesh.registry.tokens.get(text);
      if (token === undefined || tokenStanding(token, this.#now.wall) === 'expired') this.#psks.delete(text);
    }
    this.#psks.set(tokenId, outcome.psk);
    this.#storePsks();
    const token = mesh.registry.tokens.get(tokenId);
    if (token !== undefined) this.#fx.reply({ id, kind: 'done', value: { token: outcome.text, ...invitationView(token, mesh, this.#now.wall) } });
  }

  #approve(id: number, typed: string, mesh: MeshState): void {
    if (!mesh.log.votes) return this.#refuseNotVoter(id);
    const suspended = findSuspended(mesh.registry, typed);
    if (suspended !== undefined) {
      const request = { fingerprint: suspended.fingerprint, aid: suspended.text, name: suspended.name, address: '', since: suspended.suspended?.since ?? 0, expiresAt: 0, capabilities: null };
      return this.#decide(id, { kind: 'confirm', aid: suspended.aid, by: this.self.aid }, request);
    }
    const decision = this.#lobby.approve(typed, this.self.aid, this.#now);
    if (decision.kind === 'incomplete') return this.#refuse(id, 'RN-MESH-026', decision.why);
    if (decision.kind === 'mismatch') {
      this.#event('APPROVAL_MISMATCH', 'warning', `somebody approved ${decision.fingerprint}, but no waiting machine has this fingerprint`, null, null, { fingerprint: decision.fingerprint, waiting: decision.waiting });
      return this.#refuse(id, 'RN-MESH-018', decision.why);
    }
    const { entry } = decision;
    const established = this.#lobbySessions.get(aidText(entry.aid))?.peer?.established;
    const view = requestView(entry);
    this.#event('ADMIT_APPROVED', 'notice', `${entry.name} (${entry.fingerprint}) was approved`, aidText(entry.aid), entry.address);
    // A machine that has gone meanwhile is admitted when it comes back: the lobby remembers the approval.
    if (established === undefined) return this.#fx.reply({ id, kind: 'done', value: view });
    const draft = { aid: entry.aid, establishment: established.head, role: entry.role, name: entry.name, way: { kind: 'approval' as const, by: this.self.aid } };
    this.#decide(id, admission(this.crypto, this.self.signKey, mesh.registry, draft, this.self.aid, Math.floor(this.#now.wall)), view);
  }

  #deny(id: number, typed: string, reason: string, mesh: MeshState): void {
    if (!mesh.log.votes) return this.#refuseNotVoter(id);
    const decision = this.#lobby.deny(typed, reason, this.#now);
    if (decision.kind === 'incomplete') return this.#refuse(id, 'RN-MESH-026', decision.why);
    if (decision.kind === 'mismatch') return this.#refuse(id, 'RN-MESH-018', decision.why);
    const { entry } = decision;
    const text = aidText(entry.aid);
    this.#event('APPROVAL_DENIED', 'notice', `${entry.name} (${entry.fingerprint}) was denied: ${reason}`, text, entry.address);
    const session = this.#lobbySessions.get(text);
    this.#lobbySessions.delete(text);
    if (session !== undefined) {
      session.send({ kind: 'admit-status', state: 'denied', remainingMs: null, reason: reason.slice(0, 256) });
      session.flush(this.#now.mono);
      session.refuse(turned('APPROVAL_DENIED', reason));
      this.#touched.add(session);
    }
    this.#gossipRequests();
    this.#fx.reply({ id, kind: 'done', value: requestView(entry) });
  }

  #forget(id: number, who: string, mesh: MeshState): void {
    const member = mesh.find(who);
    if (member === undefined) return this.#refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    if (!mesh.log.votes) return this.#refuseNotVoter(id);
    const decision = decideRemoval(mesh.registry, member.aid, this.self.aid);
    if (decision.kind === 'refuse' || member.text === this.self.text) return this.#refuse(id, 'RN-MESH-027', decision.kind === 'refuse' ? decision.why : 'use `robonet leave` for this node itself');
    const peer = this.#peers.get(member.text);
    const view = peer === undefined ? null : this.#nodeView(peer);
    this.#decide(id, decision.change, view);
  }

  #leave(id: number, mesh: MeshState): void {
    const others = mesh.registry.members.size - 1;
    if (mesh.log.votes) {
      if (others > 0) return this.#refuse(id, 'RN-MESH-027', `this node is the only voter, and ${others} other members remain`);
      return this.#left(id);
    }
    const voter = this.#mesh?.log.leader ?? null;
    const session = voter === null ? null : (this.#peers.get(voter)?.session ?? null);
    if (this.#refused !== null || session === null || session.state !== 'open') {
      return this.#leftUnrecorded(id, 'its voter was not reachable');
    }
    this.#leaving = id;
    const wireId = this.#calls.open(id, session.peer?.text ?? '', this.#now.mono, 10_000);
    session.send({ kind: 'req', id: wireId, key: this.entropy(16), method: 'mesh.leave', timeoutMs: 10_000, body: new Uint8Array(0) });
    this.#touched.add(session);
  }

  /** Nobody there to write it down: we go, and the mesh may see us as down until somebody forgets us. */
  #leftUnrecorded(id: number, why: string): void {
    this.#event('LEFT_UNRECORDED', 'warning', `left the mesh, but ${why}; the others may list this node until it is forgotten there`, this.self.text, null);
    this.#left(id);
  }

  #leaving: number | null = null;

  /** The voter's side of an orderly departure. */
  #onLeaveCall(session: Session, peer: Peer, wireId: number): void {
    const mesh = this.#mesh;
    if (mesh === null || !mesh.log.votes) {
      session.send({ kind: 'err', id: wireId, code: 'QUORUM_UNREACHABLE', text: 'only a voter can record a departure' });
      return;
    }
    session.send({ kind: 'res', id: wireId, body: new Uint8Array(0) });
    session.flush(this.#now.mono);
    this.#commit({ kind: 'remove', aid: peer.aid, how: 'leave', by: peer.aid });
    this.#touched.add(session);
  }

  /** Everything of the mesh goes; the identity is used up, an identity is never admitted twice. */
  #left(id: number): void {
    for (const { session } of [...this.#contexts.values()]) {
      if (session.state === 'open') session.close('LEAVE');
      else session.disconnected('this node leaves the mesh');
      this.#touched.add(session);
    }
    this.#mesh = null;
    this.#peers.clear();
    this.#stopping = true;
    this.#event('LEFT', 'notice', 'left the mesh; this machine goes on with a new identity', this.self.text, null);
    this.#fx.persist({ kind: 'forget-mesh' });
    this.#fx.reply({ id, kind: 'done', value: null });
  }

  // ---- views ---------------------------------------------------------------------------------------------------------

  /** Everything `robonet status` needs. */
  status(): StatusView {
    const mesh = this.#mesh;
    const self = this.#selfView();
    const nodes = mesh === null ? [self] : mesh.members().map((member) => (member.text === this.self.text ? self : this.#memberView(member)));
    const { state, reason } = this.#state();
    return {
      state,
      stateReason: reason,
      self,
      startReason: this.#options.startReason,
      degraded: this.#options.degraded,
      mesh: mesh === null ? null : meshView(mesh),
      nodes,
      requests: this.#requests(),
    };
  }

  #state(): { readonly state: NodeState; readonly reason: string | null } {
    if (this.#contested !== null) return { state: 'contested', reason: this.#contested };
    if (this.#mesh !== null) return this.#refused === null ? { state: 'member', reason: null } : { state: 'refused', reason: this.#refused };
    const joiner = this.#joiner;
    if (joiner === null) return this.#refused === null ? { state: 'unjoined', reason: 'this node belongs to no mesh' } : { state: 'refused', reason: this.#refused };
    const lobby = this.#lobbyMesh;
    if (joiner.lobby !== null && lobby !== null) {
      const trust = lobby.firstUse ? `; trust on first use: compare ${lobby.member} with the member's own screen` : '';
      return { state: 'lobby', reason: `waits for approval by the mesh "${lobby.name}" at the member ${lobby.member}${trust}` };
    }
    return { state: 'joining', reason: joiner.refusal?.text ?? 'looks for a member of the mesh' };
  }

  #requests(): readonly AdmissionRequest[] {
    return this.#mesh?.log.votes === true ? this.#lobby.entries.filter((entry) => entry.approvedBy === null).map(requestView) : this.#remoteRequests;
  }

  #selfView(): NodeView {
    const member = this.#mesh?.member(this.self.text);
    return {
      aid: this.self.text,
      fingerprint: fingerprintOf(this.self.aid),
      name: member?.name ?? this.#facts.name,
      self: true,
      role: member?.role ?? 'none',
      voter: member?.voter ?? false,
      leader: this.#mesh?.log.leader === this.self.text,
      liveness: 'up',
      lastSeen: this.#now.wall,
      rttMs: null,
      address: this.#addresses[0] === undefined ? null : addressText(this.#addresses[0]),
      trust: null,
      incarnation: this.self.boot.incarnation,
      capabilities: this.#facts.capabilities,
      conditions: this.#facts.conditions,
      joinedAt: member?.admittedAt ?? null,
    };
  }

  #memberView(member: Member): NodeView {
    const peer = this.#peers.get(member.text);
    return peer === undefined ? this.#nodeView(this.#peerOf(member.aid)) : this.#nodeView(peer);
  }

  #nodeView(peer: Peer): NodeView {
    const member = this.#mesh?.member(peer.text);
    const address = peer.session?.initiator === true ? peer.session.remote : this.#dials.addressesOf(peer.text)[0];
    return {
      aid: peer.text,
      fingerprint: fingerprintOf(peer.aid),
      name: this.#nameOf(peer.text),
      self: false,
      role: member === undefined ? 'none' : effectiveRole(member),
      voter: member?.voter ?? false,
      leader: this.#mesh?.log.leader === peer.text,
      liveness: this.#liveness.state(peer.text),
      lastSeen: peer.heardWall,
      rttMs: this.#liveness.rtt(peer.text),
      address: address === undefined ? null : addressText(address),
      trust: this.#trustView(peer),
      incarnation: peer.boot?.incarnation ?? null,
      capabilities: peer.capabilities,
      conditions: peer.conditions,
      joinedAt: member?.admittedAt ?? null,
    };
  }

  #trustView(peer: Peer): TrustView {
    const reading = peer.trust.reading();
    const received = peer.received;
    const sent = peer.link?.sending;
    return {
      score: scoreNumber(reading.score),
      level: reading.level,
      lengthCredit: reading.lengthCredit,
      timeCreditMs: reading.timeCreditMs,
      debt: reading.debt,
      breaks: countsOf(reading.breaks),
      sent: { incarnation: this.self.boot.incarnation, sequence: sent?.sequence ?? 0 },
      received: { incarnation: received?.incarnation ?? 0, sequence: received?.sequence ?? 0 },
      lastCheckpointAt: peer.lastCheckpointAt,
    };
  }

  // ---- start ---------------------------------------------------------------------------------------------------------

  #load(now: Instant): void {
    const { crypto } = this;
    const { documents } = this.#options;
    const decoded = documents.membership === null ? undefined : decodeMessage(MESSAGE_TYPE.WELCOME, documents.membership);
    if (decoded?.kind === 'ok' && decoded.message.kind === 'welcome') this.#loadMesh(decoded.message);
    for (const record of this.#options.peers) {
      const stored = decodePeerRecord(record);
      if (stored === undefined || this.#mesh?.member(aidText(stored.aid)) === undefined) continue;
      const text = aidText(stored.aid);
      const profile = TRUST_PROFILES[this.#mesh.mesh.genesis.trustProfile];
      const meter = new SlotMeter(slotOf(now.mono) * SESSION_LIMITS.slotMs);
      const peer = new Peer(stored.aid.slice(), new PeerTrust(profile, decodeHistory(stored.trust)), meter);
      peer.restore(crypto, stored);
      this.#peers.set(text, peer);
    }
    for (const cached of documents.peerCache) {
      if (this.#mesh !== null) this.#dials.addressOf(cached.aid, { host: cached.host, port: cached.port }, now.mono);
    }
    const secrets = documents.tokenSecrets === null ? undefined : decodeRmp(documents.tokenSecrets);
    for (const pair of secrets?.kind === 'ok' ? (listOf(secrets.value) ?? []) : []) {
      const [text, psk] = listOf(pair, 2) ?? [];
      if (typeof text === 'string' && psk instanceof Uint8Array) this.#psks.set(text, psk.slice());
    }
    const intent = documents.intent === null || this.#mesh !== null ? undefined : decodeIntent(documents.intent);
    if (intent !== undefined) this.#startJoin(null, intent);
  }

  #loadMesh(welcome: Welcome): void {
    const verdict = verifyGenesis(this.crypto, welcome.genesis, welcome.meshId);
    if (verdict.kind === 'bad') return this.#event('STATE_DEGRADED', 'critical', `the stored membership is not usable: ${verdict.why}`, null, null);
    const { mesh } = verdict;
    const voterKey = mesh.founders[0]?.signKey;
    const entries: SealedEntry[] = [];
    for (const record of this.#options.ledger) {
      const sealed = unpackEntry(this.crypto, record);
      const previous = entries.at(-1)?.digest ?? new Uint8Array(32);
      if (sealed === undefined || sealed.entry.index !== entries.length + 1 || !bytesEqual(sealed.entry.previous, previous) || !verifyEntry(this.crypto, voterKey, sealed)) {
        this.#event('STATE_DEGRADED', 'critical', `the stored ledger breaks at entry ${entries.length + 1}; the rest is fetched again`, null, null);
        break;
      }
      entries.push(sealed);
    }
    this.#becomeMember(mesh, welcome.record.length === 0 ? null : welcome.record, entries);
  }
}

const LOBBY_RATE: LevelRate = { framesPerSecond: 2, bytesPerSecond: 8_192 };

/** What a joiner's person is told, and whether trying on is pointless. */
const JOIN_REFUSALS: Readonly<Partial<Record<RefusalCode, { readonly code: FaultCode; readonly final: boolean }>>> = {
  TOKEN_BAD: { code: 'RN-MESH-007', final: true },
  TOKEN_EXPIRED: { code: 'RN-MESH-008', final: true },
  TOKEN_USED: { code: 'RN-MESH-009', final: true },
  MESH_MISMATCH: { code: 'RN-MESH-010', final: false },
  APPROVAL_DENIED: { code: 'RN-MESH-013', final: true },
  LOBBY_FULL: { code: 'RN-MESH-014', final: true },
  VERSION_FLOOR: { code: 'RN-MESH-015', final: true },
  FRAME_VERSION: { code: 'RN-MESH-015', final: true },
  NOT_PERMITTED: { code: 'RN-MESH-016', final: true },
  IDENTITY_BARRED: { code: 'RN-MESH-034', final: true },
  IDENTITY_CONTESTED: { code: 'RN-MESH-024', final: true },
  QUORUM_UNREACHABLE: { code: 'RN-MESH-019', final: false },
  IDENTITY_BAD: { code: 'RN-MESH-035', final: false },
};

function turned(code: RefusalCode, why: string): Turned {
  return { kind: 'refuse', code, why };
}

function tagText(tag: Uint8Array): string {
  return tag.every((byte) => byte === 0) ? 'the node there belongs to no mesh' : `the node there belongs to mesh ${hex(tag)}`;
}

function addressTextOf(text: string, portDefault: number): string | undefined {
  const address = parseAddress(text, portDefault);
  return address === undefined ? undefined : addressText(address);
}

function levelOf(value: number): TrustLevel {
  return value <= 0 ? 0 : value === 1 ? 1 : value === 2 ? 2 : value === 3 ? 3 : 4;
}

function countsOf(breaks: Readonly<Partial<Record<BreakClass, number>>>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [breakClass, count] of Object.entries(breaks)) if (count > 0) counts[breakClass] = count;
  return counts;
}

function requestView(entry: LobbyEntry): AdmissionRequest {
  return {
    fingerprint: entry.fingerprint,
    aid: aidText(entry.aid),
    name: entry.name,
    address: entry.address,
    since: Math.floor(entry.since),
    expiresAt: Math.floor(entry.expiresAt),
    capabilities: decodeCapabilitiesAlone(entry.capabilities),
  };
}

function invitationView(token: TokenState, mesh: MeshState, wall: Millis): Omit<Invitation, 'token'> & { readonly standing: string; readonly label: string | null; readonly usedBy: readonly string[] } {
  return {
    tokenId: token.text,
    meshId: hex(mesh.id),
    meshName: mesh.mesh.genesis.name,
    expiresAt: token.expiresAt,
    // What is left of them: 0 for one that is used up.
    uses: Math.max(0, token.uses - token.usedBy.length),
    role: token.role,
    standing: tokenStanding(token, wall),
    label: token.label,
    usedBy: token.usedBy.map(aidText),
  };
}

function meshView(mesh: MeshState): MeshView {
  const { genesis } = mesh.mesh;
  return {
    id: hex(mesh.id),
    tag: hex(mesh.tag),
    name: genesis.name,
    admission: mesh.registry.admission,
    trustProfile: genesis.trustProfile,
    quorum: genesis.quorum,
    voters: [...mesh.registry.members.values()].filter((member) => member.voter).length,
    leader: mesh.log.leader === null ? null : (mesh.member(mesh.log.leader)?.name ?? mesh.log.leader),
    term: mesh.log.term,
    commitIndex: mesh.log.commitIndex,
    foundedAt: genesis.foundedAt,
  };
}
