/**
 * One Noise handshake (Noise specification §5.3) as a pure state: messages in, messages out. It proves that both ends
 * hold the keys they show and agree on everything said, prologue included; whose keys those are is HCTH's question.
 * Must never do Diffie-Hellman work for a first message whose pre-shared key is wrong (protocol.md §2.4: 135 µs instead
 * of 1.8 ms for a flood of bad tokens).
 */
import { concat } from '#core/bytes/bytes.ts';
import type { CryptoPort, DhKey } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { CipherState } from './cipher-state.ts';
import { NOISE_MESSAGE_BYTES_MAX } from './limits.ts';
import { type Pattern, type PatternName, type Token, patternOf } from './pattern.ts';
import { SymmetricState } from './symmetric-state.ts';

const DH_BYTES = 32;

/** What a side brings into a handshake. */
export interface HandshakeOptions {
  readonly pattern: PatternName;
  readonly initiator: boolean;
  /** What both ends must have said before; editing it on the path breaks the handshake. */
  readonly prologue: Uint8Array;
  /** Needed by every pattern with an `s` token. */
  readonly staticKey?: DhKey;
  /** Fresh for this handshake, made by the caller from its entropy; never used twice. */
  readonly ephemeral: DhKey;
  /** 32 bytes, for the psk patterns. */
  readonly psk?: Uint8Array;
}

/** A message of the other side, read. */
export type HandshakeRead = { readonly kind: 'ok'; readonly payload: Uint8Array } | { readonly kind: 'failed'; readonly why: string };

/** The two directions of the transport, from this side's view. */
export interface TransportStates {
  readonly send: CipherState;
  readonly receive: CipherState;
}

/** Begin a handshake. */
export function createHandshake(crypto: CryptoPort, options: HandshakeOptions): Handshake {
  return new Handshake(crypto, options);
}

/**
 * Invariants: messages alternate and each is read or written once; after a failed read nothing can be read or written.
 */
export class Handshake {
  readonly #crypto: CryptoPort;
  readonly #options: HandshakeOptions;
  readonly #pattern: Pattern;
  readonly #symmetric: SymmetricState;
  #step = 0;
  #failed = false;
  #remoteEphemeral: Uint8Array | undefined;
  #remoteStatic: Uint8Array | undefined;
  #sharedEphemeral: Uint8Array | undefined;
  #hashBeforePayload: Uint8Array;

