/**
 * What a few establishment events that somebody shows us mean for the log we hold of an identity (protocol.md §2.4,
 * H-7). Events prove themselves, so it does not matter who shows them; only a shower who shows events that cannot be right
 * has said something false. What is known already is recognised by its digest and not verified again.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import { type Established, extendEstablishment, verifyEstablishment } from './establishment.ts';
import { LABELS } from './labels.ts';
import { objectDigest } from './signed-object.ts';

/** See the header. */
export type EstablishmentNews =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'extended'; readonly established: Established }
  /** They begin behind the end of what we hold: ask for the events from here on. */
  | { readonly kind: 'gap'; readonly from: number }
  /** Two valid events at one place: the identity is convicted, by these two. */
  | { readonly kind: 'conflict'; readonly at: number; readonly ours: EstablishmentEvent; readonly theirs: EstablishmentEvent }
  /** They are not what they claim to be: the shower is at fault. */
  | { readonly kind: 'bad'; readonly why: string };

/** Judge events `from`, `from + 1`, … of the identity whose log we hold. */
export function judgeEstablishmentNews(crypto: CryptoPort, held: Established, from: number, events: readonly EstablishmentEvent[]): EstablishmentNews {
  if (from > held.events.length) return { kind: 'gap', from: held.events.length };
  let established = held;
  for (const [offset, event] of events.entries()) {
    const at = from + offset;
    const known = established.digests[at];
    if (known === undefined) {
      const verdict = extendEstablishment(crypto, established, event);
      if (verdict.kind === 'bad') return { kind: 'bad', why: verdict.why };
      established = verdict.established;
      continue;
    }
    if (bytesEqual(known, objectDigest(crypto, at === 0 ? LABELS.inception : LABELS.rotation, event.body))) continue;
    return judgeOther(crypto, established, at, event);
  }
  return established === held ? { kind: 'nothing' } : { kind: 'extended', established };
}

/** Another event than ours at a place that we know: a contradiction if it holds by itself. */
function judgeOther(crypto: CryptoPort, held: Established, at: number, event: EstablishmentEvent): EstablishmentNews {
  const ours = held.events[at];
  if (at === 0 || ours === undefined) return { kind: 'bad', why: 'the inception shown is that of another identity' };
  const before = verifyEstablishment(crypto, held.events.slice(0, at));
  const verdict = before.kind === 'bad' ? before : extendEstablishment(crypto, before.established, event);
  return verdict.kind === 'bad' ? { kind: 'bad', why: verdict.why } : { kind: 'conflict', at, ours, theirs: event };
}
