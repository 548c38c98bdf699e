/**
 * The port through which a connection asks its node: who we are, whether this stranger may go on, what we remember of
 * this peer. Implemented by the swarm; every method is synchronous and pure towards the outside world.
 */
import type { CryptoPort, DhKey, SignKey } from '#core/crypto/crypto.ts';
import type { Entropy } from '#core/random/random.ts';
import type { Millis } from '#core/time/time.ts';
import type { Boot } from '#mesh/hcth/boot-event.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import type { Aid, AidText } from '#mesh/hcth/identity-text.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Accept, HandshakePayload, Hello, HelloMode, Reject, ResumeBlock, SessionMessage, SignedBytes } from '#mesh/wire/message.ts';
import type { FarewellCode, RefusalCode } from '#mesh/wire/refusal.ts';
import type { LevelRate } from './limits.ts';
import type { LinkStart } from './link.ts';

/** What a connection is opened with. */
export interface SessionOptions {
  readonly id: number;
  readonly initiator: boolean;
  readonly remote: Address;
  /** Initiator only: how it wants in. */
  readonly mode: HelloMode;
  readonly tokenId: Uint8Array | null;
  readonly psk: Uint8Array | null;
  readonly rates: readonly LevelRate[];
}

/** Where a connection stands. */
export type SessionState = 'opening' | 'open' | 'closed';

/** One connection, as its host knows it. */
export interface SessionHandle {
  readonly id: number;
  readonly initiator: boolean;
  readonly remote: Address;
  /** What connection limits count by. */
  readonly source: string;
  readonly openedAt: Millis;
  /** Set once the handshake has proved it. */
  readonly peer: PeerIdentity | null;
  readonly state: SessionState;
  readonly mode: HelloMode;
  readonly tokenId: Uint8Array | null;
}

/** This node, as it proves itself. */
export interface LocalIdentity {
  readonly aid: Aid;
  readonly text: AidText;
  readonly signKey: SignKey;
  readonly staticKey: DhKey;
  readonly established: Established;
  readonly bootObject: SignedObject;
  readonly boot: Boot;
}

/** A peer whose identity the handshake has proved. */
export interface PeerIdentity {
  readonly aid: Aid;
  readonly text: AidText;
  readonly established: Established;
  readonly bootObject: SignedObject;
  readonly boot: Boot;
}

/** A refusal with its particulars. */
export interface Turned {
  readonly kind: 'refuse';
  readonly code: RefusalCode;
  /** For our own events; the peer gets the code only. */
  readonly why: string;
  readonly evidence?: readonly SignedBytes[];
  readonly retryAfterMs?: Millis;
}

/** What a responder's node says to a HELLO. */
export type HelloVerdict = { readonly kind: 'go'; readonly psk: Uint8Array | null; readonly answerTag: Uint8Array } | Turned;

/** What a node says to a proven peer. */
export type PeerVerdict = { readonly kind: 'accept'; readonly accept: Accept; readonly link: LinkStart } | { readonly kind: 'wait' } | Turned;

/** Why and by whom a connection ended. */
export interface Ending {
  readonly by: 'us' | 'peer' | 'network';
  readonly code: RefusalCode | FarewellCode | null;
  readonly why: string;
  /** What came with a REJECT; unsealed ones may come from anybody on the path. */
  readonly reject?: Reject & { readonly sealed: boolean };
}

/** What a connection needs from its node, and tells it. */
export interface SessionHost {
  readonly crypto: CryptoPort;
  readonly entropy: Entropy;
  readonly self: LocalIdentity;
  /** Responder: an initiator's HELLO came. */
  onHello(session: SessionHandle, hello: Hello): HelloVerdict;
  /** Initiator: the responder's HELLO came; a refusal ends the attempt. */
  onHelloAnswer(session: SessionHandle, hello: Hello): Turned | undefined;
  /** Responder: public-key work is about to be done for a stranger; false refuses with RATE_LIMIT. */
  maySpendHandshake(session: SessionHandle): boolean;
  /** Something of ours that is drawn once per handshake goes out: our random bytes, our ephemeral key. */
  beganHandshake(once: Uint8Array): void;
  /** The other side shows what is drawn once per handshake; a refusal when it was seen before, or is our own. */
  recognize(session: SessionHandle, once: Uint8Array): Turned | undefined;
  /** The other side proved itself with this ephemeral key. */
  completedHandshake(session: SessionHandle, ephemeral: Uint8Array): void;
  /** Initiator: the responder proved itself; our resume block for it, or a refusal. */
  onResponder(session: SessionHandle, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned;
  /** Responder: the initiator proved itself. `wait` promises a later call of `session.decide`. */
  onInitiator(session: SessionHandle, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict;
  /** Initiator: the responder accepted us; accept it in turn. */
  onAccepted(session: SessionHandle, peer: PeerIdentity, accept: Accept): PeerVerdict;
  /** Both sides have accepted. */
  onOpen(session: SessionHandle, accept: Accept): void;
  /** One message, in order. */
  onMessage(session: SessionHandle, message: SessionMessage): void;
  /** An authenticated frame arrived; called once per frame before its messages. */
  onFrame(session: SessionHandle, bytes: number): void;
  /** An authenticated peer broke a rule that only it can have broken (class PV). */
  onViolation(session: SessionHandle, code: RefusalCode, why: string): void;
  /** A message was dropped because the peer would not accept a frame of its size. */
  onTooLarge(session: SessionHandle, bytes: number, bytesMax: number): void;
  /** The connection is over; nothing more will come. */
  onEnded(session: SessionHandle, ending: Ending): void;
  /** The establishment log we hold of an identity, by identity or by the digest of its newest event. */
  establishedOf(aid: Aid): Established | undefined;
  establishedByHead(head: Uint8Array): Established | undefined;
  /** Somebody proved a key of this identity that a later rotation has replaced; it is turned away. */
  onOldKey(session: SessionHandle, aid: Aid, why: string): void;
  /** An identity said two things in one place, proved by its own signatures. */
  onEquivocation(session: SessionHandle, aid: Aid, proof: readonly SignedObject[], why: string): void;
  /** Position in the mesh's log, for the handshake payload. */
  ledgerPosition(): { readonly term: number; readonly commit: number };
  /** Our membership record, so that a member whose log is behind can still verify us. */
  membershipRecord(): Uint8Array | null;
  /** What this machine is called, told to whoever may admit it. */
  hostName(): string;
  /** Tag that our own HELLO carries for this mode. */
  helloTag(mode: HelloMode): Uint8Array;
}
