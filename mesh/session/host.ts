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
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Accept, HandshakePayload, Hello, HelloMode, Reject, ResumeBlock, SessionMessage, SignedBytes } from '#mesh/wire/message.ts';
import type { FarewellCode, RefusalCode } from '#mesh/wire/refusal.ts';
import type { LinkStart } from './link.ts';
import type { Session } from './session.ts';

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
  onHello(session: Session, hello: Hello): HelloVerdict;
  /** Initiator: the responder's HELLO came; a refusal ends the attempt. */
  onHelloAnswer(session: Session, hello: Hello): Turned | undefined;
  /** Responder: public-key work is about to be done for a stranger; false refuses with RATE_LIMIT. */
  maySpendHandshake(session: Session): boolean;
  /** Initiator: the responder proved itself; our resume block for it, or a refusal. */
  onResponder(session: Session, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned;
  /** Responder: the initiator proved itself. `wait` promises a later call of `session.decide`. */
  onInitiator(session: Session, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict;
  /** Initiator: the responder accepted us; accept it in turn. */
  onAccepted(session: Session, peer: PeerIdentity, accept: Accept): PeerVerdict;
  /** Both sides have accepted. */
  onOpen(session: Session, accept: Accept): void;
  /** One message, in order. */
  onMessage(session: Session, message: SessionMessage): void;
  /** An authenticated frame arrived; called once per frame before its messages. */
  onFrame(session: Session, bytes: number): void;
  /** An authenticated peer broke a rule that only it can have broken (class PV). */
  onViolation(session: Session, code: RefusalCode, why: string): void;
  /** The connection is over; nothing more will come. */
  onEnded(session: Session, ending: Ending): void;
  /** The establishment log we hold of an identity, by identity or by the digest of its newest event. */
  establishedOf(aid: Aid): Established | undefined;
  establishedByHead(head: Uint8Array): Established | undefined;
  /** An identity said two things in one place, proved by its own signatures. */
  onEquivocation(session: Session, aid: Aid, proof: readonly SignedObject[], why: string): void;
  /** Position in the mesh's log, for the handshake payload. */
  ledgerPosition(): { readonly term: number; readonly commit: number };
  /** Our membership record, so that a member whose log is behind can still verify us. */
  membershipRecord(): Uint8Array | null;
  /** What this machine is called, told to whoever may admit it. */
  hostName(): string;
  /** Tag that our own HELLO carries for this mode. */
  helloTag(mode: HelloMode): Uint8Array;
}
