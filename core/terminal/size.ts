/** Numbers of bytes as people write and read them; powers of 1024 with the binary prefixes. */
import { parsed, type Parsed, problem } from '#core/terminal/parsed.ts';

const PREFIXES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 GiB`, `512 MiB`, `96 B`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let index = 0;
  while (value >= 1024 && index < PREFIXES.length - 1) {
    value /= 1024;
    index += 1;
  }
  const digits = index === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${PREFIXES[index] ?? 'B'}`;
}

/** Bytes of `512`, `64k`, `10MiB`, `1.5G`; every prefix is a power of 1024. */
export function parseBytes(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([kmgtp])(?:i?b)?|b)?$/i.exec(text.trim());
  const expected = `'${text}' is not a size; write a number with an optional K, M, G or T, for example 512M or 1.5G`;
  if (match === null) return problem(expected);
  const power = match[2] === undefined ? 0 : 'kmgtp'.indexOf(match[2].toLowerCase()) + 1;
  const bytes = Math.round(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? parsed(bytes) : problem(expected);
}
