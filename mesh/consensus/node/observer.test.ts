import { describe, expect, test } from 'vitest';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { type Configuration, encodeConfiguration } from '../config/configuration.ts';
import { sealEntry } from '../entry-codec.ts';
import type { SealedEntry } from '../log.ts';
import { believable, type CommittedNotice } from './observer.ts';
import { packHardState, unpackHardState } from './stored-log.ts';

const idOf = (name: string): string => aidText(identityOf(name).established.aid);
const votedBy = (...names: readonly string[]): Configuration => ({ voters: names.map(idOf), learners: [], quorum: null });
const head = bytesFor('entry 10', 32);

/** Entries from 11 on, each by whom it says; a configuration where one is given. */
function chain(...made: readonly (readonly [string, Configuration?])[]): readonly SealedEntry[] {
  const entries: SealedEntry[] = [];
  for (const [name, config] of made) {
    const { established, signKey } = identityOf(name);
    entries.push(
      sealEntry(crypto, signKey, {
        index: 11 + entries.length,
        term: 3,
        previous: entries.at(-1)?.digest ?? head,
        kind: config === undefined ? 'rename' : 'raft-config',
        body: config === undefined ? new Uint8Array(0) : encodeConfiguration(config),
        key: { aid: established.aid, incarnation: 1, request: entries.length },
        at: 0,
        voter: established.aid,
      }),
    );
  }
  return entries;
}

const said = (pending: readonly SealedEntry[], words: Readonly<Record<string, number>>): ReadonlyMap<string, CommittedNotice> =>
  new Map(Object.entries(words).map(([name, commit]) => [idOf(name), { commit, digest: pending[commit - 11]?.digest ?? head }]));

const count = (config: Configuration, pending: readonly SealedEntry[], notices: ReadonlyMap<string, CommittedNotice>): number =>
  believable({ index: 10, digest: head, config }, pending, notices);

describe('C-35: what an observer believes', () => {
  const three = votedBy('ada', 'bob', 'cy');

  test('where one votes, what that one signed; nothing that another did', () => {
    expect(count(votedBy('ada'), chain(['ada'], ['ada']), new Map())).toBe(2);
    expect(count(votedBy('ada'), chain(['ada'], ['bob'], ['bob']), new Map())).toBe(1);
  });

  test('where several vote, as far as a quorum of them has said', () => {
    const pending = chain(['ada'], ['ada'], ['ada']);
    expect(count(three, pending, new Map())).toBe(0);
    expect(count(three, pending, said(pending, { ada: 13 }))).toBe(0);
    expect(count(three, pending, said(pending, { ada: 13, bob: 12 }))).toBe(2);
    expect(count(three, pending, said(pending, { ada: 13, bob: 12, cy: 13 }))).toBe(3);
  });

  test('not by the word of who does not vote, nor about another chain', () => {
    const pending = chain(['ada'], ['ada']);
    expect(count(three, pending, said(pending, { ada: 12, dee: 12, eve: 12 }))).toBe(0);
    const other = chain(['bob'], ['bob']);
    expect(count(three, pending, new Map([...said(pending, { ada: 12 }), ...said(other, { bob: 12 })]))).toBe(0);
  });

  test('a change of who votes when those before it and those after it have it', () => {
    const two = votedBy('ada', 'bob');
    const grows = chain(['ada', two], ['ada']);
    expect(count(votedBy('ada'), grows, new Map()), 'the only voter alone cannot say that there are two').toBe(0);
    expect(count(votedBy('ada'), grows, said(grows, { ada: 12, bob: 11 }))).toBe(1);
    const shrinks = chain(['ada', votedBy('ada')]);
    expect(count(two, shrinks, new Map()), 'nor that it is the only one').toBe(0);
    expect(count(two, shrinks, said(shrinks, { ada: 11, bob: 11 }))).toBe(1);
  });
});

test('C-33: a hard state survives its encoding; anything else in the journal is none', () => {
  for (const hard of [
    { term: 7, vote: idOf('ada'), commit: 12, damagedSince: null },
    { term: 1, vote: null, commit: 0, damagedSince: 4 },
  ]) {
    const record = packHardState(hard);
    expect(unpackHardState(record)).toEqual(hard);
    for (let length = 0; length < record.length; length += 1) expect(unpackHardState(record.subarray(0, length))).toBe(undefined);
  }
  const [entry] = chain(['ada']);
  expect(unpackHardState(entry!.bytes)).toBe(undefined);
});
