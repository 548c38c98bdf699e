/**
 * What the rooms of one node share: who it is, what it knows, the effects of the step under way. Each room works on
 * this and on nothing else; whoever owns a field is said beside it. No decision is taken here.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { FaultCode } from '#core/errors/fault.ts';
import type { Entropy, Rng } from '#core/random/random.ts';
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import { Lobby } from '#mesh/admission/lobby.ts';
import { StrangerWatch } from '#mesh/admission/stranger-watch.ts';
import { effectiveRole } from '#mesh/admission/registry.ts';
import { roleLevelMax } from '#mesh/admission/roles.ts';
import { type Aid, aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import type { LinkChain } from '#mesh/hcth/link-chain.ts';
import { sealRecord } from '#mesh/hcth/sealed-record.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import { DialPlan } from '#mesh/membership/dial-plan.ts';
import { LivenessTable } from '#mesh/membership/liveness.ts';
import { ConnectionGate } from '#mesh/session/connection-gate.ts';
import { HandshakeMemory } from '#mesh/session/handshake-memory.ts';
import type { LocalIdentity, SessionHost, Turned } from '#mesh/session/host.ts';
import { LEVEL_RATES, type LevelRate, SESSION_LIMITS } from '#mesh/session/limits.ts';
import { slotOf } from '#mesh/session/link.ts';
import type { Session } from '#mesh/session/session.ts';
import { PeerTrust } from '#mesh/trust/peer-trust.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { scoreNumber } from '#mesh/trust/score.ts';
import { SlotMeter } from '#mesh/trust/slot-meter.ts';
import { payloadBytesMaxAt } from '#mesh/wire/limits.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { CallTable } from './call-table.ts';
import { EffectCollector } from './effects.ts';
import type { Context } from './context.ts';
import type { Joiner } from './joiner.ts';
import type { MeshState } from './mesh-state.ts';
import { Peer } from './peer.ts';
import type { CachedAddress, ConnectionId, SelfFacts, StoredEvidence } from './step.ts';
import type { AdmissionRequest, EventRecord, TrustLevel } from './views.ts';
import type { Rooms } from './rooms.ts';

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
  /** Records of `statements.journal`: own boot events and statements, oldest first. */
  readonly statements?: readonly Uint8Array[];
  /** How many of them precede bytes of the file whose checksum does not hold; absent for a file that reads well. */
  readonly statementsUnreadableAt?: number;
  readonly documents: {
    readonly membership: Uint8Array | null;
    readonly intent: Uint8Array | null;
    readonly tokenSecrets: Uint8Array | null;
    readonly peerCache: readonly CachedAddress[];
  };
  /** The evidence store. */
  readonly evidence: readonly StoredEvidence[];
  /** Digests of the boot events that this machine signed before this run, as far as it remembers. */
  readonly ownBoots: readonly Uint8Array[];
  readonly rates?: readonly LevelRate[];
  /** Rights of every member are at least those of this level: for laboratories and benchmarks. */
  readonly levelFloor?: TrustLevel;
  readonly handshakesPerSecond: number;
  /** How much faster than the world this node's clock runs: for laboratories; 1 where absent. */
  readonly clockRate?: number;
  /** Unfinished frames of all connections together: for laboratories; 64 MiB where absent. */
  readonly inboundBytesMax?: number;
}

/** Whatever a peer put into a text, the screen that shows it is not commanded by it. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd');
}

/** What a waiting machine may send. */
export const LOBBY_RATE: LevelRate = { framesPerSecond: 2, bytesPerSecond: 8_192 };

