/**
 * From HELLO to ACCEPT (protocol.md §2.4), for either side of a connection. Frames here carry their own counters 0, 1, 2 …
 * and are not chained. Every way out that is not an acceptance has a code; nothing that happens before both ends have
 * proved themselves is held against anybody.
 */
import { concat } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { createHandshake, type Handshake } from '#mesh/channel/handshake.ts';
import { establishmentPart, type HandshakeRole, signBinding, verifyHandshakePayload } from '#mesh/hcth/handshake-payload.ts';
import type { EstablishmentEvent } from '#mesh/hcth/establishment-events.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { decodeHandshakePayload, encodeHandshakePayload } from '#mesh/wire/codec/handshake-payload.ts';
import { checkHeader, type Frame } from '#mesh/wire/header.ts';
import { FLAG, MESSAGE_TYPE, messageTypeName } from '#mesh/wire/message-type.ts';
import { HELLO_BYTES_MAX, PAYLOAD_BYTES_MAX_PRE_AUTH, PAYLOAD_BYTES_MAX_STRANGER } from '#mesh/wire/limits.ts';
import type { Accept, HandshakePayload, Hello, HelloMode, Reject, ResumeBlock } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { PeerIdentity, PeerVerdict, SessionHost, Turned, SessionHandle, SessionOptions } from './host.ts';
import type { LinkStart } from './link.ts';
import { LogFetch, LogServer } from './log-exchange.ts';
import { SealedChannel } from './sealed-channel.ts';

const PROTOCOL_VERSION = 1;
const PROLOGUE = labelled('HCTH1:prologue');
/** Keys and tags beside the payload in the larger of HS2 and HS3. */
const HANDSHAKE_OVERHEAD_BYTES = 96;
/** HS1 and HS2 begin with the key that was drawn for this handshake. */
const EPHEMERAL_BYTES = 32;

/** What the handshake asks of the connection it is part of. */
export interface OpeningPort extends SessionHandle {
  peer: PeerIdentity | null;
  /** Write one frame that is not chained; returns its bytes. */
  sendOpening(type: number, sequence: number, payload: Uint8Array, sealed: SealedChannel | null): Uint8Array;
  /** Authenticated: larger frames are acceptable from now on. */
  raiseLimit(payloadBytesMax: number): void;
  /** Turn the peer away. */
  refuse(turned: Turned): void;
  /** The peer turned us away. */
  rejected(reject: Reject, sealed: boolean): void;
  /** Both sides accepted each other. */
  open(peer: PeerIdentity, channel: SealedChannel, start: LinkStart, theirs: Accept): void;
}

/** A payload whose sender's log has to be fetched before it can be believed. */
interface Unproved {
  readonly role: HandshakeRole;
  readonly payload: HandshakePayload;
  readonly log: LogFetch;
}

type Stage = 'hello' | 'hs1' | 'hs2' | 'hs3' | 'judging' | 'accept' | 'over';

/** The handshake half of one session; owned and driven by it. */
export class Opening {
  mode: HelloMode;
  /** Responder: the invitation that the initiator names. */
  tokenId: Uint8Array | null = null;
  readonly #session: OpeningPort;
  readonly #host: SessionHost;
  readonly #options: SessionOptions;
  #stage: Stage = 'hello';
  #sent = 0;
  #received = 0;
  #ownHello: Uint8Array = new Uint8Array(0);
  /** The key that the other side drew for this handshake. */
  #theirEphemeral: Uint8Array = new Uint8Array(0);
  #handshake: Handshake | null = null;
  #channel: SealedChannel | null = null;
  #peer: PeerIdentity | null = null;
  /** Responder: our own acceptance, waiting for the peer's. Initiator: the peer's, waiting for ours. */
  #link: LinkStart | null = null;
  #theirs: Accept | null = null;
  /** While the peer's establishment log is being fetched; nothing else is expected then. */
  #unproved: Unproved | null = null;
  readonly #ownLog = new LogServer();

  constructor(session: OpeningPort, host: SessionHost, options: SessionOptions) {
    this.#session = session;
    this.#host = host;
    this.#options = options;
    this.mode = options.mode;
  }

  /** Frames of the other side so far: HELLO, HS2 and ACCEPT of a responder, and as many as it took to fetch or serve a log. */
  get framesRead(): number {
    return this.#received;
  }

