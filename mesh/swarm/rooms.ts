/**
 * The doors between the rooms of a node: what each may ask of the others. Types only, so that rooms need not import each
 * other, and so that one page shows how the node hangs together.
 */
import type { Instant, Millis } from '#core/time/time.ts';
import type { LedgerChange, SettledMachines } from '#mesh/admission/entries.ts';
import type { Mesh } from '#mesh/admission/genesis.ts';
import type { Member } from '#mesh/admission/registry.ts';
import type { ConfigChange } from '#mesh/consensus/config/change.ts';
import type { LogEntry, ProposalKey, SealedEntry } from '#mesh/consensus/log.ts';
import type { LogFault, LogOutput } from '#mesh/consensus/node/log-effects.ts';
import type { Answer, ConsensusEvent, HardState } from '#mesh/consensus/raft/inputs.ts';
import type { Boot } from '#mesh/hcth/boot-event.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import type { Aid, AidText } from '#mesh/hcth/identity-text.ts';
import type { ProofKind } from '#mesh/hcth/proof.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Statement, StatementKind } from '#mesh/hcth/statement-log.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import type { DialTarget } from '#mesh/membership/dial-plan.ts';
import type { LivenessChange } from '#mesh/membership/liveness.ts';
import type { Ending, HelloVerdict, PeerIdentity, PeerVerdict, Turned } from '#mesh/session/host.ts';
import type { LinkStart } from '#mesh/session/link.ts';
import type { Session } from '#mesh/session/session.ts';
import type { Accept, Est, EstFetch, HandshakePayload, Hello, HelloMode, ResumeBlock, SessionMessage, Welcome } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { Context, Ends, Recheck } from './context.ts';
import type { Joiner } from './joiner.ts';
import type { GovernedCommand } from './forwarded-command.ts';
import type { MeshState } from './mesh-state.ts';
import type { Peer } from './peer.ts';
import type { CallResult, Command, ConnectionId, Refusal, Reply } from './step.ts';
import type { AdmissionRequest, ContestView, FoundOptions, InviteOptions, JoinOptions, KeptEvidence, NodeView, StatusView } from './views.ts';

/** Connections as such. */
export interface ConnectionDoor {
  /** An interface came or went: every link is asked at once, everybody else is dialled anew. */
  onNetworkChanged(): void;
  onReceived(id: ConnectionId, bytes: Uint8Array): void;
  onConnection(id: ConnectionId, ends: Ends, initiate: { readonly target: DialTarget; readonly mode: HelloMode } | null): void;
  onConnected(id: ConnectionId, remote: Address, local: Address | null): void;
  dial(target: DialTarget, address: Address): void;
  onDialFailed(id: ConnectionId, why: string): void;
  /** A dial or a handshake to a target came to nothing. */
  attemptFailed(target: DialTarget | null, why: string): void;
  onBacklog(id: ConnectionId, bytes: number): void;
  onHint(address: Address, meshTag: string | null, origin: 'mdns' | 'typed' | 'cache' | 'gossip'): void;
  /** What was dialled has been reached, or is being reached over another connection. */
  clearTarget(context: Context, reached?: boolean): void;
}

