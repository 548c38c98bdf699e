/**
 * Writes the frozen vectors of keys that change: a ledger with rotations of a member and of the voter and with closed
 * identities, and next keys as text. Run once per protocol version and review the difference: a changed vector is a changed
 * protocol and needs a decision record.
 *
 *   node test/vectors/write-rotation-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '#core/bytes/bytes.ts';
import { applyEntry, foundRegistry } from '#mesh/admission/apply-entry.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { makeMembershipRecord } from '#mesh/admission/membership-record.ts';
import { voterKeysOf } from '#mesh/admission/registry.ts';
import type { SignKey } from '#core/crypto/crypto.ts';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { encodeFields } from '#mesh/hcth/fields.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { nextKeyText } from '#mesh/hcth/next-key.ts';
import { rotateIdentity, ROTATION_RANDOM_BYTES } from '#mesh/hcth/rotate-identity.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, WALL } from '#test/kit/meshes.ts';

function rotated(identity: Identity, label: string, planned = true): Identity {
  const outcome = rotateIdentity(crypto, identity.established, identity.nextSeed ?? new Uint8Array(32), planned ? identity.signKey : null, bytesFor(label, ROTATION_RANDOM_BYTES));
  if (outcome.kind !== 'rotated') throw new Error(outcome.why);
  return outcome.identity;
}

/** A ledger in which every kind of rotation and closing happens once, in ways that hold and ways that do not. */
function ledger(): unknown {
  const mesh = meshOf();
  let registry = foundRegistry(mesh);
  let at = WALL;
  const entries: { index: number; kind: string; hex: string; at: number; rule: string; name: string; effect: string }[] = [
    { index: 1, kind: 'genesis', hex: hex(mesh.bytes), at, rule: 'A-1', name: 'the genesis', effect: 'founded' },
  ];
  const put = (rule: string, name: string, kind: string, body: Uint8Array): void => {
    at += 1_000;
    const index = registry.index + 1;
    const applied = applyEntry(crypto, registry, { index, at, kind, body });
    registry = applied.registry;
    entries.push({ index, kind, hex: hex(body), at, rule, name, effect: applied.effect.kind });
  };
  const commit = (rule: string, name: string, change: LedgerChange): void => {
    const { kind, body } = encodeChange(change);
    put(rule, name, kind, body);
  };
  const admit = (name: string, signKey = identityOf('ada').signKey): LedgerChange => {
    const { aid, head } = identityOf(name).established;
    const way = { kind: 'approval', by: aidOf('ada') } as const;
    return { kind: 'admit', record: makeMembershipRecord(crypto, signKey, { meshId: mesh.id, aid, establishment: head, role: 'member', name, way, voter: aidOf('ada'), at, basis: registry.index }) };
  };
  const [ada, bob] = [identityOf('ada'), identityOf('bob')];
  const [bob1, bobOther] = [rotated(bob, 'bob 1'), rotated(bob, 'bob other', false)];
  const [bob2, ada1] = [rotated(bob1, 'bob 2', false), rotated(ada, 'ada 1')];
  const newest = (identity: Identity) => identity.established.events.slice(-1);
  commit('A-14', 'a member', admit('bob'));
  commit('A-14', 'another member', admit('cy'));
  commit('A-40', 'a planned rotation of a member', { kind: 'rotate', aid: aidOf('bob'), events: newest(bob1) });
  commit('A-40', 'the same again', { kind: 'rotate', aid: aidOf('bob'), events: newest(bob1) });
  commit('A-40', 'another rotation at the same place', { kind: 'rotate', aid: aidOf('bob'), events: newest(bobOther) });
  commit('A-40', 'a recovery after it', { kind: 'rotate', aid: aidOf('bob'), events: newest(bob2) });
  commit('A-40', 'a rotation of a stranger', { kind: 'rotate', aid: aidOf('eve'), events: newest(rotated(identityOf('eve'), 'eve 1')) });
  commit('A-40', 'a rotation in the name of another member', { kind: 'rotate', aid: aidOf('cy'), events: newest(bob1) });
  commit('A-40', 'a rotation with a spoiled signature', { kind: 'rotate', aid: aidOf('cy'), events: newest(rotated(identityOf('cy'), 'cy 1')).map(({ body }) => ({ body, sig: new Uint8Array(64) })) });
  put('A-40', 'no rotation at all', 'rotate', encodeFields({ a: aidOf('bob'), e: [] }));
  commit('A-40', 'a rotation of the voter', { kind: 'rotate', aid: aidOf('ada'), events: newest(ada1) });
  commit('A-40', 'a member by the former key of the voter', admit('dee'));
  commit('A-40', 'a member by its present key', admit('dee', ada1.signKey));
  commit('A-41', 'an identity closed, with its successor', { kind: 'close', aid: aidOf('bob'), successor: aidOf('dee'), by: aidOf('ada') });
  commit('C-36', 'the keys of a member that is to vote', { kind: 'voter', aid: aidOf('cy'), events: identityOf('cy').established.events });
  commit('C-36', 'the keys of somebody else', { kind: 'voter', aid: aidOf('dee'), events: identityOf('cy').established.events });
  commit('A-41', 'closed again', { kind: 'close', aid: aidOf('bob'), successor: null, by: aidOf('ada') });
  commit('A-41', 'the voter', { kind: 'close', aid: aidOf('ada'), successor: aidOf('cy'), by: aidOf('cy') });
  commit('A-41', 'succeeded by itself', { kind: 'close', aid: aidOf('cy'), successor: aidOf('cy'), by: aidOf('ada') });
  commit('A-41', 'closed without a successor', { kind: 'close', aid: aidOf('cy'), successor: null, by: aidOf('ada') });
  commit('A-41', 'a closed identity admitted', admit('bob', ada1.signKey));
  put('A-41', 'a successor of 31 bytes', 'close', encodeFields({ a: aidOf('dee'), r: new Uint8Array(31), b: aidOf('ada') }));
  return {
    meshId: hex(mesh.id),
    entries,
    members: [...registry.members.values()].map(({ text, name, establishment, rotatedAt, formerEstablishments }) => ({ aid: text, name, establishment: hex(establishment), former: formerEstablishments.map(hex), rotatedAt })),
    removed: [...registry.removed.values()].map(({ aid, name, how, successor, at: when }) => ({ aid: hex(aid), name, how, successor: successor === null ? null : hex(successor), at: when })),
    voterKey: hex(voterKeysOf(registry)(aidOf('ada'))?.[0] ?? new Uint8Array(0)),
  };
}