/** See the header. Mutable; owned by the swarm. */
export class SwarmCore {
  readonly crypto: CryptoPort;
  readonly entropy: Entropy;
  readonly self: LocalIdentity;
  readonly options: SwarmOptions;
  readonly rates: readonly LevelRate[];
  readonly fx = new EffectCollector();
  readonly gate: ConnectionGate;
  readonly handshakes = new HandshakeMemory();
  /** Machines that come with one strange identity after another. */
  readonly strangers = new StrangerWatch();
  /** Bytes of unfinished frames, over all connections. */
  inboundBytes = 0;
  readonly dials: DialPlan;
  readonly liveness = new LivenessTable();
  readonly calls = new CallTable();
  readonly lobby = new Lobby();
  readonly contexts = new Map<ConnectionId, Context>();
  readonly peers = new Map<AidText, Peer>();
  /** Our directions towards those who were members in this run and may be again. */
  readonly formerSending = new Map<AidText, LinkChain>();
  readonly touched = new Set<Session>();
  mesh: MeshState | null = null;
  joiner: Joiner | null = null;
  now: Instant = { mono: 0, wall: 0 };
  facts: SelfFacts;
  factsAt: Millis = NEVER;
  addresses: readonly Address[] = [];
  spoken = false;
  readonly startedAt: Millis;
  contested: string | null = null;
  /** What of the stored state is lost; the driver's findings and those of loading. */
  readonly degraded: string[];
  refused: string | null = null;
  flushPeersAt: Millis = NEVER;
  remoteRequests: readonly AdmissionRequest[] = [];
  stopping = false;
  /** Hints that came before anybody asked to join. */
  readonly tagsInSight = new Map<string, { readonly address: Address; readonly at: Millis }>();
  /** Addresses by identity as last told; those of members that our log does not know yet wait here. */
  readonly heardAddresses = new Map<AidText, string>();
  /** Connections of machines that wait here. */
  readonly lobbySessions = new Map<AidText, Session>();
  /** Keys of open invitations; kept by voters, until they expire. */
  readonly psks = new Map<string, Uint8Array>();
  promoteAt: Millis = NEVER;
  lobbyMesh: { readonly name: string; readonly member: string; readonly firstUse: boolean } | null = null;
  awaitsLedger: { readonly command: number; readonly until: Millis } | null = null;
  /** The command `leave` while the voter's answer is awaited; cleared by {@link refuse}. */
  leaving: number | null = null;
  #rooms: Rooms | null = null;
  #host: SessionHost | null = null;

  constructor(options: SwarmOptions, now: Instant) {
    this.options = options;
    this.degraded = [...options.degraded];
    this.startedAt = now.mono;
    this.now = now;
    this.crypto = options.crypto;
    this.entropy = options.entropy;
    this.self = options.identity;
    this.rates = options.rates ?? LEVEL_RATES;
    this.facts = options.facts;
    this.gate = new ConnectionGate(options.handshakesPerSecond, now.mono);
    this.dials = new DialPlan(this.self.text, options.rng.fork('dial'));
  }

