/**
 * Time as data. Deciding code never reads a clock: the driver hands it the present as an `Instant`.
 */

declare const millisBrand: unique symbol;
/** Milliseconds; a point on one of the two clocks of an {@link Instant}, or a span between two of them. */
export type Millis = number & { readonly [millisBrand]?: never };

/** "Nothing pending": later than every real deadline. */
export const NEVER: Millis = Number.POSITIVE_INFINITY;

/** The present, as the driver saw it when it delivered an input. */
export interface Instant {
  /** Monotonic milliseconds since an arbitrary start; all deadlines and trust credit use this one. */
  readonly mono: Millis;
  /** Milliseconds since 1970 (UTC); shown to people and used for token expiry by voters, never for ordering. */
  readonly wall: Millis;
}

export const SECOND: Millis = 1_000;
export const MINUTE: Millis = 60_000;
export const HOUR: Millis = 3_600_000;
export const DAY: Millis = 86_400_000;
