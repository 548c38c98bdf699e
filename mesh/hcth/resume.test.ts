import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Position, ResumeBlock } from '#mesh/wire/message.ts';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import { bootDigest, decodeBoot } from './boot-event.ts';
import { decodeCheckpoint, encodeCheckpoint, makeCheckpoint } from './checkpoint.ts';
import { LABELS } from './labels.ts';
import { LinkChain } from './link-chain.ts';
import { decideResume, genesisPosition, resumeSending } from './resume.ts';
import type { ResumeFacts, ResumeOurs, ResumeTheirs } from './resume-facts.ts';
import { findRow, RESUME_TABLE } from './resume-table.ts';
import { type SignedObject, signObject } from './signed-object.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];
const adaNonce = bytesFor('ada 5', 16);
const bobNonce = bytesFor('bob 2', 16);

/** Ada (incarnation 5) has sent ten frames to Bob and signed at the eighth; Bob judges her when she comes back. */
function story() {
  const adaSends = chainOf(ada, bob, 5, adaNonce);
  const bobReceives = chainOf(ada, bob, 5, adaNonce);
  const bobSends = chainOf(bob, ada, 2, bobNonce);
  exchange(8, adaSends, bobReceives);
  const adaCheckpoint = makeCheckpoint(crypto, ada.signKey, {
    from: ada.established.aid,
    to: bob.established.aid,
    sending: adaSends,
    received: null,
    echo: new Uint8Array(16),
    slot: 0,
  });
  const bobCheckpoint = makeCheckpoint(crypto, bob.signKey, {
    from: bob.established.aid,
    to: ada.established.aid,
    sending: bobSends,
    received: bobReceives.position,
    echo: new Uint8Array(16),
    slot: 0,
  });
  exchange(2, adaSends, bobReceives);
  const ours: ResumeOurs = {
    self: bob.established,
    peer: ada.established,
    known: { incarnation: 5, nonce: adaNonce },
    received: bobReceives.position,
    peerCheckpoint: adaCheckpoint,
    peerBoot: bootOf(ada, 5).object,
    earlier: 'none',
    simultaneous: false,
  };
  const block: ResumeBlock = { ownCheckpoint: adaCheckpoint, peerCheckpoint: bobCheckpoint, sent: adaSends.position, received: null };
  const theirs: ResumeTheirs = { incarnation: 5, nonce: adaNonce, block };
  return { adaSends, bobReceives, adaCheckpoint, bobCheckpoint, ours, theirs, block };
}

const restarted = (sent?: Position): ResumeTheirs => ({
  incarnation: 6,
  nonce: bytesFor('ada 6', 16),
  block: {
    ownCheckpoint: story().adaCheckpoint,
    peerCheckpoint: null,
    sent: sent ?? { incarnation: 6, nonce: bytesFor('ada 6', 16), sequence: 0, head: new Uint8Array(32) },
    received: null,
  },
});

