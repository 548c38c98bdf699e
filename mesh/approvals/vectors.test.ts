import { describe, expect, test } from 'vitest';
import { concat, fromHex, hex, utf8 } from '#core/bytes/bytes.ts';
import vectors from '#test/vectors/approvals/approvals.json' with { type: 'json' };
import { electorateOf, MESH_ID } from '#test/kit/electorates.ts';
import { crypto } from '#test/kit/identities.ts';
import { APPROVAL_ENTRIES, applyApproval } from './apply.ts';
import { decodeRequestEntry } from './request.ts';
import { type Approvals, approvalsDigest, NO_APPROVALS } from './state.ts';

const electorate = electorateOf(vectors.voters, ['dee']);
const kindOf = (kind: string): string => Object.entries(APPROVAL_ENTRIES).find(([name]) => name === kind)?.[1] ?? kind;

/** The state behind the first `count` entries. */
function stateAfter(count: number): Approvals {
  let approvals = NO_APPROVALS;
  for (const [at, { kind, body, at: wall }] of vectors.entries.slice(0, count).entries())
    ({ approvals } = applyApproval(crypto, approvals, electorate, { index: at + 1, term: 1, kind: kindOf(kind), body: fromHex(body)!, at: wall }));
  return approvals;
}

describe('the vectors of approvals', () => {
  test.each(vectors.entries.map((vector, index) => ({ ...vector, index })))('$rule: $name', ({ index, kind, body, at, effects, state }) => {
    const applied = applyApproval(crypto, stateAfter(index), electorate, { index: index + 1, term: 1, kind: kindOf(kind), body: fromHex(body)!, at });
    expect(applied.effects.map((effect) => effect.kind)).toEqual(effects);
    expect(hex(approvalsDigest(crypto, applied.approvals))).toBe(state);
  });

  test.each(vectors.refused)('$rule: $name changes nothing', ({ after, kind, body, at, why }) => {
    const before = stateAfter(after);
    const applied = applyApproval(crypto, before, electorate, { index: after + 1, term: 1, kind: kindOf(kind), body: fromHex(body)!, at });
    expect(applied.effects.at(-1)).toEqual({ kind: 'void', entry: kindOf(kind), why });
    if (at <= vectors.entries[0]!.at) expect(applied.approvals.requests).toEqual(before.requests);
  });

  test('Q-2: digests are SHA-256 over their label, a zero and the bytes', () => {
    const sha = (label: string, ...parts: string[]): string =>
      hex(crypto.sha256(concat(utf8(label), new Uint8Array(1)), ...parts.map((part) => fromHex(part)!)));
    const { hashed } = vectors;
    expect([hashed.argsDigest, hashed.targetsDigest]).toEqual([sha('HCTH1:args', hashed.args), sha('HCTH1:targets', ...hashed.targets)]);
    const request = decodeRequestEntry(crypto, fromHex(vectors.entries[0]!.body)!)!;
    expect(sha('HCTH1:req', hex(request.request.object.body))).toBe(hashed.request);
    expect(vectors.meshId).toBe(hex(MESH_ID));
  });

  test('every kind of entry has vectors that hold and vectors that do not', () => {
    for (const kind of Object.keys(APPROVAL_ENTRIES)) {
      expect(vectors.entries.filter((vector) => vector.kind === kind).length).toBeGreaterThan(0);
      expect(vectors.refused.filter((vector) => vector.kind === kind).length).toBeGreaterThan(2);
    }
  });
});
