import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { MINUTE } from '#core/time/time.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { makeStatement, statementTipAtBoot, type StatementTip } from '#mesh/hcth/statement-log.ts';
import { bootOf, bytesFor, crypto } from '#test/kit/identities.ts';
import { checkTrustDocument } from '#scripts/check-trust.mjs';
import { encodeProof } from '#mesh/hcth/proof.ts';
import { proofCases } from '#test/kit/proofs.ts';
import { ada, altered, bob, type DocumentEdit, edited, exportStory, proofsAgainstBob, youngBob } from '#test/kit/trust-exports.ts';
import frozen from '#test/vectors/trust/export.json' with { type: 'json' };
import refused from '#test/vectors/trust/exports-refused.json' with { type: 'json' };
import { explainTrust, trustSteps } from '../explain.ts';
import { NEW_HISTORY, type TrustHistory } from '../history.ts';
import { parseEventLine } from '../history-codec.ts';
import { PeerTrust } from '../peer-trust.ts';
import { TRUST_PROFILES } from '../profiles.ts';
import { checkTrustExport } from './check-export.ts';
import { exportTrust, type TrustExportSource } from './export-trust.ts';
import type { JsonDocument } from './plain-document.ts';

const { edits } = refused;
const historyOf = (lines: readonly string[]): TrustHistory => ({ base: NEW_HISTORY.base, events: lines.map((line) => parseEventLine(line)!) });
const history = historyOf([
  'c 1000 8',
  'a 600000',
  'b B2 1700000000000 its disk was rolled back',
  'n 60000',
  'c 1 3',
  'b PV 1700000001000 reserved bits were set',
]);
const profile = TRUST_PROFILES.home;
const story = exportStory();
const [bobOne, bobTwo] = story.peer.checkpoints as [SignedObject, SignedObject];
const [adaOne, adaTwo] = story.observer.checkpoints as [SignedObject, SignedObject];

/** The export as a file holds it, of the story with some parts replaced. */
function exported(
  peer: Partial<TrustExportSource['peer']> = {},
  observer: Partial<TrustExportSource['observer']> = {},
  proofs: readonly Uint8Array[] = [],
): JsonDocument {
  const source = {
    proofs,
    observer: { ...story.observer, ...observer },
    peer: { ...story.peer, ...peer },
    profile,
    history,
    at: 1_700_000_002_000,
  };
  return JSON.parse(JSON.stringify(exportTrust(crypto, source))) as JsonDocument;
}

/** The same document under a fresh, genuine signature of the observer. */
function signedAgain(document: JsonDocument): JsonDocument {
  const { signature: _, ...rest } = document;
  return { ...rest, signature: hex(crypto.sign(ada.signKey, labelled(LABELS.trustExport), encodeRmp(rest))) };
}

