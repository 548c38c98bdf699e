/**
 * Writes the frozen vectors of what members say about who is there (docs/protocols/membership.md §3): bodies of GOSSIP on
 * the topic PRESENCE with their meaning, and bodies that are refused. Run once per protocol version and review the
 * difference: a changed vector is a changed protocol.
 *
 *   node test/vectors/write-presence-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { encodeSwimMessage } from '#mesh/membership/swim/codec.ts';
import { SWIM_LIMITS as LIMITS } from '#mesh/membership/swim/limits.ts';
import type { RowTold, SwimMessage, Update } from '#mesh/membership/swim/messages.ts';
import { bytesFor } from '#test/kit/identities.ts';

const aidOf = (name: string): Uint8Array => bytesFor(name, 32);
const [ada, bob, cy] = ['ada', 'bob', 'cy'].map(aidOf) as [Uint8Array, Uint8Array, Uint8Array];
const textOf = (name: string): string => aidText(aidOf(name));
const [a, b, c] = ['ada', 'bob', 'cy'].map(textOf) as [string, string, string];

const alive: Update = { kind: 'alive', id: a, version: { incarnation: 3, counter: 0 } };
const accuse: Update = { kind: 'accuse', id: b, version: { incarnation: 300, counter: 2 }, by: c };
const farewell: Update = { kind: 'farewell', id: b, version: { incarnation: 1, counter: 0 }, forGood: false };
const row = (id: string, state: RowTold['state'], accusers: readonly string[] = []): RowTold => ({ id, version: { incarnation: 7, counter: 1 }, state, accusers });
const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));

const accepted: readonly (readonly [string, SwimMessage])[] = [
  ['a question', { kind: 'probe', number: 2, updates: [] }],
  ['a question with what is held against its receiver', { kind: 'probe', number: 4, updates: [accuse] }],
  ['an answer with news', { kind: 'ack', number: 4, updates: [alive] }],
  ['a question through a helper', { kind: 'ask', number: 6, target: b, updates: [] }],
  ['nor me', { kind: 'nack', number: 6, updates: [] }],
  ['news of every kind', { kind: 'news', updates: [alive, accuse, farewell, { ...farewell, forGood: true }] }],
  ['as much news as one message carries', { kind: 'news', updates: many(LIMITS.newsPerMessageMax, (index) => ({ ...accuse, by: textOf(`m${index}`) })) }],
  ['the largest version', { kind: 'news', updates: [{ ...alive, version: { incarnation: Number.MAX_SAFE_INTEGER, counter: LIMITS.counterMax } }] }],
  ['fingerprints', { kind: 'digest', members: 5, hashes: [0, 1, 0xffff_ffff, 0x8000_0000] }],
  ['fingerprints of the largest table', { kind: 'digest', members: 16_384, hashes: many(LIMITS.syncBucketsMax, (index) => Math.imul(index, 0x9e37_79b1) >>> 0) }],
  ['rows in every state, and an answer wanted', { kind: 'rows', buckets: [0, 7], rows: [row(a, 'here'), row(b, 'down', [a, c]), row(c, 'stopped'), row(textOf('dee'), 'left')], answer: true }],
  ['no rows', { kind: 'rows', buckets: [511], rows: [], answer: false }],
  ['as many rows and accusers as one message carries', {
    kind: 'rows', buckets: [3], rows: many(LIMITS.syncRowsMax, (index) => row(textOf(`m${index}`), 'down', many(LIMITS.rowAccusersMax, (by) => textOf(`m${by}`)))), answer: false,
  }],
];

const plainAlive: RmpInput = [0, ada, 3, 0];
const plainRow: RmpInput = [ada, 7, 1, 0, []];
const cut = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, -1);
const longForm = (bytes: Uint8Array): Uint8Array => Uint8Array.of(0xdc, 0, 2, ...bytes.subarray(1));

const refused: readonly (readonly [string, string, Uint8Array])[] = [
  ['nothing', 'M-20', new Uint8Array(0)],
  ['a map', 'M-20', encodeRmp({ k: 4 })],
  ['a kind that is none', 'M-20', encodeRmp([7, []])],
  ['a question without its news', 'M-20', encodeRmp([0, 2])],
  ['a question with a field too many', 'M-20', encodeRmp([0, 2, [], 0])],
  ['a question with a negative number', 'M-20', encodeRmp([0, -2, []])],
  ['a question through a helper for nobody', 'M-20', encodeRmp([2, 6, ada.subarray(1), []])],
  ['news that ends early', 'M-20', cut(encodeRmp([4, [plainAlive]]))],
  ['news and a byte behind', 'M-20', Uint8Array.of(...encodeRmp([4, [plainAlive]]), 0)],
  ['news in a longer spelling', 'M-20', longForm(encodeRmp([4, [plainAlive]]))],
  ['a word too many', 'M-20', encodeRmp([4, many(LIMITS.newsPerMessageMax + 1, () => plainAlive)])],
  ['a count of words far beyond the message', 'M-20', Uint8Array.of(0x92, 4, 0xdc, 0xff, 0xff)],
  ['a word of a kind that is none', 'M-20', encodeRmp([4, [[3, ada, 3, 0]]])],
  ['a word about nobody', 'M-20', encodeRmp([4, [[0, new Uint8Array(0), 3, 0]]])],
  ['a counter that nobody can go above', 'M-14', encodeRmp([4, [[0, ada, 3, LIMITS.counterMax + 1]]])],
  ['an accusation by nobody', 'M-20', encodeRmp([4, [[1, bob, 3, 0]]])],
  ['an accusation with a name for its accuser', 'M-20', encodeRmp([4, [[1, bob, 3, 0, 'cy']]])],
  ['a farewell for longer than good', 'M-20', encodeRmp([4, [[2, bob, 3, 0, 2]]])],
  ['fingerprints of nothing', 'M-20', encodeRmp([5, 5, new Uint8Array(0)])],
  ['a fingerprint of three bytes', 'M-20', encodeRmp([5, 5, new Uint8Array(3)])],
  ['a fingerprint too many', 'M-20', encodeRmp([5, 5, new Uint8Array(4 * LIMITS.syncBucketsMax + 4)])],
  ['rows of a part that is none', 'M-20', encodeRmp([6, 0, [LIMITS.syncBucketsMax], []])],
  ['rows of three parts', 'M-20', encodeRmp([6, 0, [1, 2, 3], []])],
  ['a row too many', 'M-20', encodeRmp([6, 0, [1], many(LIMITS.syncRowsMax + 1, () => plainRow)])],
  ['a row in a state that is none', 'M-20', encodeRmp([6, 0, [1], [[ada, 7, 1, 4, []]]])],
  ['accusers of a member that is there', 'M-20', encodeRmp([6, 0, [1], [[ada, 7, 1, 0, [cy]]]])],
  ['an accuser too many', 'M-20', encodeRmp([6, 0, [1], [[ada, 7, 1, 1, many(LIMITS.rowAccusersMax + 1, () => cy)]]])],
  ['an answer that is neither wanted nor not', 'M-20', encodeRmp([6, 2, [1], []])],
  ['more bytes than any message has', 'M-20', new Uint8Array(LIMITS.messageBytesMax + 1).fill(0x91)],
];

const document = {
  accepted: accepted.map(([name, message]) => ({ name, message, hex: hex(encodeSwimMessage(message)) })),
  refused: refused.map(([name, rule, bytes]) => ({ name, rule, hex: hex(bytes) })),
};
writeFileSync(join(import.meta.dirname, 'membership', 'presence.json'), `${JSON.stringify(document, null, 1)}\n`);
