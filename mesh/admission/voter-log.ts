/**
 * The key that the next entry of the ledger must be signed with. It begins as the founder's in the genesis and follows the
 * rotations that the ledger seals; the entry that seals a rotation of the voter itself is signed by the key it brings in,
 * because the old one may be in other hands.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { decodeChange } from './entries.ts';
import { extendByAll } from './seal-rotations.ts';

interface Entry {
  readonly kind: string;
  readonly body: Uint8Array;
}

/** See the header. Mutable: told of every entry that is taken, in order. */
export class VoterLog {
  readonly #crypto: CryptoPort;
  #established: Established | undefined;

  constructor(crypto: CryptoPort, founder: Established | undefined) {
    this.#crypto = crypto;
    this.#established = founder;
  }

  /** The key for an entry that would come next; `undefined` where no key is right. */
  keyFor(entry: Entry): Uint8Array | undefined {
    return this.#after(entry)?.signKey;
  }

  /** Every key that the voter has had so far. */
  get keys(): readonly Uint8Array[] {
    return this.#established?.signKeys ?? [];
  }

  /** The entry was verified and taken. */
  took(entry: Entry): void {
    this.#established = this.#after(entry) ?? this.#established;
  }

  #after(entry: Entry): Established | undefined {
    const before = this.#established;
    if (before === undefined || entry.kind !== 'rotate') return before;
    const change = decodeChange(entry.kind, entry.body);
    if (change?.kind !== 'rotate' || !bytesEqual(change.aid, before.aid)) return before;
    return extendByAll(this.#crypto, before, change.events);
  }
}
