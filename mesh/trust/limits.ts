/** Named bounds of the trust score, each with what happens at it (docs/LIMITS.md). */
import { DAY, MINUTE } from '#core/time/time.ts';

export const TRUST_LIMITS = {
  /** τ: credit is given slot by slot. */
  slotMs: MINUTE,
  /** A slot never counts for more time than this, however it was measured. */
  slotMsMax: 1.5 * MINUTE,
  /** Frames of one slot that count; more earn nothing. */
  slotFramesMax: 8,
  /** Credits stop growing at so many times their scale, so that long service does not become unloseable. */
  capScales: 4,
  /** Debt halves every so much credited time. */
  debtHalfLifeMs: 7 * DAY,
  /** Absence that costs nothing. */
  absenceGraceMs: 7 * DAY,
  /** Beyond the grace, credits halve every so much absence. */
  absenceHalfLifeMs: 30 * DAY,
  /** Events of one history; above it the older half is folded into the base. */
  historyEventsMax: 512,
  /** Characters of the reason kept with a break. */
  whyCharactersMax: 160,
} as const;
