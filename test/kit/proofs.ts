/**
 * Contradictions and near misses, made with real keys: what convicts, and everything that looks like it and must not.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';
import { type Checkpoint, encodeCheckpoint, NO_POSITION } from '#mesh/hcth/checkpoint.ts';
import { type EstablishmentEvent, makeRotation } from '#mesh/hcth/establishment-events.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { type Label, LABELS } from '#mesh/hcth/labels.ts';
import { encodeProof, type EquivocationProof, makeProof, type ProofKind } from '#mesh/hcth/proof.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { makeStatement, statementTipAtBoot, type StatementKind } from '#mesh/hcth/statement-log.ts';
import { bootOf, bytesFor, crypto, identityOf } from './identities.ts';

/** One case: a proof, and what verifying it gives. */
export interface ProofCase {
  readonly name: string;
  readonly proof: EquivocationProof | Uint8Array;
  /** What is proven … */
  readonly place?: string;
  /** … or part of the reason why nothing is. */
  readonly why?: string;
}

/** A checkpoint of `from` for `to` in frame `sequence`, with a head of the given name. */
export function checkpointAt(
  from: Identity,
  to: Identity,
  sequence: number,
  head: string,
  more: Partial<Checkpoint> = {},
  label: Label = LABELS.checkpoint,
  signer = from,
): SignedObject {
  const body = encodeCheckpoint({
    from: from.established.aid,
    to: to.established.aid,
    incarnation: 3,
    nonce: bytesFor('nonce 3', 16),
    sequence,
    head: bytesFor(head, 32),
    acknowledged: NO_POSITION,
    echo: bytesFor('challenge', 16),
    slot: 1,
    ...more,
  });
  return signObject(crypto, signer.signKey, label, body);
}

/** The first statement of an incarnation, saying `text`. */
export function statementOf(identity: Identity, text: string, kind: StatementKind = 'report', nonceLabel = '3'): SignedObject {
  const { object: boot, nonce } = bootOf(identity, 3, nonceLabel);
  const scope = { aid: identity.established.aid, incarnation: 3, nonce };
  return makeStatement(crypto, identity.signKey, scope, statementTipAtBoot(crypto, boot), { kind, body: utf8(text) }).object;
}

/** A recovery rotation of a fresh identity, to a static key of the given name. */
export function rotationOf(identity: Identity, staticName: string, staticKey = bytesFor(staticName, 32)): EstablishmentEvent {
  const { nextSeed, established } = identity;
  if (nextSeed === null) throw new Error('a fresh identity has its next seed');
  const next = { previous: established.head, staticKey, nextDigest: bytesFor('next 2', 32) };
  return makeRotation(crypto, crypto.signKey(nextSeed), null, { aid: established.aid, number: 1, ...next });
}

/** The identity after that rotation. */
export function rotated(identity: Identity, staticName = 'static 2', staticKey?: Uint8Array): Identity {
  const verdict = verifyEstablishment(crypto, [...identity.established.events, rotationOf(identity, staticName, staticKey)]);
  if (verdict.kind === 'bad' || identity.nextSeed === null) throw new Error('the rotation holds');
  return { ...identity, established: verdict.established, signKey: crypto.signKey(identity.nextSeed), nextSeed: null };
}

