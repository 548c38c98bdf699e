/**
 * The port through which connections ask their node (mesh/session/host.ts), answered by the rooms that know.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Entropy } from '#core/random/random.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Ending, HelloVerdict, LocalIdentity, PeerIdentity, PeerVerdict, SessionHost, Turned } from '#mesh/session/host.ts';
import type { Session } from '#mesh/session/session.ts';
import type { Accept, HandshakePayload, Hello, HelloMode, ResumeBlock, SessionMessage } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { SwarmCore } from './core.ts';

/** See the header. */
export class NodeHost implements SessionHost {
  readonly crypto: CryptoPort;
  readonly entropy: Entropy;
  readonly self: LocalIdentity;
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
    this.crypto = core.crypto;
    this.entropy = core.entropy;
    this.self = core.self;
  }

  helloTag(mode: HelloMode): Uint8Array {
    return this.#core.rooms.handshakes.helloTag(mode);
  }

  ledgerPosition(): { readonly term: number; readonly commit: number } {
    return this.#core.rooms.handshakes.ledgerPosition();
  }

  hostName(): string {
    return this.#core.rooms.handshakes.hostName();
  }

  membershipRecord(): Uint8Array | null {
    return this.#core.rooms.handshakes.membershipRecord();
  }

  establishedOf(aid: Aid): Established | undefined {
    return this.#core.rooms.handshakes.establishedOf(aid);
  }

  establishedByHead(head: Uint8Array): Established | undefined {
    return this.#core.rooms.handshakes.establishedByHead(head);
  }

  onOldKey(session: Session, aid: Aid, why: string): void {
    return this.#core.rooms.identities.onOldKey(session, aid, why);
  }

  onEquivocation(session: Session, aid: Aid, proof: readonly SignedObject[], why: string): void {
    return this.#core.rooms.handshakes.onEquivocation(session, aid, proof, why);
  }

  maySpendHandshake(session: Session): boolean {
    return this.#core.rooms.handshakes.maySpendHandshake(session);
  }

  beganHandshake(once: Uint8Array): void {
    this.#core.handshakes.ours(once);
  }

  recognize(session: Session, once: Uint8Array): Turned | undefined {
    return this.#core.rooms.handshakes.recognize(session, once);
  }

  completedHandshake(session: Session, ephemeral: Uint8Array): void {
    this.#core.handshakes.completed(ephemeral, { at: this.#core.now.wall, source: session.source });
  }

  onHello(session: Session, hello: Hello): HelloVerdict {
    return this.#core.rooms.handshakes.onHello(session, hello);
  }

  onHelloAnswer(session: Session, hello: Hello): Turned | undefined {
    return this.#core.rooms.handshakes.onHelloAnswer(session, hello);
  }

  onResponder(session: Session, peer: PeerIdentity, payload: HandshakePayload): { readonly kind: 'go'; readonly resume: ResumeBlock | null } | Turned {
    return this.#core.rooms.handshakes.onResponder(session, peer, payload);
  }

  onInitiator(session: Session, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict {
    return this.#core.rooms.handshakes.onInitiator(session, peer, payload);
  }

  onAccepted(session: Session, peer: PeerIdentity, accept: Accept): PeerVerdict {
    return this.#core.rooms.handshakes.onAccepted(session, peer, accept);
  }

  onOpen(session: Session, accept: Accept): void {
    return this.#core.rooms.links.onOpen(session, accept);
  }

  onFrame(session: Session, bytes: number): void {
    return this.#core.rooms.links.onFrame(session, bytes);
  }

  onMessage(session: Session, message: SessionMessage): void {
    return this.#core.rooms.links.onMessage(session, message);
  }

  onViolation(session: Session, code: RefusalCode, why: string): void {
    return this.#core.rooms.links.onViolation(session, code, why);
  }

  onTooLarge(session: Session, bytes: number, bytesMax: number): void {
    this.#core.rooms.links.onTooLarge(session, bytes, bytesMax);
  }

  onEnded(session: Session, ending: Ending): void {
    return this.#core.rooms.links.onEnded(session, ending);
  }
}
