/**
 * Well-formedness of UTF-8 without decoding (RFC 3629: no surrogates, no overlong forms, nothing above U+10FFFF), so
 * that a scanner can look at text without allocating it.
 */

/** Offset of the first byte that is not part of well-formed UTF-8 in [start, end), or -1. */
export function malformedUtf8At(bytes: Uint8Array, start: number, end: number): number {
  let offset = start;
  while (offset < end) {
    const lead = bytes[offset] ?? 0;
    if (lead < 0x80) {
      offset += 1;
      continue;
    }
    const extra = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (extra === 0 || offset + extra >= end) return offset;
    const second = bytes[offset + 1] ?? 0;
    if ((second & 0xc0) !== 0x80) return offset;
    if ((lead === 0xe0 && second < 0xa0) || (lead === 0xed && second > 0x9f) || (lead === 0xf0 && second < 0x90) || (lead === 0xf4 && second > 0x8f))
      return offset;
    for (let index = 2; index <= extra; index += 1) if (((bytes[offset + index] ?? 0) & 0xc0) !== 0x80) return offset;
    offset += extra + 1;
  }
  return -1;
}