/** All cases. */
export function proofCases(): readonly ProofCase[] {
  const [ada, bob, cleo] = [identityOf('ada'), identityOf('bob'), identityOf('cleo')];
  const late = rotated(ada);
  const [one, two] = [checkpointAt(ada, bob, 17, 'one'), checkpointAt(ada, bob, 17, 'two')];
  const proofOf = (kind: ProofKind, a: SignedObject, b: SignedObject, of: Established = ada.established): EquivocationProof =>
    makeProof(crypto, kind, ada.established.aid, of.events, a, b);
  const good = proofOf('checkpoint', one, two);
  const wire = encodeProof(good);
  return [
    { name: 'two heads for one frame', proof: good, place: 'frame 17 of incarnation 3' },
    {
      name: 'two heads for one frame, signed after a rotation',
      proof: proofOf('checkpoint', checkpointAt(late, bob, 17, 'one'), checkpointAt(late, bob, 17, 'two'), late.established),
      place: 'frame 17 of incarnation 3',
    },
    {
      name: 'two statements for one number',
      proof: proofOf('statement', statementOf(ada, 'yes'), statementOf(ada, 'no')),
      place: 'statement 1 of incarnation 3',
    },
    {
      name: 'two statements of different kinds for one number',
      proof: proofOf('statement', statementOf(ada, 'yes', 'vote'), statementOf(ada, 'yes', 'bye')),
      place: 'statement 1 of incarnation 3',
    },
    { name: 'two rotations of one event', proof: proofOf('rotation', rotationOf(ada, 'static 2'), rotationOf(ada, 'static 3')), place: 'rotation 1' },
    { name: 'the same object twice', proof: proofOf('checkpoint', one, one), why: 'both objects say the same' },
    { name: 'the same statement twice', proof: proofOf('statement', statementOf(ada, 'yes'), statementOf(ada, 'yes')), why: 'both objects say the same' },
    { name: 'the same rotation twice', proof: proofOf('rotation', rotationOf(ada, 'static 2'), rotationOf(ada, 'static 2')), why: 'both objects say the same' },
    {
      name: 'different acknowledgements of one head',
      proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 17, 'one', { slot: 2 })),
      why: 'do not contradict',
    },
    { name: 'two frames', proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 18, 'two')), why: 'do not contradict' },
    { name: 'two peers', proof: proofOf('checkpoint', one, checkpointAt(ada, cleo, 17, 'two')), why: 'do not contradict' },
    { name: 'two incarnations', proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 17, 'two', { incarnation: 4 })), why: 'do not contradict' },
    {
      name: 'two nonces of one incarnation: a restored node is not its former self',
      proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 17, 'two', { nonce: bytesFor('restored', 16) })),
      why: 'do not contradict',
    },
    {
      name: 'two heads for frame 0, on which both ends agree only later',
      proof: proofOf('checkpoint', checkpointAt(ada, bob, 0, 'one'), checkpointAt(ada, bob, 0, 'two')),
      why: 'do not contradict',
    },
    {
      name: 'statements of two incarnations',
      proof: proofOf('statement', statementOf(ada, 'yes'), statementOf(ada, 'no', 'report', 'restored')),
      why: 'different incarnations',
    },
    { name: 'checkpoints presented as statements', proof: proofOf('statement', one, two), why: 'not both signed' },
    { name: 'statements presented as checkpoints', proof: proofOf('checkpoint', statementOf(ada, 'yes'), statementOf(ada, 'no')), why: 'not both signed' },
    {
      name: 'a checkpoint signed under another label',
      proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 17, 'two', {}, LABELS.statement)),
      why: 'not both signed',
    },
    {
      name: 'one object signed by somebody else',
      proof: proofOf('checkpoint', one, checkpointAt(ada, bob, 17, 'two', {}, LABELS.checkpoint, bob)),
      why: 'not both signed',
    },
    {
      name: 'one object of the old key, one of the new: an old key that was stolen convicts nobody',
      proof: proofOf('checkpoint', one, checkpointAt(late, bob, 17, 'two'), late.established),
      why: 'not both signed',
    },
    { name: 'objects of the old key under the newer log', proof: proofOf('checkpoint', one, two, late.established), why: 'not both signed' },
    {
      name: 'a signature with one bit flipped',
      proof: proofOf('checkpoint', one, { ...two, sig: two.sig.map((byte, index) => (index === 5 ? byte ^ 1 : byte)) }),
      why: 'not both signed',
    },
    {
      name: 'both objects of another identity, by its own key',
      proof: { ...makeProof(crypto, 'checkpoint', bob.established.aid, ada.established.events, one, two) },
      why: 'that of another identity',
    },
    {
      name: 'checkpoints of somebody else, signed by this one',
      proof: proofOf(
        'checkpoint',
        checkpointAt(bob, cleo, 17, 'one', {}, LABELS.checkpoint, ada),
        checkpointAt(bob, cleo, 17, 'two', {}, LABELS.checkpoint, ada),
      ),
      why: 'of another identity',
    },
    {
      name: 'a rotation and what is none',
      proof: proofOf('rotation', rotationOf(ada, 'static 2'), signObject(crypto, ada.signKey, LABELS.rotation, utf8('no'))),
      why: 'not two rotations',
    },
    { name: 'rotations of two identities', proof: proofOf('rotation', rotationOf(ada, 'static 2'), rotationOf(bob, 'static 2')), why: 'not two rotations' },
    {
      name: 'rotations one after the other',
      proof: proofOf('rotation', rotationOf(ada, 'static 2'), rotationOf(ada, 'static 3'), late.established),
      why: 'not two rotations',
    },
    { name: 'the objects in the other order', proof: { ...good, first: good.second, second: good.first }, why: 'not in the order' },
    { name: 'no establishment log', proof: { ...good, establishment: [] }, why: 'not valid' },
    { name: 'a forged establishment log', proof: { ...good, establishment: bob.established.events }, why: 'another identity' },
    { name: 'one byte short', proof: wire.slice(0, -1), why: 'does not decode' },
    { name: 'one byte long', proof: concat(wire, Uint8Array.of(0)), why: 'does not decode' },
    { name: 'nothing', proof: new Uint8Array(0), why: 'does not decode' },
  ];
}
