/**
 * Incarnations: every start of a node gets a durable, strictly larger number and a fresh nonce before anything is signed
 * (protocol.md D5, §2.9 "listen before you speak"). That is why a crash is never a fork: what a restored or restarted node
 * says is scoped by a nonce that its former self never had. Pure decisions; writing, reading back and the network are the
 * driver's, which refuses to start when the write cannot be read back.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import type { StartReason } from './boot-event.ts';
import { encodeFields, readFields } from './fields.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';

/** What one slot of the two-slot file holds. */
export interface StoredIncarnation {
  /** 0: an identity is about to be made here; nothing was ever signed. */
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  readonly why: StartReason;
}

/** What reading one slot gave. */
export type SlotReading = { readonly kind: 'stored'; readonly stored: StoredIncarnation } | { readonly kind: 'absent' } | { readonly kind: 'unreadable' };

/** What the node does about its incarnation at start. */
export type StartDecision =
  /** Write this durably, read it back, then open the network. */
  | { readonly kind: 'start'; readonly incarnation: number; readonly why: StartReason; readonly degraded: boolean }
  /** Nothing readable under an identity that has spoken before: ask peers first, sign nothing until `incarnationUnreadable`. */
  | { readonly kind: 'ask-peers' }
  /** Do not start. */
  | { readonly kind: 'refuse'; readonly why: string };

/** Bytes for one slot; the two-slot file adds its own checksum. */
export function encodeIncarnation(stored: StoredIncarnation): Uint8Array {
  return encodeFields({ v: 1, i: stored.incarnation, c: stored.nonce, why: stored.why });
}

/** Read back what {@link encodeIncarnation} wrote. */
export function decodeIncarnation(bytes: Uint8Array): StoredIncarnation | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const stored: StoredIncarnation = {
    incarnation: fields.integer('i', 0, LIMITS.incarnationMax),
    nonce: fields.bytes('c', 16),
    why: fields.oneOf('why', ['start', 'first', 'restore', 'unreadable', 'clock-jump']),
  };
  return fields.sound ? stored : undefined;
}

/** The newest of the slots that can be read. */
export function newestIncarnation(slots: readonly SlotReading[]): StoredIncarnation | undefined {
  let newest: StoredIncarnation | undefined;
  for (const slot of slots) if (slot.kind === 'stored' && slot.stored.incarnation > (newest?.incarnation ?? -1)) newest = slot.stored;
  return newest;
}

/**
 * Decide the incarnation of a start. `spokenBefore`: the identity file is not new, so a former self may have signed.
 * `provenByOthers`: highest own incarnation that peers have proved with our own signature, `null` when nobody was asked.
 */
export function decideStart(input: {
  readonly slots: readonly SlotReading[];
  readonly spokenBefore: boolean;
  readonly provenByOthers: number | null;
  /** Highest incarnation among the own boot events that are kept beside the slots; 0 or absent for none. */
  readonly newestBoot?: number;
  readonly reason?: 'start' | 'clock-jump' | 'restore';
}): StartDecision {
  const stored = newestIncarnation(input.slots);
  const proven = input.provenByOthers ?? 0;
  const newestBoot = input.newestBoot ?? 0;
  const unreadable = input.slots.some((slot) => slot.kind === 'unreadable');
  // Writing a slot never damages one; a damaged slot may have held a newer count than the sound one. The boot events tell,
  // but for the very last, which may have been signed and not yet kept: one more number is passed over.
  const lost = stored === undefined ? input.spokenBefore || unreadable : unreadable && newestBoot < stored.incarnation;
  if (lost) {
    if (stored === undefined && newestBoot === 0 && input.provenByOthers === null) return { kind: 'ask-peers' };
    return startAt(Math.max(proven, newestBoot, stored?.incarnation ?? 0) + LIMITS.incarnationUnreadableStep, 'unreadable', true);
  }
  if (stored === undefined) return startAt(Math.max(1, proven + 1), proven > 0 ? 'restore' : 'first', false);
  const known = Math.max(stored.incarnation, newestBoot) + (unreadable ? 1 : 0);
  if (proven > known) return startAt(proven + 1, 'restore', false);
  return startAt(known + 1, known === 0 ? 'first' : (input.reason ?? 'start'), false);
}

function startAt(incarnation: number, why: StartReason, degraded: boolean): StartDecision {
  if (incarnation > LIMITS.incarnationMax)
    return { kind: 'refuse', why: `incarnation ${incarnation} exceeds ${LIMITS.incarnationMax}; the identity is worn out and must be replaced` };
  return { kind: 'start', incarnation, why, degraded };
}

/** What a node does when it is shown one of its own signatures (EVIDENCE). Others' signatures never get here. */
export type SelfEvidenceVerdict =
  /** We know it: nothing to do. */
  | { readonly kind: 'known' }
  /** Our disk was rolled back: write `incarnation` durably, why `restore`, and connect again. */
  | { readonly kind: 'advance'; readonly incarnation: number }
  /** We have run without a break and did not sign this: somebody else holds our key. Report ourselves contested (B4). */
  | { readonly kind: 'cloned' };

/**
 * Judge an own boot or checkpoint signature shown by a peer (already verified as ours). A node that has spoken with peers
 * in this incarnation disproves a rollback with its memory; one that has just started cannot, and takes the restore path.
 */
export function judgeSelfEvidence(
  self: { readonly incarnation: number; readonly nonce: Uint8Array; readonly justStarted: boolean },
  shown: { readonly incarnation: number; readonly nonce: Uint8Array },
): SelfEvidenceVerdict {
  if (shown.incarnation < self.incarnation) return { kind: 'known' };
  if (shown.incarnation === self.incarnation && bytesEqual(shown.nonce, self.nonce)) return { kind: 'known' };
  return self.justStarted ? { kind: 'advance', incarnation: shown.incarnation + 1 } : { kind: 'cloned' };
}

/**
 * How long a run must have lasted before it goes on to the next incarnation on a peer's bare word (R6 of protocol.md §2.9), in
 * milliseconds. A memory that was put back heals at once, and soon again; a liar pushes a node once an hour in the end.
 * @param restores runs in a row that began with `restore`, this one included
 */
export function hearsayWaitMs(restores: number): Millis {
  if (restores === 0) return 0;
  return Math.min(LIMITS.hearsayWaitMsMax, LIMITS.hearsayWaitMsMin * 2 ** Math.min(30, restores - 1));
}

/** Whether the process was suspended or live-snapshotted, so that a new incarnation must begin before anything is signed (protocol.md §2.0). */
export function isClockJump(elapsed: { readonly wallMs: Millis; readonly monoMs: Millis }): boolean {
  return Math.abs(elapsed.wallMs - elapsed.monoMs) > LIMITS.clockJumpMsMax;
}
