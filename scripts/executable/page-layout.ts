/**
 * Does an ELF executable load correctly on kernels with 4, 16 and 64 KiB pages? Raspberry Pi 5 boots a 16 KiB kernel: where two segments with
 * different rights share a page, the later mapping takes rights from the earlier one, and a write to it ends the process.
 */

/** The page sizes of Linux on arm64. */
export const pageSizes: readonly number[] = [4096, 16_384, 65_536];

const loadSegment = 1;

interface Segment {
  readonly flags: number;
  readonly fileOffset: number;
  readonly address: number;
  readonly memoryBytes: number;
}

/** What is wrong for one page size; an empty list of problems means the file is fine there. */
export interface PageLayout {
  readonly pageBytes: number;
  readonly problems: readonly string[];
}

/** Check every pair of neighbouring segments for each page size. */
export function pageLayouts(elf: Buffer, sizes: readonly number[] = pageSizes): readonly PageLayout[] {
  const segments = loadSegments(elf);
  if (segments.length === 0) throw new Error('the ELF file has no segment to load; nothing was checked');
  return sizes.map((pageBytes) => ({ pageBytes, problems: problemsAt(pageBytes, segments) }));
}

function problemsAt(pageBytes: number, segments: readonly Segment[]): readonly string[] {
  const problems: string[] = [];
  segments.forEach((segment, index) => {
    if ((segment.address - segment.fileOffset) % pageBytes !== 0) {
      problems.push(`segment at 0x${segment.address.toString(16)} and its place in the file differ modulo ${pageBytes}`);
    }
    const earlier = segments[index - 1];
    if (earlier === undefined || earlier.flags === segment.flags) return;
    const earlierEnd = earlier.address + earlier.memoryBytes;
    const earlierPageEnd = Math.ceil(earlierEnd / pageBytes) * pageBytes;
    const pageStart = Math.floor(segment.address / pageBytes) * pageBytes;
    if (pageStart < earlierPageEnd) {
      problems.push(`[0x${pageStart.toString(16)}, 0x${earlierEnd.toString(16)}) is mapped twice, with rights ${earlier.flags} and then ${segment.flags}`);
    }
  });
  return problems;
}

function loadSegments(elf: Buffer): readonly Segment[] {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46 || elf[4] !== 2) throw new Error('the input is not a 64-bit ELF file');
  const at = Number(elf.readBigUInt64LE(32));
  const entryBytes = elf.readUInt16LE(54);
  const count = elf.readUInt16LE(56);
  const segments: Segment[] = [];
  for (let index = 0; index < count; index++) {
    const entry = elf.subarray(at + index * entryBytes, at + (index + 1) * entryBytes);
    if (entry.readUInt32LE(0) !== loadSegment) continue;
    segments.push({
      flags: entry.readUInt32LE(4),
      fileOffset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      memoryBytes: Number(entry.readBigUInt64LE(40)),
    });
  }
  return segments;
}