  constructor(crypto: CryptoPort, options: HandshakeOptions) {
    this.#crypto = crypto;
    this.#options = options;
    this.#pattern = patternOf(options.pattern);
    assert(this.#pattern.psk === (options.psk !== undefined), 'psk patterns, and only they, have a pre-shared key');
    assert(options.psk === undefined || options.psk.length === 32, 'a pre-shared key has 32 bytes');
    this.#symmetric = new SymmetricState(crypto, this.#pattern.protocolName);
    this.#symmetric.mixHash(options.prologue);
    this.#hashBeforePayload = this.#symmetric.hash;
  }

  /** `h` now: after the last message it names the session (channel binding). */
  get hash(): Uint8Array {
    return this.#symmetric.hash;
  }

  /** `h` at the moment the last written or read payload was sealed: what a signature inside that payload covers (§2.4). */
  get hashBeforePayload(): Uint8Array {
    return this.#hashBeforePayload;
  }

  /** The other side's static public key, once it has been shown and its message has verified. */
  get remoteStatic(): Uint8Array | undefined {
    return this.#failed ? undefined : this.#remoteStatic;
  }

  /** Whether all messages have been exchanged. */
  get isComplete(): boolean {
    return !this.#failed && this.#step === this.#pattern.messages.length;
  }

  /** Whether it is this side's turn to write. */
  get isOurTurn(): boolean {
    return !this.#failed && !this.isComplete && (this.#step % 2 === 0) === this.#options.initiator;
  }

  /** The next message. A payload that must sign the handshake is given as a function of `h`. */
  write(payload: Uint8Array | ((hash: Uint8Array) => Uint8Array) = new Uint8Array(0)): Uint8Array {
    assert(this.isOurTurn, 'handshake messages alternate');
    const parts: Uint8Array[] = [];
    for (const token of this.#tokens()) {
      const part = this.#writeToken(token);
      if (part !== undefined) parts.push(part);
    }
    this.#hashBeforePayload = this.#symmetric.hash;
    const plaintext = typeof payload === 'function' ? payload(this.#hashBeforePayload) : payload;
    parts.push(this.#symmetric.encryptAndHash(plaintext));
    this.#step += 1;
    const message = concat(...parts);
    assert(message.length <= NOISE_MESSAGE_BYTES_MAX, 'a handshake message fits into a Noise message');
    return message;
  }

  /** Take the other side's next message. */
  read(message: Uint8Array): HandshakeRead {
    if (this.#failed || this.isComplete || this.isOurTurn) return this.#fail('a handshake message came out of turn');
    if (message.length > NOISE_MESSAGE_BYTES_MAX)
      return this.#fail(`a handshake message of ${String(message.length)} bytes exceeds ${String(NOISE_MESSAGE_BYTES_MAX)}`);
    let offset = 0;
    for (const token of this.#tokens()) {
      const next = this.#readToken(token, message, offset);
      if (next === undefined) return this.#fail(`the ${token} part of handshake message ${String(this.#step + 1)} does not verify`);
      offset = next;
    }
    this.#hashBeforePayload = this.#symmetric.hash;
    const payload = this.#symmetric.decryptAndHash(message.subarray(offset));
    if (payload === undefined) return this.#fail(`the payload of handshake message ${String(this.#step + 1)} does not verify`);
    this.#step += 1;
    // Only now is the other side worth a Diffie-Hellman; and a low-order point is refused here, so writing cannot fail.
    if (this.#sharedEphemeral === undefined && !this.isComplete && this.#agreeEphemeral() === undefined)
      return this.#fail('the ephemeral key is a low-order point');
    return { kind: 'ok', payload };
  }

  /** The transport keys; once, after the last message. */
  split(): TransportStates {
    assert(this.isComplete, 'keys are split after the last message');
    const [forward, backward] = this.#symmetric.split();
    return this.#options.initiator ? { send: forward, receive: backward } : { send: backward, receive: forward };
  }

  #tokens(): readonly Token[] {
    return this.#pattern.messages[this.#step] ?? [];
  }

  #fail(why: string): HandshakeRead {
    this.#failed = true;
    return { kind: 'failed', why };
  }

  #writeToken(token: Token): Uint8Array | undefined {
    if (token === 'e') {
      this.#mixEphemeral(this.#options.ephemeral.publicKey);
      return this.#options.ephemeral.publicKey;
    }
    if (token === 's') return this.#symmetric.encryptAndHash(this.#staticKey().publicKey);
    const mixed = this.#mixSecret(token);
    assert(mixed, 'the other side’s keys were checked when they were read');
    return undefined;
  }

  /** Offset behind the token, or undefined when it does not verify. */
  #readToken(token: Token, message: Uint8Array, offset: number): number | undefined {
    if (token === 'e') {
      const end = offset + DH_BYTES;
      if (end > message.length) return undefined;
      this.#remoteEphemeral = message.slice(offset, end);
      this.#mixEphemeral(this.#remoteEphemeral);
      return end;
    }
    if (token === 's') {
      const end = offset + DH_BYTES + this.#symmetric.overhead;
      if (end > message.length) return undefined;
      this.#remoteStatic = this.#symmetric.decryptAndHash(message.subarray(offset, end))?.slice();
      return this.#remoteStatic === undefined ? undefined : end;
    }
    return this.#mixSecret(token) ? offset : undefined;
  }

  #mixEphemeral(publicKey: Uint8Array): void {
    this.#symmetric.mixHash(publicKey);
    // Noise specification §9.2: with a psk the ephemerals also go into the key, so that one psk never gives one key twice.
    if (this.#pattern.psk) this.#symmetric.mixKey(publicKey);
  }

  /** Mix the secret a token stands for; false when the keys do not yield one. */
  #mixSecret(token: Exclude<Token, 'e' | 's'>): boolean {
    if (token === 'psk') {
      assert(this.#options.psk !== undefined, 'psk patterns have a pre-shared key');
      this.#symmetric.mixKeyAndHash(this.#options.psk);
      return true;
    }
    const shared = token === 'ee' ? this.#agreeEphemeral() : this.#agreeStatic(token);
    if (shared === undefined) return false;
    this.#symmetric.mixKey(shared);
    return true;
  }

  #agreeEphemeral(): Uint8Array | undefined {
    if (this.#sharedEphemeral === undefined && this.#remoteEphemeral !== undefined) {
      this.#sharedEphemeral = this.#crypto.dh(this.#options.ephemeral, this.#remoteEphemeral);
    }
    return this.#sharedEphemeral;
  }

  #agreeStatic(token: 'es' | 'se' | 'ss'): Uint8Array | undefined {
    // The first letter is the initiator's key, the second the responder's.
    const own = token.charAt(this.#options.initiator ? 0 : 1);
    const other = token.charAt(this.#options.initiator ? 1 : 0);
    const remote = other === 'e' ? this.#remoteEphemeral : this.#remoteStatic;
    return remote === undefined ? undefined : this.#crypto.dh(own === 'e' ? this.#options.ephemeral : this.#staticKey(), remote);
  }

  #staticKey(): DhKey {
    assert(this.#options.staticKey !== undefined, 'patterns with an s token have a static key');
    return this.#options.staticKey;
  }
}