function nextKeys(): unknown {
  const { established, nextSeed } = identityOf('ada');
  const seed = nextSeed ?? new Uint8Array(32);
  const text = nextKeyText(crypto, established.aid, 1, seed);
  const value = { fingerprint: fingerprintOf(established.aid), rotation: 1, seed: hex(seed) };
  return {
    rule: 'H-64',
    accepted: [
      { name: 'as written', text, value },
      { name: 'in lower case, with spaces', text: text.toLowerCase().replaceAll('-', ' '), value },
      { name: 'with remarks and line breaks', text: `# a remark with rnk1.AAAA in it\n\n${text.slice(0, 45)}\n${text.slice(45)}\n`, value },
      { name: 'with digits for the letters they look like', text: text.replaceAll('O', '0').replaceAll('I', '1').replaceAll('B', '8'), value },
      { name: 'of the last rotation', text: nextKeyText(crypto, established.aid, 63, seed), value: { ...value, rotation: 63 } },
    ],
    refused: [
      { name: 'empty', text: '' },
      { name: 'an invitation', text: 'rnj1.AAAA' },
      { name: 'a later form', text: text.replace('rnk1.', 'rnk2.') },
      { name: 'one character less', text: text.slice(0, -1) },
      { name: 'one character more', text: `${text}A` },
      { name: 'one character changed', text: `${text.slice(0, 20)}${text[20] === 'A' ? 'C' : 'A'}${text.slice(21)}` },
      { name: 'two groups exchanged', text: text.replace(/^(rnk1\.)(....)-(....)/, '$1$3-$2') },
      { name: 'a digit that base32 does not have', text: `${text.slice(0, 30)}9${text.slice(31)}` },
    ],
  };
}


