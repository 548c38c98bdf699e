import { describe, expect, test } from 'vitest';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { decodeLogMessage, encodeLogMessage, packEntry, sealEntry, unpackEntry } from './entry-codec.ts';
import type { LogEntry, SealedEntry } from './log.ts';
import { SingleVoterLog } from './single-voter.ts';

const [voter, member] = [identityOf('ada'), identityOf('bob')];

function logOf(who: typeof voter, entries: readonly SealedEntry[] = []): SingleVoterLog {
  const named = (identity: typeof voter) => ({ text: identity === voter ? 'voter' : 'member', aid: identity.established.aid });
  return new SingleVoterLog({
    crypto,
    entries,
    self: named(who),
    voter: named(voter),
    voterKeys: { keyFor: () => voter.established.signKey, keys: [voter.established.signKey], took: () => undefined },
    signKey: who === voter ? voter.signKey : null,
  });
}

function proposed(log: SingleVoterLog, count: number): SealedEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const { output } = log.propose(
      { key: { aid: voter.established.aid, incarnation: 1, request: log.commitIndex + index + 1 }, kind: 'test', body: new Uint8Array(500).fill(index) },
      0,
    );
    return output.persist[0]!;
  });
}

function forged(entry: LogEntry): SealedEntry {
  return sealEntry(crypto, member.signKey, entry);
}

const append = (entries: readonly SealedEntry[], commit: number) =>
  ({ kind: 'receive', from: 'peer', bytesMax: 4_096, message: { kind: 'append', entries, term: 1, commit } }) as const;

describe('the log with one voter', () => {
  test('a member takes what the voter signed, in order, whoever brings it', () => {
    const entries = proposed(logOf(voter), 3);
    const log = logOf(member);
    log.step({ kind: 'linked', peer: 'peer', commit: 3 }, 0);
    expect(log.step(append(entries, 3), 1).committed).toHaveLength(3);
    expect(log.step(append(entries, 3), 2)).toMatchObject({ committed: [], faults: [] });
    expect(log.commitIndex).toBe(3);
  });

  test('an entry that a member signed itself, as itself or in the name of the voter, is a fault of whoever brings it', () => {
    const [first] = proposed(logOf(voter), 1);
    for (const name of [voter, member]) {
      const log = logOf(member, [first!]);
      log.step({ kind: 'linked', peer: 'peer', commit: 2 }, 0);
      const entry = forged({ ...first!.entry, index: 2, previous: first!.digest, voter: name.established.aid });
      const output = log.step(append([entry], 2), 1);
      expect(output).toMatchObject({ committed: [], persist: [], faults: [{ from: 'peer', voters: false, unproved: { entry: { index: 2 } } }] });
      expect(log.commitIndex).toBe(1);
    }
  });

  test('history is not rewritten, not even by the voter', () => {
    const [one, two] = proposed(logOf(voter), 2);
    const log = logOf(member, [one!, two!]);
    log.step({ kind: 'linked', peer: 'peer', commit: 2 }, 0);
    const other = sealEntry(crypto, voter.signKey, { ...two!.entry, body: Uint8Array.of(9) });
    expect(log.step(append([other], 2), 1).faults).toMatchObject([{ from: 'peer', voters: true }]);
    expect(log.head).toEqual(two!.digest);
  });

  test('a member never proposes', () => {
    const { outcome } = logOf(member).propose({ key: { aid: member.established.aid, incarnation: 1, request: 1 }, kind: 'test', body: new Uint8Array(0) }, 0);
    expect(outcome).toMatchObject({ kind: 'not-leader', leader: 'voter' });
  });

  test('a peer that asks for the same again and again is sent the log about twice, then once more after a minute', () => {
    const entries = proposed(logOf(voter), 100);
    const log = logOf(voter, entries);
    log.step({ kind: 'linked', peer: 'peer', commit: 0 }, 0);
    const ask = (from: number, now: number): number =>
      log
        .step({ kind: 'receive', from: 'peer', bytesMax: 100_000, message: { kind: 'fetch', from } }, now)
        .send.reduce((sum, { message }) => sum + encodeLogMessage(message).length, 0);
    let bytes = 0;
    for (let turn = 0; turn < 1_000; turn += 1) bytes += ask(1 + (turn % 40), 1_000);
    const whole = entries.reduce((sum, entry) => sum + packEntry(entry).length, 0);
    expect(bytes).toBeGreaterThan(whole);
    expect(bytes).toBeLessThan(3 * whole + 200_000);
    expect(ask(1, 62_000)).toBeGreaterThan(0);
  });

  test('entries and messages survive their encoding; cut bytes decode to nothing', () => {
    const [entry] = proposed(logOf(voter), 1);
    const packed = packEntry(entry!);
    expect(unpackEntry(crypto, packed)?.digest).toEqual(entry!.digest);
    const message = encodeLogMessage({ kind: 'append', entries: [entry!], term: 1, commit: 1 });
    expect(decodeLogMessage(message)).toMatchObject({ kind: 'append', commit: 1 });
    for (let length = 0; length < message.length; length += 1) expect(decodeLogMessage(message.subarray(0, length))).toBe(undefined);
    for (let length = 0; length < packed.length; length += 7) expect(unpackEntry(crypto, packed.subarray(0, length))).toBe(undefined);
  });
});