describe('the resume table', () => {
  test('H-25: every combination of facts has a row, and every row is reached', () => {
    const words: { readonly [Fact in keyof ResumeFacts]: readonly ResumeFacts[Fact][] } = {
      incarnation: ['unknown', 'same', 'newer', 'older', 'other-nonce'],
      position: ['incomparable', 'level', 'ahead', 'behind', 'head-differs'],
      earlier: ['none', 'unprobed', 'silent', 'answers', 'simultaneous'],
      conflict: ['none', 'proven'],
      ourRecords: ['complete', 'lost'],
      tail: ['covered', 'declared-lost'],
      past: ['named', 'not-named'],
    };
    const reached = new Set<unknown>();
    let combinations = 0;
    for (const incarnation of words.incarnation)
      for (const position of words.position)
        for (const earlier of words.earlier)
          for (const conflict of words.conflict)
            for (const ourRecords of words.ourRecords)
              for (const tail of words.tail)
                for (const past of words.past) {
                  const row = findRow({ incarnation, position, earlier, conflict, ourRecords, tail, past });
                  expect(row).toBeDefined();
                  reached.add(row);
                  combinations += 1;
                }
    expect(combinations).toBe(2_000);
    expect(reached.size).toBe(RESUME_TABLE.length);
  });

  test('H-26 R0: a connection that dropped goes on where it stood, lost frames are voided', () => {
    const { ours, theirs, adaSends, bobReceives } = story();
    expect(decideResume(crypto, ours, theirs)).toMatchObject({
      kind: 'continue',
      case: 'R0',
      class: 'B0',
      verdict: 'continue',
      voidExpected: false,
      receive: bobReceives.position,
    });
    exchange(3, adaSends);
    const ahead = { ...theirs, block: { ...theirs.block!, sent: adaSends.position } };
    expect(decideResume(crypto, ours, ahead)).toMatchObject({ case: 'R0', voidExpected: true, receive: { sequence: 10 } });
  });

  test('H-27 R1: a restart begins a new genesis on the newest common checkpoint; the unsigned tail is a declared loss', () => {
    const { ours } = story();
    const decision = decideResume(crypto, ours, restarted());
    expect(decision).toMatchObject({ kind: 'continue', case: 'R1', class: 'B1', verdict: 'restart', receive: { incarnation: 6, sequence: 0 } });
    const unanchored = genesisPosition(crypto, ada.established.aid, bob.established.aid, restarted(), new Uint8Array(32));
    expect(decision.kind === 'continue' && decision.receive.head).not.toEqual(unanchored.head);
  });

  test('H-27 R1: after an orderly farewell nothing is lost, so nothing counts', () => {
    const { ours, adaSends } = story();
    const last = makeCheckpoint(crypto, ada.signKey, {
      from: ada.established.aid,
      to: bob.established.aid,
      sending: adaSends,
      received: null,
      echo: new Uint8Array(16),
      slot: 1,
    });
    const received = { ...ours.received!, sequence: 11, head: bytesFor('after BYE', 32) };
    expect(decideResume(crypto, { ...ours, peerCheckpoint: last, received }, restarted())).toMatchObject({ case: 'R1', class: 'B0' });
  });

  test('H-53 R8: the next incarnation whose boot event does not name the one we hold has lost or changed its past', () => {
    const { ours } = story();
    const { establishmentHead } = decodeBoot(ours.peerBoot!.body)!;
    const next = (previousBoot: Uint8Array, change: Partial<ResumeTheirs['boot']> = {}, incarnation = 6): unknown => {
      const boot = { previousBoot, establishmentHead, why: 'start' as const, ...change };
      const { block } = restarted();
      const sent = { ...block!.sent, incarnation };
      return decideResume(crypto, ours, { ...restarted(), incarnation, block: { ...block!, sent }, boot });
    };
    const digest = bootDigest(crypto, ours.peerBoot!);
    expect(next(new Uint8Array(32))).toMatchObject({ kind: 'continue', case: 'R8', class: 'B2', verdict: 'restart', receive: { incarnation: 6, sequence: 0 } });
    expect(next(digest)).toMatchObject({ case: 'R1' });
    // Lives in between that we have not seen, a rollback that was told as one, other keys: nothing can be said.
    expect(next(new Uint8Array(32), {}, 7)).toMatchObject({ case: 'R1' });
    expect(next(new Uint8Array(32), { why: 'restore' })).toMatchObject({ case: 'R1' });
    expect(next(new Uint8Array(32), { establishmentHead: new Uint8Array(32) })).toMatchObject({ case: 'R1' });
  });

  test('H-28 R2: an older incarnation is stale, and is shown its own newer signatures', () => {
    const { ours, theirs, adaCheckpoint } = story();
    expect(decideResume(crypto, ours, { ...theirs, incarnation: 4, nonce: bytesFor('4', 16) })).toEqual({
      kind: 'refuse',
      case: 'R2',
      class: 'B2',
      code: 'IDENTITY_STALE',
      meaning: expect.any(String),
      evidence: [ours.peerBoot, adaCheckpoint],
      incumbentContested: false,
    });
  });

  test('H-28 R3: the same incarnation under another nonce is stale and worse', () => {
    const { ours, theirs } = story();
    expect(decideResume(crypto, ours, { ...theirs, nonce: bytesFor('copy', 16) })).toMatchObject({
      kind: 'refuse',
      case: 'R3',
      class: 'B3',
      code: 'IDENTITY_STALE',
    });
  });

  test('H-29 R4: an earlier session is asked first; if it answers the identity is contested, if it is silent it was a restart', () => {
    const { ours } = story();
    expect(decideResume(crypto, { ...ours, earlier: 'unprobed' }, restarted())).toEqual({ kind: 'probe' });
    expect(decideResume(crypto, { ...ours, earlier: 'answers' }, restarted())).toMatchObject({
      kind: 'refuse',
      case: 'R4',
      class: 'B4',
      code: 'IDENTITY_CONTESTED',
      incumbentContested: true,
    });
    expect(decideResume(crypto, { ...ours, earlier: 'silent' }, restarted())).toMatchObject({ kind: 'continue', case: 'R1' });
  });

  test('H-29: two ends that dial each other at once are not clones', () => {
    const { ours, theirs } = story();
    expect(decideResume(crypto, { ...ours, earlier: 'answers', simultaneous: true }, theirs)).toMatchObject({
      kind: 'refuse',
      case: 'dial',
      class: 'B0',
      code: 'DUP_CONN',
    });
    expect(decideResume(crypto, { ...ours, earlier: 'answers', simultaneous: true }, { ...theirs, nonce: bytesFor('copy', 16) })).toMatchObject({ case: 'R4' });
  });

  test('H-30 R5: two checkpoints for one place convict, whatever else is true', () => {
    const { ours, theirs, adaCheckpoint } = story();
    const other = signObject(
      crypto,
      ada.signKey,
      LABELS.checkpoint,
      encodeCheckpoint({ ...decodeCheckpoint(adaCheckpoint.body)!, head: bytesFor('other', 32) }),
    );
    const decision = decideResume(crypto, { ...ours, earlier: 'answers' }, { ...theirs, block: { ...theirs.block!, ownCheckpoint: other } });
    expect(decision).toMatchObject({ kind: 'refuse', case: 'R5', class: 'B5', code: 'EQUIVOCATION', evidence: [adaCheckpoint, other] });
  });

  test('H-30 R5: a checkpoint that it showed before convicts as well as the newest one held', () => {
    const { ours, theirs, adaCheckpoint } = story();
    const checkpoint = decodeCheckpoint(adaCheckpoint.body)!;
    const other = signObject(crypto, ada.signKey, LABELS.checkpoint, encodeCheckpoint({ ...checkpoint, head: bytesFor('other', 32) }));
    const shown = { ...theirs, block: { ...theirs.block!, ownCheckpoint: other } };
    const forgetful = { ...ours, peerCheckpoint: null };
    expect(decideResume(crypto, forgetful, shown)).not.toMatchObject({ case: 'R5' });
    const remembering = { ...forgetful, remembered: [{ checkpoint, object: adaCheckpoint }] };
    expect(decideResume(crypto, remembering, shown)).toMatchObject({ case: 'R5', class: 'B5', evidence: [adaCheckpoint, other] });
  });

  test('H-31 R6: a position below what arrived, or another head at the same place, is a mismatch', () => {
    const { ours, theirs } = story();
    const at = (sequence: number, head: Uint8Array): ResumeTheirs => ({
      ...theirs,
      block: { ...theirs.block!, sent: { ...theirs.block!.sent, sequence, head } },
    });
    expect(decideResume(crypto, ours, at(9, bytesFor('9', 32)))).toMatchObject({ case: 'R6', class: 'B3', code: 'CHAIN_MISMATCH' });
    expect(decideResume(crypto, ours, at(10, bytesFor('other', 32)))).toMatchObject({ case: 'R6' });
    expect(decideResume(crypto, ours, { ...theirs, block: null })).toMatchObject({ case: 'R6' });
  });

  test('H-32 R7: a judge that has lost its records is shown its own signature and catches up; nothing happens to the peer', () => {
    const { ours, theirs, adaSends } = story();
    const forgotten: ResumeOurs = { ...ours, known: null, received: null, peerCheckpoint: null, peerBoot: null };
    expect(decideResume(crypto, forgotten, theirs)).toMatchObject({
      kind: 'continue',
      case: 'R7',
      class: 'B0',
      verdict: 'fast-forward',
      receive: adaSends.position,
    });
    const rolledBack: ResumeOurs = { ...ours, received: { ...ours.received!, sequence: 3, head: bytesFor('3', 32) } };
    expect(decideResume(crypto, rolledBack, theirs)).toMatchObject({ case: 'R7', receive: adaSends.position });
  });

  test('H-25: a block with signatures that are not what they claim is refused', () => {
    const { ours, theirs } = story();
    const notHers: SignedObject = { body: theirs.block!.ownCheckpoint!.body, sig: new Uint8Array(64) };
    expect(decideResume(crypto, ours, { ...theirs, block: { ...theirs.block!, ownCheckpoint: notHers } })).toMatchObject({
      kind: 'refuse',
      case: 'forged',
      class: 'PV',
    });
    expect(decideResume(crypto, ours, { ...theirs, block: { ...theirs.block!, peerCheckpoint: theirs.block!.ownCheckpoint } })).toMatchObject({
      kind: 'refuse',
      case: 'forged',
    });
  });

  test('H-25: first contact begins at an unanchored genesis', () => {
    const { ours } = story();
    const stranger: ResumeOurs = { ...ours, known: null, received: null, peerCheckpoint: null, peerBoot: null };
    const fresh: ResumeTheirs = { incarnation: 1, nonce: bytesFor('1', 16), block: null };
    expect(decideResume(crypto, stranger, fresh)).toMatchObject({
      case: 'new',
      verdict: 'first-contact',
      receive: genesisPosition(crypto, ada.established.aid, bob.established.aid, fresh, new Uint8Array(32)),
    });
  });

  test('H-33: a peer that claims another past than was sent is not followed', () => {
    const { adaSends } = story();
    const self = { ...ada.established, incarnation: 5, nonce: adaNonce };
    const theirs: ResumeBlock = {
      ownCheckpoint: null,
      peerCheckpoint: null,
      sent: adaSends.position,
      received: { ...adaSends.position, head: bytesFor('other', 32) },
    };
    expect(resumeSending(crypto, { self, peer: bob.established.aid, sending: adaSends, ownCheckpoint: null, theirs })).toMatchObject({ kind: 'mismatch' });
  });

  test('H-33: both ends arrive at the same two chains after any sequence of drops, restarts and lost records', () => {
    const steps = fc.array(
      fc.record({
        sent: fc.nat({ max: 5 }),
        lost: fc.nat({ max: 3 }),
        sign: fc.boolean(),
        acknowledge: fc.boolean(),
        flush: fc.boolean(),
        then: fc.constantFrom('drop', 'restart-ada', 'restart-bob', 'bob-forgets'),
      }),
      { minLength: 1, maxLength: 12 },
    );
    const seen = { drop: 0, restart: 0, void: 0, forgotten: 0, forward: 0 };
    fc.assert(
      fc.property(steps, (plan) => {
        let adaIncarnation = 1;
        let sending: LinkChain | null = null;
        let receiving: LinkChain | null = null;
        // Ada's own checkpoint, and what Bob holds: newest in memory, and what is on his disk.
        let own: SignedObject | null = null;
        // Bob's newest acknowledgement, as Ada holds it: it may say more than Bob's disk remembers.
        let acknowledgement: SignedObject | null = null;
        const bobSends = chainOf(bob, ada, 2, bobNonce);
        let held: { received: Position | null; known: ResumeOurs['known']; checkpoint: SignedObject | null } = {
          received: null,
          known: null,
          checkpoint: null,
        };
        let disk = held;
        for (const step of plan) {
          const nonce = bytesFor(`ada ${adaIncarnation}`, 16);
          const sent: Position = sending?.position ?? { incarnation: adaIncarnation, nonce, sequence: 0, head: new Uint8Array(32) };
          const ours: ResumeOurs = {
            self: bob.established,
            peer: ada.established,
            known: held.known,
            received: held.received,
            peerCheckpoint: held.checkpoint,
            peerBoot: null,
            earlier: 'none',
            simultaneous: false,
          };
          const adaBlock: ResumeBlock = { ownCheckpoint: own, peerCheckpoint: acknowledgement, sent, received: null };
          const bobBlock: ResumeBlock = { ownCheckpoint: null, peerCheckpoint: held.checkpoint, sent, received: held.received };
          const decision = decideResume(crypto, ours, { incarnation: adaIncarnation, nonce, block: adaBlock });
          const mine = resumeSending(crypto, {
            self: { ...ada.established, incarnation: adaIncarnation, nonce },
            peer: bob.established.aid,
            sending,
            ownCheckpoint: own,
            shown: acknowledgement === null ? null : { keys: bob.established, checkpoint: acknowledgement },
            theirs: bobBlock,
          });
          if (mine.kind !== 'send') throw new Error(mine.why);
          if (decision.kind !== 'continue') throw new Error(JSON.stringify(decision));
          if (decision.case === 'R7' && held.received !== null) seen.forward += 1;
          sending = mine.chain;
          receiving = new LinkChain(crypto, decision.receive);
          if (mine.message !== null) {
            expect(receiving.applyVoid(mine.message).kind).toBe('applied');
            exchange(1, sending, receiving);
            seen.void += 1;
          }
          expect(receiving.position).toEqual(sending.position);
          exchange(step.sent, sending, receiving);
          if (step.sign) {
            own = makeCheckpoint(crypto, ada.signKey, {
              from: ada.established.aid,
              to: bob.established.aid,
              sending,
              received: null,
              echo: new Uint8Array(16),
              slot: 0,
            });
            exchange(1, sending, receiving);
          }
          if (step.acknowledge) {
            acknowledgement = makeCheckpoint(crypto, bob.signKey, {
              from: bob.established.aid,
              to: ada.established.aid,
              sending: bobSends,
              received: receiving.position,
              echo: new Uint8Array(16),
              slot: 0,
            });
          }
          held = { received: receiving.position, known: { incarnation: adaIncarnation, nonce }, checkpoint: step.sign ? own : held.checkpoint };
          if (step.flush) disk = held;
          exchange(step.lost, sending);
          if (step.then === 'drop') seen.drop += 1;
          if (step.then === 'restart-ada') {
            adaIncarnation += 1;
            sending = null;
            seen.restart += 1;
          }
          if (step.then === 'restart-bob') held = disk;
          if (step.then === 'bob-forgets') {
            held = { received: null, known: null, checkpoint: null };
            disk = held;
            seen.forgotten += 1;
          }
        }
      }),
      { numRuns: 500 },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(10);
  });

  test('a position of another incarnation, or one that can no longer be counted, is not gone on from', () => {
    const { ours, theirs, block } = story();
    const forgetful: ResumeOurs = { ...ours, received: null };
    expect(decideResume(crypto, forgetful, theirs)).toMatchObject({ kind: 'continue', case: 'R7' });
    for (const sent of [
      { ...block.sent, incarnation: 4 },
      { ...block.sent, nonce: bytesFor('other', 16) },
      { ...block.sent, sequence: Number.MAX_SAFE_INTEGER },
    ]) {
      expect(decideResume(crypto, forgetful, { ...theirs, block: { ...block, sent } })).toMatchObject({ kind: 'refuse', case: 'forged', class: 'PV' });
    }
  });
});
