/** Texts that firmware and drives give themselves, made fit to print and to send. Pure. */
import { limits } from '../limits.ts';

/** Without control characters, runs of blanks joined, bounded; `null` for nothing left. */
export function cleanName(text: string | null): string | null {
  const clean = (text ?? '')
    .replaceAll(/[\p{Cc}\p{Cf}\ufffd\s]+/gu, ' ')
    .trim()
    .slice(0, limits.nameCharactersMax);
  return clean === '' ? null : clean;
}

/** Texts that board makers leave in when they forget to fill the field. */
const PLACEHOLDERS =
  /^(|0+|f+|none|n\/?a|not (specified|applicable|available)|unknown|default string|to be filled.*|system (serial number|product name|manufacturer)|o\.?e\.?m\.?|123456789|0123456789.*|x+|\.+)$/i;

/** Whether a firmware text says nothing about this one machine. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDERS.test(text.trim());
}