  /** Initiator: say HELLO. */
  start(): void {
    const { mode, tokenId } = this.#options;
    const meshTag = this.#host.helloTag(mode);
    const hello: Hello = {
      kind: 'hello',
      answer: false,
      versions: [PROTOCOL_VERSION],
      meshTag,
      mode,
      tokenId: mode === 1 ? tokenId : null,
      features: 0,
      random: this.#host.entropy(16),
    };
    this.#host.beganHandshake(hello.random);
    this.#ownHello = this.#send(MESSAGE_TYPE.HELLO, encodeMessage(hello));
  }

  /** A frame before the session is open. */
  onFrame(frame: Frame, now: Millis): void {
    void now;
    const plaintext = this.#openFrame(frame);
    if (plaintext === undefined) return;
    if (frame.type === MESSAGE_TYPE.REJECT) return this.#onReject(plaintext, (frame.flags & FLAG.ENC) !== 0);
    if (frame.type === MESSAGE_TYPE.EST_FETCH && this.#servesLog) return this.#onLogFetch(plaintext);
    const expected = this.#expected();
    if (frame.type !== expected) {
      const wanted = expected === undefined ? 'nothing' : messageTypeName(expected);
      return this.#turn('FRAME_TYPE', `${messageTypeName(frame.type)} where ${wanted} was expected`);
    }
    switch (frame.type) {
      case MESSAGE_TYPE.HELLO:
        return this.#options.initiator ? this.#onHelloAnswer(frame, plaintext) : this.#onHello(frame, plaintext);
      case MESSAGE_TYPE.HS1:
        return this.#onHs1(plaintext);
      case MESSAGE_TYPE.HS2:
        return this.#onHs2(plaintext);
      case MESSAGE_TYPE.HS3:
        return this.#onHs3(plaintext);
      case MESSAGE_TYPE.EST:
        return this.#onLog(plaintext);
      default:
        return this.#onAccept(plaintext);
    }
  }

  /** Send a REJECT, sealed where both ends have keys. */
  reject(reject: Reject): void {
    // An initiator's last word is HS3; the responder cannot open anything sealed before it has read that.
    const sealed = this.#channel;
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#send(MESSAGE_TYPE.REJECT, encodeMessage(reject), sealed);
  }

  /** The node's late answer about a peer that had to wait. */
  decide(verdict: PeerVerdict): void {
    if (this.#stage === 'judging') this.#judged(verdict);
  }

  // ---- frames --------------------------------------------------------------------------------------------------------

  #expected(): number | undefined {
    if (this.#unproved !== null) return MESSAGE_TYPE.EST;
    switch (this.#stage) {
      case 'hello':
        return MESSAGE_TYPE.HELLO;
      case 'hs1':
        return MESSAGE_TYPE.HS1;
      case 'hs2':
        return MESSAGE_TYPE.HS2;
      case 'hs3':
        return MESSAGE_TYPE.HS3;
      case 'accept':
        return MESSAGE_TYPE.ACCEPT;
      case 'judging':
      case 'over':
        return undefined;
    }
  }

  #openFrame(frame: Frame): Uint8Array | undefined {
    const sealed = (frame.flags & FLAG.ENC) !== 0;
    let plaintext: Uint8Array | undefined = frame.payload;
    if (sealed) {
      plaintext = this.#channel?.open(frame);
      if (plaintext === undefined) {
        this.#turn('AEAD_FAIL', 'a sealed frame does not open');
        return undefined;
      }
    } else if (frame.type === MESSAGE_TYPE.ACCEPT || (this.#channel !== null && frame.type !== MESSAGE_TYPE.REJECT)) {
      this.#turn('AEAD_FAIL', `${messageTypeName(frame.type)} in the clear`);
      return undefined;
    }
    const wrong = checkHeader(frame, this.#received);
    if (wrong !== undefined || (frame.flags & FLAG.BATCH) !== 0) {
      this.#turn(wrong?.code ?? 'FRAME_FLAGS', wrong?.why ?? 'a batch before the session is open');
      return undefined;
    }
    this.#received += 1;
    return plaintext;
  }

  #send(type: number, payload: Uint8Array, sealed: SealedChannel | null = null): Uint8Array {
    const frame = this.#session.sendOpening(type, this.#sent, payload, sealed);
    this.#sent += 1;
    return frame;
  }

  #turn(code: RefusalCode, why: string): void {
    this.#refuse({ kind: 'refuse', code, why });
  }

  #refuse(turned: Turned): void {
    this.#session.refuse(turned);
    this.#stage = 'over';
  }

