/**
 * Writes the frozen vectors of admission: genesis, membership records, ledger entries, and one whole ledger with what it
 * folds into. Run once per protocol version and review the difference: a changed vector is a changed protocol and needs a
 * decision record. The tokens (tokens.json) were written byte by byte from docs/protocols/admission.md and are not touched here.
 *
 *   node test/vectors/write-admission-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, hex, utf8 } from '#core/bytes/bytes.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { applyEntry, foundRegistry } from '#mesh/admission/apply-entry.ts';
import { makeMembershipRecord, type MembershipRecord } from '#mesh/admission/membership-record.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, TestMesh, WALL } from '#test/kit/meshes.ts';

const mesh = meshOf();
const both = meshOf(['ada', 'bob'], { name: 'two founders', admission: 'open', trustProfile: 'lab', quorum: 2 });
const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

/** A genesis with this body, signed by these founders, whatever the body says. */
function genesisWith(change: (body: Uint8Array) => Uint8Array, names: readonly string[] = ['ada']): string {
  const body = change(readFields(mesh.bytes).blob('b', 4_096));
  const s = names.map((name) => {
    const { established, signKey } = identityOf(name);
    return { e: established.events.map((event) => ({ b: event.body, s: event.sig })), s: crypto.sign(signKey, utf8('HCTH1:gen\0'), body) };
  });
  return hex(encodeFields({ b: body, s }));
}

function bodyOf(more: Record<string, number | string | null>): Uint8Array {
  return encodeFields({ v: 1, n: 'home', f: [{ a: aidOf('ada'), n: 'ada' }], q: 1, tp: 'home', ad: 'approve', r: bytesFor('genesis', 16), at: WALL, ...more });
}

function record(more: Partial<MembershipRecord> = {}, signer = 'ada'): Uint8Array {
  const bob = identityOf('bob').established;
  const key = identityOf(signer);
  const plain: MembershipRecord = { meshId: mesh.id, aid: bob.aid, establishment: bob.head, role: 'member', name: 'bob', way: { kind: 'approval', by: aidOf('ada') }, voter: key.established.aid, at: WALL, basis: 1 };
  return makeMembershipRecord(crypto, key.signKey, { ...plain, ...more });
}

const genesis = {
  accepted: [
    { name: 'one founder', rule: 'A-1', hex: hex(mesh.bytes), value: { meshId: hex(mesh.id), tag: hex(mesh.tag), name: 'home', founders: [hex(aidOf('ada'))], quorum: 1, admission: 'approve', trustProfile: 'home', foundedAt: WALL } },
    { name: 'two founders', rule: 'A-2', hex: hex(both.bytes), value: { meshId: hex(both.id), tag: hex(both.tag), name: 'two founders', founders: [hex(aidOf('ada')), hex(aidOf('bob'))], quorum: 2, admission: 'open', trustProfile: 'lab', foundedAt: WALL } },
  ],
  refused: [
    { name: 'a bit of the body', rule: 'A-1', hex: hex(flip(mesh.bytes, 40)), error: 'founder' },
    { name: 'the last bit of the signature', rule: 'A-1', hex: hex(flip(mesh.bytes, mesh.bytes.length - 1)), error: 'founder 1 has not signed the genesis' },
    { name: 'signed by somebody else', rule: 'A-1', hex: genesisWith((body) => body, ['eve']), error: 'founder 1 shows the establishment log of another identity' },
    { name: 'no signature', rule: 'A-1', hex: genesisWith((body) => body, []), error: '1 founders, but 0 signatures' },
    { name: 'one signature too many', rule: 'A-1', hex: genesisWith((body) => body, ['ada', 'bob']), error: '1 founders, but 2 signatures' },
    { name: 'a quorum of none', rule: 'A-2', hex: genesisWith(() => bodyOf({ q: 0 })), error: 'a quorum of 0 is outside 1 … 1 for 1 voters' },
    { name: 'a quorum above the founders', rule: 'A-2', hex: genesisWith(() => bodyOf({ q: 2 })), error: 'a quorum of 2 is outside 1 … 1 for 1 voters' },
    { name: 'an unknown mode', rule: 'A-1', hex: genesisWith(() => bodyOf({ ad: 'anybody' })), error: 'field ad is malformed' },
    { name: 'a name with a control character', rule: 'A-1', hex: genesisWith(() => bodyOf({ n: 'ho\nme' })), error: 'the name contains' },
    { name: 'an unknown field', rule: 'A-1', hex: genesisWith(() => bodyOf({ zz: 1 })), error: 'field zz is unknown' },
    { name: 'something behind it', rule: 'A-1', hex: hex(concat(mesh.bytes, new Uint8Array(1))), error: 'does not decode' },
  ],
};