describe('the trust export', () => {
  test('T-17: the offline checker recomputes the number from the document alone', () => {
    const trust = new PeerTrust(profile, history);
    expect(checkTrustExport(crypto, exported())).toMatchObject({
      kind: 'consistent',
      score: trust.score,
      level: trust.level,
      events: 6,
      verified: { rotations: 1, boots: 2, statements: 2, checkpoints: 4, proofs: 0 },
    });
  });

  test('T-17: the frozen export still verifies to the same number', () => {
    expect(checkTrustExport(crypto, frozen)).toMatchObject({ kind: 'consistent', score: frozen.result.score, verified: { checkpoints: 4 } });
  });

  test('T-17: any history gives an export that holds and says the very number', () => {
    const line = fc.oneof(
      fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat({ max: 8 })).map(([slots, frames]) => `c ${slots} ${frames}`),
      fc.nat({ max: 5_000_000_000 }).map((ms) => `a ${ms}`),
      fc.constantFrom('B0', 'B1', 'PV', 'B2', 'B3', 'B4', 'SELF', 'SENT').map((breakClass) => `b ${breakClass} 17 because`),
      fc.constant('s 18'),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.constantFrom('lab' as const, 'home' as const, 'fleet' as const), (lines, name) => {
        const source = { ...story, profile: TRUST_PROFILES[name], history: historyOf(lines), at: 1 };
        const verdict = checkTrustExport(crypto, JSON.parse(JSON.stringify(exportTrust(crypto, source))));
        expect(verdict).toMatchObject({ kind: 'consistent', score: new PeerTrust(source.profile, source.history).score });
      }),
      { numRuns: 60 },
    );
  });

  test('T-17: an observer that signs another number than follows from its own events is found out', () => {
    expect(checkTrustExport(crypto, signedAgain({ ...exported(), result: { score: 9_000, level: 4, standing: 'clear' } }))).toMatchObject({
      kind: 'refused',
      fault: 'result',
      at: ['result'],
      why: expect.stringMatching(/states trust 0\.9000.*give trust 0\.\d{4}, level T\d/),
    });
  });

  test('T-17: every byte of the document counts: without any of its parts, or with another, it does not hold', () => {
    const document = exported();
    for (const key of Object.keys(document)) {
      const { [key]: _, ...rest } = document;
      expect(checkTrustExport(crypto, rest).kind, key).toBe('refused');
    }
    for (const changed of [{ at: 1 }, { peer: { ...(document['peer'] as object), name: 'mallory' } }] as JsonDocument[])
      expect(checkTrustExport(crypto, { ...document, ...changed })).toMatchObject({ kind: 'refused', fault: 'signature', at: ['signature'] });
  });

  test('T-17: foreign JSON is malformed at a named place, never an exception', () => {
    const document = exported();
    for (const [json, at] of [
      [null, []],
      [1, []],
      ['x', []],
      [[], []],
      [{}, ['type']],
      [{ ...document, type: 'other' }, ['type']],
      [{ ...document, v: 1 }, ['v']],
      [{ ...document, at: 1.5 }, []],
      [{ ...document, at: null }, []],
      [{ ...document, 'not allowed': 1 }, []],
      [{ ...document, events: [1] }, ['events', 0]],
      [{ ...document, events: (document['events'] as string[]).with(2, 'c 1 8') }, ['events', 2]],
      [{ ...document, events: Array.from({ length: 3_000 }, () => 'c 1 8') }, []],
      [{ ...document, extra: [[[[[[[[[[1]]]]]]]]]] }, []],
      [{ ...document, peer: { ...(document['peer'] as object), boot: { body: 'xy', sig: '' } } }, ['peer', 'boot']],
      [{ ...document, signature: 'ab' }, ['signature']],
      [JSON.parse('{"__proto__":{"v":1}}'), []],
    ] as const) {
      expect(checkTrustExport(crypto, json)).toMatchObject({ kind: 'refused', fault: 'malformed', at });
    }
  });
});

describe('frozen edits of the frozen export', () => {
  test.each(edits)('$rule: $name', (edit) => {
    expect(checkTrustExport(crypto, edited(frozen, edit as DocumentEdit))).toMatchObject({ kind: 'refused', fault: edit.fault, at: edit.at });
    expect(checkTrustDocument(edited(frozen, edit as DocumentEdit))).toMatchObject({ holds: false });
  });
});

describe('the history in an export', () => {
  const events = (): string[] => exported()['events'] as string[];
  const check = (changed: readonly string[]): unknown => checkTrustExport(crypto, { ...exported(), events: changed });

  test('T-22: one line edited, dropped, added or moved is named by its index', () => {
    const all = events();
    for (const index of all.keys()) {
      const named = { kind: 'refused', fault: 'history', at: ['events', index] };
      const line = all[index]!;
      expect(check(all.with(index, `${line.slice(0, 65)}c 2000 8`)), `edited ${index}`).toMatchObject(named);
      expect(check(all.toSpliced(index, 0, `${line.slice(0, 65)}n 1`)), `added ${index}`).toMatchObject(named);
      if (index === all.length - 1) continue;
      expect(check(all.toSpliced(index, 1)), `dropped ${index}`).toMatchObject(named);
      expect(check(all.with(index, all[index + 1]!).with(index + 1, line)), `moved ${index}`).toMatchObject(named);
    }
  });

  test('T-22: a line cut off at the end, and heads made to fit, are found by the signature', () => {
    expect(check(events().slice(0, -1))).toMatchObject({ kind: 'refused', fault: 'signature' });
    const other = exportTrust(crypto, { ...story, profile, history: historyOf(['c 2000 8']), at: 1_700_000_002_000 })['events'];
    expect(checkTrustExport(crypto, { ...exported(), events: other! })).toMatchObject({ kind: 'refused', fault: 'signature' });
  });

  test('T-22: the heads hold for this pair and this base only', () => {
    const { observer, peer } = story;
    const swapped = exportTrust(crypto, {
      observer: { ...peer, signKey: bob.signKey },
      peer: { ...observer, name: 'ada' },
      proofs: [],
      profile,
      history,
      at: 1,
    });
    expect(checkTrustExport(crypto, swapped).kind).toBe('consistent');
    expect(check(swapped['events'] as string[])).toMatchObject({ fault: 'history', at: ['events', 0] });
    const base = exported()['base'] as object;
    expect(checkTrustExport(crypto, { ...exported(), base: { ...base, lengthMilli: 1 } })).toMatchObject({ fault: 'history', at: ['events', 0] });
  });
});

