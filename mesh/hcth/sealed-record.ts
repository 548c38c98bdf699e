/**
 * Records that a node keeps for itself, under its own signature (protocol.md §2.10): a checksum tells a fault of the card,
 * the signature also tells an edit by somebody who has the disk and not the key. What a node remembers of its peers (how
 * far they came, what it trusts them with) is believed only if it has written it itself.
 */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RECORD_BYTES_MAX } from '#core/journal/limits.ts';
import { LABELS, labelled } from './labels.ts';
import { packObject, unpackObject } from './packed-object.ts';

/** The record under our signature. */
export function sealRecord(crypto: CryptoPort, key: SignKey, record: Uint8Array): Uint8Array {
  return packObject({ body: record, sig: crypto.sign(key, labelled(LABELS.record), record) });
}

/** What was sealed by one of these keys, the newest last; undefined where none of them did. */
export function openSealedRecord(crypto: CryptoPort, keys: readonly Uint8Array[], sealed: Uint8Array): Uint8Array | undefined {
  const object = unpackObject(sealed, RECORD_BYTES_MAX);
  if (object === undefined || !keys.toReversed().some((key) => crypto.verify(key, object.sig, labelled(LABELS.record), object.body))) return undefined;
  return object.body;
}