  #onReject(plaintext: Uint8Array, sealed: boolean): void {
    const decoded = decodeMessage(MESSAGE_TYPE.REJECT, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'reject') return this.#turn('RMP_INVALID', 'a REJECT does not decode');
    this.#stage = 'over';
    this.#session.rejected(decoded.message, sealed);
  }

  // ---- the flow ------------------------------------------------------------------------------------------------------

  #onHello(frame: Frame, plaintext: Uint8Array): void {
    const hello = this.#decodeHello(plaintext);
    if (hello === undefined) return;
    if (hello.answer) return this.#turn('RMP_INVALID', 'a HELLO that answers nothing');
    const reflected = this.#host.recognize(this.#session, hello.random);
    if (reflected !== undefined) return this.#refuse(reflected);
    if (!hello.versions.includes(PROTOCOL_VERSION)) return this.#turn('VERSION_FLOOR', versionAdvice(hello.versions));
    this.mode = hello.mode;
    this.tokenId = hello.tokenId?.slice() ?? null;
    const verdict = this.#host.onHello(this.#session, hello);
    if (verdict.kind === 'refuse') return this.#refuse(verdict);
    const answer: Hello = {
      ...hello,
      answer: true,
      versions: [PROTOCOL_VERSION],
      meshTag: verdict.answerTag,
      tokenId: null,
      features: 0,
      random: this.#host.entropy(16),
    };
    this.#ownHello = this.#send(MESSAGE_TYPE.HELLO, encodeMessage(answer));
    this.#begin(concat(PROLOGUE, bytesOf(frame), this.#ownHello), verdict.psk);
    this.#stage = 'hs1';
  }

  #onHelloAnswer(frame: Frame, plaintext: Uint8Array): void {
    const hello = this.#decodeHello(plaintext);
    if (hello === undefined) return;
    const [version] = hello.versions;
    const reflected = this.#host.recognize(this.#session, hello.random);
    if (reflected !== undefined) return this.#refuse(reflected);
    if (!hello.answer) return this.#turn('RMP_INVALID', 'the answer to our HELLO is not one');
    // Before anything else is read of it: another version may mean other things by the rest.
    if (version !== PROTOCOL_VERSION) return this.#turn('VERSION_FLOOR', versionAdvice(hello.versions));
    if (hello.mode !== this.mode) return this.#turn('RMP_INVALID', 'the answer to our HELLO is not one');
    const turned = this.#host.onHelloAnswer(this.#session, hello);
    if (turned !== undefined) return this.#refuse(turned);
    this.#begin(concat(PROLOGUE, this.#ownHello, bytesOf(frame)), this.mode === 1 ? this.#options.psk : null);
    this.#send(MESSAGE_TYPE.HS1, this.#noise().write());
    this.#stage = 'hs2';
  }

  #decodeHello(plaintext: Uint8Array): Hello | undefined {
    if (plaintext.length > HELLO_BYTES_MAX) {
      this.#turn('FRAME_SIZE', `a HELLO of ${plaintext.length} bytes exceeds the limit of ${HELLO_BYTES_MAX}`);
      return undefined;
    }
    const decoded = decodeMessage(MESSAGE_TYPE.HELLO, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'hello') {
      this.#turn('RMP_INVALID', decoded.kind === 'refused' ? decoded.why : 'not a HELLO');
      return undefined;
    }
    return decoded.message;
  }

  #begin(prologue: Uint8Array, psk: Uint8Array | null): void {
    const { crypto, entropy, self } = this.#host;
    const ephemeral = crypto.dhKey(entropy(32));
    if (this.#options.initiator) this.#host.beganHandshake(ephemeral.publicKey);
    const common = { initiator: this.#options.initiator, prologue, staticKey: self.staticKey, ephemeral };
    this.#handshake = createHandshake(crypto, psk === null ? { ...common, pattern: 'XX' } : { ...common, pattern: 'XXpsk0', psk });
  }

  #onHs1(message: Uint8Array): void {
    this.#theirEphemeral = message.slice(0, EPHEMERAL_BYTES);
    const seen = this.#host.recognize(this.#session, this.#theirEphemeral);
    if (seen !== undefined) return this.#refuse(seen);
    // With a token the first message is checked by one AEAD before anything expensive is done (§2.4).
    if (this.mode !== 1 && !this.#host.maySpendHandshake(this.#session)) return this.#turn('RATE_LIMIT', 'no budget left for handshakes of strangers');
    const read = this.#noise().read(message);
    if (read.kind === 'failed') return this.#turn(this.mode === 1 ? 'TOKEN_BAD' : 'HS_FAIL', read.why);
    if (this.mode === 1 && !this.#host.maySpendHandshake(this.#session)) return this.#turn('RATE_LIMIT', 'no budget left for handshakes');
    if (read.payload.length > 0) return this.#turn('HS_FAIL', 'the first handshake message carries a payload');
    this.#send(
      MESSAGE_TYPE.HS2,
      this.#noise().write((hash) => this.#payload('responder', hash, null)),
    );
    this.#stage = 'hs3';
  }

  #onHs2(message: Uint8Array): void {
    this.#theirEphemeral = message.slice(0, EPHEMERAL_BYTES);
    const seen = this.#host.recognize(this.#session, this.#theirEphemeral);
    if (seen !== undefined) return this.#refuse(seen);
    const payload = this.#read(message);
    if (payload !== undefined) this.#examine('responder', payload, null);
  }

  #onResponderProved(peer: PeerIdentity, payload: HandshakePayload): void {
    const verdict = this.#host.onResponder(this.#session, peer, payload);
    if (verdict.kind === 'refuse') return this.#refuse(verdict);
    this.#send(
      MESSAGE_TYPE.HS3,
      this.#noise().write((hash) => this.#payload('initiator', hash, verdict.resume)),
    );
    this.#channel = new SealedChannel(this.#noise().split());
    this.#session.raiseLimit(PAYLOAD_BYTES_MAX_STRANGER);
    this.#stage = 'accept';
  }

  #onHs3(message: Uint8Array): void {
    const payload = this.#read(message);
    if (payload === undefined) return;
    this.#channel = new SealedChannel(this.#noise().split());
    this.#session.raiseLimit(PAYLOAD_BYTES_MAX_STRANGER);
    this.#stage = 'judging';
    this.#examine('initiator', payload, null);
  }

  #onAccept(plaintext: Uint8Array): void {
    const decoded = decodeMessage(MESSAGE_TYPE.ACCEPT, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'accept') return this.#turn('RMP_INVALID', 'an ACCEPT does not decode');
    this.#theirs = decoded.message;
    if (!this.#options.initiator) return this.#finish();
    if (this.#peer === null) return this.#turn('HS_FAIL', 'accepted by nobody');
    this.#stage = 'judging';
    this.#judged(this.#host.onAccepted(this.#session, this.#peer, decoded.message));
  }

  #judged(verdict: PeerVerdict): void {
    if (verdict.kind === 'wait' || this.#stage !== 'judging') return;
    if (verdict.kind === 'refuse') return this.#refuse(verdict);
    this.#link = verdict.link;
    this.#send(MESSAGE_TYPE.ACCEPT, encodeMessage(verdict.accept), this.#channel);
    this.#stage = 'accept';
    if (this.#options.initiator) this.#finish();
  }

  #finish(): void {
    const [peer, channel, link, theirs] = [this.#peer, this.#channel, this.#link, this.#theirs];
    if (peer === null || channel === null || link === null || theirs === null) return this.#turn('HS_FAIL', 'the handshake is incomplete');
    this.#stage = 'over';
    this.#session.open(peer, channel, link, theirs);
  }

  #noise(): Handshake {
    const handshake = this.#handshake;
    if (handshake === null) throw new TypeError('no handshake before HELLO'); // stages make this impossible
    return handshake;
  }

  #payload(role: HandshakeRole, hash: Uint8Array, resume: ResumeBlock | null): Uint8Array {
    const { crypto, self } = this.#host;
    const payload: HandshakePayload = {
      kind: 'handshake-payload',
      establishment: establishmentPart(self.established, true),
      boot: self.bootObject,
      binding: signBinding(crypto, self.signKey, role, hash),
      resume,
      ledger: this.#host.ledgerPosition(),
      hardwareQuote: null,
      record: this.#host.membershipRecord(),
      seenAt: this.#session.remote.host,
      ...(this.mode !== 0 && role === 'initiator' ? { name: this.#host.hostName().slice(0, 63) } : {}),
    };
    const bytes = encodeHandshakePayload(payload);
    if (bytes.length + HANDSHAKE_OVERHEAD_BYTES <= PAYLOAD_BYTES_MAX_PRE_AUTH) return bytes;
    return encodeHandshakePayload({ ...payload, establishment: establishmentPart(self.established, false) });
  }

  #read(message: Uint8Array): HandshakePayload | undefined {
    const read = this.#noise().read(message);
    if (read.kind === 'failed') {
      this.#turn('HS_FAIL', `${read.why}: it was not made for this handshake, as when a recorded one is replayed, or it was changed on the way`);
      return undefined;
    }
    const decoded = decodeHandshakePayload(read.payload);
    if (decoded.kind === 'ok') return decoded.message;
    this.#turn(decoded.code, decoded.why);
    return undefined;
  }

  /** Who sent this payload? Goes on, turns it away, or fetches its log first. */
  #examine(role: HandshakeRole, payload: HandshakePayload, fetched: readonly EstablishmentEvent[] | null): void {
    const noise = this.#noise();
    const proof = verifyHandshakePayload(this.#host.crypto, payload, {
      role,
      handshakeHash: noise.hashBeforePayload,
      remoteStatic: noise.remoteStatic ?? new Uint8Array(0),
      self: this.#host.self.aid,
      known: (aid) => this.#host.establishedOf(aid),
      knownByHead: (head) => this.#host.establishedByHead(head),
      fetched,
    });
    switch (proof.kind) {
      case 'unknown-log': {
        const log = new LogFetch(proof.aid, proof.count);
        this.#unproved = { role, payload, log };
        return this.#askForLog(log);
      }
      case 'refused': {
        const { aid, code, why, evidence } = proof;
        if (aid !== null && code === 'EQUIVOCATION') this.#host.onEquivocation(this.#session, aid, evidence, why);
        if (aid !== null && code === 'IDENTITY_STALE') this.#host.onOldKey(this.#session, aid, why);
        return this.#refuse({ kind: 'refuse', code, why, evidence });
      }
      case 'verified': {
        const { established, boot, bootEvent } = proof;
        const peer: PeerIdentity = { aid: established.aid, text: aidText(established.aid), established, bootObject: bootEvent, boot };
        this.#peer = peer;
        this.#session.peer = peer;
        this.#host.completedHandshake(this.#session, this.#theirEphemeral);
        if (role === 'responder') return this.#onResponderProved(peer, payload);
        return this.#judged(this.#host.onInitiator(this.#session, peer, payload));
      }
    }
  }

  // ---- establishment logs that do not fit into a payload (EST_FETCH, EST) ------------------------------------------------

  /** The peer may ask for our log between its HS2 and our HS3, or once we wait for its ACCEPT; and only then. */
  get #servesLog(): boolean {
    return this.#options.initiator ? this.#stage === 'accept' : this.#stage === 'hs3';
  }

  #onLogFetch(plaintext: Uint8Array): void {
    const decoded = decodeMessage(MESSAGE_TYPE.EST_FETCH, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'est-fetch') return this.#turn('RMP_INVALID', 'an EST_FETCH does not decode');
    const answer = this.#ownLog.answer(decoded.message, this.#host.self.established);
    if (answer === undefined) return this.#turn('NOT_PERMITTED', 'it asks for another log than ours, or for the same events again');
    this.#send(MESSAGE_TYPE.EST, encodeMessage(answer), this.#channel);
  }

  #askForLog(log: LogFetch): void {
    this.#send(MESSAGE_TYPE.EST_FETCH, encodeMessage(log.request), this.#channel);
  }

  #onLog(plaintext: Uint8Array): void {
    const unproved = this.#unproved;
    const decoded = decodeMessage(MESSAGE_TYPE.EST, plaintext);
    if (unproved === null || decoded.kind === 'refused' || decoded.message.kind !== 'est') return this.#turn('RMP_INVALID', 'an EST does not decode');
    // Every part of a stranger's log is paid for like a handshake: it will have to be verified.
    if (!this.#options.initiator && !this.#host.maySpendHandshake(this.#session)) return this.#turn('RATE_LIMIT', 'no budget left for long logs');
    const why = unproved.log.take(decoded.message);
    if (why !== undefined) return this.#turn('IDENTITY_BAD', why);
    if (!unproved.log.isComplete) return this.#askForLog(unproved.log);
    this.#unproved = null;
    this.#examine(unproved.role, unproved.payload, unproved.log.events);
  }
}

function bytesOf(frame: Frame): Uint8Array {
  return frame.bytes.slice();
}

/** No version in common: who has to move, so that nobody has to guess (MESH-11). */
function versionAdvice(theirs: readonly number[]): string {
  const first = Math.max(...theirs) > PROTOCOL_VERSION ? 'this node' : 'the other agent';
  return `the peer speaks protocol version ${theirs.join(', ')}, this node ${PROTOCOL_VERSION}: upgrade ${first} first`;
}
