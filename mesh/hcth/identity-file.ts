/**
 * The identity file: a node's secret keys, sealed to the machine they were made on (protocol.md §2.14 "Hardware binding").
 * The key is HKDF(hardware secret, AID, "HCTH1:hw"), so a copied card opens only where it was sealed; with a soft binding
 * that catches accidents, not thieves. Opened elsewhere it says which facts changed, and the old identity is not used.
 */
import { bytesEqual, concat, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, DhKey, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, Fields, readFields } from './fields.ts';
import { type Established, verifyEstablishment } from './establishment.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import type { BindingKind, HardwareBinding } from './hardware-binding.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { encodeObject } from './peer-record.ts';
import type { SignedObject } from './signed-object.ts';

const INFO = utf8('HCTH1:hw');
const SEAL = utf8('HCTH1:identity-file');
const NONCE_BYTES = 12;
const COVER_BYTES_MAX = 4_096;
/** A log of 64 events, the most there can be, and the secrets. */
const SEALED_BYTES_MAX = 32_768;
const FACTS_MAX = 32;
const PLACE_CHARACTERS_MAX = 200;
const KINDS = ['none', 'soft', 'otp', 'tpm'] as const;

/** What is kept secret, and the log it belongs to. */
export interface IdentitySecrets {
  readonly establishment: readonly EstablishmentEvent[];
  /** Ed25519 seed of the current signing key. */
  readonly signSeed: Uint8Array;
  /** X25519 scalar of the current static key. */
  readonly staticSecret: Uint8Array;
  /** Ed25519 seed of the pre-rotated next key; null once it has been taken off the device. */
  readonly nextSeed: Uint8Array | null;
  /** Where it has gone; null while it is here. */
  readonly nextKeyPlace: NextKeyPlace | null;
}

/** Where the next key was taken to, as whoever took it said; the device itself cannot know. */
export interface NextKeyPlace {
  readonly how: 'escrowed' | 'exported';
  /** For people: a machine, a file, a drawer. */
  readonly place: string;
  /** Wall clock of the device. */
  readonly at: Millis;
}

/** An opened identity. */
export interface Identity {
  readonly established: Established;
  readonly signKey: SignKey;
  readonly staticKey: DhKey;
  readonly nextSeed: Uint8Array | null;
  readonly nextKeyPlace: NextKeyPlace | null;
}

/** What opening gave. */
export type IdentityFileOutcome =
  | { readonly kind: 'ok'; readonly identity: Identity }
  /** This is not the machine it was sealed on: `changed` names the facts (all of them where the kind itself differs). */
  | { readonly kind: 'wrong-hardware'; readonly aid: Aid; readonly sealedFor: BindingKind; readonly changed: readonly string[] }
  | { readonly kind: 'corrupt'; readonly why: string };

/** The bytes of the file. `nonce`: 12 fresh random bytes, never used before with this identity. */
export function sealIdentity(crypto: CryptoPort, secrets: IdentitySecrets, aid: Aid, binding: HardwareBinding, nonce: Uint8Array): Uint8Array {
  const place = secrets.nextKeyPlace;
  const plaintext = encodeFields({
    v: 1,
    est: secrets.establishment.map(encodeObject),
    k: secrets.signSeed,
    x: secrets.staticSecret,
    n: secrets.nextSeed ?? undefined,
    w: place === null ? undefined : { h: place.how, p: place.place.slice(0, PLACE_CHARACTERS_MAX), at: Math.max(0, Math.floor(place.at)) },
  });
  const facts = [...binding.facts].map(([name, value]) => ({ n: name, d: factDigest(crypto, aid, name, value) }));
  const cover = encodeFields({ v: 1, a: aid, hw: binding.kind, d: binding.digest, f: facts });
  const sealed = crypto.seal(fileKey(crypto, binding, aid), nonce, concat(SEAL, cover), plaintext);
  return encodeFields({ v: 1, cover, nonce, sealed, crc: crypto.crc32(concat(cover, nonce, sealed)) });
}

/** Open the file on this machine. */
export function openIdentity(crypto: CryptoPort, file: Uint8Array, binding: HardwareBinding): IdentityFileOutcome {
  const corrupt = (why: string): IdentityFileOutcome => ({ kind: 'corrupt', why });
  const outside = readFields(file);
  outside.integer('v', 1, 1);
  const coverBytes = outside.blob('cover', COVER_BYTES_MAX);
  const nonce = outside.bytes('nonce', NONCE_BYTES);
  const sealed = outside.blob('sealed', SEALED_BYTES_MAX);
  // The cover says what machine it is for and cannot be verified on another one: a damaged cover must not look like other hardware.
  const checksum = outside.optional('crc', (present) => present.integer('crc', 0, 0xffff_ffff));
  if (checksum !== undefined) outside.require(checksum === crypto.crc32(concat(coverBytes, nonce, sealed)), 'its checksum does not fit');
  if (!outside.sound) return corrupt(`the file is not an identity file: ${outside.fault}`);
  const cover = decodeCover(coverBytes);
  if (cover === undefined) return corrupt('the description of its hardware does not decode');
  if (cover.kind !== binding.kind || !bytesEqual(cover.digest, binding.digest)) {
    return { kind: 'wrong-hardware', aid: cover.aid, sealedFor: cover.kind, changed: changedFacts(crypto, cover, binding) };
  }
  const plaintext = crypto.open(fileKey(crypto, binding, cover.aid), nonce, concat(SEAL, coverBytes), sealed);
  if (plaintext === undefined) return corrupt('its seal does not fit, although this is the machine it was made on');
  return openSecrets(crypto, cover.aid, plaintext);
}

