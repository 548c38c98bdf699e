import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { binding, bootOf, bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { BREAK_CLASSES, BREAK_RULES, violationDebtMicros } from './breaks.ts';
import { createIdentity } from './create-identity.ts';
import type { HardwareBinding } from './hardware-binding.ts';
import { identityFileBinding, openIdentity, sealIdentity } from './identity-file.ts';
import { decodePeerRecord, encodePeerRecord, keepNewest, type PeerRecord } from './peer-record.ts';

const board = binding({ serial: '10000000abcdef01', mac: 'dc:a6:32:00:00:01', card: '0x1234' });
const made = createIdentity(crypto, bytesFor('made', 112), board);
const { aid } = made.identity.established;
const seal = (on: HardwareBinding): Uint8Array => sealIdentity(crypto, made.secrets, aid, on, bytesFor('seal nonce', 12));

describe('the identity file', () => {
  test('H-35: it opens on the machine it was sealed on, to the same keys', () => {
    const outcome = openIdentity(crypto, seal(board), board);
    expect(outcome).toMatchObject({ kind: 'ok', identity: { established: { aid }, nextSeed: made.identity.nextSeed } });
    expect(outcome.kind === 'ok' && outcome.identity.signKey.publicKey).toEqual(made.identity.signKey.publicKey);
    expect(identityFileBinding(seal(board))).toMatchObject({ aid, kind: 'soft' });
  });

  test('H-35: on another machine it stays closed and says which facts changed', () => {
    const copy = binding({ serial: '10000000ffffffff', mac: 'dc:a6:32:00:00:02', card: '0x1234' });
    expect(openIdentity(crypto, seal(board), copy)).toEqual({ kind: 'wrong-hardware', aid, sealedFor: 'soft', changed: ['mac', 'serial'] });
    expect(openIdentity(crypto, seal(board), binding({}, 'none'))).toEqual({
      kind: 'wrong-hardware',
      aid,
      sealedFor: 'soft',
      changed: ['card', 'mac', 'serial'],
    });
  });

  test('H-35: the right digest with the wrong secret does not open it', () => {
    expect(openIdentity(crypto, seal(board), { ...board, secret: bytesFor('guess', 32) })).toMatchObject({ kind: 'corrupt' });
  });

  test('H-35: a file cut short or with one bit flipped is corrupt, never half opened and never taken for one of other hardware', () => {
    const file = seal(board);
    for (let length = 0; length < file.length; length += 1) expect(openIdentity(crypto, file.subarray(0, length), board).kind).toBe('corrupt');
    fc.assert(
      fc.property(fc.nat({ max: file.length * 8 - 1 }), (bit) => {
        const damaged = new Uint8Array(file);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        expect(openIdentity(crypto, damaged, board).kind).toBe('corrupt');
      }),
    );
  });

  test('H-35: once the next key has been taken off the device it is not in the file', () => {
    const file = sealIdentity(crypto, { ...made.secrets, nextSeed: null }, aid, board, bytesFor('seal nonce', 12));
    expect(openIdentity(crypto, file, board)).toMatchObject({ kind: 'ok', identity: { nextSeed: null } });
  });
});

describe('the record of a peer', () => {
  const bob = identityOf('bob');
  const { object: boot, nonce } = bootOf(bob, 4);
  const position = { incarnation: 4, nonce, sequence: 77, head: bytesFor('head', 32) };
  const full: PeerRecord = {
    aid: bob.established.aid,
    establishment: bob.established.events,
    boot,
    received: position,
    sent: { ...position, sequence: 5 },
    ownCheckpoints: [boot],
    peerCheckpoints: [boot, boot],
    trust: bytesFor('trust', 64),
    heardAt: 1_700_000_000_000,
  };

  test('H-36: it reads back as it was written, full or nearly empty, and within its budget', () => {
    const empty: PeerRecord = {
      ...full,
      establishment: [],
      boot: null,
      received: null,
      sent: null,
      ownCheckpoints: [],
      peerCheckpoints: [],
      trust: new Uint8Array(0),
      heardAt: 0,
    };
    for (const record of [full, empty]) {
      const bytes = encodePeerRecord(record);
      const read = decodePeerRecord(bytes)!;
      expect(hex(encodePeerRecord(read))).toBe(hex(bytes));
      expect([read.received?.sequence, read.sent?.sequence, read.peerCheckpoints.length, read.heardAt]).toEqual([
        record.received?.sequence,
        record.sent?.sequence,
        record.peerCheckpoints.length,
        record.heardAt,
      ]);
    }
    expect(encodePeerRecord(full).length).toBeLessThan(2_500);
  });

  test('H-36: any damage is noticed as a record that does not decode, or gives another record', () => {
    const bytes = encodePeerRecord(full);
    for (let length = 0; length < bytes.length; length += 1) expect(decodePeerRecord(bytes.subarray(0, length))).toBeUndefined();
  });

  test('H-36: the newest two checkpoints are kept', () => {
    const object = (label: string) => ({ body: bytesFor(label, 8), sig: bytesFor(label, 64) });
    expect(['a', 'b', 'c'].map(object).reduce(keepNewest, [])).toEqual([object('b'), object('c')]);
  });
});

describe('break classes', () => {
  test('H-34: every class has one rule, and nothing that the path can produce is among them', () => {
    expect(Object.keys(BREAK_RULES)).toEqual(BREAK_CLASSES);
    for (const breakClass of BREAK_CLASSES) expect(BREAK_RULES[breakClass].class).toBe(breakClass);
  });

  test('H-34: violations double within a window, at most to 1.6', () => {
    expect([1, 2, 3, 4, 5, 6, 100].map(violationDebtMicros)).toEqual([100_000, 200_000, 400_000, 800_000, 1_600_000, 1_600_000, 1_600_000]);
  });
});
