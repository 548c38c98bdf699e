/**
 * What a node believes that is no server of the log. It takes entries from anybody, because they are signed and chained;
 * it believes one when it is committed. With one voter that voter's signature says so: it signs what is on its disk. With
 * several it takes the word of a quorum of those that vote there, each over its own authenticated link, for an index and
 * the digest that the chain has there: one voter alone, and whoever passes on its words, decide nothing.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { type Configuration, decodeConfiguration, quorumOf } from '../config/configuration.ts';
import type { SealedEntry } from '../log.ts';
import { ENTRY_KINDS } from '../raft/config-history.ts';

/** What a voter says of itself: so far everything is committed, and the chain has this digest there. */
export interface CommittedNotice {
  readonly commit: number;
  readonly digest: Uint8Array;
}

/** Where the believed part of the log ends, and what holds there. */
export interface Believed {
  readonly index: number;
  readonly digest: Uint8Array;
  readonly config: Configuration;
}

/** How many of the pending entries, which continue the believed ones, are committed. */
export function believable(believed: Believed, pending: readonly SealedEntry[], notices: ReadonlyMap<string, CommittedNotice>): number {
  const vouchers = vouchedFor(believed, pending, notices);
  let { config } = believed;
  let count = 0;
  for (const [at, sealed] of pending.entries()) {
    const before = config;
    const { entry } = sealed;
    if (entry.kind === ENTRY_KINDS.config) config = decodeConfiguration(entry.body) ?? config;
    const vouched = (by: Configuration): boolean =>
      by.voters.filter((voter) => (vouchers.get(voter) ?? 0) >= entry.index).length >= quorumOf(by) || isOnly(by, sealed);
    // An entry that changes who votes has to be committed by the voters before it and by those after it.
    if (vouched(config) && (config === before || vouched(before))) count = at + 1;
  }
  return count;
}

/** With one voter, an entry of its own is committed by being there. */
function isOnly(config: Configuration, { entry }: SealedEntry): boolean {
  return config.voters.length === 1 && config.voters[0] === aidText(entry.voter);
}

/** Up to which index each voter's notice covers this very chain; a notice about another chain covers nothing. */
function vouchedFor(believed: Believed, pending: readonly SealedEntry[], notices: ReadonlyMap<string, CommittedNotice>): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  for (const [voter, { commit, digest }] of notices) {
    const own = commit === believed.index ? believed.digest : pending[commit - believed.index - 1]?.digest;
    if (own !== undefined && bytesEqual(own, digest)) out.set(voter, commit);
  }
  return out;
}
