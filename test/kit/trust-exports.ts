/**
 * A common history of two nodes for tests of exports: Ada observes, Bob is judged. Bob has changed his key once, and
 * restarted for it; both have signed checkpoints that acknowledge each other.
 */
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, makeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { encodeProof, makeProof, type ProofKind } from '#mesh/hcth/proof.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { makeStatement, statementTipAtBoot } from '#mesh/hcth/statement-log.ts';
import type { TrustExportSource } from '#mesh/trust/export/export-trust.ts';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from './identities.ts';
import { checkpointAt, rotated, rotationOf, statementOf } from './proofs.ts';

export const ada = identityOf('ada');
/** Bob before and after the change of his key. */
export const youngBob = identityOf('bob');
export const bob = rotated(youngBob);

/** A checkpoint that says something else, under a genuine signature. */
export function altered(signer: Identity, object: SignedObject, change: Partial<Checkpoint>): SignedObject {
  const checkpoint = decodeCheckpoint(object.body);
  if (checkpoint === undefined) throw new Error('it is a checkpoint');
  return signObject(crypto, signer.signKey, LABELS.checkpoint, encodeCheckpoint({ ...checkpoint, ...change }));
}

/** What both have signed, as Ada would export it. */
export function exportStory(): Pick<TrustExportSource, 'observer' | 'peer' | 'proofs'> {
  const [adaBoot, oldBoot, newBoot] = [bootOf(ada, 5), bootOf(youngBob, 2), bootOf(bob, 3)];
  const [adaSends, oldBobSends, bobSends] = [
    chainOf(ada, bob, 5, adaBoot.nonce),
    chainOf(youngBob, ada, 2, oldBoot.nonce),
    chainOf(bob, ada, 3, newBoot.nonce),
  ];
  const ofAda = { from: ada.established.aid, to: bob.established.aid, sending: adaSends, echo: bytesFor('echo of bob', 16) };
  const ofBob = { from: bob.established.aid, to: ada.established.aid, echo: bytesFor('echo of ada', 16) };
  const statementAfter = (signer: Identity, incarnation: number, boot: ReturnType<typeof bootOf>): SignedObject => {
    const scope = { aid: signer.established.aid, incarnation, nonce: boot.nonce };
    return makeStatement(crypto, signer.signKey, scope, statementTipAtBoot(crypto, boot.object), { kind: 'ckroot', body: bytesFor('root', 32) }).object;
  };
  exchange(3, adaSends);
  exchange(4, oldBobSends);
  const bobOne = makeCheckpoint(crypto, youngBob.signKey, { ...ofBob, sending: oldBobSends, received: adaSends.position, slot: 7 });
  const adaOne = makeCheckpoint(crypto, ada.signKey, { ...ofAda, received: oldBobSends.position, slot: 20 });
  exchange(2, adaSends);
  exchange(6, bobSends);
  const adaTwo = makeCheckpoint(crypto, ada.signKey, { ...ofAda, received: bobSends.position, slot: 21 });
  const bobTwo = makeCheckpoint(crypto, bob.signKey, { ...ofBob, sending: bobSends, received: adaSends.position, slot: 1 });
  exchange(1, adaSends, bobSends);
  return {
    observer: {
      established: ada.established,
      signKey: ada.signKey,
      boot: adaBoot.object,
      statement: statementAfter(ada, 5, adaBoot),
      checkpoints: [adaOne, adaTwo],
      position: adaSends.position,
    },
    peer: {
      established: bob.established,
      name: 'bob',
      boot: newBoot.object,
      statement: statementAfter(bob, 3, newBoot),
      checkpoints: [bobOne, bobTwo],
      position: bobSends.position,
    },
    proofs: [],
  };
}

/** Proofs that Bob said two things in one place, by each of his keys and of each kind. */
export function proofsAgainstBob(): readonly Uint8Array[] {
  const proofOf = (kind: ProofKind, of: Identity, one: SignedObject, two: SignedObject): Uint8Array =>
    encodeProof(makeProof(crypto, kind, bob.established.aid, of.established.events, one, two));
  const checkpoints = (of: Identity): Uint8Array => proofOf('checkpoint', of, checkpointAt(of, ada, 17, 'one'), checkpointAt(of, ada, 17, 'two'));
  return [
    checkpoints(youngBob),
    checkpoints(bob),
    proofOf('statement', bob, statementOf(bob, 'one'), statementOf(bob, 'two')),
    proofOf('rotation', youngBob, rotationOf(youngBob, 'static 2'), rotationOf(youngBob, 'another static')),
  ];
}

/** One edit of a document, as the vectors write it. */
export interface DocumentEdit {
  readonly set?: readonly (string | number)[];
  readonly drop?: readonly (string | number)[];
  readonly swap?: readonly (string | number)[];
  readonly value?: unknown;
}

type Container = Record<string | number, unknown>;

/** A copy of the document with one place set, removed, or exchanged with the next. */
export function edited(document: object, { set, drop, swap, value }: DocumentEdit): Container {
  const copy = structuredClone(document) as Container;
  const path = set ?? drop ?? swap ?? [];
  const last = path.at(-1);
  if (last === undefined) throw new Error('an edit names a place');
  const holder = path.slice(0, -1).reduce<Container>((at, step) => at[step] as Container, copy);
  if (set !== undefined) holder[last] = value;
  else if (Array.isArray(holder))
    holder.splice(Number(last), swap === undefined ? 1 : 2, ...(swap === undefined ? [] : [holder[Number(last) + 1], holder[last]]));
  else delete holder[last];
  return copy;
}
