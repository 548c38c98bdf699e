/**
 * Notices that one identity lives on two machines (protocol.md §2.9 R4, class B4), as they are told to everybody. What is
 * proof in one, and what is not: the two boot events are signed by the identity, so they prove that it has begun two
 * incarnations, which every restart does. That both live *at the same time* is the observer's word, unless the reader has a
 * live link to the older of the two: an identity of one machine stops being an incarnation before it begins a newer one.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { type Boot, bootDigest, verifyBoot } from './boot-event.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import { type Established, verifyEstablishment } from './establishment.ts';
import { encodeFields, Fields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { encodeObject } from './peer-record.ts';
import type { SignedObject } from './signed-object.ts';

/** One of the two machines, as the observer saw it. */
export interface Holder {
  readonly boot: SignedObject;
  /** Network address it came from. */
  readonly address: string | null;
  /** Hardware addresses: told by itself while it was a member, or seen in the observer's neighbour table. */
  readonly macs: readonly string[];
}

/** See the header. The first holder is the incumbent, the second came later. */
export interface ContestNotice {
  readonly aid: Aid;
  readonly establishment: readonly EstablishmentEvent[];
  readonly holders: readonly [Holder, Holder];
  /** Observer's wall clock. */
  readonly at: Millis;
}

/** A holder whose boot event has been verified. */
export interface KnownHolder extends Holder {
  readonly meaning: Boot;
  readonly digest: Uint8Array;
}

/** What a verified notice says. */
export interface VerifiedNotice {
  readonly aid: Aid;
  readonly established: Established;
  readonly holders: readonly [KnownHolder, KnownHolder];
  readonly at: Millis;
}

/** How people name one run of a machine: incarnation and the beginning of its nonce. */
export function bootName(boot: { readonly incarnation: number; readonly nonce: Uint8Array }): string {
  return `${boot.incarnation}-${hex(boot.nonce.subarray(0, 4))}`;
}

/** The bytes of a notice. */
export function encodeNotice(notice: ContestNotice): Uint8Array {
  return encodeFields({
    v: 1,
    a: notice.aid,
    e: notice.establishment.map(encodeObject),
    h: notice.holders.map(({ boot, address, macs }) => ({ b: encodeObject(boot), ad: address ?? '', m: [...macs].slice(0, LIMITS.holderMacsMax) })),
    at: Math.max(0, Math.floor(notice.at)),
  });
}

/** The counterpart of {@link encodeNotice}; nothing has been verified. */
export function decodeNotice(bytes: Uint8Array): ContestNotice | undefined {
  if (bytes.length > LIMITS.noticeBytesMax) return undefined;
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const aid = fields.bytes('a', 32);
  const establishment = fields.list('e', LIMITS.establishmentLogEventsMax).map((value) => object(fields, new Fields(value)));
  const [first, second] = fields.list('h', 2).map((value) => holder(fields, new Fields(value)));
  const at = fields.integer('at', 0, Number.MAX_SAFE_INTEGER);
  return fields.sound && first !== undefined && second !== undefined ? { aid, establishment, holders: [first, second], at } : undefined;
}

function holder(outer: Fields, fields: Fields): Holder {
  const boot = object(outer, fields.nested('b'));
  const address = fields.text('ad', 64);
  const macs = fields.list('m', LIMITS.holderMacsMax).map((mac) => (typeof mac === 'string' && /^[0-9a-f:]{1,23}$/.test(mac) ? mac : undefined));
  outer.require(fields.sound && !macs.includes(undefined), 'a holder is malformed');
  return { boot, address: address === '' ? null : address, macs: macs.filter((mac) => mac !== undefined) };
}

function object(outer: Fields, fields: Fields): SignedObject {
  const signed = { body: fields.blob('b', LIMITS.signedBodyBytesMax), sig: fields.bytes('s', 64) };
  outer.require(fields.sound, 'a signed object is malformed');
  return signed;
}

/** Check what of a notice can be checked by everybody: two different boot events, both signed by the identity (H-41). */
export function verifyNotice(crypto: CryptoPort, bytes: Uint8Array): VerifiedNotice | undefined {
  const notice = decodeNotice(bytes);
  const log = notice === undefined ? undefined : verifyEstablishment(crypto, notice.establishment);
  if (notice === undefined || log?.kind !== 'valid' || !bytesEqual(log.established.aid, notice.aid)) return undefined;
  const [first, second] = notice.holders.map((one) => known(crypto, log.established, one));
  if (first === undefined || second === undefined || bytesEqual(first.digest, second.digest)) return undefined;
  return { aid: notice.aid, established: log.established, holders: [first, second], at: notice.at };
}

function known(crypto: CryptoPort, established: Established, one: Holder): KnownHolder | undefined {
  const meaning = verifyBoot(crypto, established, one.boot);
  return meaning === undefined ? undefined : { ...one, meaning, digest: bootDigest(crypto, one.boot) };
}

/**
 * Whether a live link to `live` together with the other boot event proves two holders at once: the other one is younger
 * by its incarnation, and yet `live` lives. With the same or an older incarnation it may be the same machine's past.
 */
export function provesTwoHolders(live: Boot, other: Boot): boolean {
  return other.incarnation > live.incarnation;
}
