/**
 * Drops symbol tables and debug sections from a 64-bit little-endian ELF executable of any architecture, so that no cross-binutils are needed.
 * It keeps every byte that a loader maps, at the same offset, and rewrites only the section table behind them. It must run before injection:
 * stripping afterwards would drop what was injected.
 */

const headerBytes = 64;
const sectionFlagAlloc = 2n;
const sectionTypeStringTable = 3;
const sectionTypeRelocation = 4;

/** Where the loader's part of the file ends and where the section table is. */
interface Layout {
  readonly mappedEnd: number;
  readonly sections: readonly Buffer[];
  readonly sectionBytes: number;
  readonly nameAt: (section: Buffer) => string;
}

/** The executable without the sections that no loader reads; throws when the input is not a 64-bit little-endian ELF file. */
export function stripElf(input: Buffer): Buffer {
  const { mappedEnd, sections, sectionBytes, nameAt } = readLayout(input);
  const kept = sections.filter((section, index) => index === 0 || (section.readBigUInt64LE(8) & sectionFlagAlloc) !== 0n);
  const newIndex = (old: number): number => {
    const section = sections[old];
    return section === undefined ? 0 : Math.max(0, kept.indexOf(section));
  };
  let names: Buffer = Buffer.from('\0');
  const table: Buffer[] = kept.map((section, index) => {
    const entry = Buffer.from(section);
    if (index === 0) return entry;
    entry.writeUInt32LE(names.length, 0);
    names = Buffer.concat([names, Buffer.from(`${nameAt(section)}\0`)]);
    entry.writeUInt32LE(newIndex(entry.readUInt32LE(40)), 40);
    if (entry.readUInt32LE(4) === sectionTypeRelocation) entry.writeUInt32LE(newIndex(entry.readUInt32LE(44)), 44);
    return entry;
  });
  const ownName = names.length;
  names = Buffer.concat([names, Buffer.from('.shstrtab\0')]);
  table.push(stringTableEntry(sectionBytes, ownName, mappedEnd, names.length));
  const tableAt = (mappedEnd + names.length + 7) & ~7;
  const head = Buffer.from(input.subarray(0, mappedEnd));
  head.writeBigUInt64LE(BigInt(tableAt), 40);
  head.writeUInt16LE(table.length, 60);
  head.writeUInt16LE(table.length - 1, 62);
  return Buffer.concat([head, names, Buffer.alloc(tableAt - mappedEnd - names.length), ...table]);
}

function readLayout(input: Buffer): Layout {
  if (input.length < headerBytes || input.readUInt32BE(0) !== 0x7f454c46 || input[4] !== 2 || input[5] !== 1) {
    throw new Error('the input is not a 64-bit little-endian ELF file');
  }
  const programAt = Number(input.readBigUInt64LE(32));
  const programBytes = input.readUInt16LE(54);
  const programCount = input.readUInt16LE(56);
  let mappedEnd = programAt + programBytes * programCount;
  for (let index = 0; index < programCount; index++) {
    const entry = input.subarray(programAt + index * programBytes);
    mappedEnd = Math.max(mappedEnd, Number(entry.readBigUInt64LE(8)) + Number(entry.readBigUInt64LE(32)));
  }
  const sectionsAt = Number(input.readBigUInt64LE(40));
  const sectionBytes = input.readUInt16LE(58);
  const sectionCount = input.readUInt16LE(60);
  const sections = Array.from({ length: sectionCount }, (_, index) =>
    input.subarray(sectionsAt + index * sectionBytes, sectionsAt + (index + 1) * sectionBytes),
  );
  const nameSection = sections[input.readUInt16LE(62)];
  if (nameSection === undefined) throw new Error('the ELF file has no section names; it is stripped of its section table already');
  const namesAt = Number(nameSection.readBigUInt64LE(24));
  const nameAt = (section: Buffer): string => {
    const start = namesAt + section.readUInt32LE(0);
    return input.toString('latin1', start, input.indexOf(0, start));
  };
  return { mappedEnd, sections, sectionBytes, nameAt };
}

function stringTableEntry(sectionBytes: number, name: number, fileOffset: number, bytes: number): Buffer {
  const entry = Buffer.alloc(sectionBytes);
  entry.writeUInt32LE(name, 0);
  entry.writeUInt32LE(sectionTypeStringTable, 4);
  entry.writeBigUInt64LE(BigInt(fileOffset), 24);
  entry.writeBigUInt64LE(BigInt(bytes), 32);
  entry.writeBigUInt64LE(1n, 48);
  return entry;
}
