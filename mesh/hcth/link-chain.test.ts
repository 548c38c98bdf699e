import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, hex, utf8 } from '#core/bytes/bytes.ts';
import { bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import vectors from '#test/vectors/hcth/link-chain.json' with { type: 'json' };
import { chainHead, chainLeaf, chainVoid, linkGenesis } from './chain.ts';
import { LABELS, labelled } from './labels.ts';
import { LinkChain } from './link-chain.ts';

const bytes = (text: string): Uint8Array => fromHex(text)!;
const [ada, bob] = [identityOf('ada'), identityOf('bob')];
const nonce = bytesFor('boot', 16);

function pair(): [LinkChain, LinkChain] {
  return [chainOf(ada, bob, 1, nonce), chainOf(ada, bob, 1, nonce)];
}

describe('the link chain', () => {
  test('H-16: genesis, leaves, heads and void give the known answers', () => {
    const { genesis: start, frames, void: gap, signature } = vectors;
    let head = linkGenesis(crypto, bytes(start.from), bytes(start.to), start.incarnation, bytes(start.nonce), bytes(start.anchor));
    expect(hex(head)).toBe(start.head);
    const chain = new LinkChain(crypto, { incarnation: 1, nonce: bytes(start.nonce), sequence: 0, head });
    for (const frame of frames) {
      const leaf = chainLeaf(crypto, bytes(frame.header), bytes(frame.plaintext));
      if ('leaf' in frame) expect(hex(leaf)).toBe(frame.leaf);
      head = chainHead(crypto, head, leaf);
      chain.append(bytes(frame.header), bytes(frame.plaintext));
      expect(hex(head)).toBe(frame.head);
      expect(hex(chain.head)).toBe(frame.head);
    }
    expect(hex(chainVoid(crypto, head, gap.from, gap.to, bytes(gap.lostHead)))).toBe(gap.head);
    const key = crypto.signKey(bytes(signature.seed));
    expect(hex(key.publicKey)).toBe(signature.publicKey);
    expect(hex(crypto.sign(key, labelled(LABELS.checkpoint), head))).toBe(signature.signature);
  });

  test('H-17: sender and receiver of the same frames have the same head, and any difference shows', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 20 }), fc.nat(), (plaintexts, which) => {
        const [a, b] = pair();
        const altered = which % plaintexts.length;
        const other = chainOf(ada, bob, 1, nonce);
        for (const [index, plaintext] of plaintexts.entries()) {
          a.append(new Uint8Array(20), plaintext);
          b.append(new Uint8Array(20), plaintext);
          other.append(new Uint8Array(20), index === altered ? utf8('x'.repeat(41)) : plaintext);
        }
        expect(a.position).toEqual(b.position);
        expect(other.head).not.toEqual(a.head);
      }),
    );
  });

  test('H-18: after a void both ends agree again, and the lost head stays committed to', () => {
    const [a, b] = pair();
    exchange(5, a, b);
    exchange(3, a); // on the way when the connection broke
    const lostHead = a.head;
    const outcome = a.voidAfter(b.position);
    if (outcome.kind !== 'void') throw new Error('three frames were lost');
    expect(outcome.message).toEqual({ kind: 'void', from: 5, to: 8, head: lostHead });
    expect(b.applyVoid(outcome.message)).toEqual({ kind: 'applied', lost: 3 });
    exchange(2, a, b);
    expect(a.position).toEqual(b.position);
    expect(a.sequence).toBe(10);
  });

  test('H-18: nothing may be signed between a void and its VOID frame', () => {
    const [a, b] = pair();
    exchange(1, a);
    a.voidAfter(b.position);
    expect(a.signable).toBe(false);
    exchange(1, a);
    expect(a.signable).toBe(true);
  });

  test('H-18: nothing lost needs no void; a foreign head is a mismatch; a void that goes back or elsewhere is refused', () => {
    const [a, b] = pair();
    exchange(4, a, b);
    expect(a.voidAfter(b.position)).toEqual({ kind: 'none' });
    expect(a.voidAfter({ sequence: 4, head: new Uint8Array(32) })).toEqual({ kind: 'mismatch' });
    expect(a.voidAfter({ sequence: 5, head: new Uint8Array(32) })).toEqual({ kind: 'mismatch' });
    for (const [from, to] of [
      [3, 6],
      [5, 6],
      [4, 4],
    ] as const)
      expect(b.applyVoid({ kind: 'void', from, to, head: new Uint8Array(32) }).kind).toBe('refused');
  });

  test('H-19: the newest 1 024 positions can be checked, older ones cannot, later ones are not yet', () => {
    const [a] = pair();
    const heads: Uint8Array[] = [a.head];
    for (let index = 0; index < 1_500; index += 1) {
      exchange(1, a);
      heads.push(a.head);
    }
    expect(a.headAt(1_500)).toEqual({ kind: 'head', head: heads[1_500] });
    expect(a.headAt(477)).toEqual({ kind: 'head', head: heads[477] });
    expect(a.headAt(476)).toEqual({ kind: 'too-old' });
    expect(a.headAt(0)).toEqual({ kind: 'too-old' });
    expect(a.headAt(1_501)).toEqual({ kind: 'not-yet' });
  });

  test('H-19: positions that a void took back are no longer vouched for', () => {
    const [a, b] = pair();
    exchange(2, a, b);
    exchange(3, a);
    a.voidAfter(b.position);
    expect(a.headAt(3).kind).toBe('too-old');
    expect(a.headAt(2).kind).toBe('head');
    expect(a.headAt(5)).toEqual({ kind: 'head', head: a.head });
  });

  test('a void beyond what can be counted is refused and changes nothing', () => {
    const chain = chainOf(ada, bob, 1, bytesFor('nonce', 16));
    const outcome = chain.applyVoid({ kind: 'void', from: 0, to: Number.MAX_SAFE_INTEGER - 1, head: new Uint8Array(32) });
    expect(outcome.kind).toBe('refused');
    expect(chain.sequence).toBe(0);
  });
});