/** Answers for handshakes. */
export interface HandshakeDoor {
  helloTag(mode: HelloMode): Uint8Array;
  ledgerPosition(): { readonly term: number; readonly commit: number };
  hostName(): string;
  membershipRecord(): Uint8Array | null;
  establishedOf(aid: Aid): Established | undefined;
  establishedByHead(head: Uint8Array): Established | undefined;
  onEquivocation(session: Session, aid: Aid, proof: readonly SignedObject[], why: string): void;
  maySpendHandshake(session: Session): boolean;
  /** Whether something drawn once per handshake was seen before; reported, and refused. */
  recognize(session: Session, once: Uint8Array): Turned | undefined;
  onHello(session: Session, hello: Hello): HelloVerdict;
  onHelloAnswer(session: Session, hello: Hello): Turned | undefined;
  onResponder(session: Session, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned;
  onInitiator(session: Session, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict;
  onAccepted(session: Session, peer: PeerIdentity, accept: Accept): PeerVerdict;
}

/** The shared history. */
export interface HistoryDoor {
  blockFor(peer: Peer | undefined): ResumeBlock;
  /** Judge where the shared history stands and build the link on it. */
  resume(context: Context, identity: PeerIdentity, block: ResumeBlock | null, proof: Uint8Array | null, probed: 'silent' | 'answers' | null): PeerVerdict;
  probeOver(context: Context, outcome: 'silent' | 'answers'): void;
  /** Our own record has been read again; where it did not hold, the peer's place is forgotten. */
  afterRecheck(context: Context, asked: Recheck): void;
  /** A peer shows what we have signed ourselves (§2.9, self-report rule). */
  onEvidence(peer: PeerIdentity, code: RefusalCode, evidence: readonly SignedObject[]): void;
  /** The same inside a session: each set is looked at once, and within what its bringer may ask for. */
  onEvidenceTold(peer: PeerIdentity, evidence: readonly SignedObject[]): void;
  /** A statement of our own that we do not know, of this incarnation or a later one. */
  onOwnShown(shown: { readonly incarnation: number; readonly nonce: Uint8Array }, thisLife: boolean): void;
  onCheckpoint(session: Session, peer: Peer, object: SignedObject): void;
  break(peer: Peer, breakClass: BreakClass, why: string): void;
  becomeContested(why: string): void;
}

/** Proofs. */
export interface EvidenceDoor {
  /** Proofs of earlier runs. */
  load(): void;
  /** Digest of the proof that convicts an identity. */
  proofOf(text: AidText): Uint8Array | undefined;
  /** That proof, encoded. */
  bytesOf(text: AidText): Uint8Array | undefined;
  /** The two signatures of that proof. */
  shown(text: AidText): readonly SignedObject[];
  /** We found a contradiction ourselves; whether it convicts. */
  found(kind: ProofKind, established: Established, objects: readonly SignedObject[], why: string): boolean;
  /** Somebody brings a proof. */
  onProof(from: Peer, bytes: Uint8Array): void;
  /** Two of our own signatures are shown to us as a contradiction. */
  onOwnContradiction(objects: readonly SignedObject[]): void;
  /** What a new link is told. */
  tell(session: Session): void;
  /** What cannot convict but must not be lost; under this name, else under one of its contents. */
  keep(breakClass: BreakClass, aid: Aid, objects: readonly SignedObject[], why: string, name?: string): void;
  /** Pieces kept about an identity that convict nobody. */
  kept(text: AidText): readonly KeptEvidence[];
  /** The voter writes convictions into the ledger that are not in it yet. */
  barConvicted(): void;
}

/** One identity, two machines. */
export interface ContestDoor {
  load(): void;
  view(text: AidText): ContestView | null;
  views(): readonly ContestView[];
  /** We have just seen both holders. */
  seen(incumbent: PeerIdentity, incumbentAt: string, newcomer: PeerIdentity, newcomerAt: string): void;
  /** A peer refused us as the newcomer and shows the incumbent's boot event. */
  refused(by: PeerIdentity, incumbent: SignedObject, meaning: Boot): boolean;
  onNeighbour(host: string, mac: string): void;
  onNotice(from: Peer, bytes: Uint8Array): void;
  tell(session: Session): void;
  settle(id: number, who: string, copy: string | null, mesh: MeshState): void;
  onSettled(member: Member, machines: SettledMachines | null): void;
  /** The identity has a new key: what two machines held was the former one. */
  rotated(text: AidText): void;
  /** The refusal of a machine that was settled to be a copy. */
  refusalFor(peer: PeerIdentity): Turned | undefined;
  /** A settlement is shown to us; whether it made us give up the identity. */
  onSettlementShown(objects: readonly SignedObject[]): boolean;
}

/** Establishment logs: others' and our own. */
export interface IdentityDoor {
  /** A handshake has proved this member and its log. */
  onProved(session: Session, identity: PeerIdentity): void;
  /** Whether a rotation that was heard of since has replaced the key that this handshake has proved. */
  refusalFor(identity: PeerIdentity): Turned | undefined;
  onEst(session: Session, peer: Peer, message: Est): void;
  onEstFetch(session: Session, message: EstFetch): void;
  /** The ledger has sealed rotations of a member. */
  onSealed(member: Member, events: readonly SignedObject[]): void;
  /** Somebody proved a key that was replaced. */
  onOldKey(session: Session, aid: Aid, why: string): void;
  /** A member has judged our own log: accepted us (null), or refused us with what it shows. */
  onJudged(code: RefusalCode | null, evidence: readonly SignedObject[]): void;
  /** This node has a new key, which is on the disk: tell everybody and close. */
  announce(event: SignedObject, number: number): void;
  /** A member has shown which rotation, made elsewhere, has replaced the key that this node holds; null where none has. */
  readonly superseded: string | null;
  /** Why this node must not rotate now. */
  rotationFault(): string | undefined;
  sealOwn(): void;
  /** What is public of an identity and its membership, for taking it over on another device. */
  document(id: number, who: string | null, mesh: MeshState): void;
  readonly wakeAt: Millis;
  tick(): void;
}

/** Open links. */
export interface LinkDoor {
  onOpen(session: Session, accept: Accept): void;
  onFrame(session: Session, bytes: number): void;
  onMessage(session: Session, message: SessionMessage): void;
  onViolation(session: Session, code: RefusalCode, why: string): void;
  onTooLarge(session: Session, bytes: number, bytesMax: number): void;
  onEnded(session: Session, ending: Ending): void;
  /** Ask a peer whether it lives; the number of the question, null where it cannot be asked. */
  ping(session: Session, command: number | null): number | null;
  misbehaved(session: Session, code: RefusalCode, why: string): void;
  onLiveness(change: LivenessChange): void;
}

/** Calls. */
export interface CallDoor {
  onRequest(id: number, who: string, verb: string, body: Uint8Array, timeoutMs: Millis): void;
  onCall(session: Session, peer: Peer, message: Extract<SessionMessage, { kind: 'req' }>): void;
  onRespond(call: number, result: CallResult): void;
}

/** The own statement log. */
export interface StatementDoor {
  /** The newest of this run. */
  readonly newest: SignedObject | null;
  readonly wakeAt: Millis;
  tick(): void;
  /** Sign a statement, keep it (durably where it promises something), tell it to every link. Votes, approvals and accusations come through here. */
  say(kind: StatementKind, body: Uint8Array): SignedObject;
  /** The farewell of an orderly stop; before the links are closed. */
  farewell(): void;
  /** Our newest statement, and what the peer has forgotten of its own. */
  onLinkOpen(peer: Peer, session: Session): void;
  onStatement(peer: Peer, body: Uint8Array, origin: Uint8Array): void;
  /** Ledger entries that this node had when it last said so. */
  ledgerExpected(): number;
}

/** The own stored past, and what peers report of theirs. */
export interface PastDoor {
  /** A degraded start in which no peer has been asked yet and the time for it is not over: nothing is signed but what asking needs. */
  readonly listening: boolean;
  /** Verify the own log; before anything else is loaded. */
  load(): void;
  /** First thing on a new link: what this node has to report. */
  onLinkOpen(peer: Peer, session: Session): void;
  /** A peer gave back what this log had lost from its end. */
  recalled(statement: Statement, digest: Uint8Array): void;
  /** A peer reports damage in its own log; whether the statement was such a report. */
  onReport(peer: Peer, object: SignedObject, statement: Statement): boolean;
  /** Something else came than a report, or the link ended: what the boot event does not name is held against the peer. */
  holdAgainst(peer: Peer): void;
  /** A peer shows a boot event of ours of an earlier life; whether our log had lost it. */
  onOwnBootShown(by: string, boot: Boot, digest: Uint8Array): void;
}

/** Our own records, read again. */
export interface RecheckDoor {
  /** R6: the peer of this connection waits for the outcome. */
  begin(context: Context, identity: PeerIdentity, block: ResumeBlock | null, probed: 'silent' | 'answers' | null): void;
  /** A peer refuses our account: only if it is sound is anything done about it. */
  beginFor(peer: Peer, ifSound: () => void): void;
  onRead(key: string, record: Uint8Array | null): void;
}

/** News. */
export interface GossipDoor {
  gossipFacts(): void;
  tellFacts(session: Session): void;
  gossipRequests(): void;
  onGossip(peer: Peer, topic: number, body: Uint8Array, origin: Uint8Array): void;
  learnAddresses(about: AidText, addresses: readonly Address[]): void;
  /** The voter keeps the name that a machine's host has; one entry in the log per change, and not often. */
  maybeRename(aid: Aid, wanted: string): void;
}

/** The way in, at a voter. */
export interface AdmissionDoor {
  judgeApplicant(context: Context, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict;
  /** The machine that waits has become a member: tell it, if it is there. */
  welcomeIfWaiting(member: Member): void;
  /** In an open mesh the best of the quarantined rises, at most one per hour (§2.14). */
  maybePromote(): void;
  forgetPsk(text: string): void;
  invite(id: number, options: InviteOptions, mesh: MeshState): void;
  approve(id: number, typed: string, replaces: string | null, mesh: MeshState): void;
  deny(id: number, typed: string, reason: string): void;
  requests(): readonly AdmissionRequest[];
}

/** The lobby. */
export interface LobbyDoor {
  /** A throw-away history: nothing is signed or remembered about strangers, and its heads meet no member's. */
  lobbyLink(peer: PeerIdentity): LinkStart;
  onLobbyOpen(context: Context, peer: PeerIdentity): void;
  onLobbyMessage(context: Context, peer: PeerIdentity, message: SessionMessage): void;
}

/** The way in, at the joiner. */
export interface JoiningDoor {
  enterLobbyAsGuest(context: Context, peer: PeerIdentity, accept: Accept, joiner: Joiner): PeerVerdict;
  /** Believe that we have been admitted: genesis of the mesh we were told, our own record, signed by a voter (§2.4). */
  believeWelcome(bytes: Uint8Array | null, peer: PeerIdentity): Turned | undefined;
  maybeAnswerJoin(): void;
  startJoin(command: number | null, options: JoinOptions): void;
  joinAmbiguous(): void;
  joinerTick(): void;
  /** Some attempt of the joiner failed; remember the most telling reason, give up where trying again is pointless. */
  joinFailed(target: DialTarget, refusal: Refusal, final: boolean): void;
  joinAttemptEnded(context: Context, target: DialTarget, ending: Ending, code: RefusalCode | null): void;
  /** The wish came true: member, or standing in the lobby. */
  joined(value: null): void;
  endJoin(refusal: Refusal): void;
}

/** A ledger as the disk has it. */
export interface StoredLedger {
  readonly entries: readonly SealedEntry[];
  readonly hard: HardState | null;
  readonly intact: boolean;
}

/** The log. */
export interface LedgerDoor {
  /** Persist, replicate, apply. */
  onLog(output: LogOutput): void;
  found(id: number, options: FoundOptions): void;
  becomeMember(mesh: Mesh, ownRecord: Uint8Array | null, stored: StoredLedger): void;
  loadMesh(welcome: Welcome): void;
  /** No membership could be read: take it from the ledger, where that is ours. */
  recoverMembership(): void;
}

/** Getting something decided. */
export interface DecisionDoor {
  nextKey(): ProposalKey;
  /** Propose a decision; `done` hears why it was not taken, or nothing, at once where this node is the only voter. */
  commit(change: LedgerChange, done?: (failed: string | undefined) => void): void;
  /** The same for who votes. */
  change(change: ConfigChange, done: (failed: string | undefined) => void): void;
  /** Commit and answer. */
  decide(id: number, change: LedgerChange, value: unknown): void;
  /** Why nothing can be decided here. */
  noLeaderWords(mesh: MeshState): string;
  onCommitted(entry: LogEntry, refused: string | undefined): void;
  onAnswer(answer: Answer): void;
  readonly wakeAt: Millis;
  tick(): void;
  /** Have the leader carry a command out. */
  forward(id: number, command: GovernedCommand, mesh: MeshState): void;
  /** Who asked a leader that leads no longer need not wait for it: it may be without power. */
  onLeaderHeard(): void;
  /** What became of the call to the leader; false where it was about something else. */
  onForwardedAnswer(id: number, body: Uint8Array): boolean;
  onForwardedRefusal(id: number, code: string, text: string): boolean;
  /** A member asks for a decision here. */
  onCommandCall(session: Session, peer: Peer, wireId: number, body: Uint8Array): void;
  onServed(reply: Reply): void;
}

/** Who votes. */
export interface VoterDoor {
  add(id: number, who: string, mesh: MeshState): void;
  remove(id: number, who: string, mesh: MeshState): void;
  /** What the log's servers find out. */
  onEvent(event: ConsensusEvent): void;
}

/** Entries of the ledger that a peer brings and this node cannot take. */
export interface ForkDoor {
  onFault(fault: LogFault, mesh: MeshState): void;
  readonly wakeAt: Millis;
  tick(): void;
}

/** Leaving. */
export interface DepartureDoor {
  forget(id: number, who: string, mesh: MeshState): void;
  /** An identity whose keys are gone: closed for ever, everywhere; `replacedBy` names the member that has taken its place. */
  close(id: number, who: string, replacedBy: string | null, mesh: MeshState): void;
  leave(id: number, mesh: MeshState): void;
  /** Nobody there to write it down: we go, and the mesh may see us as down until somebody forgets us. */
  leftUnrecorded(id: number, why: string): void;
  /** The voter's side of an orderly departure. */
  onLeaveCall(session: Session, peer: Peer, wireId: number): void;
  /** The owner bars an identity, and lifts a bar. */
  bar(id: number, who: string, reason: string, mesh: MeshState): void;
  unbar(id: number, who: string, mesh: MeshState): void;
  /** Everything of the mesh goes; the identity is used up, an identity is never admitted twice. */
  left(id: number): void;
}

/** Members. */
export interface MemberDoor {
  /** Keep a link to this member and an eye on it. */
  watch(aid: Aid): void;
  /** It is no longer a member: `leave` of its own will, `forget` by a decision of others. */
  unwatch(text: AidText, how: 'leave' | 'forget' | 'bar'): void;
  wakeFlush(): void;
  /** A peer that the disk does not know yet is written down at once. */
  firstRecord(peer: Peer): void;
  flushPeers(all: boolean): void;
  /** Written only when something has changed: cards are worn by writes. */
  storePeerCache(): void;
  load(now: Instant): void;
}

/** What is shown. */
export interface ViewDoor {
  /** Everything `robonet status` needs. */
  status(): StatusView;
  nodeView(peer: Peer): NodeView;
}

/** Commands. */
export interface CommandDoor {
  onCommand(id: number, command: Command): void;
}

/** All rooms of a node, by what others may ask of them. */
export interface Rooms {
  readonly connections: ConnectionDoor;
  readonly handshakes: HandshakeDoor;
  readonly history: HistoryDoor;
  readonly identities: IdentityDoor;
  readonly evidence: EvidenceDoor;
  readonly contests: ContestDoor;
  readonly links: LinkDoor;
  readonly calls: CallDoor;
  readonly gossip: GossipDoor;
  readonly statements: StatementDoor;
  readonly past: PastDoor;
  readonly rechecks: RecheckDoor;
  readonly admission: AdmissionDoor;
  readonly lobby: LobbyDoor;
  readonly joining: JoiningDoor;
  readonly ledger: LedgerDoor;
  readonly forks: ForkDoor;
  readonly decisions: DecisionDoor;
  readonly voters: VoterDoor;
  readonly departures: DepartureDoor;
  readonly members: MemberDoor;
  readonly views: ViewDoor;
  readonly commands: CommandDoor;
}
