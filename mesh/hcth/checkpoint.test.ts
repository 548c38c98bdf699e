import { describe, expect, test } from 'vitest';
import { bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import { ChallengeBook, NO_CHALLENGE } from './challenges.ts';
import { type CheckpointContext, checkCheckpoint } from './checkpoint-check.ts';
import { type Checkpoint, checkpointsConflict, decodeCheckpoint, encodeCheckpoint, makeCheckpoint, openCheckpoint } from './checkpoint.ts';
import { LABELS } from './labels.ts';
import { type SignedObject, signObject } from './signed-object.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];
const challenge = bytesFor('challenge', 16);

/** Ada sends to Bob, Bob judges: five frames one way, three the other, one challenge in slot 10. */
function link() {
  const adaSends = chainOf(ada, bob, 1, bytesFor('a', 16));
  const bobReceives = chainOf(ada, bob, 1, bytesFor('a', 16));
  const bobSends = chainOf(bob, ada, 4, bytesFor('b', 16));
  const adaReceives = chainOf(bob, ada, 4, bytesFor('b', 16));
  exchange(5, adaSends, bobReceives);
  exchange(3, bobSends, adaReceives);
  const challenges = new ChallengeBook();
  challenges.issue(10, challenge);
  const context: CheckpointContext = {
    self: bob.established.aid,
    peer: { aid: ada.established.aid, signKey: ada.established.signKey },
    receiving: bobReceives,
    sending: bobSends,
    challenges,
    slot: 10,
    newest: null,
  };
  const origin = { from: ada.established.aid, to: bob.established.aid, sending: adaSends, received: adaReceives.position, echo: challenge, slot: 7 };
  return { adaSends, bobReceives, bobSends, adaReceives, context, origin };
}

/** A checkpoint like the honest one, with something changed, properly signed by Ada. */
function forged(change: Partial<Checkpoint>): SignedObject {
  const honest = decodeCheckpoint(makeCheckpoint(crypto, ada.signKey, link().origin).body)!;
  return signObject(crypto, ada.signKey, LABELS.checkpoint, encodeCheckpoint({ ...honest, ...change }));
}

describe('checkpoints', () => {
  test('H-20: an honest checkpoint is accepted, fresh, and its acknowledgement checked', () => {
    const { context, origin } = link();
    expect(checkCheckpoint(crypto, makeCheckpoint(crypto, ada.signKey, origin), context)).toMatchObject({
      kind: 'accepted',
      fresh: true,
      acknowledgementChecked: true,
      checkpoint: { sequence: 5, slot: 7 },
    });
  });

  test('H-20: another signer, link, incarnation or a position not yet reached is a protocol violation', () => {
    const { context, origin } = link();
    const cases: readonly SignedObject[] = [
      makeCheckpoint(crypto, bob.signKey, origin),
      forged({ to: ada.established.aid }),
      forged({ from: bob.established.aid }),
      forged({ incarnation: 2 }),
      forged({ nonce: bytesFor('other', 16) }),
      forged({ sequence: 6 }),
    ];
    for (const object of cases) expect(checkCheckpoint(crypto, object, context)).toMatchObject({ kind: 'refused', class: 'PV', code: 'CHAIN_MISMATCH' });
    const garbage = signObject(crypto, ada.signKey, LABELS.checkpoint, new Uint8Array([0xc1]));
    expect(checkCheckpoint(crypto, garbage, context)).toMatchObject({ kind: 'refused', class: 'PV', code: 'RMP_INVALID' });
  });

  test('H-20: a signed head that is not that of the frames received is SELF', () => {
    expect(checkCheckpoint(crypto, forged({ head: bytesFor('lie', 32) }), link().context)).toMatchObject({
      kind: 'refused',
      class: 'SELF',
      code: 'CHAIN_MISMATCH',
    });
  });

  test('H-21: acknowledging what was never sent is SELF; an acknowledgement beyond the ring or of an earlier incarnation is let pass', () => {
    const { context, adaReceives, bobSends } = link();
    const { position } = adaReceives;
    expect(checkCheckpoint(crypto, forged({ acknowledged: { ...position, head: bytesFor('lie', 32) } }), context)).toMatchObject({
      kind: 'refused',
      class: 'SELF',
    });
    expect(checkCheckpoint(crypto, forged({ acknowledged: { ...position, sequence: 4 } }), context)).toMatchObject({ kind: 'refused', class: 'SELF' });
    expect(checkCheckpoint(crypto, forged({ acknowledged: { ...position, incarnation: 3 } }), context)).toMatchObject({
      kind: 'accepted',
      acknowledgementChecked: false,
    });
    exchange(1_100, bobSends);
    expect(checkCheckpoint(crypto, forged({}), context)).toMatchObject({ kind: 'accepted', acknowledgementChecked: false });
  });

  test('H-21: a checkpoint that has received nothing yet is fine', () => {
    const { context, origin } = link();
    expect(checkCheckpoint(crypto, makeCheckpoint(crypto, ada.signKey, { ...origin, received: null }), context).kind).toBe('accepted');
  });

  test('H-22: an echo is fresh for two slots, then stale without blame; one never issued is a violation', () => {
    const { context } = link();
    const object = forged({});
    expect(checkCheckpoint(crypto, object, { ...context, slot: 11 })).toMatchObject({ kind: 'accepted', fresh: true });
    expect(checkCheckpoint(crypto, object, { ...context, slot: 12 })).toMatchObject({ kind: 'accepted', fresh: false });
    expect(checkCheckpoint(crypto, forged({ echo: NO_CHALLENGE }), context)).toMatchObject({ kind: 'accepted', fresh: false });
    expect(checkCheckpoint(crypto, forged({ echo: bytesFor('made up', 16) }), context)).toMatchObject({
      kind: 'refused',
      class: 'PV',
      code: 'CHALLENGE_STALE',
    });
  });

  test('H-22: one challenge is due per slot, and forgotten ones are stale, not made up', () => {
    const book = new ChallengeBook();
    expect(book.isDue(0)).toBe(true);
    for (let slot = 0; slot < 70; slot += 1) book.issue(slot, bytesFor(`challenge ${slot}`, 16));
    expect(book.isDue(69)).toBe(false);
    expect(book.newest).toEqual(bytesFor('challenge 69', 16));
    expect(book.judge(bytesFor('challenge 69', 16), 70)).toBe('fresh');
    expect(book.judge(bytesFor('challenge 10', 16), 70)).toBe('stale');
    expect(book.judge(bytesFor('challenge 1', 16), 70)).toBe('stale');
  });

  test('H-23: slot numbers never fall while the sequence grows', () => {
    const { context, adaSends, bobReceives, origin } = link();
    const first = makeCheckpoint(crypto, ada.signKey, origin);
    const newest = { object: first, checkpoint: decodeCheckpoint(first.body)! };
    exchange(1, adaSends, bobReceives);
    expect(checkCheckpoint(crypto, makeCheckpoint(crypto, ada.signKey, { ...origin, slot: 6 }), { ...context, newest })).toMatchObject({
      kind: 'refused',
      class: 'PV',
    });
    expect(checkCheckpoint(crypto, makeCheckpoint(crypto, ada.signKey, { ...origin, slot: 7 }), { ...context, newest })).toMatchObject({ kind: 'accepted' });
  });

  test('H-24: two heads for one place are an equivocation, and both signatures are kept as proof', () => {
    const { context } = link();
    const first = forged({});
    const second = forged({ head: bytesFor('other history', 32) });
    const newest = { object: first, checkpoint: decodeCheckpoint(first.body)! };
    expect(checkCheckpoint(crypto, second, { ...context, newest })).toEqual({
      kind: 'refused',
      class: 'B5',
      code: 'EQUIVOCATION',
      why: expect.any(String),
      proof: [first, second],
    });
  });

  test('H-24: the same place under another nonce, or with another acknowledgement, is no contradiction', () => {
    const a = decodeCheckpoint(forged({}).body)!;
    expect(checkpointsConflict(a, { ...a, nonce: bytesFor('restored', 16), head: bytesFor('h', 32) })).toBe(false);
    expect(checkpointsConflict(a, { ...a, echo: bytesFor('later', 16), slot: 9 })).toBe(false);
    expect(checkpointsConflict(a, { ...a, head: bytesFor('h', 32) })).toBe(true);
  });

  test('H-20: a stored checkpoint still opens after its signer has rotated its key', () => {
    const object = forged({});
    const rotated = { aid: ada.established.aid, signKeys: [ada.established.signKey, bob.established.signKey] };
    expect(openCheckpoint(crypto, rotated, bob.established.aid, object)).toMatchObject({ sequence: 5 });
    expect(openCheckpoint(crypto, bob.established, bob.established.aid, object)).toBeUndefined();
  });
});
