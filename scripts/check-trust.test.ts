/**
 * Two checkers, written apart, that must agree: the agent's own and the single file for third parties.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { checkTrustExport } from '#mesh/trust/export/check-export.ts';
import { exportTrust, type TrustExportSource } from '#mesh/trust/export/export-trust.ts';
import { NEW_HISTORY } from '#mesh/trust/history.ts';
import { parseEventLine } from '#mesh/trust/history-codec.ts';
import { PeerTrust } from '#mesh/trust/peer-trust.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { bytesFor, crypto } from '#test/kit/identities.ts';
import { altered, bob, exportStory } from '#test/kit/trust-exports.ts';
import frozen from '#test/vectors/trust/export.json' with { type: 'json' };
import scores from '#test/vectors/trust/scores.json' with { type: 'json' };
import { checkTrustDocument } from './check-trust.mjs';

const script = resolve(import.meta.dirname, 'check-trust.mjs');
const story = exportStory();
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function exportOf(lines: readonly string[], profile: keyof typeof TRUST_PROFILES = 'home', peer: Partial<TrustExportSource['peer']> = {}): unknown {
  const history = { base: NEW_HISTORY.base, events: lines.map((line) => parseEventLine(line)!) };
  return plain(exportTrust(crypto, { ...story, peer: { ...story.peer, ...peer }, profile: TRUST_PROFILES[profile], history, at: 7 }));
}

/** What both say of a document, in the same words. */
function bothSay(document: unknown): { readonly agent: string; readonly script: string } {
  const ours = checkTrustExport(crypto, document);
  const theirs = checkTrustDocument(document);
  const place = (at: readonly (string | number)[]): string =>
    at.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
  return {
    agent: ours.kind === 'consistent' ? `holds ${ours.score} T${ours.level}` : `refused at ${place(ours.at)}`,
    script: theirs.holds ? `holds ${theirs.score} T${theirs.level}` : `refused at ${theirs.at}`,
  };
}

describe('the checker for third parties', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-trust-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('T-26: one file, run by itself: exit 0 and the number, 65 and the place, 64 without a file', () => {
    const run = (...words: readonly string[]): { readonly code: number | null; readonly said: string } => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...words], { encoding: 'utf8', cwd: folder });
      return { code: status, said: stdout + stderr };
    };
    writeFileSync(join(folder, 'good.json'), JSON.stringify(frozen));
    writeFileSync(join(folder, 'bad.json'), JSON.stringify({ ...frozen, events: frozen.events.toSpliced(2, 1) }));
    writeFileSync(join(folder, 'cut.json'), '{');
    expect(run('good.json')).toEqual({ code: 0, said: expect.stringContaining(`with ${(frozen.result.score / 10_000).toFixed(4)} (T${frozen.result.level}`) });
    expect(run('bad.json')).toEqual({ code: 65, said: expect.stringContaining('bad.json: events[2]: "n 60000" does not continue') });
    expect(run('cut.json').code).toBe(65);
    expect(run('none.json').code).toBe(65);
    expect(run().code).toBe(64);
  });

  test('T-26: it finds the frozen scores, in every profile', () => {
    expect(scores.scores.length).toBeGreaterThan(20);
    for (const { name, profile, events, score, level } of scores.scores)
      expect({ name, ...bothSay(exportOf(events, profile as 'home')) }).toEqual({
        name,
        agent: `holds ${score} T${level}`,
        script: `holds ${score} T${level}`,
      });
  });

  test('T-26: for any history both compute the same number and level', () => {
    const line = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat({ max: 8 }), fc.constantFrom('', ' 75000')).map(([slots, frames, ms]) => `c ${slots} ${frames}${ms}`),
      fc.nat({ max: 5_000_000_000 }).map((ms) => `a ${ms}`),
      fc.nat({ max: 200_000_000 }).map((ms) => `n ${ms}`),
      fc.constantFrom('B0', 'B1', 'B1', 'PV', 'PV', 'B2', 'B3', 'B4', 'SELF', 'SENT').map((breakClass) => `b ${breakClass} 17 weil – so`),
      fc.constant('s 18'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), fc.constantFrom('lab' as const, 'home' as const, 'fleet' as const), (lines, profile) => {
        const { agent, script: said } = bothSay(exportOf(lines, profile));
        expect(agent).toMatch(/^holds/);
        expect(said).toBe(agent);
      }),
      { numRuns: 100 },
    );
  });

  test('T-26: where the past is summed up in the base, both go on from it', () => {
    const trust = new PeerTrust(TRUST_PROFILES.home);
    for (let index = 0; index < 700; index += 1)
      trust.record(
        index % 97 === 96
          ? { kind: 'break', class: 'PV', at: index, why: '' }
          : { kind: 'credited', slots: 1 + (index % 2), frames: index % 9, slotMs: 60_000 },
      );
    expect(trust.history.base.elapsedMs).toBeGreaterThan(0);
    const { agent, script: said } = bothSay(plain(exportTrust(crypto, { ...story, profile: TRUST_PROFILES.home, history: trust.history, at: 7 })));
    expect(agent).toBe(`holds ${trust.score} T${trust.level}`);
    expect(said).toBe(agent);
  });

  test('T-26: evidence that does not fit is refused by both at the same place', () => {
    const [one, two] = story.peer.checkpoints as [SignedObject, SignedObject];
    const position = story.peer.position!;
    const acknowledged = story.observer.position!;
    for (const peer of [
      { checkpoints: [{ ...one, sig: two.sig }] },
      { checkpoints: [two, one] },
      { checkpoints: [two, altered(bob, two, { head: bytesFor('x', 32) })] },
      { checkpoints: [two, altered(bob, two, { slot: 0 })] },
      { checkpoints: [two, altered(bob, two, { sequence: 5 })] },
      { checkpoints: [altered(bob, two, { acknowledged: { ...acknowledged, sequence: 7 } })] },
      { checkpoints: [altered(bob, two, { acknowledged: { ...acknowledged, sequence: 5, head: bytesFor('x', 32) } })] },
      { position: { ...position, sequence: 5 } },
      { position: { ...position, incarnation: 2 } },
      { boot: story.observer.boot },
    ]) {
      const { agent, script: said } = bothSay(exportOf(['c 10 8'], 'home', peer));
      expect(agent, JSON.stringify(Object.keys(peer))).toMatch(/^refused at peer\.(checkpoints\[[01]\]|position|boot)$/);
      expect(said).toBe(agent);
    }
  });

  test('T-26: whatever one value of a document is changed to, neither says that it holds', () => {
    const places = leaves(frozen);
    expect(places.length).toBeGreaterThan(50);
    for (const place of places) {
      const changed = structuredClone(frozen) as unknown;
      let at = changed as Record<string, unknown>;
      for (const step of place.slice(0, -1)) at = at[step] as Record<string, unknown>;
      const key = place.at(-1)!;
      const value = at[key];
      at[key] = typeof value === 'number' ? value + 1 : `${String(value).slice(0, -1)}${String(value).endsWith('1') ? '2' : '1'}`;
      const said = bothSay(changed);
      expect([place.join('.'), said.agent.slice(0, 7), said.script.slice(0, 7)]).toEqual([place.join('.'), 'refused', 'refused']);
    }
  });
});

function leaves(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
}
