import { describe, expect, test } from 'vitest';
import { bytesEqual } from '#core/bytes/bytes.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { decodeLogMessage, encodeLogMessage, packEntry, sealEntry, unpackEntry } from '../entry-codec.ts';
import type { LogEntry, LogMessage, SealedEntry } from '../log.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { TIMING_PROFILES } from '../config/timing.ts';
import { MeshLog } from './mesh-log.ts';

const [voter, member] = [identityOf('ada'), identityOf('bob')];

const textOf = (who: typeof voter): string => aidText(who.established.aid);
const at = (mono: number) => ({ mono, wall: mono });

/** What every log begins with. */
const genesis = sealEntry(crypto, voter.signKey, {
  index: 1,
  term: 1,
  previous: new Uint8Array(32),
  kind: 'genesis',
  body: new Uint8Array(0),
  key: { aid: voter.established.aid, incarnation: 1, request: 0 },
  at: 0,
  voter: voter.established.aid,
});

function logOf(who: typeof voter, entries: readonly SealedEntry[] = [genesis]): MeshLog {
  const log = new MeshLog({
    crypto,
    mesh: new Uint8Array(32),
    entries,
    hard: null,
    intact: true,
    self: { text: textOf(who), aid: who.established.aid, incarnation: 1, signKey: who.signKey },
    founded: { voters: [textOf(voter)], learners: [], quorum: null },
    keys: {
      keyFor: (entry) => (bytesEqual(entry.voter, voter.established.aid) ? voter.established.signKey : undefined),
      keysOf: (signer) => (bytesEqual(signer, voter.established.aid) ? [voter.established.signKey] : []),
      took: () => undefined,
    },
    votes: {
      sign: () => {
        throw new Error('nobody asks for a vote');
      },
      open: () => undefined,
    },
    timing: TIMING_PROFILES.lan,
    chance: () => 0.5,
  });
  log.start(at(0));
  return log;
}

function proposed(log: MeshLog, count: number): SealedEntry[] {
  return Array.from({ length: count }, (_, index) => {
    const output = log.propose(
      { key: { aid: voter.established.aid, incarnation: 1, request: log.commitIndex + 1 }, kind: 'test', body: new Uint8Array(500).fill(index) },
      at(0),
    );
    expect(output.persist).toHaveLength(1);
    return output.committed[0]!.sealed;
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
    log.step({ kind: 'linked', peer: 'peer', commit: 4 }, at(0));
    expect(log.step(append(entries, 4), at(1)).committed).toHaveLength(3);
    expect(log.step(append(entries, 4), at(2))).toMatchObject({ committed: [], faults: [] });
    expect(log.commitIndex).toBe(4);
  });

  test('an entry that a member signed itself, as itself or in the name of the voter, is a fault of whoever brings it', () => {
    const [first] = proposed(logOf(voter), 1);
    for (const name of [voter, member]) {
      const log = logOf(member, [genesis, first!]);
      log.step({ kind: 'linked', peer: 'peer', commit: 3 }, at(0));
      const entry = forged({ ...first!.entry, index: 3, previous: first!.digest, voter: name.established.aid });
      const output = log.step(append([entry], 3), at(1));
      expect(output).toMatchObject({ committed: [], persist: [], faults: [{ from: 'peer', voters: false, unproved: { entry: { index: 3 } } }] });
      expect(log.commitIndex).toBe(2);
    }
  });

  test('history is not rewritten, not even by the voter', () => {
    const [one, two] = proposed(logOf(voter), 2);
    const log = logOf(member, [genesis, one!, two!]);
    log.step({ kind: 'linked', peer: 'peer', commit: 3 }, at(0));
    const other = sealEntry(crypto, voter.signKey, { ...two!.entry, body: Uint8Array.of(9) });
    expect(log.step(append([other], 3), at(1)).faults).toMatchObject([{ from: 'peer', voters: true }]);
    expect(log.head).toEqual(two!.digest);
  });

  test('C-33, C-34: a ledger of one voter is taken over as it is; the voter goes on in its term and writes nothing but decisions', () => {
    const stored = [genesis, ...proposed(logOf(voter), 2)];
    const log = logOf(voter, stored);
    expect(log).toMatchObject({ commitIndex: 3, term: 1, decides: true, leader: textOf(voter), wakeAt: Number.POSITIVE_INFINITY });
    expect(log.wake(at(0))).toMatchObject({ persist: [], send: [], committed: [] });
    const [next] = proposed(log, 1);
    expect(next!.entry).toMatchObject({ index: 4, term: 1, previous: stored[2]!.digest });
    expect(log.decides).toBe(true);
  });

  test('a member never proposes', () => {
    const key = { aid: member.established.aid, incarnation: 1, request: 1 };
    const { answers } = logOf(member).propose({ key, kind: 'test', body: new Uint8Array(0) }, at(0));
    expect(answers).toMatchObject([{ kind: 'refused', refusal: { code: 'not-leader', leader: textOf(voter) } }]);
  });

  test('a peer that asks for the same again and again is sent the log about twice, then once more after a minute', () => {
    const entries = proposed(logOf(voter), 100);
    const log = logOf(voter, [genesis, ...entries]);
    log.step({ kind: 'linked', peer: 'peer', commit: 0 }, at(0));
    const ask = (from: number, now: number): number =>
      log
        .step({ kind: 'receive', from: 'peer', bytesMax: 100_000, message: { kind: 'fetch', from } }, at(now))
        .send.reduce((sum, { message }) => sum + encodeLogMessage(message as LogMessage).length, 0);
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
