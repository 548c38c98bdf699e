/** Targets of the disk: what a node reads at start, after any accident. */
import { crc32 } from 'node:zlib';
import { bytesEqual, concat, u32, utf8 } from '#core/bytes/bytes.ts';
import { encodeRecord } from '#core/journal/record.ts';
import { recoverJournal } from '#core/journal/recovery.ts';
import { encodeSlot, selectSlot } from '#core/journal/two-slot.ts';
import { readFields } from '#mesh/hcth/fields.ts';
import { openIdentity, identityFileBinding, sealIdentity } from '#mesh/hcth/identity-file.ts';
import { decodeIncarnation, encodeIncarnation } from '#mesh/hcth/incarnation.ts';
import { decodePeerRecord, encodePeerRecord } from '#mesh/hcth/peer-record.ts';
import { createIdentity } from '#mesh/hcth/create-identity.ts';
import { decodeIntent, encodeIntent } from '#mesh/swarm/joiner.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { binding, bootOf, bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { promise, sameBytes } from '../promises.ts';

const HEAD = 8;

const journal: FuzzTarget = {
  name: 'journal',
  promise: 'recovery gives exactly the records before the first damage, and says "corrupt" only where a whole record lies behind it',
  tokens: [u32(0), u32(1), u32(1_048_576), u32(0xffff_ffff)],
  seeds: () => {
    const records = [utf8('one'), new Uint8Array(300), utf8('three')].map((payload) => encodeRecord(crypto, payload));
    const whole = concat(...records);
    const [first = whole, , third = whole] = records;
    return [whole, whole.subarray(0, whole.length - 2), concat(first, new Uint8Array(12), third), concat(first, u32(0xffff), third)];
  },
  repair: (input) => {
    const bytes = input.slice();
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + HEAD < bytes.length;) {
      const end = at + HEAD + view.getUint32(at);
      if (end > bytes.length || end === at + HEAD) break;
      view.setUint32(at + 4, crc32(bytes.subarray(at + HEAD, end), crc32(bytes.subarray(at, at + 4))));
      at = end;
    }
    return bytes;
  },
  run: (input) => {
    const { records, validBytes, state } = recoverJournal(crypto, input);
    sameBytes(concat(...records.map((payload) => encodeRecord(crypto, payload))), input.subarray(0, validBytes), 'the records, written again');
    promise(!isRecordAt(input, validBytes), 'a whole record was left out');
    const behind = Array.from({ length: input.length }, (_, at) => at).some((at) => at > validBytes && isRecordAt(input, at));
    promise(state === (validBytes === input.length ? 'clean' : behind ? 'corrupt' : 'torn'), `it says ${state}`);
    return records.length > 0;
  },
};

/** The format a second time: u32 length (1 to 1 MiB), u32 CRC-32 over length and payload, payload. */
function isRecordAt(input: Uint8Array, at: number): boolean {
  const data = Buffer.from(input.buffer, input.byteOffset, input.length);
  if (at + HEAD > data.length) return false;
  const length = data.readUInt32BE(at);
  if (length < 1 || length > 1_048_576 || at + HEAD + length > data.length) return false;
  return data.readUInt32BE(at + 4) === crc32(data.subarray(at + HEAD, at + HEAD + length), crc32(data.subarray(at, at + 4)));
}

/** First byte: where the first slot ends and the second begins, or that one of them does not exist. */
const twoSlot: FuzzTarget = {
  name: 'two-slot',
  promise: 'of two slots the newer whole one counts, the next write goes to the other, and a damaged one is named',
  prefixBytes: 1,
  seeds: () => {
    const [a, b] = [encodeSlot(crypto, 4, utf8('older')), encodeSlot(crypto, 5, utf8('newer'))];
    return [
      concat(Uint8Array.of(a.length), a, b),
      concat(Uint8Array.of(b.length), b, a),
      concat(Uint8Array.of(255), a),
      concat(Uint8Array.of(a.length), a, b.subarray(3)),
      concat(Uint8Array.of(0), b),
    ];
  },
  repair: (input) => {
    const [a, b] = slotsIn(input);
    return concat(input.subarray(0, 1), resealed(a), b === undefined ? new Uint8Array(0) : resealed(b));
  },
  run: (input) => {
    const [a, b] = slotsIn(input);
    const { current, damaged, next } = selectSlot(crypto, a, b);
    const whole = [a, b].map((slot) => (slot === undefined ? undefined : generationOf(slot)));
    const best = Math.max(...whole.map((generation) => generation ?? 0));
    promise((current?.generation ?? 0) === best, `generation ${String(current?.generation)} counts, ${best} is the newest`);
    promise(damaged.includes('a') === (whole[0] === undefined), 'a: damage');
    // The second value went to the other slot: from then on a slot that is not there was lost.
    promise(damaged.includes('b') === (b === undefined ? best > 1 : whole[1] === undefined), 'b: damage');
    if (current === undefined) return false;
    promise(next.slot !== current.slot && next.generation === current.generation + 1, 'the next write endangers the newest value');
    sameBytes(encodeSlot(crypto, current.generation, current.payload), current.slot === 'a' ? a : (b ?? a), 'written again');
    return true;
  },
};

