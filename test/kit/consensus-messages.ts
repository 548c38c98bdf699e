/** One of every message of the consensus machine, for the tests of its bytes, the vectors and the fuzz target. */
import { utf8 } from '#core/bytes/bytes.ts';
import { sealEntry } from '#mesh/consensus/entry-codec.ts';
import type { ConsensusMessage } from '#mesh/consensus/raft/messages.ts';
import { encodeVote } from '#mesh/consensus/votes/signed-vote.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { makeStatement } from '#mesh/hcth/statement-log.ts';
import { bytesFor, crypto, identityOf } from './identities.ts';

const ada = identityOf('ada');
const bob = identityOf('bob');
const mesh = bytesFor('a mesh', 32);

const entry = sealEntry(crypto, ada.signKey, {
  index: 8,
  term: 3,
  previous: bytesFor('entry 7', 32),
  kind: 'rename',
  body: utf8('whatever was decided'),
  key: { aid: ada.established.aid, incarnation: 2, request: 9 },
  at: 1_700_000_000_000,
  voter: ada.established.aid,
});
const packed = { bytes: entry.bytes, signature: entry.signature };

const scope = { aid: bob.established.aid, incarnation: 2, nonce: bytesFor('nonce', 16) };
const vote = makeStatement(
  crypto,
  bob.signKey,
  scope,
  { number: 4, digest: bytesFor('statement 4', 32) },
  {
    kind: 'vote',
    body: encodeVote(mesh, { term: 3, candidate: aidText(ada.established.aid) }),
  },
).object;

const end = { index: 7, term: 2 };

/** By the name of each. */
export const CONSENSUS_MESSAGES: Readonly<Record<string, ConsensusMessage>> = {
  'asks whether it would be voted for': { kind: 'pre-vote-request', term: 3, end },
  'would be voted for': { kind: 'pre-vote-reply', term: 3, granted: true },
  'asks for a vote': { kind: 'vote-request', term: 3, end, transfer: false },
  'asks for a vote because the leader gave way': { kind: 'vote-request', term: 3, end, transfer: true },
  'a vote': { kind: 'vote-reply', term: 3, vote },
  'no vote': { kind: 'vote-reply', term: 4, vote: null },
  'a heartbeat': { kind: 'append-request', term: 3, previous: end, entries: [], commit: 7, round: 41 },
  'an entry': { kind: 'append-request', term: 3, previous: end, entries: [packed], commit: 7, round: 42 },
  agreed: { kind: 'append-reply', term: 3, round: 42, accepted: true, match: 8, hint: { index: 8, term: 3 }, incarnation: 2, damaged: false },
  'does not fit': { kind: 'append-reply', term: 3, round: 42, accepted: false, match: 7, hint: { index: 5, term: 1 }, incarnation: 2, damaged: true },
  'a piece of a snapshot': { kind: 'snapshot-request', term: 3, round: 43, index: 5, bytes: 12, offset: 0, piece: bytesFor('piece', 8), proof: null },
  'the last piece of a snapshot': {
    kind: 'snapshot-request',
    term: 3,
    round: 44,
    index: 5,
    bytes: 12,
    offset: 8,
    piece: bytesFor('piece', 4),
    proof: { taker: aidText(ada.established.aid), signature: bytesFor('signature', 64), entries: [packed] },
  },
  'so much of the snapshot': { kind: 'snapshot-reply', term: 3, round: 44, index: 5, offset: 8, incarnation: 2, damaged: false },
  'gives way': { kind: 'timeout-now', term: 3 },
  'asks what it promised': { kind: 'recover-request', term: 3, nonce: 2 },
  'remembers a vote': { kind: 'recover-reply', term: 3, nonce: 2, vote },
  'remembers none': { kind: 'recover-reply', term: 3, nonce: 2, vote: null },
};
