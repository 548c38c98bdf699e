/**
 * One connection, from its first byte to its last, as a machine: bytes and the present go in; bytes to write, a request to
 * close and calls to the host come out. Order of the checks on a frame is that of protocol.md §2.5: what stands left of
 * the AEAD is anybody's doing on the path and never a penalty; what stands right of it is the peer's own.
 *
 * Invariants: nothing is delivered to the host before both sides accepted; after the end nothing is delivered at all.
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import { type Address, sourceKey } from '#mesh/membership/address-policy.ts';
import { BatchWriter, decodePayload } from '#mesh/wire/batch.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { FrameReader } from '#mesh/wire/frame-reader.ts';
import { checkHeader, encodeFrame, type Frame } from '#mesh/wire/header.ts';
import { HEADER_BYTES, HEADER_BYTES_COVERED, PAYLOAD_BYTES_MAX_PRE_AUTH, TAG_BYTES } from '#mesh/wire/limits.ts';
import { CHANNEL, FLAG, isOpeningType, MESSAGE_TYPE, MESSAGE_TYPE_IGNORABLE_MIN } from '#mesh/wire/message-type.ts';
import type { Accept, HelloMode, Reject, SessionMessage } from '#mesh/wire/message.ts';
import type { FarewellCode, RefusalCode } from '#mesh/wire/refusal.ts';
import type { Ending, PeerIdentity, PeerVerdict, SessionHost, Turned, SessionHandle, SessionOptions, SessionState } from './host.ts';
import { LEVEL_RATES, type LevelRate, RATE_BURST_SECONDS, SESSION_LIMITS as LIMITS } from './limits.ts';
import { type Link, type LinkStart, slotOf } from './link.ts';
import { Opening, type OpeningPort } from './opening.ts';
import type { SealedChannel } from './sealed-channel.ts';
import { TokenBucket } from './token-bucket.ts';

/** See the header. */
export class Session implements SessionHandle, OpeningPort {
  readonly id: number;
  readonly initiator: boolean;
  readonly remote: Address;
  /** What connection limits count by. */
  readonly source: string;
  readonly openedAt: Millis;
  /** Set once the handshake has proved it. */
  peer: PeerIdentity | null = null;
  /** What both sides agreed on; valid in state `open`. */
  accepted: Accept | null = null;
  readonly #host: SessionHost;
  readonly #reader: FrameReader;
  readonly #opening: Opening;
  #state: SessionState = 'opening';
  #channel: SealedChannel | null = null;
  #link: Link | null = null;
  #recorded = false;
  readonly #batch = new BatchWriter(PAYLOAD_BYTES_MAX_PRE_AUTH - TAG_BYTES);
  #out: Uint8Array[] = [];
  #closeWanted = false;
  #now: Millis;
  #handshakeUntil: Millis;
  #partialSince: Millis = NEVER;
  #frames: TokenBucket;
  #bytes: TokenBucket;
  /** Frames that the peer takes from us, as it said when it accepted us. */
  #allowance: TokenBucket;
  #backlog = 0;
  /** What the peer accepts as wire payload. */
  #payloadBytesMax = PAYLOAD_BYTES_MAX_PRE_AUTH;
  #peerFrames = 0;