function slotsIn(input: Uint8Array): readonly [Uint8Array, Uint8Array | undefined] {
  const cut = 1 + (input[0] ?? 0);
  return [input.subarray(1, cut), input[0] === 255 ? undefined : input.subarray(Math.min(cut, input.length))];
}

function generationOf(slot: Uint8Array): number | undefined {
  const data = Buffer.from(slot);
  if (data.length < 16 || data.length > 16 + 1_024 || data.readUInt32BE(0) !== 0x524e5331 || data.readUInt32BE(8) !== data.length - 16) return undefined;
  const generation = data.readUInt32BE(4);
  return generation > 0 && data.readUInt32BE(12) === crc32(data.subarray(16), crc32(data.subarray(0, 12))) ? generation : undefined;
}

function resealed(slot: Uint8Array): Uint8Array {
  if (slot.length < 16) return slot;
  const bytes = Buffer.from(slot);
  bytes.writeUInt32BE(bytes.length - 16, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(16), crc32(bytes.subarray(0, 12))), 12);
  return new Uint8Array(bytes);
}

const board = binding({ serial: 'ada' });
const secrets = createIdentity(crypto, bytesFor('identity ada', 112), board);
const identityBytes = sealIdentity(crypto, secrets.secrets, secrets.identity.established.aid, board, bytesFor('nonce', 12));

const identityFile: FuzzTarget = {
  name: 'identity-file',
  promise: 'an identity file opens only as it was sealed, on the board it was sealed for',
  seeds: () => [identityBytes],
  run: (input) => {
    identityFileBinding(input);
    const elsewhere = openIdentity(crypto, input, binding({ serial: 'other' }));
    promise(elsewhere.kind !== 'ok', 'it opens on another board');
    const outcome = openIdentity(crypto, input, board);
    if (outcome.kind !== 'ok') return false;
    // What is outside of the seal has one spelling, with its checksum or, in files of before, without.
    const { nonce, cover, sealed } = partsOf(input);
    const genuine = partsOf(identityBytes);
    promise(bytesEqual(nonce, genuine.nonce) && bytesEqual(cover, genuine.cover) && bytesEqual(sealed, genuine.sealed), 'another file opens too');
    promise(bytesEqual(outcome.identity.established.aid, secrets.identity.established.aid), 'it opens as another identity');
    return true;
  },
};

function partsOf(file: Uint8Array): { readonly nonce: Uint8Array; readonly cover: Uint8Array; readonly sealed: Uint8Array } {
  const fields = readFields(file);
  return { nonce: fields.bytes('nonce', 12), cover: fields.blob('cover', 65_536), sealed: fields.blob('sealed', 65_536) };
}

/** First byte: which kind of record. */
const stored: FuzzTarget = {
  name: 'stored-records',
  promise: 'records of peers, incarnations and intents are given up, or are stored again as the same bytes',
  prefixBytes: 1,
  bytesMax: 8_192,
  seeds: () => {
    const bob = identityOf('bob');
    const { object, nonce } = bootOf(bob, 2);
    const position = { incarnation: 2, nonce, sequence: 9, head: new Uint8Array(32) };
    const peer = {
      aid: bob.established.aid,
      establishment: bob.established.events,
      boot: object,
      received: position,
      sent: null,
      ownCheckpoints: [],
      peerCheckpoints: [object],
      trust: new Uint8Array(9),
      heardAt: 7,
    };
    return [
      concat(Uint8Array.of(0), encodePeerRecord(peer)),
      concat(Uint8Array.of(1), encodeIncarnation({ incarnation: 7, nonce, why: 'restore' })),
      concat(Uint8Array.of(2), encodeIntent({ mode: 'request', mesh: 'home', expect: null, peers: ['192.168.1.7:7411'] })),
      concat(Uint8Array.of(2), encodeIntent({ mode: 'token', token: 'rnj1.AAAA', peers: [] })),
    ];
  },
  run: (input) => {
    const bytes = input.subarray(1);
    switch ((input[0] ?? 0) % 3) {
      case 0: {
        const record = decodePeerRecord(bytes);
        if (record !== undefined) sameBytes(encodePeerRecord(record), bytes, 'stored again');
        return record !== undefined;
      }
      case 1: {
        const incarnation = decodeIncarnation(bytes);
        if (incarnation !== undefined) sameBytes(encodeIncarnation(incarnation), bytes, 'stored again');
        return incarnation !== undefined;
      }
      default: {
        const intent = decodeIntent(bytes);
        if (intent === undefined) return false;
        const again = encodeIntent(intent);
        const second = decodeIntent(again);
        promise(second !== undefined, 'an intent that was stored again is not read');
        sameBytes(encodeIntent(second), again, 'stored a second time');
        return true;
      }
    }
  },
};

export const storageTargets: readonly FuzzTarget[] = [journal, twoSlot, identityFile, stored];
