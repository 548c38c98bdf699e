import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { pageLayouts } from '#scripts/executable/page-layout.ts';
import { stripElf } from '#scripts/executable/strip-elf.ts';

/** A small ELF file: two segments, and the sections null, .text (loaded), .debug (not loaded), .shstrtab. */
function elf(
  segments: readonly { flags: number; offset: number; address: number; bytes: number }[] = [{ flags: 5, offset: 0, address: 0x400000, bytes: 0x100 }],
): Buffer {
  const names = Buffer.from('\0.text\0.debug\0.shstrtab\0');
  const file = Buffer.alloc(0x400);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeBigUInt64LE(64n, 32);
  file.writeBigUInt64LE(0x300n, 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(segments.length, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(4, 60);
  file.writeUInt16LE(3, 62);
  segments.forEach((segment, index) => {
    const at = 64 + index * 56;
    file.writeUInt32LE(1, at);
    file.writeUInt32LE(segment.flags, at + 4);
    file.writeBigUInt64LE(BigInt(segment.offset), at + 8);
    file.writeBigUInt64LE(BigInt(segment.address), at + 16);
    file.writeBigUInt64LE(BigInt(segment.bytes), at + 32);
    file.writeBigUInt64LE(BigInt(segment.bytes), at + 40);
  });
  const section = (index: number, name: number, flags: bigint, offset: number, bytes: number): void => {
    const at = 0x300 + index * 64;
    file.writeUInt32LE(name, at);
    file.writeUInt32LE(index === 3 ? 3 : 1, at + 4);
    file.writeBigUInt64LE(flags, at + 8);
    file.writeBigUInt64LE(BigInt(offset), at + 24);
    file.writeBigUInt64LE(BigInt(bytes), at + 32);
  };
  section(1, 1, 2n, 0xc0, 0x40);
  section(2, 7, 0n, 0x200, 0x80);
  section(3, 14, 0n, 0x280, names.length);
  file.set(names, 0x280);
  return file;
}

describe('stripping an executable', () => {
  test('keeps every loaded byte and drops the sections that nothing loads', () => {
    const before = elf();
    const after = stripElf(before);
    expect(after.subarray(64, 0x100)).toEqual(before.subarray(64, 0x100));
    expect(after.readUInt16LE(60)).toBe(3);
    expect(after.toString('latin1')).toContain('.text');
    expect(after.toString('latin1')).not.toContain('.debug');
    expect(after.length).toBeLessThan(before.length);
  });

  test('is stable: stripping twice changes nothing more', () => {
    const once = stripElf(elf());
    expect(stripElf(once)).toEqual(once);
  });

  test('makes this very Node smaller, and its layout stays sound', () => {
    const node = readFileSync(process.execPath);
    const stripped = stripElf(node);
    expect(node.length - stripped.length).toBeGreaterThan(10e6);
    expect(pageLayouts(stripped, [4096])).toEqual([{ pageBytes: 4096, problems: [] }]);
  });

  test('refuses what is not an ELF file', () => {
    expect(() => stripElf(Buffer.from('#!/bin/sh\n'))).toThrow('not a 64-bit little-endian ELF file');
  });
});

describe('the page layout of an executable', () => {
  const text = { flags: 5, offset: 0, address: 0x10000, bytes: 0x1800 };

  test('segments that meet on no page are sound for every page size', () => {
    const layouts = pageLayouts(elf([text, { flags: 6, offset: 0x20000, address: 0x40000, bytes: 0x100 }]));
    expect(layouts.map(({ problems }) => problems.length)).toEqual([0, 0, 0]);
  });

  test('two segments with different rights on one 16 KiB page are a fault there, and none on 4 KiB pages', () => {
    const layouts = pageLayouts(elf([text, { flags: 6, offset: 0x2000, address: 0x12000, bytes: 0x100 }]));
    expect(layouts[0]?.problems).toEqual([]);
    expect(layouts[1]?.problems[0]).toContain('mapped twice, with rights 5 and then 6');
  });

  test('an address that differs from its place in the file is a fault', () => {
    expect(pageLayouts(elf([{ flags: 5, offset: 0x1000, address: 0x12000, bytes: 0x100 }]))[1]?.problems).toHaveLength(1);
  });

  test('a file with nothing to load was not checked, which is an error', () => {
    expect(() => pageLayouts(elf([]))).toThrow('nothing was checked');
  });
});
