/**
 * The two directions of encryption of one session, with their re-keying (protocol.md §2.4): each direction re-keys itself
 * after a fixed number of records, and after every fifteenth frame that is a checkpoint, which is a quarter of an hour.
 * Both ends count the same frames, so no message is needed and no record is lost (docs/adr/0010).
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { TransportStates } from '#mesh/channel/handshake.ts';
import { openRecord, sealRecord } from '#mesh/channel/record.ts';
import { REKEY_RECORDS } from '#mesh/channel/limits.ts';
import type { Frame, FrameFields } from '#mesh/wire/header.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { SESSION_LIMITS as LIMITS } from './limits.ts';

/** See the header. */
export class SealedChannel {
  readonly #states: TransportStates;
  #sentCheckpoints = 0;
  #receivedCheckpoints = 0;

  constructor(states: TransportStates) {
    this.#states = states;
  }

  /** Whether the hard limit of records is near: time for a whole new session. */
  get isExhausted(): boolean {
    return this.#states.send.isExhausted || this.#states.receive.isExhausted;
  }

  /** A complete frame around the plaintext. */
  seal(crypto: CryptoPort, fields: FrameFields, plaintext: Uint8Array): Uint8Array {
    const { send } = this.#states;
    const frame = sealRecord(crypto, send, fields, plaintext);
    if (fields.type === MESSAGE_TYPE.CKPT) this.#sentCheckpoints += 1;
    if (send.records % REKEY_RECORDS === 0 || (fields.type === MESSAGE_TYPE.CKPT && this.#sentCheckpoints % LIMITS.rekeyCheckpoints === 0)) send.rekey();
    return frame;
  }

  /** The plaintext of a frame; `undefined` where it was not sealed as exactly this record. */
  open(frame: Frame): Uint8Array | undefined {
    const { receive } = this.#states;
    const opened = openRecord(receive, frame);
    if (opened.kind === 'refused') return undefined;
    if (frame.type === MESSAGE_TYPE.CKPT) this.#receivedCheckpoints += 1;
    if (receive.records % REKEY_RECORDS === 0 || (frame.type === MESSAGE_TYPE.CKPT && this.#receivedCheckpoints % LIMITS.rekeyCheckpoints === 0))
      receive.rekey();
    return opened.plaintext;
  }
}
