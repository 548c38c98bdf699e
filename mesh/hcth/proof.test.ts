import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { fromHex, hex, u32, utf8 } from '#core/bytes/bytes.ts';
import { checkpointAt, proofCases, rotated, rotationOf } from '#test/kit/proofs.ts';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import document from '#test/vectors/hcth/proofs.json' with { type: 'json' };
import { makeCheckpoint } from './checkpoint.ts';
import { aidText } from './identity-text.ts';
import { HCTH_LIMITS } from './limits.ts';
import { decodeProof, encodeProof, makeProof, proofDigest, proveContradiction, verifyProof } from './proof.ts';
import { sameStatementSlot } from './statement-slot.ts';
import type { Statement, StatementKind } from './statement-log.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];

describe('H-37: a proof is judged by itself alone', () => {
  const cases = proofCases();

  test.each(cases)('$name', ({ proof, place, why }) => {
    const verdict = verifyProof(crypto, proof);
    if (why === undefined) expect(verdict).toMatchObject({ kind: 'proven', place });
    else expect(verdict).toEqual({ kind: 'refused', why: expect.stringContaining(why) as string });
  });

  test('both kinds of case occur', () => {
    expect(cases.filter(({ why }) => why === undefined)).toHaveLength(5);
    expect(cases.length).toBeGreaterThan(25);
  });

  test('a contradiction has one name and one form, whoever found it in whichever order', () => {
    const [one, two] = [checkpointAt(ada, bob, 17, 'one'), checkpointAt(ada, bob, 17, 'two')];
    const mine = makeProof(crypto, 'checkpoint', ada.established.aid, ada.established.events, one, two);
    const other = makeProof(crypto, 'checkpoint', ada.established.aid, ada.established.events, two, one);
    expect(hex(encodeProof(mine))).toBe(hex(encodeProof(other)));
    expect(proofDigest(crypto, mine)).toEqual(proofDigest(crypto, other));
    const back = decodeProof(encodeProof(mine));
    expect(back === undefined ? '' : hex(encodeProof(back))).toBe(hex(encodeProof(mine)));
  });

  test('the key that signed both is found behind a rotation, and told', () => {
    const late = rotated(ada);
    const proof = proveContradiction(crypto, 'checkpoint', late.established, checkpointAt(ada, bob, 17, 'one'), checkpointAt(ada, bob, 17, 'two'));
    expect(proof === undefined ? undefined : verifyProof(crypto, proof)).toMatchObject({ kind: 'proven', epoch: 0 });
    expect(proveContradiction(crypto, 'checkpoint', late.established, checkpointAt(ada, bob, 17, 'one'), checkpointAt(late, bob, 17, 'two'))).toBeUndefined();
    const rotations = makeProof(crypto, 'rotation', ada.established.aid, ada.established.events, rotationOf(ada, 'static 2'), rotationOf(ada, 'static 3'));
    expect(verifyProof(crypto, rotations)).toMatchObject({ kind: 'proven', epoch: 1 });
  });

  test('an oversize proof is refused before it is decoded', () => {
    expect(verifyProof(crypto, new Uint8Array(HCTH_LIMITS.proofBytesMax + 1))).toMatchObject({ kind: 'refused' });
  });

  test('a flipped bit of a proof never proves anything', () => {
    const [good] = cases;
    if (good === undefined || good.proof instanceof Uint8Array) throw new Error('the first case proves');
    const bytes = encodeProof(good.proof);
    let flipped = 0;
    for (let at = 0; at < bytes.length * 8; at += 1) {
      const changed = bytes.map((byte, index) => (index === at >> 3 ? byte ^ (1 << (at & 7)) : byte));
      expect(verifyProof(crypto, changed).kind, `bit ${at}`).toBe('refused');
      flipped += 1;
    }
    expect(flipped).toBeGreaterThan(4_000);
  });

  test('whatever an honest node signs while it loses frames, none of it makes a proof', () => {
    let voids = 0;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 5, maxLength: 30 }), (steps) => {
        const sending = chainOf(ada, bob, 3, bootOf(ada, 3).nonce);
        let received = { sequence: 0, head: sending.head };
        const signed = [];
        for (const step of steps) {
          if (step < 3) exchange(step + 1, sending);
          else if (step === 3) received = { sequence: sending.sequence, head: sending.head };
          else if (step === 4) {
            // The frames since `received` are lost; the VOID frame itself is chained before anything is signed.
            if (sending.voidAfter(received).kind === 'void') voids += 1;
            exchange(1, sending);
            received = { sequence: sending.sequence, head: sending.head };
          }
          if (sending.signable)
            signed.push(
              makeCheckpoint(crypto, ada.signKey, {
                from: ada.established.aid,
                to: bob.established.aid,
                sending,
                received: null,
                echo: new Uint8Array(16),
                slot: 1,
              }),
            );
        }
        for (const [index, a] of signed.entries())
          for (const b of signed.slice(index + 1)) expect(proveContradiction(crypto, 'checkpoint', ada.established, a, b)).toBeUndefined();
      }),
      { numRuns: 60, examples: [[[1, 1, 3, 2, 0, 4, 1, 4, 2]]] },
    );
    expect(voids).toBeGreaterThan(0);
  });
});

describe('places of statements', () => {
  const statement = (number: number, kind: StatementKind, body: Uint8Array): Statement => ({
    aid: ada.established.aid,
    incarnation: 3,
    nonce: bytesFor('nonce 3', 16),
    number,
    previous: new Uint8Array(32),
    kind,
    body,
  });
  const readers = { vote: (body: Uint8Array) => (body.length < 4 ? undefined : { key: body.slice(0, 4), text: `the vote of term ${body[3]}` }) };
  const vote = (number: number, term: number, whom: string): Statement => statement(number, 'vote', new Uint8Array([...u32(term), ...utf8(whom)]));

  test('H-38: statements of one number share a place; of different numbers, only promises of the same thing do', () => {
    expect(sameStatementSlot(vote(4, 7, 'a'), vote(4, 8, 'b'), readers)).toBe('statement 4');
    expect(sameStatementSlot(vote(4, 7, 'a'), vote(5, 7, 'b'), readers)).toBe('the vote of term 7');
    expect(sameStatementSlot(vote(4, 7, 'a'), vote(5, 8, 'b'), readers)).toBeUndefined();
    expect(sameStatementSlot(vote(4, 7, 'a'), vote(5, 7, 'a'), readers)).toBeUndefined();
    expect(sameStatementSlot(statement(4, 'report', utf8('aaaa')), statement(5, 'report', utf8('aaab')), readers)).toBeUndefined();
    expect(sameStatementSlot(vote(4, 7, 'a'), vote(5, 7, 'b'))).toBeUndefined();
  });
});

describe('frozen vectors of proofs', () => {
  test.each(document.vectors)('$rule: $name', (vector) => {
    const bytes = fromHex(vector.hex) ?? new Uint8Array(0);
    const verdict = verifyProof(crypto, bytes);
    expect(verdict.kind).toBe(vector.error === undefined ? 'proven' : 'refused');
    const proof = decodeProof(bytes);
    if (verdict.kind === 'proven' && proof !== undefined)
      expect({ aid: aidText(proof.aid), digest: hex(proofDigest(crypto, proof)), place: verdict.place }).toEqual({
        aid: vector.aid,
        digest: vector.digest,
        place: vector.place,
      });
  });
});