describe('the identities in an export', () => {
  test('T-23: rotations of both are verified, and what an older key signed before its rotation still counts', () => {
    expect(checkTrustExport(crypto, exported()).kind).toBe('consistent');
    expect(checkTrustExport(crypto, exported({ established: youngBob.established }))).toMatchObject({
      kind: 'refused',
      fault: 'evidence',
      at: ['peer', 'boot'],
    });
  });

  test('T-23: a damaged establishment log is named by the index of its event', () => {
    const document = exported();
    const peer = document['peer'] as { establishment: { body: string; sig: string }[] };
    for (const index of [0, 1]) {
      const event = peer.establishment[index]!;
      const damaged = peer.establishment.with(index, { ...event, sig: `00${event.sig.slice(2)}` });
      expect(checkTrustExport(crypto, { ...document, peer: { ...peer, establishment: damaged } })).toMatchObject({
        kind: 'refused',
        fault: 'identity',
        at: ['peer', 'establishment', index],
      });
    }
    expect(checkTrustExport(crypto, { ...document, peer: { ...peer, aid: (document['observer'] as { aid: string }).aid } })).toMatchObject({
      at: ['peer', 'aid'],
    });
  });

  test('T-23: a boot event counts only under the key that was in force at the event it names', () => {
    const forged = bootOf({ ...bob, signKey: youngBob.signKey }, 3).object;
    expect(checkTrustExport(crypto, exported({ boot: forged }))).toMatchObject({ fault: 'evidence', at: ['peer', 'boot'] });
    expect(checkTrustExport(crypto, exported({}, { boot: bootOf(bob, 5).object }))).toMatchObject({ fault: 'evidence', at: ['observer', 'boot'] });
    expect(checkTrustExport(crypto, exported({ boot: null }, { boot: null }))).toMatchObject({ kind: 'consistent', verified: { boots: 0 } });
  });
});

