/**
 * Who votes, who only follows, and how many must agree: one value, replicated as a log entry, never a local file. N is
 * the number of voters written here, never the number of those that happen to be reachable (protocol.md §3.1).
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { CONFIG_LIMITS as LIMITS } from './limits.ts';

/** Text form of a server's AID. */
export type ServerId = string;

/** A server that gets the log and has no say. */
export interface Learner {
  readonly id: ServerId;
  /** The leader promotes it by itself as soon as it has caught up (C-17). */
  readonly promote: boolean;
  /** Its life, as far as the leader had heard of one, when it became a learner: what it lost up to then is forgiven (C-22). */
  readonly incarnation: number;
}

/** See the header. */
export interface Configuration {
  readonly voters: readonly ServerId[];
  readonly learners: readonly Learner[];
  /** Votes that elect and commit; null for the majority, whatever N is. */
  readonly quorum: number | null;
}

/** The least quorum that N voters may have: ⌊N/2⌋ + 1. */
export function majority(voters: number): number {
  return Math.floor(voters / 2) + 1;
}

/** How many must agree. */
export function quorumOf(config: Configuration): number {
  return config.quorum ?? majority(config.voters.length);
}

/** What is wrong with a quorum for so many voters, naming what would be right; undefined where nothing is (C-16). */
export function quorumFault(quorum: number | null, voters: number): string | undefined {
  const least = majority(voters);
  if (quorum === null || (Number.isInteger(quorum) && quorum >= least && quorum <= voters)) return undefined;
  const range = least === voters ? `it can only be ${voters}` : `it can be ${least} to ${voters}`;
  return `a quorum of ${quorum} is out of range: with ${voters} voter${voters === 1 ? '' : 's'} ${range}`;
}

/** What is wrong with a configuration; undefined where nothing is. Asked when one is proposed, received and applied. */
export function configurationFault(config: Configuration): string | undefined {
  const { voters, learners } = config;
  if (voters.length < 1 || voters.length > LIMITS.votersMax) return `${voters.length} voters: it can be 1 to ${LIMITS.votersMax}`;
  if (learners.length > LIMITS.learnersMax) return `${learners.length} learners: it can be 0 to ${LIMITS.learnersMax}`;
  const all = new Set([...voters, ...learners.map(({ id }) => id)]);
  if (all.size !== voters.length + learners.length) return 'a server is named twice';
  return quorumFault(config.quorum, voters.length);
}

/** Whether the server votes here. */
export function isVoter(config: Configuration, id: ServerId): boolean {
  return config.voters.includes(id);
}

/** Everybody who gets the log. */
export function serversOf(config: Configuration): readonly ServerId[] {
  return [...config.voters, ...config.learners.map(({ id }) => id)];
}

/** The body of a configuration entry. */
export function encodeConfiguration(config: Configuration): Uint8Array {
  const writer = new RmpWriter(256);
  writer.arrayHead(4);
  writer.int(VERSION);
  writer.arrayHead(config.voters.length);
  for (const id of config.voters) writer.str(id);
  writer.arrayHead(config.learners.length);
  for (const { id, promote, incarnation } of config.learners) {
    writer.arrayHead(3);
    writer.str(id);
    writer.int(promote ? 1 : 0);
    writer.int(incarnation);
  }
  writer.int(config.quorum ?? 0);
  return writer.copy();
}

/** The counterpart of {@link encodeConfiguration}; `undefined` where it is none, or one that must not be. */
export function decodeConfiguration(body: Uint8Array): Configuration | undefined {
  const reader = new RmpReader(body);
  if (reader.arrayHead() !== 4 || reader.uint(VERSION) !== VERSION) return undefined;
  const voters: ServerId[] = [];
  const learners: Learner[] = [];
  const voterCount = reader.arrayHead();
  if (voterCount === undefined || voterCount > LIMITS.votersMax) return undefined;
  for (let index = 0; index < voterCount; index += 1) {
    const id = reader.str(LIMITS.idBytesMax);
    if (id === undefined) return undefined;
    voters.push(id);
  }
  const learnerCount = reader.arrayHead();
  if (learnerCount === undefined || learnerCount > LIMITS.learnersMax) return undefined;
  for (let index = 0; index < learnerCount; index += 1) {
    if (reader.arrayHead() !== 3) return undefined;
    const id = reader.str(LIMITS.idBytesMax);
    const promote = reader.uint(1);
    const incarnation = reader.uint();
    if (id === undefined || promote === undefined || incarnation === undefined) return undefined;
    learners.push({ id, promote: promote === 1, incarnation });
  }
  const quorum = reader.uint(LIMITS.votersMax);
  if (quorum === undefined || !reader.atEnd) return undefined;
  const config = { voters, learners, quorum: quorum === 0 ? null : quorum };
  return configurationFault(config) === undefined ? config : undefined;
}

const VERSION = 1;
