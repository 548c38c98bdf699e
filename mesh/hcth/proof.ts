/**
 * Proofs of equivocation (protocol.md §2.9, case R5; §2.11): one identity signed two different things for one place in its
 * history. A proof carries everything that is needed to judge it, so that anybody can, and `verifyProof` takes nothing
 * else. It must never convict an honest node: what is not plainly two contents of one slot, signed by the one key that
 * was in force, is refused with a reason.
 */
import { bytesEqual, compareBytes, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { checkpointsConflict, decodeCheckpoint } from './checkpoint.ts';
import { decodeRotation, type EstablishmentEvent } from './establishment-events.ts';
import { type Established, extendEstablishment, verifyEstablishment } from './establishment.ts';
import { encodeFields, Fields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { labelled, type Label, LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { encodeObject } from './peer-record.ts';
import { objectDigest, type SignedObject, verifyObject } from './signed-object.ts';
import { sameStatementSlot } from './statement-slot.ts';
import { decodeStatement } from './statement-log.ts';

/** What kind of place was used twice: the label under which both objects were signed. */
export type ProofKind = 'rotation' | 'statement' | 'checkpoint';

/** See the header. The two objects are in the order of their digests, so that one contradiction is one proof. */
export interface EquivocationProof {
  readonly aid: Aid;
  readonly kind: ProofKind;
  /** The establishment log under whose newest key both objects were signed; for two rotations, the log before them. */
  readonly establishment: readonly EstablishmentEvent[];
  readonly first: SignedObject;
  readonly second: SignedObject;
}

/** What a proof is worth. */
export type ProofVerdict =
  | {
      readonly kind: 'proven';
      readonly established: Established;
      /** Rotations before the key that signed both: a later rotation supersedes what that key signs (§2.2). */
      readonly epoch: number;
      /** The place, for people: `frame 17 of incarnation 3`. */
      readonly place: string;
    }
  | { readonly kind: 'refused'; readonly why: string };

const KINDS = ['rotation', 'statement', 'checkpoint'] as const;
const LABEL_OF: Readonly<Record<ProofKind, Label>> = { rotation: LABELS.rotation, statement: LABELS.statement, checkpoint: LABELS.checkpoint };

/** Put a proof together; nothing is judged here. */
export function makeProof(
  crypto: CryptoPort,
  kind: ProofKind,
  aid: Aid,
  establishment: readonly EstablishmentEvent[],
  a: SignedObject,
  b: SignedObject,
): EquivocationProof {
  const label = LABEL_OF[kind];
  const inOrder = compareBytes(objectDigest(crypto, label, a.body), objectDigest(crypto, label, b.body)) <= 0;
  return { aid, kind, establishment, first: inOrder ? a : b, second: inOrder ? b : a };
}

/**
 * The proof that two objects of an identity make, where they make one: found is the key that signed both. `undefined`
 * where they contradict each other only across keys, which nobody can hold against anybody.
 */
export function proveContradiction(
  crypto: CryptoPort,
  kind: ProofKind,
  established: Established,
  a: SignedObject,
  b: SignedObject,
): EquivocationProof | undefined {
  for (let epoch = established.rotations; epoch >= 0; epoch -= 1) {
    const proof = makeProof(crypto, kind, established.aid, established.events.slice(0, epoch + 1), a, b);
    if (verifyProof(crypto, proof).kind === 'proven') return proof;
  }
  return undefined;
}

/** The bytes of a proof, as it travels and as it is kept. */
export function encodeProof(proof: EquivocationProof): Uint8Array {
  return encodeFields({
    v: 1,
    a: proof.aid,
    k: proof.kind,
    e: proof.establishment.map(encodeObject),
    x: encodeObject(proof.first),
    y: encodeObject(proof.second),
  });
}

/** The meaning of a proof's bytes; `undefined` where they are none. Nothing has been verified. */
export function decodeProof(bytes: Uint8Array): EquivocationProof | undefined {
  if (bytes.length > LIMITS.proofBytesMax) return undefined;
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const proof: EquivocationProof = {
    aid: fields.bytes('a', 32),
    kind: fields.oneOf('k', KINDS),
    establishment: fields.list('e', LIMITS.establishmentLogEventsMax).map((value) => signed(fields, new Fields(value))),
    first: signed(fields, fields.nested('x')),
    second: signed(fields, fields.nested('y')),
  };
  return fields.sound ? proof : undefined;
}

function signed(outer: Fields, fields: Fields): SignedObject {
  const object = { body: fields.blob('b', LIMITS.signedBodyBytesMax), sig: fields.bytes('s', 64) };
  outer.require(fields.sound, 'a signed object is malformed');
  return object;
}

/** Name of a proof: the same contradiction has the same name, whatever establishment log came with it. */
export function proofDigest(crypto: CryptoPort, proof: EquivocationProof): Uint8Array {
  const label = LABEL_OF[proof.kind];
  return crypto.sha256(PROOF, proof.aid, utf8(proof.kind), objectDigest(crypto, label, proof.first.body), objectDigest(crypto, label, proof.second.body));
}

const PROOF = labelled('HCTH1:proof');

/** Whether the proof proves; a pure function of the proof (H-37). */
export function verifyProof(crypto: CryptoPort, given: Uint8Array | EquivocationProof): ProofVerdict {
  const refuse = (why: string): ProofVerdict => ({ kind: 'refused', why });
  const proof = given instanceof Uint8Array ? decodeProof(given) : given;
  if (proof === undefined) return refuse('it does not decode');
  const { first, second } = proof;
  if (bytesEqual(first.body, second.body)) return refuse('both objects say the same');
  const log = verifyEstablishment(crypto, proof.establishment);
  if (log.kind === 'bad') return refuse(`its establishment log is not valid: ${log.why}`);
  const { established } = log;
  if (!bytesEqual(established.aid, proof.aid)) return refuse('its establishment log is that of another identity');
  const label = LABEL_OF[proof.kind];
  if (compareBytes(objectDigest(crypto, label, first.body), objectDigest(crypto, label, second.body)) > 0)
    return refuse('its objects are not in the order of their digests');
  if (proof.kind === 'rotation') return judgeRotations(crypto, established, first, second);
  // The one key that was in force: an incarnation belongs to one key, so a genuine contradiction has one signer (H-12).
  if (!verifyObject(crypto, established.signKey, label, first) || !verifyObject(crypto, established.signKey, label, second))
    return refuse('its objects are not both signed, for this purpose, by the newest key of its establishment log');
  const place = proof.kind === 'checkpoint' ? checkpointPlace(proof) : statementPlace(proof);
  return place.kind === 'same' ? { kind: 'proven', established, epoch: established.rotations, place: place.text } : refuse(place.why);
}

/** Two valid rotations that continue the same event always convict: the next key signed two successors. */
function judgeRotations(crypto: CryptoPort, before: Established, first: SignedObject, second: SignedObject): ProofVerdict {
  for (const event of [first, second]) {
    const extended = extendEstablishment(crypto, before, event);
    if (extended.kind === 'bad') return { kind: 'refused', why: `not two rotations of one event: ${extended.why}` };
  }
  const number = decodeRotation(first.body)?.number ?? 0;
  return { kind: 'proven', established: before, epoch: number, place: `rotation ${number}` };
}

type Place = { readonly kind: 'same'; readonly text: string } | { readonly kind: 'other'; readonly why: string };

function checkpointPlace({ aid, first, second }: EquivocationProof): Place {
  const [a, b] = [decodeCheckpoint(first.body), decodeCheckpoint(second.body)];
  if (a === undefined || b === undefined) return { kind: 'other', why: 'a checkpoint does not decode' };
  if (!bytesEqual(a.from, aid) || !bytesEqual(b.from, aid)) return { kind: 'other', why: 'a checkpoint is of another identity' };
  if (!checkpointsConflict(a, b)) return { kind: 'other', why: 'the checkpoints do not contradict each other: another place, or the same head' };
  return { kind: 'same', text: `frame ${a.sequence} of incarnation ${a.incarnation}` };
}

function statementPlace({ aid, first, second }: EquivocationProof): Place {
  const [a, b] = [decodeStatement(first.body), decodeStatement(second.body)];
  if (a === undefined || b === undefined) return { kind: 'other', why: 'a statement does not decode' };
  if (!bytesEqual(a.aid, aid) || !bytesEqual(b.aid, aid)) return { kind: 'other', why: 'a statement is of another identity' };
  if (a.incarnation !== b.incarnation || !bytesEqual(a.nonce, b.nonce)) return { kind: 'other', why: 'the statements belong to different incarnations' };
  const slot = sameStatementSlot(a, b);
  return slot === undefined
    ? { kind: 'other', why: 'the statements stand in different places' }
    : { kind: 'same', text: `${slot} of incarnation ${a.incarnation}` };
}