/** What the file is sealed for, readable without the secret: an agent must open it with the same kind of binding. */
export function identityFileBinding(file: Uint8Array): { readonly aid: Aid; readonly kind: BindingKind } | undefined {
  const outside = readFields(file);
  return decodeCover(outside.blob('cover', COVER_BYTES_MAX));
}

interface Cover {
  readonly aid: Aid;
  readonly kind: BindingKind;
  readonly digest: Uint8Array;
  readonly facts: ReadonlyMap<string, Uint8Array>;
}

function decodeCover(bytes: Uint8Array): Cover | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const facts = new Map<string, Uint8Array>();
  const aid = fields.bytes('a', 32);
  for (const value of fields.list('f', FACTS_MAX)) {
    const fact = new Fields(value);
    facts.set(fact.text('n', 64), fact.bytes('d', 32));
    fields.require(fact.sound, 'a fact is malformed');
  }
  const cover = { aid, kind: fields.oneOf('hw', KINDS), digest: fields.bytes('d', 32), facts };
  return fields.sound ? cover : undefined;
}

function openSecrets(crypto: CryptoPort, aid: Aid, plaintext: Uint8Array): IdentityFileOutcome {
  const fields = readFields(plaintext);
  fields.integer('v', 1, 1);
  const events: SignedObject[] = [];
  for (const value of fields.list('est', LIMITS.establishmentLogEventsMax)) {
    const event = new Fields(value);
    events.push({ body: event.blob('b', LIMITS.signedBodyBytesMax), sig: event.bytes('s', 64) });
  }
  const signSeed = fields.bytes('k', 32);
  const staticSecret = fields.bytes('x', 32);
  const nextSeed = fields.optional('n', (present) => present.bytes('n', 32)) ?? null;
  const nextKeyPlace = fields.optional('w', readPlace) ?? null;
  if (!fields.sound) return { kind: 'corrupt', why: `the sealed part does not decode: ${fields.fault}` };
  const verdict = verifyEstablishment(crypto, events);
  if (verdict.kind === 'bad') return { kind: 'corrupt', why: verdict.why };
  const { established } = verdict;
  const signKey = crypto.signKey(signSeed);
  const staticKey = crypto.dhKey(staticSecret);
  const fits = bytesEqual(established.aid, aid) && bytesEqual(established.signKey, signKey.publicKey) && bytesEqual(established.staticKey, staticKey.publicKey);
  return fits
    ? { kind: 'ok', identity: { established, signKey, staticKey, nextSeed, nextKeyPlace } }
    : { kind: 'corrupt', why: 'the keys are not those of its establishment log' };
}

function readPlace(fields: Fields): NextKeyPlace {
  const inner = fields.nested('w');
  const place: NextKeyPlace = {
    how: inner.oneOf('h', ['escrowed', 'exported']),
    place: inner.text('p', PLACE_CHARACTERS_MAX),
    at: inner.integer('at', 0, Number.MAX_SAFE_INTEGER),
  };
  fields.require(inner.sound, 'the place of the next key is malformed');
  return place;
}

/** What must be stored of an identity to open it again. */
export function secretsOf(identity: Identity): IdentitySecrets {
  const { established, signKey, staticKey, nextSeed, nextKeyPlace } = identity;
  return { establishment: established.events, signSeed: signKey.seed, staticSecret: staticKey.secret, nextSeed, nextKeyPlace };
}

/** Names whose values differ, were there then and are not now, or the other way round; sorted. */
function changedFacts(crypto: CryptoPort, cover: Cover, binding: HardwareBinding): readonly string[] {
  const names = new Set([...cover.facts.keys(), ...binding.facts.keys()]);
  const changed = [...names].filter((name) => {
    const [then, now] = [cover.facts.get(name), binding.facts.get(name)];
    return then === undefined || now === undefined || !bytesEqual(then, factDigest(crypto, cover.aid, name, now));
  });
  return changed.sort();
}

function factDigest(crypto: CryptoPort, aid: Aid, name: string, value: string): Uint8Array {
  return crypto.sha256(SEAL, aid, utf8(name), new Uint8Array(1), utf8(value));
}

function fileKey(crypto: CryptoPort, binding: HardwareBinding, aid: Aid): ReturnType<CryptoPort['aeadKey']> {
  return crypto.aeadKey(crypto.hkdf(binding.secret, aid, INFO, 32));
}