/** Establishment logs with rotations: what holds, and each way not to. */
function logs(): unknown {
  const [ada, bob] = [identityOf('ada'), identityOf('bob')];
  const one = rotated(ada, 'one');
  const [icp, rot1] = one.established.events;
  if (icp === undefined || rot1 === undefined) throw new Error('a rotated identity has both');
  const [planned, recovery] = [rotated(one, 'two'), rotated(one, 'two', false)];
  const two = (more: Partial<Parameters<typeof makeRotation>[3]>, old: SignKey | null, revealed = crypto.signKey(one.nextSeed ?? new Uint8Array(32))): SignedObject =>
    makeRotation(crypto, revealed, old, { aid: ada.established.aid, number: 2, previous: one.established.head, staticKey: bytesFor('static', 32), nextDigest: bytesFor('next', 32), ...more });
  const renamed = (cause: string): SignedObject => {
    const { body } = recovery.established.events[2] ?? icp;
    const at = Buffer.from(body).indexOf('recovery');
    return signObject(crypto, crypto.signKey(one.nextSeed ?? new Uint8Array(32)), LABELS.rotation, body.map((byte, index) => (index >= at && index < at + 8 ? cause.charCodeAt(index - at) : byte)));
  };
  const vector = (name: string, rule: string, events: readonly SignedObject[], error?: string) => ({ name, rule, events: events.map(({ body, sig }) => ({ body: hex(body), sig: hex(sig) })), ...(error === undefined ? {} : { error }) });
  return {
    vectors: [
      vector('a planned rotation', 'H-6', one.established.events),
      vector('two planned rotations', 'H-6', planned.established.events),
      vector('a planned rotation and a recovery', 'H-6', recovery.established.events),
      vector('a planned rotation signed by the key before last', 'H-6', [icp, rot1, two({}, ada.signKey)], "not the old key's"),
      vector('a rotation to a key that was not committed to', 'H-5', [icp, rot1, two({}, one.signKey, bob.signKey)], 'not committed to'),
      vector('a rotation signed by the old key alone', 'H-5', [icp, rot1, signObject(crypto, one.signKey, LABELS.rotation, two({}, one.signKey).body)], 'not signed by the revealed key'),
      vector('a number left out', 'H-5', [icp, rot1, two({ number: 3 }, one.signKey)], 'does not continue'),
      vector('the first rotation left out', 'H-5', [icp, two({}, one.signKey)], 'does not continue'),
      vector('continuing another event', 'H-5', [icp, rot1, two({ previous: ada.established.head }, one.signKey)], 'does not continue'),
      vector('the same rotation twice', 'H-5', [icp, rot1, rot1], 'does not continue'),
      vector('a rotation of another identity', 'H-5', [icp, ...rotated(bob, 'bob').established.events.slice(1)], 'another identity'),
      vector('two inceptions', 'H-5', [icp, icp], 'does not decode'),
      vector('another cause than the two there are', 'H-5', [icp, rot1, renamed('holidays')], 'does not decode'),
    ],
    conflict: {
      rule: 'H-7',
      logs: [planned, recovery].map(({ established }) => vector('two rotations number 2', 'H-7', established.events)),
      at: 2,
    },
  };
}

writeFileSync(join(import.meta.dirname, 'hcth', 'rotations.json'), `${JSON.stringify(logs(), null, 1)}\n`);
writeFileSync(join(import.meta.dirname, 'admission', 'rotation-ledger.json'), `${JSON.stringify(ledger(), null, 1)}\n`);
writeFileSync(join(import.meta.dirname, 'hcth', 'next-keys.json'), `${JSON.stringify(nextKeys(), null, 1)}\n`);
