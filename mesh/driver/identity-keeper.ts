/**
 * The identity file of a running node: opening it, rotating its key, letting the next key go (protocol.md §2.14
 * "Rotation"). Every change is one file replaced as a whole and confirmed by the disk, so a power cut at any moment leaves
 * the identity before or the identity after; nobody is told of anything that is not on the disk.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { Fault } from '#core/errors/fault.ts';
import { type DiskCalls, readWholeFile, replaceFile, writeAll } from '#core/node/disk.ts';
import type { Entropy } from '#core/random/random.ts';
import type { EstablishmentEvent } from '#mesh/hcth/establishment-events.ts';
import { type Established, relateEstablishment } from '#mesh/hcth/establishment.ts';
import { type Identity, identityFileBinding, type NextKeyPlace, sealIdentity, secretsOf } from '#mesh/hcth/identity-file.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { type NextKey, nextKeyText } from '#mesh/hcth/next-key.ts';
import { nextKeyFault, rotateIdentity, ROTATION_RANDOM_BYTES } from '#mesh/hcth/rotate-identity.ts';
import { type BindingSource, IDENTITY_BYTES_MAX } from './identity-store.ts';

/** Where the key of the next rotation is, as this device knows it. */
export type NextKeyWhere =
  | { readonly where: 'device'; readonly rotation: number; readonly digest: string }
  | { readonly where: 'away'; readonly rotation: number; readonly digest: string; readonly place: NextKeyPlace | null };

/** A rotation to be told. */
export interface RotationDone {
  readonly event: EstablishmentEvent;
  readonly number: number;
}

/** See the header. */
export class IdentityKeeper {
  readonly #path: string;
  readonly #crypto: CryptoPort;
  readonly #entropy: Entropy;
  readonly #source: BindingSource;
  readonly #calls: DiskCalls;
  #identity: Identity;

  constructor(options: {
    readonly folder: string;
    readonly crypto: CryptoPort;
    readonly entropy: Entropy;
    readonly source: BindingSource;
    readonly identity: Identity;
    readonly calls?: DiskCalls;
  }) {
    this.#path = join(options.folder, 'identity');
    this.#crypto = options.crypto;
    this.#entropy = options.entropy;
    this.#source = options.source;
    this.#identity = options.identity;
    this.#calls = options.calls ?? fs;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Where the next key is. */
  get nextKey(): NextKeyWhere {
    const { established, nextSeed, nextKeyPlace } = this.#identity;
    const common = { rotation: established.rotations + 1, digest: hex(established.nextDigest) };
    return nextSeed === null ? { where: 'away', ...common, place: nextKeyPlace } : { where: 'device', ...common };
  }

  /** The next key as text; a fault where it has left the device. */
  nextKeyText(): string {
    const { established, nextSeed } = this.#identity;
    if (nextSeed === null) throw new Fault('RN-MESH-061', `the next key of ${fingerprintOf(established.aid)} is ${placeWords(this.nextKey)}`);
    return nextKeyText(this.#crypto, established.aid, established.rotations + 1, nextSeed);
  }

  /** Whoever has taken the next key says so, and the copy here goes. `digest`: which key is meant; a later one stays. */
  async letNextKeyGo(digest: string, place: NextKeyPlace): Promise<void> {
    if (digest !== this.nextKey.digest)
      throw new Fault('RN-MESH-060', `the key with the digest ${digest.slice(0, 16)}… is not the next key of this device`, {
        effect: 'Nothing was deleted.',
        next: 'The identity may have been rotated since: export the next key again.',
      });
    await this.#store({ ...this.#identity, nextSeed: null, nextKeyPlace: place }, 'wipe former');
  }

  /** The rotation that would be made; a fault where none can be. Changes nothing. */
  plan(given: NextKey | null, log: Established = this.#identity.established): Uint8Array {
    const wrong = given === null ? undefined : nextKeyFault(this.#crypto, log, given);
    if (wrong !== undefined) throw new Fault('RN-MESH-060', wrong);
    const seed = given?.seed ?? this.#identity.nextSeed;
    if (seed === null) throw new Fault('RN-MESH-061', `the next key of ${fingerprintOf(log.aid)} is ${placeWords(this.nextKey)}`);
    return seed;
  }

  /** Whether this is the key in use now: the rotation that it was for has been made here. */
  holds(given: NextKey | null): boolean {
    return given !== null && bytesEqual(this.#crypto.signKey(given.seed).publicKey, this.#identity.signKey.publicKey);
  }

  /** A log of this identity that continues ours; null for any other. */
  newer(log: Established | null): Established | null {
    const { established } = this.#identity;
    if (log === null || !bytesEqual(log.aid, established.aid)) return null;
    return relateEstablishment(established, log).kind === 'theirs-longer' ? log : null;
  }

  /**
   * Rotate, or (recovery) take over, the identity with this log: the new one is on the disk when this returns. What the
   * device was before, where that was somebody else, is forgotten; its incarnations go on, under the new key they are nobody else's.
   */
  async rotate(before: Established, given: NextKey | null, recovery: boolean): Promise<RotationDone> {
    return this.#rotate(before, this.plan(given, before), recovery ? null : this.#identity.signKey);
  }

  async #rotate(before: Established, seed: Uint8Array, old: Identity['signKey'] | null): Promise<RotationDone> {
    const rotated = rotateIdentity(this.#crypto, before, seed, old, this.#entropy(ROTATION_RANDOM_BYTES));
    if (rotated.kind === 'refused') throw new Fault(rotated.because === 'worn-out' ? 'RN-MESH-063' : 'RN-MESH-060', rotated.why);
    await this.#store(rotated.identity, 'keep former');
    return { event: rotated.event, number: rotated.identity.established.rotations };
  }

  /** `former`: what becomes of the contents that nothing names any more; only a key that must not be here is worth another write. */
  async #store(identity: Identity, former: 'wipe former' | 'keep former'): Promise<void> {
    const file = readWholeFile(this.#path, IDENTITY_BYTES_MAX, this.#calls);
    const kind = file === undefined ? null : (identityFileBinding(file)?.kind ?? null);
    const binding = typeof this.#source === 'function' ? await this.#source(kind) : this.#source;
    const sealed = sealIdentity(this.#crypto, secretsOf(identity), identity.established.aid, binding, this.#entropy(12));
    const wiped = former === 'wipe former' ? this.#openFormer() : null;
    try {
      replaceFile(this.#path, sealed, undefined, this.#calls);
      this.#identity = identity;
      if (wiped !== null) wipe(wiped, file?.length ?? 0, this.#calls);
    } finally {
      if (wiped !== null) this.#calls.closeSync(wiped);
    }
  }

  #openFormer(): number | null {
    try {
      return this.#calls.openSync(this.#path, fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  }
}

/** Overwrite the file that nothing names any more. Best effort: a card keeps old cells where it likes (SECURITY.md). */
function wipe(descriptor: number, bytes: number, calls: DiskCalls): void {
  writeAll(descriptor, new Uint8Array(bytes), calls, 0);
  calls.fsyncSync(descriptor);
}

/** Where it is, as the end of a sentence. */
function placeWords(next: NextKeyWhere): string {
  if (next.where === 'device') return 'on this device';
  return next.place === null ? 'not on this device' : `not on this device: it was ${next.place.how} (${next.place.place})`;
}
