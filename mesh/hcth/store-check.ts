/**
 * Whether what a judge remembers of a peer's place is sound (protocol.md §2.9, R6): before a peer is blamed for another
 * account of the common history, the judge's own is held against its disk, and against every signature of both sides that
 * says something of it. Nothing here can clear the judge by the word of the peer: only its own signatures, its own record
 * and what the peer signed count.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Position, ResumeBlock } from '#mesh/wire/message.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { KeyHistory } from './establishment.ts';
import type { PastHead } from './link-chain.ts';
import type { PeerRecord } from './peer-record.ts';
import type { SignedObject } from './signed-object.ts';

/** What reading the record again gave. */
export type StoredReading = { readonly kind: 'absent' } | { readonly kind: 'unreadable' } | { readonly kind: 'record'; readonly record: PeerRecord };

/** What is checked. */
export interface StoreCheck {
  readonly self: KeyHistory;
  readonly peer: KeyHistory;
  /** How far we believe to have received. */
  readonly received: Position;
  /** Whether that was received in this run; else it was read from the disk when the run began. */
  readonly ofThisRun: boolean;
  readonly headAt: (sequence: number) => PastHead;
  readonly stored: StoredReading;
  readonly ownCheckpoints: readonly SignedObject[];
  readonly peerCheckpoints: readonly SignedObject[];
  /** What the peer has just shown. */
  readonly block: ResumeBlock | null;
}

/** What is wrong with our own account; undefined where it is sound. */
export function findStoreFault(crypto: CryptoPort, check: StoreCheck): string | undefined {
  return faultOfRecord(check) ?? faultBySignatures(crypto, check);
}

function faultOfRecord({ received, ofThisRun, stored }: StoreCheck): string | undefined {
  if (stored.kind === 'unreadable') return 'the stored record cannot be verified';
  const written = stored.kind === 'record' ? stored.record.received : null;
  if (written === null || !sameLife(written, received)) return ofThisRun ? undefined : 'the disk holds no such position';
  if (written.sequence > received.sequence) return `the disk holds frame ${written.sequence}, the memory ${received.sequence}`;
  if (written.sequence === received.sequence && !bytesEqual(written.head, received.head))
    return `disk and memory hold different heads of frame ${received.sequence}`;
  if (written.sequence < received.sequence && !ofThisRun)
    return `the disk holds frame ${written.sequence}, the memory ${received.sequence}, and nothing has arrived in between`;
  return undefined;
}

function faultBySignatures(crypto: CryptoPort, check: StoreCheck): string | undefined {
  const { self, peer, stored, block } = check;
  const kept = stored.kind === 'record' ? stored.record : null;
  for (const object of [...check.ownCheckpoints, ...(kept?.ownCheckpoints ?? []), block?.peerCheckpoint ?? null]) {
    const acknowledged = object === null ? undefined : openCheckpoint(crypto, self, peer.aid, object)?.acknowledged;
    const fault = acknowledged === undefined ? undefined : contradiction(check, acknowledged);
    if (fault !== undefined) return `this node's own signature acknowledges ${fault}`;
  }
  for (const object of [...check.peerCheckpoints, ...(kept?.peerCheckpoints ?? [])]) {
    const checkpoint = openCheckpoint(crypto, peer, self.aid, object);
    const fault = checkpoint === undefined ? undefined : contradiction(check, checkpoint);
    if (fault !== undefined) return `a checkpoint of the peer that was accepted here signs ${fault}`;
  }
  return undefined;
}

function contradiction({ received, headAt }: StoreCheck, signed: Position): string | undefined {
  if (signed.sequence === 0 || !sameLife(signed, received)) return undefined;
  if (signed.sequence > received.sequence) return `frame ${signed.sequence}, and ${received.sequence} is remembered`;
  const past = signed.sequence === received.sequence ? { kind: 'head' as const, head: received.head } : headAt(signed.sequence);
  return past.kind === 'head' && !bytesEqual(past.head, signed.head) ? `another frame ${signed.sequence} than is remembered` : undefined;
}

function sameLife(a: Position, b: Position): boolean {
  return a.incarnation === b.incarnation && bytesEqual(a.nonce, b.nonce);
}
