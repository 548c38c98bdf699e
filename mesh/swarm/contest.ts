/** What this node knows of an identity that lives on two machines: plain data, and the words for it. */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { decodeChange, type SettledMachines } from '#mesh/admission/entries.ts';
import { type Registry, voterKeysOf } from '#mesh/admission/registry.ts';
import { openEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { bootName, type KnownHolder } from '#mesh/hcth/contest.ts';
import type { EstablishmentEvent } from '#mesh/hcth/establishment-events.ts';
import type { Millis } from '#core/time/time.ts';
import type { ContestView } from './views.ts';

/** One contest. Mutable fields are owned by the contest desk. */
export interface Contest {
  readonly aid: Aid;
  readonly establishment: readonly EstablishmentEvent[];
  holders: readonly [KnownHolder, KnownHolder];
  readonly since: Millis;
  /** Identities of those who told of it; our own among them where we saw it. */
  readonly observers: Set<string>;
  /** We act on it: seen or verified here, told by a voter, or told by two members. */
  believed: boolean;
}

/** `4-ab12cd34 at 10.0.0.9 (02:00:…)`. */
export function holderWords(holder: KnownHolder): string {
  const address = holder.address === null ? '' : ` at ${holder.address}`;
  return `${bootName(holder.meaning)}${address}${holder.macs.length === 0 ? '' : ` (${holder.macs.join(', ')})`}`;
}

/** The sentence that everybody shows. */
export function contestWords(name: string, { holders: [first, second] }: Pick<Contest, 'holders'>): string {
  return `${name} is one identity on two machines: ${holderWords(first)} was here first, ${holderWords(second)} came later and is refused`;
}

/** The command that settles it, for either answer. */
export function settleAdvice(name: string, [first, second]: readonly string[]): string {
  return `\`robonet identity settle ${name} --copy ${second ?? 'BOOT'}\` if the second is the copy, \`--copy ${first ?? 'BOOT'}\` if the first is`;
}

/** For views. */
export function contestView(name: string, text: string, contest: Contest, nameOf: (aid: string) => string): ContestView {
  return {
    aid: text,
    name,
    since: contest.since,
    believed: contest.believed,
    observers: [...contest.observers].map(nameOf),
    holders: contest.holders.map((holder) => ({
      boot: bootName(holder.meaning),
      incarnation: holder.meaning.incarnation,
      address: holder.address,
      macs: holder.macs,
    })),
    text: contestWords(name, contest),
  };
}

/** The machine that a person means: by its boot id, address or MAC. `undefined` unless exactly one fits. */
export function findHolder(contest: Contest, typed: string): KnownHolder | undefined {
  const wanted = typed.trim().toLowerCase();
  const found = contest.holders.filter(
    (holder) => bootName(holder.meaning) === wanted || holder.address?.toLowerCase() === wanted || holder.macs.includes(wanted),
  );
  return found.length === 1 ? found[0] : undefined;
}

/**
 * Which machines a ledger entry settles for an identity, when a peer shows it outside the ledger; `undefined` where it is no
 * settlement, or not the word of a voter's present key: a key that was replaced may be in other hands (H-42, A-40).
 */
export function settlementShown(crypto: CryptoPort, registry: Registry, aid: Aid, object: SignedObject): SettledMachines | undefined {
  const sealed = openEntry(crypto, object.body, object.sig);
  if (sealed === undefined) return undefined;
  const keys = voterKeysOf(registry)(sealed.entry.voter) ?? [];
  if (!keys.some((key) => verifyEntry(crypto, key, sealed))) return undefined;
  const change = decodeChange(sealed.entry.kind, sealed.entry.body);
  return change?.kind === 'settle' && bytesEqual(change.aid, aid) ? (change.machines ?? undefined) : undefined;
}
