/**
 * The mesh as the agent sees it: one running node. Implemented by the driver (real clock, TCP, disk) around the pure
 * swarm; the agent's API, discovery and command line depend on this interface alone.
 */
import type { Millis } from '#core/time/time.ts';
import type { IdentityDocument, ReadIdentity } from '#mesh/hcth/identity-document.ts';
import type { NextKeyPlace } from '#mesh/hcth/identity-file.ts';
import type { NextKey } from '#mesh/hcth/next-key.ts';
import type {
  AdmissionRequest,
  Capabilities,
  ClosedView,
  Condition,
  EventRecord,
  FoundOptions,
  Invitation,
  InviteOptions,
  JoinOptions,
  NodeView,
  StatusView,
} from '#mesh/swarm/views.ts';
import type { TrustAccount } from '#mesh/swarm/trust-explanation.ts';

import type { NextKeyWhere } from './identity-keeper.ts';

/** An address somebody claims a node listens on; only ever a hint (protocol.md §2.14, mDNS). */
export interface AddressHint {
  readonly host: string;
  readonly port: number;
  /** Mesh tag (16 hex digits) the hint claims, null for unknown. */
  readonly meshTag: string | null;
  readonly origin: 'mdns' | 'typed' | 'cache' | 'gossip';
}

/** What a rotation is made with. */
export interface RotationOrder {
  /** The next key, where it is not on the device. */
  readonly nextKey: NextKey | null;
  /** With the next key alone: the current one may be in other hands, or gone. */
  readonly recovery: boolean;
  /** Recovery on another device: the identity to take over. */
  readonly document: ReadIdentity | null;
  readonly dryRun: boolean;
}

export interface MeshNode {
  /** Load state, advance the incarnation durably, listen. Throws a Fault when state cannot be trusted or written. */
  start(): Promise<void>;
  /** Say BYE on every link, flush, close. */
  stop(): Promise<void>;
  /** The port really listened on. */
  readonly port: number;

  status(): StatusView;
  /** Newest first, at most `limit`. */
  recentEvents(limit: number): readonly EventRecord[];
  /** Calls back for every new event until the returned function is called. */
  onEvent(listener: (event: EventRecord) => void): () => void;

  /** Found a mesh of one. Fault when this node already belongs to one. */
  found(options: FoundOptions): Promise<StatusView>;
  /** Resolves when admitted (token) or when standing in the lobby (request); rejects with a Fault naming the refusal. */
  join(options: JoinOptions): Promise<StatusView>;
  /** Orderly departure: committed in the mesh's log where it can be reached, then mesh state is removed here. */
  leave(): Promise<void>;
  invite(options: InviteOptions): Promise<Invitation>;
  /** Open and used invitations without their secrets. */
  invitations(): Promise<readonly Omit<Invitation, 'token'>[]>;
  revokeInvitation(tokenId: string): Promise<void>;
  /** `fingerprint` must be complete (16 characters, separators optional). */
  approve(fingerprint: string, replaces?: string): Promise<AdmissionRequest>;
  deny(fingerprint: string, reason: string): Promise<AdmissionRequest>;
  /** Remove a member that will not come back. */
  forget(aidOrName: string): Promise<NodeView>;
  /** Close an identity whose keys are gone; `replacedBy` names the member that has taken its place. */
  closeIdentity(aidOrName: string, replacedBy: string | null): Promise<ClosedView>;

  /** Rotations of this node's key so far, and where the key of the next one is. */
  identity(): { readonly rotation: number; readonly nextKey: NextKeyWhere };
  /** What is public of an identity: of a member, or (null) of this node. */
  identityDocument(aidOrName: string | null): Promise<IdentityDocument>;
  /** The same of this node with its next key: a secret for paper, escrow or USB. */
  exportNextKey(): Promise<IdentityDocument>;
  /** The next key is in safe hands: the copy here goes. */
  letNextKeyGo(digest: string, place: NextKeyPlace): Promise<void>;
  /** Rotate this node's key, or say whether it could be (`dryRun`). */
  rotate(order: RotationOrder): Promise<{ readonly rotation: number; readonly aid: string }>;

  /** The history from which a peer's trust follows, and its offline-checkable export (protocol.md §2.12). */
  explainTrust(aidOrName: string): Promise<TrustExplanation>;
  /** An identity, and where its hardware keeps a secret its machine too, may never come back. Voter only. */
  bar(aidOrName: string, reason: string): Promise<NamedIdentity>;
  /** Lift a bar; a conviction stays. */
  unbar(aidOrName: string): Promise<NamedIdentity>;
  /** Give a member a vote as soon as it has caught up with the log; take one away, but never the last. */
  addVoter(aidOrName: string): Promise<NamedIdentity>;
  removeVoter(aidOrName: string): Promise<NamedIdentity>;
  /** Which machine of a contested identity is the copy: its boot id, address or MAC; null for "it is one machine". */
  settle(aidOrName: string, copy: string | null): Promise<void>;

  /** An event of the agent's own, into the same file and stream as the mesh's. */
  record(event: { readonly code: string; readonly severity: EventRecord['severity']; readonly text: string; readonly data?: EventRecord['data'] }): void;

  announceSelf(facts: { name: string; capabilities: Capabilities; conditions: readonly Condition[] }): void;
  hint(address: AddressHint): void;
  /** An interface came or went: every link is probed now, everybody else dialled at once. */
  networkChanged(): void;
  /** Round trip through the authenticated link; used by `doctor` and the benchmarks. */
  ping(aidOrName: string): Promise<{ rttMs: number }>;
  /**
   * Call a verb on a peer over its link (REQ/RES). `body` is copied before this returns; the answer is a view into the
   * received record, copy what is kept for long.
   */
  request(aidOrName: string, verb: string, body: Uint8Array, timeoutMs: Millis): Promise<Uint8Array>;
  /** Serve a verb. An answer returned at once is copied at once (it may be a reused buffer), a promised one when it comes. */
  handle(verb: string, handler: (body: Uint8Array, from: string) => Promise<Uint8Array> | Uint8Array): void;
}

/** A peer and why it is trusted as it is. */
/** An identity, as people see it. */
export interface NamedIdentity {
  readonly aid: string;
  readonly name: string;
  readonly fingerprint: string;
}

export type TrustExplanation = { readonly peer: NodeView } & TrustAccount;
