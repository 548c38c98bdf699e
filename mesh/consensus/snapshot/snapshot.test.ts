import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { crypto } from '#test/kit/identities.ts';
import snapshots from '#test/vectors/consensus/snapshots.json' with { type: 'json' };
import { decodeSnapshot, snapshotDigest, verifySnapshot } from './snapshot.ts';

const bytes = (text: string): Uint8Array => fromHex(text)!;

describe('snapshots', () => {
  const { accepted, refused } = snapshots;
  const [mesh, takerKey] = [bytes(snapshots.mesh), bytes(snapshots.takerKey)];

  test.each(accepted)('C-30: at index $index: read as what it says, digest and signature hold', (vector) => {
    const content = decodeSnapshot(bytes(vector.bytes))!;
    const { base, config, state } = content;
    expect({ index: base.index, term: base.term, base: hex(base.digest), ...config, state: hex(state) }).toEqual({
      index: vector.index,
      term: vector.term,
      base: vector.base,
      voters: vector.voters,
      learners: vector.learners,
      quorum: vector.quorum,
      state: vector.state,
    });
    expect(hex(snapshotDigest(crypto, bytes(vector.bytes)))).toBe(vector.digest);
    expect(verifySnapshot(crypto, takerKey, mesh, bytes(vector.digest), bytes(vector.signature))).toBe(true);
  });

  test.each(refused)('$rule: $name is refused by its $gate', ({ gate, bytes: altered, signature }) => {
    const [whole] = accepted;
    if (gate === 'form') expect(decodeSnapshot(bytes(altered ?? whole!.bytes))).toBeUndefined();
    else expect(verifySnapshot(crypto, takerKey, mesh, bytes(whole!.digest), bytes(signature ?? whole!.signature))).toBe(false);
  });
});
