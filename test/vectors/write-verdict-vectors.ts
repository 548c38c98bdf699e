/**
 * Writes the frozen vectors of what the owner and the mesh decide about an identity: bars, liftings and settlements as the
 * signed ledger entries that travel, with what each decides and does; and what only looks like one. Run once per protocol
 * version and review the difference: a changed vector is a changed protocol.
 *
 *   node test/vectors/write-verdict-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignKey } from '#core/crypto/crypto.ts';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import { applyEntry, foundRegistry } from '#mesh/admission/apply-entry.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { makeMembershipRecord } from '#mesh/admission/membership-record.ts';
import { ENTRY_LABEL, packEntry, sealEntry } from '#mesh/consensus/entry-codec.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, WALL } from '#test/kit/meshes.ts';

const mesh = meshOf();
const ada = identityOf('ada');
const [bob, cy, dee] = [aidOf('bob'), aidOf('cy'), aidOf('dee')];
const proof = bytesFor('proof', 32);
const [copy, original] = [bytesFor('copy', 32), bytesFor('original', 32)];
const by = aidOf('ada');

type Bar = Extract<LedgerChange, { kind: 'bar' }>;
const barOf = (more: Partial<Bar> = {}): Bar => ({ kind: 'bar', aid: bob, cause: 'owner', evidence: null, binding: null, reason: 'sold', by, certificate: null, ...more });
const settleOf = (aid: Uint8Array, machines: { copy: Uint8Array; original: Uint8Array } | null): LedgerChange => ({ kind: 'settle', aid, machines, by, certificate: null });

function admit(name: string): LedgerChange {
  const { aid, head } = identityOf(name).established;
  const plain = { meshId: mesh.id, aid, establishment: head, role: 'member', name, way: { kind: 'approval', by }, voter: by, at: WALL, basis: 1 } as const;
  return { kind: 'admit', record: makeMembershipRecord(crypto, ada.signKey, plain) };
}

interface Body {
  readonly kind: string;
  readonly body: Uint8Array;
}
interface Seal {
  readonly key?: SignKey;
  readonly voter?: Uint8Array;
}

/** The ledger so far; entries that are refused are sealed on it and not kept. */
let registry = foundRegistry(mesh);
let last: SealedEntry = seal({ kind: 'genesis', body: mesh.bytes }, {}, 1, new Uint8Array(32));

function seal({ kind, body }: Body, { key = ada.signKey, voter = by }: Seal = {}, index = registry.index + 1, previous = last.digest): SealedEntry {
  return sealEntry(crypto, key, { index, term: 1, previous, kind, body, key: { aid: by, incarnation: 3, request: index }, at: WALL + index * 1_000, voter });
}

const entries: object[] = [{ name: 'the genesis', rule: 'A-1', entry: hex(packEntry(last)), kind: 'genesis', effect: 'founded' }];
const refused: object[] = [];

function commit(name: string, rule: string, change: LedgerChange, value: object = {}): void {
  const sealed = seal(encodeChange(change));
  const applied = applyEntry(crypto, registry, sealed.entry);
  [registry, last] = [applied.registry, sealed];
  entries.push({ name, rule, entry: hex(packEntry(sealed)), kind: change.kind, value, effect: applied.effect.kind });
}

/** `after`: the entries it comes behind. `at`: the gate that stops it. */
function refuse(name: string, rule: string, at: 'form' | 'signature' | 'body' | 'ledger', sealed: Uint8Array | SealedEntry, why = ''): void {
  refused.push({ name, rule, after: entries.length, at, why, entry: hex(sealed instanceof Uint8Array ? sealed : packEntry(sealed)) });
}

function misshapen(kind: string, fields: Readonly<Record<string, RmpInput>>): SealedEntry {
  return seal({ kind, body: encodeRmp(fields) });
}

for (const name of ['bob', 'cy', 'dee']) commit(`${name} is let in`, 'A-4', admit(name));