const records = {
  meshId: hex(mesh.id),
  genesis: hex(mesh.bytes),
  accepted: [
    { name: 'by a person', rule: 'A-4', hex: hex(record()), value: { aid: hex(aidOf('bob')), role: 'member', name: 'bob', way: 'approval', at: WALL, basis: 1 } },
    { name: 'by a token', rule: 'A-4', hex: hex(record({ way: { kind: 'token', tokenId: bytesFor('tid', 8) }, role: 'observer', basis: 9 })), value: { aid: hex(aidOf('bob')), role: 'observer', name: 'bob', way: 'token', at: WALL, basis: 9 } },
    { name: 'into quarantine', rule: 'A-4', hex: hex(record({ way: { kind: 'open' }, role: 'quarantine' })), value: { aid: hex(aidOf('bob')), role: 'quarantine', name: 'bob', way: 'open', at: WALL, basis: 1 } },
  ],
  refused: [
    { name: 'of another mesh', rule: 'A-4', hex: hex(record({ meshId: both.id })), error: 'is that of another mesh' },
    { name: 'by a stranger', rule: 'A-4', hex: hex(record({}, 'eve')), error: 'is not signed by a voter' },
    { name: 'in the name of a voter', rule: 'A-4', hex: hex(record({ voter: aidOf('ada') }, 'eve')), error: 'does not bear the signature' },
    { name: 'with a changed bit', rule: 'A-4', hex: hex(flip(record(), 20)), error: 'membership record' },
    { name: 'with a name that is none', rule: 'A-4', hex: hex(record({ name: '\u001b[2J' })), error: 'does not decode' },
  ],
};

/** A ledger in which everything happens once, and what each entry does. */
function ledger(): unknown {
  const home = new TestMesh('approve');
  const entries: { index: number; kind: string; hex: string; at: number; effect: string }[] = [{ index: 1, kind: 'genesis', hex: hex(home.mesh.bytes), at: WALL, effect: 'founded' }];
  let registry = foundRegistry(home.mesh);
  const commit = (change: LedgerChange): void => {
    home.wall += 1_000;
    const { kind, body } = encodeChange(change);
    const index = registry.index + 1;
    const applied = applyEntry(crypto, registry, { index, at: home.wall, kind, body });
    registry = applied.registry;
    home.registry = registry;
    entries.push({ index, kind, hex: hex(body), at: home.wall, effect: applied.effect.kind });
  };
  const sign = (name: string, more: Partial<MembershipRecord>): LedgerChange => {
    const { aid, head } = identityOf(name).established;
    const plain: MembershipRecord = { meshId: home.mesh.id, aid, establishment: head, role: 'member', name: 'raspberrypi', way: { kind: 'approval', by: aidOf('ada') }, voter: aidOf('ada'), at: home.wall, basis: registry.index };
    return { kind: 'admit', record: makeMembershipRecord(crypto, home.ada.signKey, { ...plain, ...more }) };
  };
  const tokenId = bytesFor('tid', 8);
  commit({ kind: 'token', tokenId, expiresAt: WALL + 3_600_000, uses: 1, role: 'member', label: 'shed', hardware: null, by: aidOf('ada') });
  commit(sign('bob', { way: { kind: 'token', tokenId } }));
  commit(sign('eve', { way: { kind: 'token', tokenId } }));
  commit({ kind: 'suspend', aid: aidOf('bob'), other: aidOf('eve'), tokenId });
  commit({ kind: 'confirm', aid: aidOf('bob'), by: aidOf('ada') });
  commit(sign('cy', {}));
  commit({ kind: 'rename', aid: aidOf('cy'), name: 'kitchen' });
  commit({ kind: 'setting', admission: 'open' });
  commit(sign('dee', { role: 'quarantine', way: { kind: 'open' } }));
  const promoted = sign('dee', { way: { kind: 'open' } });
  if (promoted.kind === 'admit') commit({ kind: 'promote', record: promoted.record });
  commit({ kind: 'token-revoke', tokenId, by: aidOf('ada') });
  commit({ kind: 'remove', aid: aidOf('bob'), how: 'leave', by: aidOf('bob') });
  commit(sign('bob', {}));
  commit({ kind: 'setting', admission: 'closed' });
  return {
    rule: 'A-23',
    meshId: hex(home.mesh.id),
    entries,
    members: [...registry.members.values()].map(({ text, name, role, voter }) => ({ aid: text, name, role, voter })),
    removed: [...registry.removed.values()].map(({ aid, name, how }) => ({ aid: hex(aid), name, how })),
    tokens: [...registry.tokens.values()].map(({ text, uses, usedBy, revokedAt }) => ({ id: text, uses, usedBy: usedBy.map(hex), revokedAt })),
    admission: registry.admission,
  };
}

for (const [name, document] of Object.entries({ genesis, records, ledger: ledger() })) {
  writeFileSync(join(import.meta.dirname, 'admission', `${name}.json`), `${JSON.stringify(document, null, 1)}\n`);
}
