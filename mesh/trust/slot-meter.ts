/**
 * Turns what happens on a link into the events of a trust history: counts frames, notes fresh checkpoints and breaks, and
 * settles each slot when it is over (protocol.md §2.12). Slots lie on a fixed grid of the observer's monotonic clock, so a
 * peer cannot choose where they begin.
 */
import { NEVER, type Millis } from '#core/time/time.ts';
import type { TrustEvent } from './event.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';

/** Owned by the record of one peer; lives as long as the observer runs. */
export class SlotMeter {
  readonly #origin: Millis;
  #slot = 0;
  #frames = 0;
  #fresh = false;
  #broken = false;
  #linked = false;
  #linkedInSlot = false;

  /** `now` is on the observer's monotonic clock. */
  constructor(now: Millis) {
    this.#origin = now;
  }

  /** When `advance` has the next slot to settle. */
  get wakeAt(): Millis {
    return this.#linked || this.#linkedInSlot ? this.#origin + (this.#slot + 1) * LIMITS.slotMs : NEVER;
  }

  /** Slot number at an instant: what challenges and checkpoints are counted by. */
  slotAt(now: Millis): number {
    return Math.max(this.#slot, Math.floor((now - this.#origin) / LIMITS.slotMs));
  }

  /** A link opened or closed. Call `advance` first. */
  setLinked(linked: boolean): void {
    this.#linked = linked;
    if (linked) this.#linkedInSlot = true;
  }

  /** Chained frames arrived. */
  onFrames(count: number): void {
    this.#frames += count;
  }

  /** A valid checkpoint arrived; only a fresh one credits the slot. */
  onCheckpoint(fresh: boolean): void {
    if (fresh) this.#fresh = true;
  }

  /** A break was recorded: this slot earns nothing. */
  onBreak(): void {
    this.#broken = true;
  }

  /** Settle all slots that are over. Call on every wake-up and before every other call that follows one. */
  advance(now: Millis): readonly TrustEvent[] {
    const present = Math.floor((now - this.#origin) / LIMITS.slotMs);
    if (present <= this.#slot) return [];
    const events: TrustEvent[] = [this.#settle()];
    const between = present - this.#slot - 1;
    if (between > 0) events.push({ kind: this.#linked ? 'connected' : 'absent', ms: between * LIMITS.slotMs });
    this.#slot = present;
    this.#frames = 0;
    this.#fresh = false;
    this.#broken = false;
    this.#linkedInSlot = this.#linked;
    return events;
  }

  #settle(): TrustEvent {
    if (this.#fresh && !this.#broken) return { kind: 'credited', slots: 1, frames: Math.min(LIMITS.slotFramesMax, this.#frames), slotMs: LIMITS.slotMs };
    return { kind: this.#linkedInSlot ? 'connected' : 'absent', ms: LIMITS.slotMs };
  }
}