// ---- bars ------------------------------------------------------------------------------------------------------------
const bar = encodeChange(barOf());
refuse('a bar signed by a member that is no voter', 'H-46', 'signature', seal(bar, { key: identityOf('cy').signKey }));
refuse('a bar signed by a member in its own name', 'H-46', 'signature', seal(bar, { key: identityOf('cy').signKey, voter: cy }));
refuse('a bar with a changed bit', 'H-46', 'signature', { ...seal(bar), bytes: seal(bar).bytes.map((byte, at) => (at === 60 ? byte ^ 1 : byte)) });
refuse('a bar signed as a membership record', 'H-1', 'signature', { ...seal(bar), signature: crypto.sign(ada.signKey, labelled(LABELS.admission), seal(bar).bytes) });
refuse('a bar without its last byte', 'H-2', 'form', packEntry({ ...seal(bar), bytes: seal(bar).bytes.subarray(0, -1) }));
refuse('a bar without a reason', 'H-2', 'body', misshapen('bar', { a: bob, b: by, w: 'owner' }));
refuse('a bar for a cause that is none', 'H-2', 'body', misshapen('bar', { a: bob, b: by, r: 'x', w: 'spite' }));
refuse('a bar with a field that nobody knows', 'H-2', 'body', misshapen('bar', { a: bob, b: by, r: 'x', w: 'owner', zz: 1 }));
refuse('a bar of a machine that has no secret of its own', 'H-46', 'body', misshapen('bar', { a: bob, b: by, hw: { d: proof, t: 'soft' }, r: 'x', w: 'owner' }));
refuse('a bar whose proof is a byte short', 'H-2', 'body', misshapen('bar', { a: bob, b: by, e: proof.subarray(1), r: 'x', w: 'equivocation' }));
refuse('a bar with too long a reason', 'H-2', 'body', misshapen('bar', { a: bob, b: by, r: 'x'.repeat(ADMISSION_LIMITS.reasonCharactersMax + 1), w: 'owner' }));
refuse('a conviction that names no proof', 'H-43', 'ledger', seal(encodeChange(barOf({ cause: 'equivocation' }))), 'a conviction names its proof');
refuse('a bar of the voter', 'H-46', 'ledger', seal(encodeChange(barOf({ aid: by }))), 'a voter is not barred');
refuse('a lifting of what is not barred', 'H-46', 'ledger', seal(encodeChange({ kind: 'unbar', aid: bob, by, certificate: null })), 'is not barred');
commit('by the owner, with a machine', 'H-46', barOf({ binding: { kind: 'otp', digest: bytesFor('board', 32) } }), {
  aid: hex(bob), cause: 'owner', evidence: null, binding: { kind: 'otp', digest: hex(bytesFor('board', 32)) }, reason: 'sold', by: hex(by), certificate: null,
});
refuse('the same bar again', 'H-46', 'ledger', seal(bar), 'is barred already');
refuse('a settlement of whoever is barred', 'H-42', 'ledger', seal(encodeChange(settleOf(bob, { copy, original }))), 'is not a member');
commit('by its own signatures', 'H-43', barOf({ aid: cy, cause: 'equivocation', evidence: proof, reason: 'it signed two different things', certificate: utf8('certificate') }), {
  aid: hex(cy), cause: 'equivocation', evidence: hex(proof), binding: null, reason: 'it signed two different things', by: hex(by), certificate: hex(utf8('certificate')),
});

// ---- liftings --------------------------------------------------------------------------------------------------------
const unbar = encodeChange({ kind: 'unbar', aid: bob, by, certificate: null });
refuse('a lifting signed by whoever is barred', 'H-46', 'signature', seal(unbar, { key: identityOf('bob').signKey }));
refuse('a lifting of nobody', 'H-2', 'body', misshapen('unbar', { b: by }));
refuse('a lifting with an empty certificate of another kind', 'H-2', 'body', misshapen('unbar', { a: bob, b: by, q: 'text' }));
refuse('the lifting of a conviction', 'H-46', 'ledger', seal(encodeChange({ kind: 'unbar', aid: cy, by, certificate: null })), 'that is for ever');
commit('of a bar by the owner', 'H-46', { kind: 'unbar', aid: bob, by, certificate: null }, { aid: hex(bob), by: hex(by), certificate: null });

// ---- settlements -----------------------------------------------------------------------------------------------------
const settle = encodeChange(settleOf(dee, { copy, original }));
refuse('a settlement by the machine that it is about', 'H-42', 'signature', seal(settle, { key: identityOf('dee').signKey, voter: dee }));
refuse('a settlement in the name of the voter', 'H-42', 'signature', seal(settle, { key: identityOf('dee').signKey }));
refuse('a settlement signed as a boot event', 'H-1', 'signature', { ...seal(settle), signature: crypto.sign(ada.signKey, labelled(LABELS.boot), seal(settle).bytes) });
refuse('a settlement that names the copy only', 'H-42', 'body', misshapen('settle', { a: dee, b: by, c: copy }));
refuse('a settlement that names the original only', 'H-42', 'body', misshapen('settle', { a: dee, b: by, o: original }));
refuse('a settlement with a digest too long', 'H-2', 'body', misshapen('settle', { a: dee, b: by, c: bytesFor('long', 33), o: original }));
refuse('a settlement that makes a machine its own copy', 'H-42', 'ledger', seal(encodeChange(settleOf(dee, { copy, original: copy }))), 'a machine is not its own copy');
refuse('a settlement of a stranger', 'H-42', 'ledger', seal(encodeChange(settleOf(aidOf('eve'), { copy, original }))), 'is not a member');
commit('which of two machines is the copy', 'H-42', settleOf(dee, { copy, original }), {
  aid: hex(dee), machines: { copy: hex(copy), original: hex(original) }, by: hex(by), certificate: null,
});
commit('that the history is one machine’s', 'H-48', settleOf(dee, null), { aid: hex(dee), machines: null, by: hex(by), certificate: null });

const document = {
  meshId: hex(mesh.id),
  label: hex(ENTRY_LABEL),
  voterKey: hex(ada.established.signKey),
  entries,
  refused,
  barred: [...registry.removed.values()].map(({ aid, how, bar: why }) => ({ aid: hex(aid), how, cause: why?.cause ?? null })),
  settled: Object.fromEntries([...registry.settled].map(([boot, { is }]) => [boot, is])),
};
writeFileSync(join(import.meta.dirname, 'admission', 'verdicts.json'), `${JSON.stringify(document, null, 1)}\n`);
