/**
 * An establishment log that does not fit into a handshake payload, in pieces (protocol.md §2.4 "digest and fetch"). Events
 * prove themselves and are public, so it does not matter that the responder's travel before there is a key. Bounded on
 * both sides: one log, once, never more events than were announced, each piece small enough for a stranger's frame.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { EstablishmentEvent } from '#mesh/hcth/establishment-events.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { Est, EstFetch } from '#mesh/wire/message.ts';
import { SESSION_LIMITS as LIMITS } from './limits.ts';

/** Signature, lengths and tags beside a body. */
const EVENT_OVERHEAD_BYTES = 72;

/** The next events of a log from an index on: at least one, and no more than fit. */
export function logPiece(aid: Aid, events: readonly EstablishmentEvent[], from: number, bytesMax: number): Est {
  const piece: EstablishmentEvent[] = [];
  let bytes = 0;
  for (const event of events.slice(from, from + HCTH_LIMITS.establishmentEventsMax)) {
    bytes += event.body.length + EVENT_OVERHEAD_BYTES;
    if (bytes > bytesMax && piece.length > 0) break;
    piece.push(event);
  }
  return { kind: 'est', aid, from, events: piece };
}

/** The side whose log is asked for. */
export class LogServer {
  #served = 0;

  /** The answer; undefined where the peer asks for what it may not have, or has had. */
  answer(fetch: EstFetch, own: Established): Est | undefined {
    if (!bytesEqual(fetch.aid, own.aid) || fetch.from !== this.#served || fetch.from >= own.events.length) return undefined;
    const piece = logPiece(own.aid, own.events, fetch.from, LIMITS.logPieceBytesMax);
    this.#served += piece.events.length;
    return piece;
  }
}

/** The side that asks. Nothing is verified here: the whole log is, against the digest that was announced. */
export class LogFetch {
  readonly events: EstablishmentEvent[] = [];
  readonly #aid: Aid;
  readonly #count: number;

  constructor(aid: Aid, count: number) {
    this.#aid = aid;
    this.#count = count;
  }

  get isComplete(): boolean {
    return this.events.length === this.#count;
  }

  /** What to ask for now. */
  get request(): EstFetch {
    return { kind: 'est-fetch', aid: this.#aid, from: this.events.length };
  }

  /** Take a piece; the reason where it is not the next one. */
  take(piece: Est): string | undefined {
    if (!bytesEqual(piece.aid, this.#aid) || piece.from !== this.events.length) return 'it sent other establishment events than it was asked for';
    if (piece.events.length === 0 || this.events.length + piece.events.length > this.#count) return 'its establishment log is not as long as it had said';
    for (const { body, sig } of piece.events) this.events.push({ body: body.slice(), sig: sig.slice() });
    return undefined;
  }
}
