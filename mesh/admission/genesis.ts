/**
 * The birth certificate of a mesh (protocol.md §2.14): what it is called, who founded it, how it decides and lets machines
 * in. Its digest *is* the mesh, so nothing in it can ever be changed. The founders' identities are in the signed body,
 * their establishment logs and signatures beside it; an identity proves its own log, so the pair cannot be exchanged.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import type { EstablishmentEvent } from '#mesh/hcth/establishment-events.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { encodeFields, Fields, readFields } from '#mesh/hcth/fields.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { isNodeName, meshNameFault, nodeNameOf } from './names.ts';
import { ADMISSION_MODES, type AdmissionMode, TRUST_PROFILES, type TrustProfile } from './roles.ts';

/** Who founded a mesh, and what that machine is called. */
export interface Founder {
  readonly aid: Aid;
  readonly name: string;
}

/** What the founders agreed on. */
export interface Genesis {
  readonly name: string;
  /** In the order of their signatures; all are voters. */
  readonly founders: readonly Founder[];
  /** Voters that must agree; more than half of the founders, at most all (protocol.md §3.1). */
  readonly quorum: number;
  readonly trustProfile: TrustProfile;
  readonly admission: AdmissionMode;
  /** 16 bytes, so that two meshes of one name and one founder are two meshes. */
  readonly random: Uint8Array;
  /** Wall clock of the first founder. */
  readonly foundedAt: Millis;
}

/** A verified genesis and what follows from it. */
export interface Mesh {
  /** 32 bytes. */
  readonly id: Uint8Array;
  /** First 8 bytes of the id: what HELLO and mDNS carry. */
  readonly tag: Uint8Array;
  readonly genesis: Genesis;
  /** The founders' identities, in the order of the genesis. */
  readonly founders: readonly Established[];
  /** The signed bytes, as they travel and stand in the ledger. */
  readonly bytes: Uint8Array;
}

/** A founder as it signs. */
export interface FoundingSigner {
  readonly established: Established;
  readonly signKey: SignKey;
  /** What its host is called; repaired where it is no proper name. */
  readonly name: string;
}

/** The choices of `robonet init`. */
export interface FoundingChoices {
  readonly name: string;
  readonly admission: AdmissionMode;
  readonly trustProfile: TrustProfile;
  /** More than half of the founders where absent. */
  readonly quorum?: number;
}

/** Bytes of randomness a genesis takes. */
export const GENESIS_RANDOM_BYTES = 16;

/** A mesh, or why there is none. */
export type GenesisVerdict = { readonly kind: 'valid'; readonly mesh: Mesh } | { readonly kind: 'bad'; readonly why: string };

const ID_LABEL = labelled('HCTH1:mesh');
const SIGN_LABEL = labelled(LABELS.genesis);
const TAG_BYTES = 8;

