import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import verdicts from '#test/vectors/admission/verdicts.json' with { type: 'json' };
import { ENTRY_LABEL, unpackEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import { crypto } from '#test/kit/identities.ts';
import { applyEntry, type EntryEffect, foundRegistry } from './apply-entry.ts';
import { decodeChange, type LedgerChange } from './entries.ts';
import { verifyGenesis } from './genesis.ts';
import type { Registry } from './registry.ts';
import { voterKeysOf } from './registry.ts';

/** What an entry comes to, gate by gate. */
type Judged =
  | { readonly gate: 'form' | 'signature' | 'body' }
  | { readonly gate: 'ledger'; readonly change: LedgerChange; readonly effect: EntryEffect; readonly registry: Registry };

const birth = verifyGenesis(crypto, unpackEntry(crypto, fromHex(verdicts.entries[0]!.entry)!)!.entry.body, fromHex(verdicts.meshId)!);
if (birth.kind === 'bad') throw new Error(birth.why);

function judge(registry: Registry, packed: string): Judged {
  const sealed = unpackEntry(crypto, fromHex(packed)!);
  if (sealed === undefined) return { gate: 'form' };
  if (!(voterKeysOf(registry)(sealed.entry.voter) ?? []).some((key) => verifyEntry(crypto, key, sealed))) return { gate: 'signature' };
  const change = decodeChange(sealed.entry.kind, sealed.entry.body);
  if (change === undefined) return { gate: 'body' };
  return { gate: 'ledger', change, ...applyEntry(crypto, registry, sealed.entry) };
}

/** The registry behind the first `count` entries. */
function registryAfter(count: number): Registry {
  let registry = foundRegistry(birth.kind === 'bad' ? (undefined as never) : birth.mesh);
  for (const { entry } of verdicts.entries.slice(1, count)) {
    const judged = judge(registry, entry);
    if (judged.gate === 'ledger') registry = judged.registry;
  }
  return registry;
}

/** A decision with its bytes as text, as the vectors write it. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, inner]) => (key === 'kind' && 'by' in value ? [] : [[key, plain(inner)]])));
}

describe('the vectors of bars, liftings and settlements', () => {
  test('are one chain of entries, each signed by the voter under its own label', () => {
    expect(hex(ENTRY_LABEL)).toBe(verdicts.label);
    let before: SealedEntry | undefined;
    for (const [index, { entry }] of verdicts.entries.entries()) {
      const sealed = unpackEntry(crypto, fromHex(entry)!)!;
      expect(sealed.entry.index).toBe(index + 1);
      expect(hex(sealed.entry.previous)).toBe(before === undefined ? '0'.repeat(64) : hex(before.digest));
      expect(verifyEntry(crypto, fromHex(verdicts.voterKey)!, sealed)).toBe(true);
      before = sealed;
    }
  });

  test.each(verdicts.entries.map((vector, index) => ({ ...vector, index })).slice(4))('$rule: $kind $name decides and does what it says', (vector) => {
    const judged = judge(registryAfter(vector.index), vector.entry);
    if (judged.gate !== 'ledger') throw new Error(judged.gate);
    expect(judged.effect.kind).toBe(vector.effect);
    expect(judged.change.kind).toBe(vector.kind);
    expect(plain(judged.change)).toEqual(vector.value);
  });

  test.each(verdicts.refused)('$rule: $name is stopped at the $at', ({ entry, after, at, why }) => {
    const registry = registryAfter(after);
    const judged = judge(registry, entry);
    expect(judged.gate).toBe(at);
    if (judged.gate !== 'ledger') return;
    expect(judged.effect).toMatchObject({ kind: 'void', why: expect.stringContaining(why) as string });
    expect(judged.registry.members).toEqual(registry.members);
    expect(judged.registry.removed).toEqual(registry.removed);
    expect(judged.registry.settled).toEqual(registry.settled);
  });

  test('H-42, H-43, H-46: all of it folds into these bars and these machines', () => {
    const registry = registryAfter(verdicts.entries.length);
    expect([...registry.removed.values()].map(({ aid, how, bar }) => ({ aid: hex(aid), how, cause: bar?.cause ?? null }))).toEqual(verdicts.barred);
    expect(Object.fromEntries([...registry.settled].map(([boot, { is }]) => [boot, is]))).toEqual(verdicts.settled);
  });

  test('every kind has vectors that hold and vectors that do not, at every gate', () => {
    const kindOf = (entry: string): string | undefined => unpackEntry(crypto, fromHex(entry)!)?.entry.kind;
    for (const kind of ['bar', 'unbar', 'settle']) {
      expect(verdicts.entries.filter((vector) => vector.kind === kind).length).toBeGreaterThan(0);
      const gates = verdicts.refused.filter(({ entry }) => kindOf(entry) === kind).map(({ at }) => at);
      expect(new Set(gates)).toEqual(new Set(['signature', 'body', 'ledger']));
    }
  });
});
