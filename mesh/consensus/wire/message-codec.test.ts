import { describe, expect, test } from 'vitest';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { CONSENSUS_MESSAGES } from '#test/kit/consensus-messages.ts';
import vectors from '#test/vectors/consensus/messages.json' with { type: 'json' };
import { decodeLogMessage } from '../entry-codec.ts';
import { LOG_LIMITS } from '../limits.ts';
import { RAFT_LIMITS } from '../raft/limits.ts';
import type { AppendRequest } from '../raft/messages.ts';
import { decodeConsensusMessage, encodeConsensusMessage } from './message-codec.ts';

const entriesOf = (sizes: readonly number[]): AppendRequest => ({
  kind: 'append-request',
  term: 3,
  previous: { index: 1, term: 1 },
  entries: sizes.map((size) => ({ bytes: new Uint8Array(size), signature: new Uint8Array(64) })),
  commit: 1,
  round: 1,
});

describe('the bytes of consensus messages', () => {
  test.each(Object.entries(CONSENSUS_MESSAGES))('%s: survives, and cut or lengthened is nothing', (_, message) => {
    const bytes = encodeConsensusMessage(message);
    expect(decodeConsensusMessage(bytes)).toEqual(message);
    for (let length = 0; length < bytes.length; length += 1) expect(decodeConsensusMessage(bytes.subarray(0, length))).toBe(undefined);
    expect(decodeConsensusMessage(Uint8Array.of(...bytes, 0))).toBe(undefined);
    expect(decodeLogMessage(bytes), 'another kind of frame').toBe(undefined);
  });

  test('the frozen vectors hold: one of every kind, and what is refused', () => {
    expect(new Set(vectors.accepted.map(({ kind }) => kind)).size).toBe(11);
    for (const { name, kind, term, bytes } of vectors.accepted) {
      const message = decodeConsensusMessage(fromHex(bytes)!);
      expect(message, name).toMatchObject({ kind, term });
      expect(hex(encodeConsensusMessage(message!)), name).toBe(bytes);
    }
    for (const { name, bytes } of vectors.refused) expect(decodeConsensusMessage(fromHex(bytes)!), name).toBe(undefined);
  });

  test('what is kept does not lie in the received frame', () => {
    const bytes = encodeConsensusMessage(CONSENSUS_MESSAGES['a vote']!);
    const message = decodeConsensusMessage(bytes);
    bytes.fill(0);
    expect(message).toEqual(CONSENSUS_MESSAGES['a vote']);
  });

  test('an unknown kind, or the fields of another kind, is nothing', () => {
    for (const [kind, fields] of [
      [15, 2],
      [27, 2],
      [24, 3],
      [16, 2],
    ] as const) {
      const writer = new RmpWriter(16);
      writer.arrayHead(fields);
      for (let at = 0; at < fields; at += 1) writer.int(at === 0 ? kind : 1);
      expect(decodeConsensusMessage(writer.copy())).toBe(undefined);
    }
  });

  test('entries are bounded, one by one, together and in number', () => {
    const decodes = (sizes: readonly number[]): boolean => decodeConsensusMessage(encodeConsensusMessage(entriesOf(sizes))) !== undefined;
    expect(decodes([LOG_LIMITS.entryBytesMax])).toBe(true);
    expect(decodes([LOG_LIMITS.entryBytesMax + 1])).toBe(false);
    const many = Math.floor(RAFT_LIMITS.appendBytesMax / LOG_LIMITS.entryBytesMax);
    expect(decodes(Array.from({ length: many }, () => LOG_LIMITS.entryBytesMax))).toBe(true);
    expect(decodes(Array.from({ length: many + 1 }, () => LOG_LIMITS.entryBytesMax))).toBe(false);
    expect(decodes(Array.from({ length: RAFT_LIMITS.uncommittedEntriesMax + 1 }, () => 1))).toBe(false);
  });

  test('a count that promises more than there is costs nothing', () => {
    const writer = new RmpWriter(64);
    writer.arrayHead(7);
    writer.int(20);
    writer.int(1);
    writer.arrayHead(2);
    writer.int(1);
    writer.int(1);
    writer.arrayHead(0xffffffff);
    expect(decodeConsensusMessage(writer.copy())).toBe(undefined);
  });
});