describe('the signed evidence in an export', () => {
  const refusedAt = (document: JsonDocument): unknown => {
    const verdict = checkTrustExport(crypto, document);
    return verdict.kind === 'refused' ? [verdict.fault, ...verdict.at] : verdict.kind;
  };
  const ofBob = (...checkpoints: readonly SignedObject[]): unknown => refusedAt(exported({ checkpoints }));
  const second = ['evidence', 'peer', 'checkpoints', 1];

  test('T-24: a checkpoint that is not the signer’s, or not for the other, is named by its index', () => {
    expect(ofBob({ ...bobOne, sig: bobTwo.sig })).toEqual(['evidence', 'peer', 'checkpoints', 0]);
    expect(ofBob(bobOne, adaTwo)).toEqual(second);
    expect(refusedAt(exported({}, { checkpoints: [adaOne, { ...adaTwo, sig: adaOne.sig }] }))).toEqual(['evidence', 'observer', 'checkpoints', 1]);
  });

  test('T-24: the checkpoints of one direction are in order and never take anything back', () => {
    expect(ofBob(bobOne, bobOne)).toBe('consistent');
    expect(ofBob(bobTwo, bobOne)).toEqual(second);
    const later = (change: Parameters<typeof altered>[2]): unknown => ofBob(bobTwo, altered(bob, bobTwo, change));
    const behind = exportStory().observer.position!;
    expect(later({ head: bytesFor('another head', 32) })).toEqual(second); // two things in one place
    expect(later({ nonce: bytesFor('another start', 16) })).toEqual(second);
    expect(later({ sequence: 5 })).toEqual(second);
    expect(later({ slot: 0 })).toEqual(second);
    expect(later({ acknowledged: { ...behind, sequence: 2 } })).toEqual(second);
    expect(later({ acknowledged: { ...behind, sequence: 5, head: bytesFor('another head', 32) } })).toEqual(second);
  });

  test('T-24: boot event and position fit the newest checkpoint', () => {
    expect(refusedAt(exported({ boot: bootOf(youngBob, 2).object }))).toEqual(['evidence', 'peer', 'boot']);
    expect(refusedAt(exported({ boot: bootOf(bob, 3, 'another').object }))).toEqual(['evidence', 'peer', 'boot']);
    const { position } = story.peer;
    for (const change of [{ incarnation: 2 }, { nonce: bytesFor('x', 16) }, { sequence: 5 }, { sequence: 6, head: bytesFor('x', 32) }])
      expect(refusedAt(exported({ position: { ...position!, ...change } })), JSON.stringify(change)).toEqual(['evidence', 'peer', 'position']);
    expect(refusedAt(exported({ position: null }, { position: null }))).toBe('consistent');
  });

  test('T-28: a statement is the party’s, of the life of its boot event or an earlier one, and the first continues it', () => {
    const said = (tip: StatementTip, incarnation = 3, label = '3', signer = bob): SignedObject =>
      makeStatement(crypto, signer.signKey, { aid: bob.established.aid, incarnation, nonce: bootOf(bob, 3, label).nonce }, tip, {
        kind: 'bye',
        body: new Uint8Array(0),
      }).object;
    const atBoot = statementTipAtBoot(crypto, story.peer.boot!);
    const elsewhere = { number: 0, digest: bytesFor('x', 32) };
    for (const statement of [said(atBoot), said({ ...elsewhere, number: 4 }), said(elsewhere, 2), null]) {
      expect(refusedAt(exported({ statement }))).toBe('consistent');
      expect(checkTrustDocument(exported({ statement }))).toMatchObject({ holds: true });
    }
    for (const statement of [said(elsewhere), said(atBoot, 4), said(atBoot, 3, 'another'), said(atBoot, 3, '3', ada), story.observer.statement]) {
      expect(refusedAt(exported({ statement }))).toEqual(['evidence', 'peer', 'statement']);
      expect(checkTrustDocument(exported({ statement }))).toMatchObject({ holds: false, at: 'peer.statement' });
    }
  });

  test('T-24, T-25: before the first frame there is no head that two could disagree about (H-24)', () => {
    const nothing = { ...story.observer.position!, sequence: 0 };
    const unlike = altered(bob, bobTwo, { sequence: 0, head: bytesFor('x', 32), acknowledged: { ...nothing, head: bytesFor('y', 32) } });
    const first = altered(bob, bobTwo, { sequence: 0, acknowledged: { ...nothing, head: bytesFor('z', 32) } });
    const start = { ...story.peer.position!, sequence: 0, head: bytesFor('p', 32) };
    const own = altered(ada, adaTwo, { sequence: 0, acknowledged: { ...start, head: bytesFor('q', 32) } });
    const document = exported({ checkpoints: [first, unlike], position: start }, { checkpoints: [own], position: nothing });
    expect(refusedAt(document)).toBe('consistent');
    expect(checkTrustDocument(document)).toMatchObject({ holds: true });
  });

  test('T-25: what one acknowledges is what the other signed, and no more than there was', () => {
    const { position } = story.observer;
    const acknowledging = (change: object): SignedObject => altered(bob, bobTwo, { acknowledged: { ...position!, ...change } });
    expect(ofBob(acknowledging({ sequence: 5, head: bytesFor('not what Ada sent', 32) }))).toEqual(['evidence', 'peer', 'checkpoints', 0]);
    expect(ofBob(acknowledging({ sequence: 7 }))).toEqual(['evidence', 'peer', 'checkpoints', 0]);
    expect(ofBob(acknowledging({ sequence: 7, incarnation: 4 }))).toBe('consistent'); // of another incarnation: unknown, not false
  });
});

