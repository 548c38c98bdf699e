/**
 * What a decoder answers. A decoder of peer bytes never throws: it returns the message, or the code with which the
 * connection is closed and a sentence for the event stream.
 */
import type { RefusalCode } from './refusal.ts';

/** Turned away: the code for the peer and why, for people. */
export interface Refused {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly why: string;
}

/** The outcome of decoding. */
export type Decoded<T> = { readonly kind: 'ok'; readonly message: T } | Refused;

/** A successful decoding. */
export function decoded<T>(message: T): Decoded<T> {
  return { kind: 'ok', message };
}

/** A refusal. */
export function refused(code: RefusalCode, why: string): Refused {
  return { kind: 'refused', code, why };
}
