/** Wall-clock moments as text; here and not in core/terminal because deciding code has no `Date`. */
import type { Millis } from '#core/time/time.ts';

/** `2026-11-23 06:12:07Z`: sortable, and the same on every machine. */
export function formatTimestamp(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
