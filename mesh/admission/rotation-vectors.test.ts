import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { relateEstablishment, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { nextKeyFingerprint, nextKeyText, parseNextKey } from '#mesh/hcth/next-key.ts';
import { crypto } from '#test/kit/identities.ts';
import { aidOf } from '#test/kit/meshes.ts';
import ledger from '#test/vectors/admission/rotation-ledger.json' with { type: 'json' };
import rotations from '#test/vectors/hcth/rotations.json' with { type: 'json' };
import nextKeys from '#test/vectors/hcth/next-keys.json' with { type: 'json' };
import { applyEntry, foldEntries, foundRegistry } from './apply-entry.ts';
import { verifyGenesis } from './genesis.ts';
import { voterKeysOf } from './registry.ts';
import { VoterLog } from './voter-log.ts';

const entries = ledger.entries.map(({ index, kind, hex: body, at }) => ({ index, kind, at, body: fromHex(body)! }));
const birth = verifyGenesis(crypto, entries[0]!.body, fromHex(ledger.meshId)!);
if (birth.kind === 'bad') throw new Error(birth.why);
const { mesh } = birth;

describe('the vector of a ledger in which keys change', () => {
  let registry = foundRegistry(mesh);
  const effects = entries.slice(1).map((entry) => {
    const applied = applyEntry(crypto, registry, entry);
    registry = applied.registry;
    return applied.effect.kind;
  });

  test.each(ledger.entries.slice(1))('$rule: $name is $effect', ({ index, effect }) => {
    expect(effects[index - 2]).toBe(effect);
  });

  test('A-40, A-41, C-36: every kind of effect occurs, and so does every way to break a rule', () => {
    expect(new Set(effects)).toEqual(new Set(['admitted', 'rotated', 'removed', 'void', 'foreign', 'voter-known']));
    expect(effects.filter((effect) => effect === 'void').length).toBeGreaterThanOrEqual(8);
  });

  test('A-40, A-41: all of it folds into these members, closed identities and this key of the voter', () => {
    const folded = foldEntries(crypto, entries, fromHex(ledger.meshId)!);
    if (folded.kind === 'bad') throw new Error(folded.why);
    const { members, removed } = folded.registry;
    expect(
      [...members.values()].map(({ text, name, establishment, rotatedAt, formerEstablishments }) => ({
        aid: text,
        name,
        establishment: hex(establishment),
        former: formerEstablishments.map(hex),
        rotatedAt,
      })),
    ).toEqual(ledger.members);
    expect(
      [...removed.values()].map(({ aid, name, how, successor, at }) => ({
        aid: hex(aid),
        name,
        how,
        successor: successor === null ? null : hex(successor),
        at,
      })),
    ).toEqual(ledger.removed);
    expect(hex(voterKeysOf(folded.registry)(aidOf('ada'))![0]!)).toBe(ledger.voterKey);
  });

  test('A-40: the key that signs entries follows them', () => {
    const log = new VoterLog(crypto, mesh.founders);
    const voter = aidOf('ada');
    const first = hex(log.keyFor({ ...entries[0]!, voter })!);
    for (const entry of entries) log.took({ ...entry, voter });
    expect(first).not.toBe(ledger.voterKey);
    expect(hex(log.keyFor({ kind: 'rename', body: new Uint8Array(0), voter })!)).toBe(ledger.voterKey);
  });
});

describe('the vectors of establishment logs with rotations', () => {
  const open = (events: readonly { readonly body: string; readonly sig: string }[]) =>
    events.map(({ body, sig }) => ({ body: fromHex(body)!, sig: fromHex(sig)! }));

  test.each(rotations.vectors)('$rule: $name', ({ events, error }) => {
    const verdict = verifyEstablishment(crypto, open(events));
    if (error === undefined) expect(verdict).toMatchObject({ kind: 'valid', established: { rotations: events.length - 1 } });
    else expect(verdict).toMatchObject({ kind: 'bad', at: events.length - 1, why: expect.stringContaining(error) });
  });

  test('H-7: two valid logs with different events at one place are a conflict', () => {
    const [a, b] = rotations.conflict.logs.map(({ events }) => verifyEstablishment(crypto, open(events)));
    if (a?.kind !== 'valid' || b?.kind !== 'valid') throw new Error('both are valid by themselves');
    expect(relateEstablishment(a.established, b.established)).toMatchObject({ kind: 'conflict', at: rotations.conflict.at });
  });
});

describe('the vectors of next keys', () => {
  test.each(nextKeys.accepted)('H-64: $name is read', ({ text, value }) => {
    const read = parseNextKey(crypto, text);
    if (read.kind !== 'key') throw new Error(read.why);
    expect({ fingerprint: nextKeyFingerprint(read.key), rotation: read.key.rotation, seed: hex(read.key.seed) }).toEqual(value);
    expect(nextKeyText(crypto, aidOf('ada'), read.key.rotation, read.key.seed).length).toBe(99);
  });

  test.each(nextKeys.refused)('H-64: $name is refused', ({ text }) => {
    expect(parseNextKey(crypto, text).kind).toBe('bad');
  });
});
