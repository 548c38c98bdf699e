import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { MINUTE } from '#core/time/time.ts';
import { makeCheckpoint, decodeCheckpoint, encodeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import frozen from '#test/vectors/trust/export.json' with { type: 'json' };
import { checkTrustExport } from './check-export.ts';
import { explainTrust } from './explain.ts';
import { exportTrust, type JsonDocument } from './export.ts';
import { NEW_HISTORY } from './history.ts';
import { parseEventLines } from './history-codec.ts';
import { PeerTrust } from './peer-trust.ts';
import { TRUST_PROFILES } from './profiles.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];
const history = {
  base: NEW_HISTORY.base,
  events: parseEventLines([
    'c 1000 8',
    'a 600000',
    'b B2 1700000000000 its disk was rolled back',
    'n 60000',
    'c 1 3',
    'b PV 1700000001000 reserved bits were set',
  ])!,
};
const profile = TRUST_PROFILES.home;

const chain = chainOf(bob, ada, 2, bytesFor('bob', 16));
const origin = { from: bob.established.aid, to: ada.established.aid, sending: chain, received: null, echo: new Uint8Array(16), slot: 0 };
exchange(3, chain);
const first = makeCheckpoint(crypto, bob.signKey, origin);
exchange(3, chain);
const second = makeCheckpoint(crypto, bob.signKey, origin);

function exported(checkpoints: readonly SignedObject[] = [first, second]): JsonDocument {
  const document = exportTrust(crypto, {
    observer: ada,
    peer: { established: bob.established, name: 'bob' },
    profile,
    history,
    checkpoints,
    at: 1_700_000_002_000,
  });
  return JSON.parse(JSON.stringify(document)) as JsonDocument;
}

/** The same document under a fresh, genuine signature of the observer. */
function signedAgain(document: JsonDocument): JsonDocument {
  return { ...document, signature: hex(crypto.sign(ada.signKey, labelled(LABELS.trustExport), encodeRmp(document))) };
}

describe('the trust export', () => {
  test('T-17: the offline checker recomputes the number from the document alone', () => {
    const trust = new PeerTrust(profile, history);
    expect(checkTrustExport(crypto, exported())).toMatchObject({ kind: 'consistent', score: trust.score, level: trust.level, checkpoints: 2 });
  });

  test('T-17: the frozen export still verifies to the same number', () => {
    expect(checkTrustExport(crypto, frozen)).toMatchObject({ kind: 'consistent', score: frozen.result.score, checkpoints: 1 });
  });

  test('T-17: an edited, dropped, reordered or added event no longer carries the signature', () => {
    const document = exported();
    const events = document['events'] as string[];
    for (const changed of [events.with(0, 'c 2000 8'), events.slice(1), events.toReversed(), [...events, 'c 1 8']]) {
      expect(checkTrustExport(crypto, { ...document, events: changed })).toMatchObject({ kind: 'not-signed' });
    }
    for (const key of Object.keys(document)) {
      const { [key]: _, ...rest } = document;
      expect(checkTrustExport(crypto, rest).kind).not.toBe('consistent');
    }
  });

  test('T-17: an observer that signs another number than follows from its own events is found out', () => {
    const { signature: _, ...document } = exported();
    const lying = { ...document, result: { score: 9_000, level: 4, standing: 'clear' } };
    const resigned = signedAgain(lying);
    expect(checkTrustExport(crypto, resigned)).toMatchObject({
      kind: 'differs',
      stated: expect.stringContaining('0.9000'),
      recomputed: expect.stringContaining('level T'),
    });
  });

  test('T-17: checkpoints that are not the peer’s, or contradict each other, are named', () => {
    expect(checkTrustExport(crypto, exported([{ ...first, sig: second.sig }]))).toMatchObject({
      kind: 'not-signed',
      why: expect.stringContaining('checkpoint 1'),
    });
    const conflicting = signObject(crypto, bob.signKey, LABELS.checkpoint, encodeCheckpoint({ ...decodeCheckpoint(first.body)!, head: bytesFor('other', 32) }));
    expect(checkTrustExport(crypto, exported([first, conflicting]))).toMatchObject({ kind: 'not-signed', why: expect.stringContaining('contradict') });
  });

  test('T-17: foreign JSON is malformed, never an exception', () => {
    const document = exported();
    for (const json of [
      null,
      1,
      'x',
      [],
      {},
      { ...document, at: 1.5 },
      { ...document, at: null },
      { ...document, 'not allowed': 1 },
      { ...document, events: [1] },
      { ...document, events: Array.from({ length: 3_000 }, () => 'c 1 8') },
      { ...document, extra: [[[[[[[[[[1]]]]]]]]]] },
      JSON.parse('{"__proto__":{"v":1}}'),
    ]) {
      expect(checkTrustExport(crypto, json).kind).toBe('malformed');
    }
  });

  test('T-18: the explanation tells every event in order, the very number, and what it permits', () => {
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