  constructor(host: SessionHost, options: SessionOptions, now: Millis) {
    this.id = options.id;
    this.initiator = options.initiator;
    this.remote = options.remote;
    this.source = sourceKey(options.remote.host);
    this.openedAt = now;
    this.#host = host;
    this.#now = now;
    this.#handshakeUntil = now + LIMITS.handshakeMsMax;
    this.#reader = new FrameReader(host.crypto, PAYLOAD_BYTES_MAX_PRE_AUTH);
    this.#frames = new TokenBucket(LEVEL_RATE_LOBBY.framesPerSecond, LEVEL_RATE_LOBBY.framesPerSecond * RATE_BURST_SECONDS, now);
    this.#bytes = new TokenBucket(LEVEL_RATE_LOBBY.bytesPerSecond, LEVEL_RATE_LOBBY.bytesPerSecond * RATE_BURST_SECONDS, now);
    this.#allowance = new TokenBucket(LEVEL_RATE_LOBBY.framesPerSecond, LEVEL_RATE_LOBBY.framesPerSecond * RATE_BURST_SECONDS, now);
    this.#opening = new Opening(this, host, options);
    if (options.initiator) this.#opening.start();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** How the initiator asked in; known to a responder once the HELLO came. */
  get mode(): HelloMode {
    return this.#opening.mode;
  }

  /** The invitation that the initiator named, in mode 1. */
  get tokenId(): Uint8Array | null {
    return this.#opening.tokenId;
  }

  /** The link this session works on; null before it is open. */
  get link(): Link | null {
    return this.#link;
  }

  /** Whether the link is signed and remembered: false in the lobby. */
  get recorded(): boolean {
    return this.#recorded;
  }

  /** Frames received since the session opened. */
  get peerFrames(): number {
    return this.#peerFrames;
  }

  // ---- from the node -------------------------------------------------------------------------------------------------

  /** Bytes arrived. */
  receive(bytes: Uint8Array, now: Millis): void {
    if (this.#state === 'closed') return;
    this.#now = now;
    this.#reader.push(bytes);
    let isFresh = false;
    for (;;) {
      const frame = this.#reader.next();
      if (frame === undefined) break;
      if (frame.kind === 'refused') {
        this.refuse({ kind: 'refuse', code: frame.code, why: frame.why });
        return;
      }
      if (this.#channel !== null && this.#link !== null) this.#onChained(frame);
      else this.#opening.onFrame(frame, now);
      if (this.#isClosed()) return;
      isFresh = true;
    }
    // Each frame has its own time: what is unfinished now began after the last one was complete.
    if (isFresh || !this.#reader.isPartial) this.#partialSince = NEVER;
    if (this.#reader.isPartial && this.#partialSince === NEVER) this.#partialSince = now;
  }

  /** Bytes of a frame that is not complete. */
  get bytesHeld(): number {
    return this.#reader.bytesHeld;
  }

  /** Put one message into this turn's frame. False when the session is not open or its queue is full. */
  send(message: SessionMessage, channel?: number): boolean {
    if (this.#state !== 'open') return false;
    // Towards a peer that does not read: first gossip is dropped, then bulk has to wait, and at the limit it is closed.
    if (message.kind === 'gossip' && this.#backlog > LIMITS.outboundBytesMax / 2) return false;
    if (message.kind === 'bulk-chunk' && this.#backlog > (LIMITS.outboundBytesMax * 3) / 4) return false;
    if (!this.#batch.add(message, channel)) {
      this.#flushBatch();
      this.#batch.add(message, channel);
    }
    return true;
  }

  /**
   * In the middle of a turn: send what waits when it is enough for the other end to begin with, so that both ends work at
   * the same time. Not when the peer's frame rate is short: then one frame per turn is all there is. True when sent.
   */
  flushEarly(now: Millis): boolean {
    if (this.#batch.size < LIMITS.earlyEntries && this.#batch.bytes < LIMITS.earlyBytes) return false;
    if (!this.#allowance.isHalfFull(now)) return false;
    this.flush(now);
    return true;
  }

  /** End of the turn: everything collected becomes one frame. */
  flush(now: Millis): void {
    this.#now = now;
    if (this.#batch.size > 0) this.#flushBatch();
  }

  /** Whether messages wait for {@link flush}. */
  get hasUnflushed(): boolean {
    return this.#batch.size > 0;
  }

  /** Time passed. */
  tick(now: Millis): void {
    if (this.#state === 'closed') return;
    this.#now = now;
    if (this.#state === 'opening' && now >= this.#handshakeUntil) {
      this.refuse({ kind: 'refuse', code: 'HS_TIMEOUT', why: `the handshake was not complete after ${LIMITS.handshakeMsMax} ms` });
      return;
    }
    if (this.#partialSince !== NEVER && now >= this.#partialSince + this.#partialMsMax()) {
      this.refuse({ kind: 'refuse', code: 'SLOW_PEER', why: `a frame was not complete ${Math.round(now - this.#partialSince)} ms after its first byte` });
      return;
    }
    this.#maybeCheckpoint();
    if (this.#state === 'open' && (now >= this.openedAt + LIMITS.sessionMsMax || (this.#channel?.isExhausted ?? false))) this.close('RENEW');
  }

  /** When {@link tick} is next needed. */
  wakeAt(): Millis {
    if (this.#state === 'closed') return NEVER;
    let earliest = this.#state === 'opening' ? this.#handshakeUntil : this.openedAt + LIMITS.sessionMsMax;
    if (this.#partialSince !== NEVER) earliest = Math.min(earliest, this.#partialSince + this.#partialMsMax());
    if (this.#recorded) earliest = Math.min(earliest, (slotOf(this.#now) + 1) * LIMITS.slotMs);
    return earliest;
  }

  /** Unsent bytes that the transport still holds. */
  backlog(bytes: number): void {
    this.#backlog = bytes;
    if (bytes > LIMITS.outboundBytesMax)
      this.refuse({ kind: 'refuse', code: 'SLOW_CONSUMER', why: `${bytes} bytes wait unsent, the limit is ${LIMITS.outboundBytesMax}` });
  }

  /** How long reading should pause so that the peer keeps to its rate; 0 for not at all (§2.13: back-pressure, no break). */
  pauseMs(now: Millis): Millis {
    return this.#state === 'open' ? Math.max(this.#frames.waitMs(now), this.#bytes.waitMs(now)) : 0;
  }

  /** The peer's level changed: what it may send per frame and per second. */
  setLevel(rate: LevelRate, payloadBytesMax: number, now: Millis): void {
    this.#reader.payloadBytesMax = payloadBytesMax;
    this.#frames.resize(rate.framesPerSecond, rate.framesPerSecond * RATE_BURST_SECONDS, now);
    this.#bytes.resize(rate.bytesPerSecond, rate.bytesPerSecond * RATE_BURST_SECONDS, now);
  }

  /** The node has decided about a peer whose verdict was `wait`. */
  decide(verdict: PeerVerdict, now: Millis): void {
    this.#now = now;
    if (this.#state === 'opening') this.#opening.decide(verdict);
  }

  /** Say goodbye in an orderly way; a checkpoint goes along where the link is recorded. */
  close(code: FarewellCode | RefusalCode): void {
    if (this.#state === 'open' && this.#link !== null && this.peer !== null) {
      const { crypto, self } = this.#host;
      this.#flushBatch();
      const checkpoint =
        this.#recorded && this.#link.sending.signable ? this.#link.checkpoint(crypto, self.signKey, self.aid, this.peer.aid, slotOf(this.#now)) : null;
      this.#batch.add({ kind: 'bye', code, checkpoint });
      this.#flushBatch();
    }
    this.#end({ by: 'us', code, why: code }, true);
  }

  /** Turn the peer away with a code: REJECT while opening, BYE afterwards. */
  refuse(turned: Turned): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'open') {
      this.#batch.add({ kind: 'bye', code: turned.code, checkpoint: null });
      this.#flushBatch();
    } else {
      const reject: Reject = { kind: 'reject', code: turned.code, evidence: turned.evidence ?? [], retryAfterMs: turned.retryAfterMs ?? null };
      this.#opening.reject(reject);
    }
    this.#end({ by: 'us', code: turned.code, why: turned.why }, true);
  }

  /** The network closed the connection under us. */
  disconnected(why: string): void {
    this.#end({ by: 'network', code: null, why }, false);
  }

  /** What is to be written and whether to close; taken once per step. */
  takeOutput(): { readonly bytes: readonly Uint8Array[]; readonly close: boolean } {
    const out = { bytes: this.#out, close: this.#closeWanted };
    if (this.#out.length > 0) this.#out = [];
    this.#closeWanted = false;
    return out;
  }

  // ---- from the opening ----------------------------------------------------------------------------------------------

  /** Write one frame that is not chained. Returns its bytes: both HELLO frames are part of the prologue. */
  sendOpening(type: number, sequence: number, payload: Uint8Array, sealed: SealedChannel | null): Uint8Array {
    const fields = { type, flags: sealed === null ? 0 : FLAG.ENC, channel: CHANNEL.CONTROL, sequence };
    const frame = sealed === null ? encodeFrame(this.#host.crypto, fields, payload) : sealed.seal(this.#host.crypto, fields, payload);
    this.#out.push(frame);
    return frame;
  }

  /** Authenticated: larger frames are acceptable from now on. */
  raiseLimit(payloadBytesMax: number): void {
    this.#reader.payloadBytesMax = payloadBytesMax;
  }

  /** Both sides accepted each other. */
  open(peer: PeerIdentity, channel: SealedChannel, start: LinkStart, theirs: Accept): void {
    this.peer = peer;
    this.accepted = theirs;
    this.#channel = channel;
    this.#link = start.link;
    this.#recorded = start.recorded;
    this.#state = 'open';
    this.#payloadBytesMax = theirs.limits.payloadBytesMax;
    const { framesPerSecond } = theirs.limits;
    this.#allowance = new TokenBucket(framesPerSecond, framesPerSecond * RATE_BURST_SECONDS, this.#now);
    this.#batch.limitTo(theirs.limits.payloadBytesMax - TAG_BYTES);
    if (start.announce !== null) {
      this.#batch.add(start.announce);
      this.#flushBatch();
    }
    this.#host.onOpen(this, theirs);
  }

  /** The peer turned us away while opening; only a sealed REJECT is really its word. */
  rejected(reject: Reject, sealed: boolean): void {
    this.#end({ by: 'peer', code: reject.code, why: `the peer refused: ${reject.code}`, reject: { ...reject, sealed } }, true);
  }

  // ---- inside --------------------------------------------------------------------------------------------------------

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #onChained(frame: Frame): void {
    const channel = this.#channel;
    const link = this.#link;
    if (channel === null || link === null) return;
    const plaintext = channel.open(frame);
    if (plaintext === undefined) {
      this.refuse({ kind: 'refuse', code: 'AEAD_FAIL', why: 'a frame with a good checksum and a bad seal: tampering on the path, or keys out of step' });
      return;
    }
    if (frame.type === MESSAGE_TYPE.REJECT && this.initiator && this.#peerFrames === 0) return this.#onLateReject(frame, plaintext);
    const isVoid = frame.type === MESSAGE_TYPE.VOID && (frame.flags & FLAG.BATCH) === 0;
    if (isVoid && !this.#applyVoid(plaintext)) return;
    const wrong = checkHeader(frame, link.receiving.sequence + 1);
    if (wrong !== undefined) return this.#violation(wrong.code, wrong.why);
    if (isOpeningType(frame.type)) return this.#violation('FRAME_TYPE', 'an opening frame inside an open session');
    link.receiving.append(frame.covered, plaintext);
    this.#peerFrames += 1;
    this.#frames.charge(1, this.#now);
    this.#bytes.charge(frame.payload.length, this.#now);
    this.#host.onFrame(this, frame.payload.length);
    if (!isVoid) this.#deliver(frame, plaintext);
  }

  /**
   * The responder may change its mind between its ACCEPT and the arrival of ours (both ends dialled at once, a deadline):
   * for it the opening was not over, for us it was. That is a refusal, not a violation.
   */
  #onLateReject(frame: Frame, plaintext: Uint8Array): void {
    const wrong = checkHeader(frame, this.#opening.framesRead);
    if (wrong !== undefined) return this.#violation(wrong.code, wrong.why);
    const decoded = decodeMessage(MESSAGE_TYPE.REJECT, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'reject') return this.#violation('RMP_INVALID', 'a REJECT does not decode');
    this.rejected(decoded.message, true);
  }

  #applyVoid(plaintext: Uint8Array): boolean {
    const decoded = decodeMessage(MESSAGE_TYPE.VOID, plaintext);
    if (decoded.kind === 'refused' || decoded.message.kind !== 'void') {
      this.#violation('RMP_INVALID', 'a VOID does not decode');
      return false;
    }
    const outcome =
      this.#peerFrames > 0 ? { kind: 'refused' as const, why: 'a VOID in the middle of a session' } : this.#link?.receiving.applyVoid(decoded.message);
    if (outcome === undefined || outcome.kind === 'refused') {
      this.#violation('SEQ', outcome?.why ?? 'no link');
      return false;
    }
    return true;
  }

  #deliver(frame: Frame, plaintext: Uint8Array): void {
    const entries = decodePayload(frame, plaintext);
    if (entries.kind === 'refused') return this.#violation(entries.code, entries.why);
    for (const entry of entries.message) {
      if (entry.type >= MESSAGE_TYPE_IGNORABLE_MIN) continue;
      const decoded = decodeMessage(entry.type, entry.payload);
      if (decoded.kind === 'refused') return this.#violation(decoded.code, decoded.why);
      const { message } = decoded;
      if (message.kind === 'hello' || message.kind === 'accept' || message.kind === 'reject' || message.kind === 'void') {
        return this.#violation('FRAME_TYPE', `${message.kind} is not allowed here`);
      }
      this.#host.onMessage(this, message);
      if (message.kind === 'bye') this.#end({ by: 'peer', code: message.code, why: `the peer said ${message.code}` }, true);
      if (this.#isClosed()) return;
    }
  }

  #violation(code: RefusalCode, why: string): void {
    this.#host.onViolation(this, code, why);
    this.refuse({ kind: 'refuse', code, why });
  }

  #maybeCheckpoint(): void {
    const link = this.#link;
    if (this.#state !== 'open' || !this.#recorded || link === null || this.peer === null) return;
    const slot = slotOf(this.#now);
    if (!link.isCheckpointDue(slot)) return;
    // Signed positions are exact: what waits goes out first, the frame with the checkpoint is the very next one.
    if (this.#batch.size > 0) this.#flushBatch();
    const { crypto, self } = this.#host;
    this.#batch.add({ kind: 'ckpt', checkpoint: link.checkpoint(crypto, self.signKey, self.aid, this.peer.aid, slot) });
    this.#flushBatch();
  }

  #flushBatch(): void {
    const batch = this.#batch.take();
    const channel = this.#channel;
    const link = this.#link;
    if (batch === undefined || channel === null || link === null) return;
    if (batch.payload.length + TAG_BYTES > this.#payloadBytesMax) {
      // The peer would close the link over it: better one message lost, and said so.
      this.#host.onTooLarge(this, batch.payload.length, this.#payloadBytesMax - TAG_BYTES);
      return;
    }
    const fields = { type: batch.type, flags: batch.flags | FLAG.ENC, channel: batch.channel, sequence: link.sending.sequence + 1 };
    const frame = channel.seal(this.#host.crypto, fields, batch.payload);
    link.sending.append(frame.subarray(0, HEADER_BYTES_COVERED), batch.payload);
    link.sent(batch.payload.length);
    this.#allowance.charge(1, this.#now);
    this.#out.push(frame);
    if (this.#recorded && link.isCheckpointDue(slotOf(this.#now)) && batch.type !== MESSAGE_TYPE.CKPT && batch.type !== MESSAGE_TYPE.BYE)
      this.#maybeCheckpoint();
  }

  #partialMsMax(): Millis {
    if (this.#reader.bytesHeld < HEADER_BYTES) return LIMITS.headerMsMax;
    // 16 KiB/s of a large frame may take longer than the fixed time (§2.15: "payload ≤ 10 s or ≥ 16 KiB/s").
    return Math.max(LIMITS.payloadMsMax, (this.#reader.bytesHeld * 1_000) / LIMITS.payloadBytesPerSecondMin);
  }

  #end(ending: Ending, close: boolean): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#closeWanted = close;
    this.#host.onEnded(this, ending);
  }
}

const LEVEL_RATE_LOBBY: LevelRate = LEVEL_RATES[0] ?? { framesPerSecond: LIMITS.lobbyFramesPerSecond, bytesPerSecond: 8_192 };
