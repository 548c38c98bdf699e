/**
 * The keys that the entries of the ledger must be signed with: those of the founders in the genesis and of the members that
 * were made voters since, as far as the ledger has sealed their rotations. The entry that seals a rotation of its own signer
 * is signed by the key it brings in, because the old one may be in other hands.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { objectDigest, type SignedObject } from '#mesh/hcth/signed-object.ts';
import { decodeChange } from './entries.ts';
import { extendByAll } from './seal-rotations.ts';

interface Entry {
  readonly kind: string;
  readonly body: Uint8Array;
  readonly voter: Aid;
}

/** See the header. Mutable: told of every entry that is taken, in order; told twice, it knows once. */
export class VoterLog {
  readonly #crypto: CryptoPort;
  readonly #logs = new Map<string, Established>();

  constructor(crypto: CryptoPort, founders: readonly Established[]) {
    this.#crypto = crypto;
    for (const founder of founders) this.#logs.set(aidText(founder.aid), founder);
  }

  /** The key for an entry that would come next; `undefined` where no key is right. */
  keyFor(entry: Entry): Uint8Array | undefined {
    return this.#after(entry.voter, entry)?.signKey;
  }

  /** Every key that the signer has had so far. */
  keysOf(signer: Aid): readonly Uint8Array[] {
    return this.#logs.get(aidText(signer))?.signKeys ?? [];
  }

  /** The entry was verified and taken. */
  took(entry: Entry): void {
    if (entry.kind !== 'rotate' && entry.kind !== 'voter') return;
    const change = decodeChange(entry.kind, entry.body);
    if (change?.kind === 'rotate') {
      const after = this.#after(change.aid, entry);
      if (after !== undefined) this.#logs.set(aidText(change.aid), after);
    }
    if (change?.kind !== 'voter') return;
    const verdict = verifyEstablishment(this.#crypto, change.events);
    const known = this.#logs.get(aidText(change.aid));
    if (verdict.kind === 'valid' && bytesEqual(verdict.established.aid, change.aid) && (known?.rotations ?? -1) < verdict.established.rotations)
      this.#logs.set(aidText(change.aid), verdict.established);
  }

  /** The log of a signer once this entry is taken; `undefined` where the entry seals rotations that do not continue it. */
  #after(signer: Aid, entry: Pick<Entry, 'kind' | 'body'>): Established | undefined {
    const before = this.#logs.get(aidText(signer));
    if (before === undefined || entry.kind !== 'rotate') return before;
    const change = decodeChange(entry.kind, entry.body);
    if (change?.kind !== 'rotate' || !bytesEqual(change.aid, before.aid)) return before;
    return extendByAll(
      this.#crypto,
      before,
      change.events.filter((event) => !this.#knows(before, event)),
    );
  }

  #knows(log: Established, event: SignedObject): boolean {
    const digest = objectDigest(this.#crypto, LABELS.rotation, event.body);
    return log.digests.some((known) => bytesEqual(known, digest));
  }
}
