import { expect, it } from 'vitest';
import { encodeChange } from '#mesh/admission/entries.ts';
import { decideSeal } from '#mesh/admission/seal-rotations.ts';
import { sealEntry } from '#mesh/consensus/entry-codec.ts';
import type { SignKey } from '#core/crypto/crypto.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { ROTATION_RANDOM_BYTES, rotateIdentity } from '#mesh/hcth/rotate-identity.ts';
import { bytesFor, crypto } from '#test/kit/identities.ts';
import { aidOf, TestMesh } from '#test/kit/meshes.ts';
import { settlementShown } from './contest.ts';

const machines = { copy: bytesFor('copy', 32), original: bytesFor('original', 32) };

function shown(key: SignKey, voter = aidOf('ada'), settled = aidOf('bob')): SignedObject {
  const { kind, body } = encodeChange({ kind: 'settle', aid: settled, machines, by: aidOf('ada'), certificate: null });
  const sealed = sealEntry(crypto, key, {
    index: 9,
    term: 1,
    at: 0,
    kind,
    body,
    voter,
    previous: bytesFor('before', 32),
    key: { aid: aidOf('ada'), incarnation: 1, request: 1 },
  });
  return { body: sealed.bytes, sig: sealed.signature };
}

it('H-42, A-40: a settlement shown outside the ledger counts under the present key of the voter, and under no other', () => {
  const mesh = new TestMesh();
  mesh.join('bob');
  const judge = (object: SignedObject) => settlementShown(crypto, mesh.registry, aidOf('bob'), object);
  const former = mesh.ada;
  expect(judge(shown(former.signKey))).toEqual(machines);
  expect(settlementShown(crypto, mesh.registry, aidOf('ada'), shown(former.signKey))).toBe(undefined);
  expect(judge(shown(crypto.signKey(bytesFor('stranger', 32))))).toBe(undefined);
  expect(judge(shown(former.signKey, aidOf('bob')))).toBe(undefined);
  const next = rotateIdentity(crypto, former.established, former.nextSeed!, former.signKey, bytesFor('rotation', ROTATION_RANDOM_BYTES));
  if (next.kind !== 'rotated') throw new Error(next.why);
  mesh.commit(decideSeal(mesh.registry, next.identity.established)!);
  expect(judge(shown(former.signKey))).toBe(undefined);
  expect(judge(shown(next.identity.signKey))).toEqual(machines);
});