describe('the proofs in an export', () => {
  const proofs = proofsAgainstBob();

  test('T-27: every proof is judged by itself, by both checkers', () => {
    const document = exported({}, {}, proofs);
    expect(checkTrustExport(crypto, document)).toMatchObject({ kind: 'consistent', verified: { proofs: 4 } });
    expect(checkTrustDocument(document)).toMatchObject({ holds: true });
  });

  test('T-27: a proof that proves nothing, or something about somebody else, is named by its index', () => {
    const good = proofs[1]!;
    for (const bad of [good.map((byte, index) => (index === good.length - 1 ? byte ^ 1 : byte)), good.subarray(0, -1), new Uint8Array(0)]) {
      const document = exported({}, {}, [proofs[0]!, bad]);
      expect(checkTrustExport(crypto, document)).toMatchObject({ kind: 'refused', fault: 'evidence', at: ['proofs', 1] });
      expect(checkTrustDocument(document)).toMatchObject({ holds: false, at: 'proofs[1]' });
    }
    for (const { proof, why } of proofCases()) {
      const bytes = proof instanceof Uint8Array ? proof : encodeProof(proof);
      const aboutAda = exported({}, {}, [bytes]); // Bob is the peer here: whatever it proves, it proves nothing about him
      expect(checkTrustExport(crypto, aboutAda), why).toMatchObject({ kind: 'refused', at: ['proofs', 0] });
      expect(checkTrustDocument(aboutAda), why).toMatchObject({ holds: false, at: 'proofs[0]' });
    }
  });

  test('T-27: who is convicted without a proof in the document is so by the word of the observer, and that is said', () => {
    const convicted = (given: readonly Uint8Array[]): string => {
      const source = { ...story, proofs: given, profile, history: historyOf(['c 10 8', 'b B5 1700000000000 two heads']), at: 1 };
      const verdict = checkTrustExport(crypto, JSON.parse(JSON.stringify(exportTrust(crypto, source))));
      return verdict.kind === 'consistent' ? verdict.lines.join('\n') : verdict.why;
    };
    expect(convicted([])).toContain('rests on the word of the observer');
    expect(convicted([proofs[0]!])).not.toContain('rests on the word');
  });
});

describe('the explanation', () => {
  test('T-18: it tells every event in order, the very number, and what it permits', () => {
    const lines = explainTrust(history, profile);
    expect(lines).toHaveLength(history.events.length + 4);
    expect(lines[0]).toContain('first contact');
    expect(lines[3]).toContain('break B2, its disk was rolled back (debt +0.35, credits ×0.7)');
    const trust = new PeerTrust(profile, history);
    expect(lines.at(-2)).toContain((trust.score / 10_000).toFixed(4));
    expect(explainTrust(NEW_HISTORY, profile).slice(-2)).toEqual([
      'Trust is now 0.0000: level T0, stranger.',
      'At T0 it may send heartbeats and status; it may not receive tasks, call others, have its gossip passed on, receive secrets, request high-risk operations, become a voter.',
    ]);
  });

  test('T-18: each step begins at the number where the one before ended, breaks have a date and say what to do', () => {
    const steps = trustSteps(history, profile);
    expect(steps.map(({ kind, at, class: breakClass }) => [kind, at, breakClass])).toEqual([
      ['credited', null, null],
      ['absent', null, null],
      ['break', 1_700_000_000_000, 'B2'],
      ['connected', null, null],
      ['credited', null, null],
      ['break', 1_700_000_001_000, 'PV'],
    ]);
    for (const [index, step] of steps.entries()) {
      expect(step.before).toBe(steps[index - 1]?.after ?? 0);
      expect(step.fromMs).toBe(steps[index - 1]?.untilMs ?? 0);
      expect(step.next === null).toBe(step.kind !== 'break');
    }
    expect(steps.at(-1)?.after).toBe(new PeerTrust(profile, history).score / 10_000);
  });

  test('T-18: no step but a break makes the number jump', () => {
    const steady = new PeerTrust(profile);
    let before = steady.score;
    for (let slot = 0; slot < 3 * 24 * 60; slot += 1) {
      steady.record({ kind: 'credited', slots: 1, frames: 8, slotMs: MINUTE });
      expect(steady.score - before).toBeLessThan(15);
      before = steady.score;
    }
  });
});
