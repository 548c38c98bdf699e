/**
 * Writes the frozen vectors of consensus messages: one of every kind, and what is refused. Run once per protocol version
 * and review the difference: a changed vector is a changed protocol.
 *
 *   node test/vectors/write-consensus-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, hex } from '#core/bytes/bytes.ts';
import { LOG_LIMITS } from '#mesh/consensus/limits.ts';
import { RAFT_LIMITS } from '#mesh/consensus/raft/limits.ts';
import type { AppendRequest, ConsensusMessage } from '#mesh/consensus/raft/messages.ts';
import { encodeConsensusMessage } from '#mesh/consensus/wire/message-codec.ts';
import { CONSENSUS_MESSAGES } from '#test/kit/consensus-messages.ts';

const of = (name: string): ConsensusMessage => {
  const message = CONSENSUS_MESSAGES[name];
  if (message === undefined) throw new Error(`there is no message "${name}"`);
  return message;
};
const entries = (sizes: readonly number[]): AppendRequest => ({
  kind: 'append-request',
  term: 3,
  previous: { index: 7, term: 2 },
  entries: sizes.map((size) => ({ bytes: new Uint8Array(size), signature: new Uint8Array(64) })),
  commit: 7,
  round: 1,
});
const heartbeat = encodeConsensusMessage(of('a heartbeat'));
const wholeTooLong = { ...of('a piece of a snapshot'), bytes: RAFT_LIMITS.snapshotBytesMax + 1 } as ConsensusMessage;

const document = {
  accepted: Object.entries(CONSENSUS_MESSAGES).map(([name, message]) => ({ name, kind: message.kind, term: message.term, bytes: hex(encodeConsensusMessage(message)) })),
  refused: [
    { name: 'a byte behind the end', bytes: hex(concat(heartbeat, Uint8Array.of(0))) },
    { name: 'cut at the end', bytes: hex(heartbeat.subarray(0, heartbeat.length - 1)) },
    { name: 'a kind that is none', bytes: hex(heartbeat.with(1, 27)) },
    { name: 'the fields of another kind', bytes: hex(heartbeat.with(1, 24)) },
    { name: 'neither yes nor no', bytes: hex(encodeConsensusMessage(of('would be voted for')).with(3, 2)) },
    { name: 'an entry that is too long', bytes: hex(encodeConsensusMessage(entries([LOG_LIMITS.entryBytesMax + 1]))) },
    { name: 'a snapshot that is too long', bytes: hex(encodeConsensusMessage(wholeTooLong)) },
    { name: 'a vote without a signature', bytes: hex(Uint8Array.of(0x93, 19, 3, 0x92, 0xc4, 1, 0, 0xc4, 0)) },
  ],
};
writeFileSync(join(import.meta.dirname, 'consensus', 'messages.json'), `${JSON.stringify(document, undefined, 1)}\n`);