/** The smallest quorum that cannot split: more than half. */
export function quorumMin(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** Found a mesh: sign its genesis with every founder's current key. */
export function makeGenesis(
  crypto: CryptoPort,
  choices: FoundingChoices,
  signers: readonly FoundingSigner[],
  random: Uint8Array,
  wall: Millis,
): GenesisVerdict {
  const fault = meshNameFault(choices.name);
  if (fault !== undefined) return { kind: 'bad', why: fault };
  const body = encodeFields({
    v: 1,
    n: choices.name,
    f: signers.map(({ established, name }) => ({ a: established.aid, n: isNodeName(name) ? name : nodeNameOf(name) })),
    q: choices.quorum ?? quorumMin(signers.length),
    tp: choices.trustProfile,
    ad: choices.admission,
    r: random,
    at: Math.max(0, Math.floor(wall)),
  });
  const signatures = signers.map(({ established, signKey }) => ({
    e: established.events.map((event) => ({ b: event.body, s: event.sig })),
    s: crypto.sign(signKey, SIGN_LABEL, body),
  }));
  // Verified at once: what leaves here is accepted everywhere.
  return verifyGenesis(crypto, encodeFields({ b: body, s: signatures }));
}

/** Check the bytes of a genesis, down to every founder's signature; optionally that it is the mesh one was told to join. */
export function verifyGenesis(crypto: CryptoPort, bytes: Uint8Array, expected?: Uint8Array): GenesisVerdict {
  const bad = (why: string): GenesisVerdict => ({ kind: 'bad', why });
  if (bytes.length > LIMITS.genesisBytesMax) return bad(`a genesis of ${bytes.length} bytes exceeds the limit of ${LIMITS.genesisBytesMax}`);
  const outer = readFields(bytes);
  const body = outer.blob('b', LIMITS.genesisBytesMax);
  const signatures = outer.list('s', LIMITS.foundersMax).map((value) => readSignature(outer, new Fields(value)));
  if (outer.fault !== undefined) return bad(`the genesis does not decode: ${outer.fault}`);
  const id = meshIdOf(crypto, body);
  if (expected !== undefined && !bytesEqual(id, expected))
    return bad(`the genesis is that of mesh ${hex(id.subarray(0, TAG_BYTES))}, not of mesh ${hex(expected.subarray(0, TAG_BYTES))}`);
  const genesis = readGenesis(body);
  if (typeof genesis === 'string') return bad(genesis);
  if (signatures.length !== genesis.founders.length) return bad(`${genesis.founders.length} founders, but ${signatures.length} signatures`);
  const founders: Established[] = [];
  for (const [index, founder] of genesis.founders.entries()) {
    const signature = signatures[index];
    const verdict = verifyEstablishment(crypto, signature?.events ?? []);
    if (verdict.kind === 'bad') return bad(`founder ${index + 1}: ${verdict.why}`);
    const { established } = verdict;
    if (!bytesEqual(established.aid, founder.aid)) return bad(`founder ${index + 1} shows the establishment log of another identity`);
    if (signature === undefined || !crypto.verify(established.signKey, signature.sig, SIGN_LABEL, body))
      return bad(`founder ${index + 1} has not signed the genesis`);
    founders.push(established);
  }
  return { kind: 'valid', mesh: { id, tag: id.slice(0, TAG_BYTES), genesis, founders, bytes: bytes.slice() } };
}

/** SHA-256("HCTH1:mesh" 00 ‖ genesis body). */
export function meshIdOf(crypto: CryptoPort, body: Uint8Array): Uint8Array {
  return crypto.sha256(ID_LABEL, body);
}

function readGenesis(body: Uint8Array): Genesis | string {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  const founders = fields.list('f', LIMITS.foundersMax).map((value) => readFounder(fields, new Fields(value)));
  const genesis: Genesis = {
    name: fields.text('n', LIMITS.meshNameCharactersMax),
    founders,
    quorum: fields.integer('q', 0, LIMITS.foundersMax),
    trustProfile: fields.oneOf('tp', TRUST_PROFILES),
    admission: fields.oneOf('ad', ADMISSION_MODES),
    random: fields.bytes('r', GENESIS_RANDOM_BYTES),
    foundedAt: fields.integer('at', 0, Number.MAX_SAFE_INTEGER),
  };
  if (fields.fault !== undefined) return `the genesis body does not decode: ${fields.fault}`;
  const fault = meshNameFault(genesis.name);
  if (fault !== undefined) return fault;
  if (founders.length === 0) return 'a mesh has at least one founder';
  if (new Set(founders.map(({ aid }) => hex(aid))).size !== founders.length) return 'a founder is named twice';
  const [least, most] = [quorumMin(founders.length), founders.length];
  if (genesis.quorum < least || genesis.quorum > most) return `a quorum of ${genesis.quorum} is outside ${least} … ${most} for ${most} voters`;
  return genesis;
}

function readFounder(outer: Fields, fields: Fields): Founder {
  const founder = { aid: fields.bytes('a', 32), name: fields.text('n', LIMITS.nodeNameCharactersMax) };
  outer.require(fields.sound && isNodeName(founder.name), 'a founder is malformed');
  return founder;
}

function readSignature(outer: Fields, fields: Fields): { readonly events: readonly EstablishmentEvent[]; readonly sig: Uint8Array } {
  const events = fields.list('e', HCTH_LIMITS.establishmentEventsMax).map((value) => {
    const event = new Fields(value);
    const signed = { body: event.blob('b', HCTH_LIMITS.signedBodyBytesMax), sig: event.bytes('s', 64) };
    fields.require(event.sound, 'an establishment event is malformed');
    return signed;
  });
  const signature = { events, sig: fields.bytes('s', 64) };
  outer.require(fields.sound, 'a signature is malformed');
  return signature;
}
