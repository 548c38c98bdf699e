import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { RECORD_BYTES_MAX } from './limits.ts';
import { encodeBatches, encodeRecord } from './record.ts';
import { recoverJournal, salvageRecords } from './recovery.ts';
import { encodeSlot, selectSlot } from './two-slot.ts';

const crypto = createNodeCrypto();
const payload = fc.uint8Array({ minLength: 1, maxLength: 60 });
const payloads = fc.array(payload, { minLength: 1, maxLength: 8 });
const journalOf = (records: readonly Uint8Array[]): Uint8Array => concat(...records.map((record) => encodeRecord(crypto, record)));
const text = (records: readonly Uint8Array[]): string[] => records.map(hex);

describe('recovery of a journal', () => {
  test('a whole journal comes back as it was', () => {
    fc.assert(
      fc.property(payloads, (records) => {
        const bytes = journalOf(records);
        const recovery = recoverJournal(crypto, bytes);
        expect([text(recovery.records), recovery.validBytes, recovery.state]).toEqual([text(records), bytes.length, 'clean']);
      }),
    );
  });

  test('a batch comes back as it was, is there as a whole or not at all, and whatever part of it is missing it is a torn tail', () => {
    fc.assert(
      fc.property(payloads, payloads, (before, batch) => {
        const kept = journalOf(before);
        const bytes = concat(kept, ...encodeBatches(crypto, batch));
        expect(text(recoverJournal(crypto, bytes).records)).toEqual(text([...before, ...batch]));
        for (let hole = kept.length; hole < bytes.length; hole += 1) {
          // What was written last is there, what was written first is not: disks may do that within one append.
          const torn = concat(kept, new Uint8Array(hole + 1 - kept.length), bytes.subarray(hole + 1));
          const recovery = recoverJournal(crypto, torn);
          if (hex(torn) !== hex(bytes)) expect([text(recovery.records), recovery.state]).toEqual([text(before), 'torn']);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('batches that do not fit into one record are several', () => {
    const large = [RECORD_BYTES_MAX - 4, 10, 20, RECORD_BYTES_MAX, 5].map((bytes, index) => new Uint8Array(bytes).fill(index + 1));
    const records = encodeBatches(crypto, large);
    expect(records.length).toBe(4);
    expect(recoverJournal(crypto, concat(...records)).records.map((record) => record.length)).toEqual(large.map((record) => record.length));
  });

  test('cut at any byte, the whole records before the cut survive and the rest is a torn tail', () => {
    fc.assert(
      fc.property(payloads, (records) => {
        const bytes = journalOf(records);
        for (let length = 0; length < bytes.length; length += 1) {
          const recovery = recoverJournal(crypto, bytes.subarray(0, length));
          expect(text(recovery.records)).toEqual(text(records).slice(0, recovery.records.length));
          expect(recovery.state).toBe(recovery.validBytes === length ? 'clean' : 'torn');
          expect(hex(journalOf(recovery.records))).toBe(hex(bytes.subarray(0, recovery.validBytes)));
        }
      }),
      { numRuns: 20 },
    );
  });

  test('a flipped bit never changes a record; damage before valid records is told apart from a torn tail', () => {
    const records = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6, 7, 8, 9)];
    const bytes = journalOf(records);
    const starts = [0, 11, 20];
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const recovery = recoverJournal(crypto, damaged);
      const hit = starts.filter((start) => start <= bit >> 3).length - 1;
      expect(text(recovery.records)).toEqual(text(records).slice(0, hit));
      expect(recovery.state).toBe(hit === records.length - 1 ? 'torn' : 'corrupt');
    }
  });

  test('P-16: what lies whole behind a damage can be salvaged, record by record', () => {
    fc.assert(
      fc.property(fc.array(payload, { minLength: 2, maxLength: 8 }), fc.nat(), fc.nat(), (records, which, bit) => {
        const bytes = journalOf(records);
        const index = which % (records.length - 1);
        const from = journalOf(records.slice(0, index)).length;
        // Not the length: a wrong one may reach over the records behind it, or end the file.
        const at = from + 4 + (bit % (4 + records[index]!.length));
        bytes[at]! ^= 1;
        const recovery = recoverJournal(crypto, bytes);
        const salvaged = text(salvageRecords(crypto, bytes, recovery.validBytes));
        expect([...text(recovery.records), ...salvaged]).toEqual(text(records.toSpliced(index, 1)));
      }),
    );
    expect(salvageRecords(crypto, new Uint8Array(100), 0)).toEqual([]);
  });

  test('zeros behind the records, as a file system leaves them after a power cut, are a torn tail', () => {
    fc.assert(
      fc.property(payloads, fc.integer({ min: 1, max: 5_000 }), (records, zeros) => {
        const recovery = recoverJournal(crypto, concat(journalOf(records), new Uint8Array(zeros)));
        expect([text(recovery.records), recovery.state]).toEqual([text(records), 'torn']);
      }),
    );
  });

  test('a record filled with zeros in the middle makes the journal corrupt', () => {
    const bytes = journalOf([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    bytes.fill(0, 9, 18);
    expect(recoverJournal(crypto, bytes)).toMatchObject({ state: 'corrupt', validBytes: 9 });
  });

  test('noise is never taken for records beyond chance, and never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => recoverJournal(crypto, noise).validBytes <= noise.length));
  });
});

describe('two slots', () => {
  const old = encodeSlot(crypto, 6, Uint8Array.of(6));
  const recent = encodeSlot(crypto, 7, Uint8Array.of(7));

  test('nothing there: the first value goes to slot a', () => {
    expect(selectSlot(crypto, undefined, undefined)).toEqual({ current: undefined, damaged: [], next: { slot: 'a', generation: 1 } });
  });

  test('the larger generation counts, and the next value goes to the other slot', () => {
    expect(selectSlot(crypto, old, recent)).toMatchObject({ current: { slot: 'b', generation: 7 }, next: { slot: 'a', generation: 8 } });
    expect(selectSlot(crypto, recent, old)).toMatchObject({ current: { slot: 'a', generation: 7 }, next: { slot: 'b', generation: 8 } });
  });

  test('an interrupted write of the newer slot leaves the older value, whatever was written of it', () => {
    for (let length = 0; length < recent.length; length += 1) {
      expect(selectSlot(crypto, old, recent.subarray(0, length))).toMatchObject({
        current: { slot: 'a', generation: 6 },
        damaged: ['b'],
        next: { slot: 'b', generation: 7 },
      });
    }
  });

  test('any flipped bit is noticed', () => {
    for (let bit = 0; bit < recent.length * 8; bit += 1) {
      const damaged = recent.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(selectSlot(crypto, damaged, old)).toMatchObject({ current: { slot: 'b', generation: 6 }, damaged: ['a'] });
    }
  });

  test('both damaged: there is no value, and that is told apart from "never written"', () => {
    expect(selectSlot(crypto, new Uint8Array(20), new Uint8Array(0))).toMatchObject({ current: undefined, damaged: ['a', 'b'] });
  });
});