  /** The other rooms, by what they can be asked. */
  get rooms(): Rooms {
    assert(this.#rooms !== null, 'the rooms are furnished before anything happens');
    return this.#rooms;
  }

  /** What connections ask. */
  get host(): SessionHost {
    assert(this.#host !== null, 'the rooms are furnished before anything happens');
    return this.#host;
  }

  /** Called once, when all rooms exist. */
  furnish(rooms: Rooms, host: SessionHost): void {
    this.#rooms = rooms;
    this.#host = host;
  }

  /** Whether members were last seen at this very address; its network would take in every stranger on the LAN. */
  isKnownHost(host: string): boolean {
    for (const peer of this.peers.values()) {
      for (const address of this.dials.addressesOf(peer.text)) if (address.host === host) return true;
    }
    return false;
  }

  giveUp(session: Session, why: string): void {
    session.disconnected(why);
    this.fx.close(session.id);
    this.touched.add(session);
  }

  messageBytesMax(session: Session): number {
    return Math.max(0, (session.accepted?.limits.payloadBytesMax ?? 4_096) - 160);
  }

  peerOf(aid: Aid): Peer {
    const text = aidText(aid);
    const known = this.peers.get(text);
    if (known !== undefined) return known;
    const profile = TRUST_PROFILES[this.mesh?.mesh.genesis.trustProfile ?? 'home'];
    const peer = new Peer(aid.slice(), new PeerTrust(profile), new SlotMeter(slotOf(this.now.mono) * SESSION_LIMITS.slotMs));
    peer.formerSending = this.formerSending.get(text) ?? null;
    this.peers.set(text, peer);
    return peer;
  }

  /** What is remembered of a peer goes to the disk, under our signature. */
  storePeer(peer: Peer, urgent: boolean): void {
    peer.changed = false;
    this.fx.persist({ kind: 'peer', key: peer.text, record: sealRecord(this.crypto, this.self.signKey, peer.record()), urgent });
  }

  levelOf(peer: Peer): TrustLevel {
    const member = this.mesh?.member(peer.text);
    if (member === undefined) return 0;
    // Voters are not throttled by those they admit, nor who gets the log sent: else nobody could receive the ledger (§2.13, young meshes).
    const floor = Math.max(
      this.options.levelFloor ?? 0,
      (member.voter || this.mesh?.log.isServer(peer.text) === true) && peer.trust.standing === 'clear' ? 2 : 0,
    );
    const ceiling = roleLevelMax(effectiveRole(member));
    return levelOf(Math.min(ceiling, Math.max(floor, peer.trust.level)));
  }

  applyLevel(peer: Peer): void {
    const level = this.levelOf(peer);
    const rate = this.rates[level];
    if (rate !== undefined) peer.session?.setLevel(rate, payloadBytesMaxAt(level), this.now.mono);
  }

  levelChanged(peer: Peer): void {
    this.applyLevel(peer);
    const context = peer.session === null ? undefined : this.contexts.get(peer.session.id);
    if (context !== undefined && payloadBytesMaxAt(this.levelOf(peer)) !== context.payloadBytesMaxTold) context.renewWanted = true;
    this.event('TRUST_LEVEL', 'info', `${this.nameOf(peer.text)} is at level T${peer.trust.level} now`, peer.text, null, {
      level: peer.trust.level,
      score: scoreNumber(peer.trust.score),
    });
  }

  findPeer(who: string): Peer | undefined {
    const member = this.mesh?.find(who);
    return member === undefined ? undefined : this.peers.get(member.text);
  }

  nameOf(text: string): string {
    return this.mesh?.member(text)?.name ?? this.peers.get(text)?.name ?? text.slice(0, 15);
  }

  contextOf(session: Session): Context {
    const context = this.contexts.get(session.id);
    assert(context !== undefined, 'a session that talks has a context');
    return context;
  }

  event(code: string, severity: EventRecord['severity'], text: string, aid: string | null, source: string | null, data: EventRecord['data'] = {}): void {
    this.fx.event({ at: Math.floor(this.now.wall), code, severity, text: printable(text), aid, source, data });
  }

  /** An event that remote input can cause at will: limited per source, the rest is counted (§2.15). */
  incident(code: string, severity: EventRecord['severity'], text: string, source: string, aid: string | null, data: EventRecord['data'] = {}): void {
    const swallowed = this.gate.mayLog(source, this.now.mono);
    if (swallowed === undefined) return;
    this.event(code, severity, text, aid, source, swallowed > 0 ? { ...data, swallowed } : data);
  }

  /** Whether this node still seeks links: one that stops or is about to leave does not. */
  get mayDial(): boolean {
    return !this.stopping && this.leaving === null;
  }

  refuse(id: number, code: FaultCode, text: string): void {
    if (id === this.leaving) this.leaving = null;
    this.fx.reply({ id, kind: 'refused', refusal: { code, text } });
  }
}

/** A refusal with its reason, for our own events. */
export function turned(code: RefusalCode, why: string): Turned {
  return { kind: 'refuse', code, why };
}

function levelOf(value: number): TrustLevel {
  return value <= 0 ? 0 : value === 1 ? 1 : value === 2 ? 2 : value === 3 ? 3 : 4;
}
