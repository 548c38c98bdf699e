import { describe, expect, test } from 'vitest';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import { makeCheckpoint, NO_POSITION } from './checkpoint.ts';
import type { LinkChain } from './link-chain.ts';
import type { PeerRecord } from './peer-record.ts';
import { openSealedRecord, sealRecord } from './sealed-record.ts';
import { findStoreFault, type StoreCheck } from './store-check.ts';
import type { SignedObject } from './signed-object.ts';

const ada = identityOf('ada');
const bob = identityOf('bob');

/** Bob's account of Ada: ten frames received, her checkpoint at 6, his own acknowledgement of 8. */
function account(): { readonly sound: StoreCheck; readonly chain: LinkChain; readonly record: PeerRecord } {
  const { object: boot, nonce } = bootOf(ada, 5);
  const chain = chainOf(ada, bob, 5, nonce);
  const back = chainOf(bob, ada, 3, bytesFor('bob', 16));
  exchange(3, back);
  exchange(6, chain);
  const theirs = checkpoint('ada', chain, NO_POSITION);
  exchange(2, chain);
  const own = checkpoint('bob', back, chain.position);
  exchange(2, chain);
  const record: PeerRecord = {
    aid: ada.established.aid,
    establishment: ada.established.events,
    boot,
    received: chain.position,
    sent: null,
    ownCheckpoints: [own],
    peerCheckpoints: [theirs],
    trust: new Uint8Array(0),
    heardAt: 0,
  };
  return {
    chain,
    record,
    sound: {
      self: bob.established,
      peer: ada.established,
      received: chain.position,
      ofThisRun: false,
      headAt: () => ({ kind: 'too-old' }),
      stored: { kind: 'record', record },
      ownCheckpoints: [own],
      peerCheckpoints: [theirs],
      block: null,
    },
  };
}

function checkpoint(who: 'ada' | 'bob', sending: LinkChain, received: StoreCheck['received']): SignedObject {
  const [from, to] = who === 'ada' ? [ada, bob] : [bob, ada];
  const origin = { from: from.established.aid, to: to.established.aid, sending, received, echo: new Uint8Array(16), slot: 1 };
  return makeCheckpoint(crypto, from.signKey, origin);
}

describe('the own account of a peer, before the peer is blamed', () => {
  test('H-55: an account that agrees with disk and signatures is sound, in the run that made it and after', () => {
    const { sound, chain, record } = account();
    expect(findStoreFault(crypto, sound)).toBeUndefined();
    const live = { ...sound, ofThisRun: true, headAt: (sequence: number) => chain.headAt(sequence) };
    expect(findStoreFault(crypto, live)).toBeUndefined();
    expect(findStoreFault(crypto, { ...live, stored: { kind: 'absent' } })).toBeUndefined();
    const earlier = { ...record, received: { ...record.received!, sequence: 7, head: bytesFor('7', 32) } };
    expect(findStoreFault(crypto, { ...live, stored: { kind: 'record', record: earlier } })).toBeUndefined();
  });

  test('H-55: it is wrong where the disk says something else, or nothing', () => {
    const { sound, record } = account();
    const held = record.received!;
    for (const [received, why] of [
      [{ ...held, sequence: 11 }, 'disk holds frame 11'],
      [{ ...held, sequence: 9 }, 'nothing has arrived in between'],
      [{ ...held, head: bytesFor('other', 32) }, 'different heads of frame 10'],
      [{ ...held, incarnation: 4 }, 'no such position'],
      [null, 'no such position'],
    ] as const)
      expect(findStoreFault(crypto, { ...sound, stored: { kind: 'record', record: { ...record, received } } })).toContain(why);
    expect(findStoreFault(crypto, { ...sound, stored: { kind: 'absent' } })).toContain('no such position');
    expect(findStoreFault(crypto, { ...sound, ofThisRun: true, stored: { kind: 'unreadable' } })).toContain('cannot be verified');
  });

  test('H-55: it is wrong where a signature of either side says that there was more, or something else', () => {
    const { sound, chain, record } = account();
    const short = { ...chain.position, sequence: 5, head: bytesFor('5', 32) };
    const at = (received: StoreCheck['received'], change: Partial<StoreCheck> = {}): string | undefined =>
      findStoreFault(crypto, { ...sound, received, stored: { kind: 'record', record: { ...record, received } }, ...change });
    expect(at(short)).toContain('own signature acknowledges frame 8, and 5 is remembered');
    expect(at({ ...short, sequence: 8 })).toContain('own signature acknowledges another frame 8');
    const mute = { ownCheckpoints: [], stored: { kind: 'record' as const, record: { ...record, received: short, ownCheckpoints: [] } } };
    expect(at(short, mute)).toContain('a checkpoint of the peer that was accepted here signs frame 6');
    // The peer may show our own signature where we have lost it; its own later words clear nobody.
    const [own] = sound.ownCheckpoints;
    const block = { ownCheckpoint: null, peerCheckpoint: own!, sent: chain.position, received: null };
    const forgot = {
      ...mute,
      peerCheckpoints: [],
      stored: { kind: 'record' as const, record: { ...record, received: short, ownCheckpoints: [], peerCheckpoints: [] } },
    };
    expect(at(short, forgot)).toBeUndefined();
    expect(at(short, { ...forgot, block })).toContain('own signature acknowledges frame 8');
    const later = checkpoint('ada', chain, NO_POSITION);
    expect(at(short, { ...forgot, block: { ...block, peerCheckpoint: null, ownCheckpoint: later } })).toBeUndefined();
  });

  test('H-56: a record counts only under the own signature, of any key the identity has had', () => {
    const sealed = sealRecord(crypto, bob.signKey, bytesFor('record', 400));
    expect(openSealedRecord(crypto, bob.established.signKeys, sealed)).toEqual(bytesFor('record', 400));
    expect(openSealedRecord(crypto, ada.established.signKeys, sealed)).toBeUndefined();
    expect(openSealedRecord(crypto, [...bob.established.signKeys, ada.established.signKey], sealed)).toBeDefined();
    for (let at = 0; at < sealed.length; at += 7) expect(openSealedRecord(crypto, bob.established.signKeys, sealed.with(at, sealed[at]! ^ 1))).toBeUndefined();
  });
});
