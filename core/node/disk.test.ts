import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import type { FaultCode } from '#core/errors/fault.ts';
import { createNodeCrypto } from './crypto.ts';
import { type DiskCalls, ensureDirectory, readWholeFile, replaceFile } from './disk.ts';
import { openJournal } from './journal-file.ts';
import { openTwoSlot } from './two-slot-file.ts';

const crypto = createNodeCrypto();
let folder = '';
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'robonet-disk-'));
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

/** The system's calls, with one of them failing as the kernel would. */
function failing(call: keyof DiskCalls, code: string, after = 0): DiskCalls {
  let left = after;
  const original: (...args: never[]) => unknown = fs[call];
  const replacement = (...args: never[]): unknown => {
    left -= 1;
    if (left < 0) throw Object.assign(new Error(`${code}: ${call}`), { code });
    return original(...args);
  };
  return { ...fs, [call]: replacement };
}

const fault = (code: FaultCode) => expect.objectContaining({ name: 'Fault', code });
const caught = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
};

describe('replacing a file', () => {
  test('P-5: the new contents are there, readable by the owner only, and no temporary file is left', () => {
    replaceFile(at('f'), utf8('one'));
    replaceFile(at('f'), utf8('two'));
    expect(hex(readWholeFile(at('f'), 100)!)).toBe(hex(utf8('two')));
    expect(fs.statSync(at('f')).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(folder)).toEqual(['f']);
  });

  test('what an interrupted write left behind is in nobody’s way', () => {
    fs.writeFileSync(at('f.new'), 'half');
    replaceFile(at('f'), utf8('whole'));
    expect(fs.readFileSync(at('f'), 'utf8')).toBe('whole');
  });

  test.each([
    ['writeSync', 'ENOSPC', 'RN-MESH-106'],
    ['writeSync', 'EDQUOT', 'RN-MESH-106'],
    ['fsyncSync', 'EIO', 'RN-MESH-102'],
    ['openSync', 'EROFS', 'RN-MESH-102'],
    ['renameSync', 'EIO', 'RN-MESH-102'],
  ] as const)('P-5: when %s fails with %s the old contents count and the fault is %s', (call, code, expected) => {
    replaceFile(at('f'), utf8('old'));
    expect(
      caught(() => {
        replaceFile(at('f'), utf8('new'), 0o600, failing(call, code));
      }),
    ).toEqual(fault(expected));
    expect(fs.readFileSync(at('f'), 'utf8')).toBe('old');
  });

  test('a disk that gives back something else is a fault', () => {
    const lying: DiskCalls = { ...fs, readSync: ((_descriptor: number, buffer: Uint8Array) => buffer.fill(7).length) as typeof fs.readSync };
    expect(
      caught(() => {
        replaceFile(at('f'), utf8('truth'), 0o600, lying);
      }),
    ).toEqual(fault('RN-MESH-103'));
  });
});

describe('what stands in place of a file', () => {
  test('a link is refused and its target stays as it was', () => {
    fs.writeFileSync(at('victim'), 'precious');
    fs.symlinkSync(at('victim'), at('f'));
    expect(
      caught(() => {
        replaceFile(at('f'), utf8('x'));
      }),
    ).toEqual(fault('RN-MESH-101'));
    expect(caught(() => readWholeFile(at('f'), 100))).toEqual(fault('RN-MESH-101'));
    expect(caught(() => openJournal(at('f'), crypto))).toEqual(fault('RN-MESH-101'));
    expect(fs.readFileSync(at('victim'), 'utf8')).toBe('precious');
  });

  test('a link in place of the temporary file is removed, not followed', () => {
    fs.writeFileSync(at('victim'), 'precious');
    fs.symlinkSync(at('victim'), at('f.new'));
    replaceFile(at('f'), utf8('x'));
    expect(fs.readFileSync(at('victim'), 'utf8')).toBe('precious');
  });

  test('a link to nowhere, a folder and a device are refused', () => {
    fs.symlinkSync(at('nowhere'), at('link'));
    fs.mkdirSync(at('folder'));
    for (const path of [at('link'), at('folder'), '/dev/null']) expect(caught(() => readWholeFile(path, 100))).toEqual(fault('RN-MESH-101'));
  });

  test('a link or file in place of a folder is refused; a folder is made with its parents', () => {
    fs.symlinkSync(folder, at('link'));
    fs.writeFileSync(at('file'), '');
    for (const path of [at('link'), at('file')])
      expect(
        caught(() => {
          ensureDirectory(path);
        }),
      ).toEqual(fault('RN-MESH-101'));
    ensureDirectory(at('a/b'));
    expect(fs.statSync(at('a/b')).mode & 0o777).toBe(0o700);
  });

  test('a file larger than its kind is not read', () => {
    fs.writeFileSync(at('f'), 'x'.repeat(101));
    expect(caught(() => readWholeFile(at('f'), 100))).toEqual(fault('RN-MESH-104'));
  });

  test('a file that is not there is not a fault', () => {
    expect(readWholeFile(at('f'), 100)).toBeUndefined();
  });
});

describe('a journal file', () => {
  test('appended records are there after opening again', () => {
    const first = openJournal(at('j'), crypto);
    first.journal.append(utf8('one'), utf8('two'));
    first.journal.sync();
    first.journal.append(utf8('three'));
    first.journal.close();
    const second = openJournal(at('j'), crypto);
    expect(second).toMatchObject({ state: 'clean', bytesLost: 0, movedTo: null });
    expect(second.records.map(hex)).toEqual(['one', 'two', 'three'].map((word) => hex(utf8(word))));
    second.journal.close();
  });

  test('a torn tail is cut off on disk, and appending goes on behind the last whole record', () => {
    const { journal } = openJournal(at('j'), crypto);
    journal.append(utf8('one'));
    journal.append(utf8('two'));
    journal.close();
    fs.truncateSync(at('j'), fs.statSync(at('j')).size - 1);
    const torn = openJournal(at('j'), crypto);
    expect(torn).toMatchObject({ state: 'torn', bytesLost: 10 });
    torn.journal.append(utf8('three'));
    torn.journal.close();
    const again = openJournal(at('j'), crypto);
    expect([again.state, ...again.records.map(hex)]).toEqual(['clean', hex(utf8('one')), hex(utf8('three'))]);
    again.journal.close();
  });

  test('a corrupt middle is moved aside untouched, and the journal goes on with what came before', () => {
    const { journal } = openJournal(at('j'), crypto);
    for (const word of ['one', 'two', 'three']) journal.append(utf8(word));
    journal.close();
    const bytes = fs.readFileSync(at('j'));
    bytes[20]! ^= 1;
    fs.writeFileSync(at('j'), bytes);
    const opened = openJournal(at('j'), crypto);
    expect(opened).toMatchObject({ state: 'corrupt', movedTo: at('j.corrupt-1') });
    expect(opened.records.map(hex)).toEqual([hex(utf8('one'))]);
    expect(fs.readFileSync(at('j.corrupt-1')).equals(bytes)).toBe(true);
    opened.journal.close();
    const again = openJournal(at('j'), crypto);
    expect([again.state, again.records.length]).toEqual(['clean', 1]);
    again.journal.close();
  });

  test('at most the last append is unconfirmed, so that a disk that reorders writes leaves a torn tail and no hole', () => {
    const calls: string[] = [];
    const noting: DiskCalls = {
      ...fs,
      writeSync: (...args: Parameters<DiskCalls['writeSync']>) => {
        calls.push('write');
        return fs.writeSync(...args);
      },
      fdatasyncSync: (descriptor) => {
        calls.push('sync');
        fs.fdatasyncSync(descriptor);
      },
    };
    const { journal } = openJournal(at('j'), crypto, noting);
    journal.append(utf8('one'), utf8('two'));
    journal.append(utf8('three'));
    journal.append(utf8('four'));
    journal.close();
    expect(calls).toEqual(['write', 'sync', 'write', 'sync', 'write', 'sync']);
  });

  test('rewriting replaces all records, and appending goes on behind them', () => {
    const { journal } = openJournal(at('j'), crypto);
    journal.append(utf8('one'), utf8('two'));
    journal.rewrite([utf8('both')]);
    journal.append(utf8('three'));
    journal.close();
    const again = openJournal(at('j'), crypto);
    expect(again.records.map(hex)).toEqual([hex(utf8('both')), hex(utf8('three'))]);
    again.journal.close();
  });

  test('after a failed fsync nothing is tried again', () => {
    let syncs = 0;
    const calls: DiskCalls = {
      ...fs,
      fdatasyncSync: () => {
        syncs += 1;
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      },
    };
    const { journal } = openJournal(at('j'), crypto, calls);
    journal.append(utf8('one'));
    const first = caught(() => {
      journal.sync();
    });
    expect(first).toEqual(fault('RN-MESH-102'));
    expect(
      caught(() => {
        journal.sync();
      }),
    ).toBe(first);
    expect(
      caught(() => {
        journal.append(utf8('two'));
      }),
    ).toBe(first);
    expect(syncs).toBe(1);
    journal.close();
  });

  test('a full disk is a fault, and what stood before is whole after opening again', () => {
    const { journal } = openJournal(at('j'), crypto);
    journal.append(utf8('one'));
    journal.close();
    const full = openJournal(at('j'), crypto, failing('writeSync', 'ENOSPC')).journal;
    expect(
      caught(() => {
        full.append(utf8('two'));
      }),
    ).toEqual(fault('RN-MESH-106'));
    full.close();
    const again = openJournal(at('j'), crypto);
    expect(again.records.map(hex)).toEqual([hex(utf8('one'))]);
    again.journal.close();
  });

  test('writing to a closed journal is a fault', () => {
    const { journal } = openJournal(at('j'), crypto);
    journal.close();
    expect(
      caught(() => {
        journal.append(utf8('x'));
      }),
    ).toEqual(fault('RN-MESH-102'));
  });
});

describe('a two-slot file', () => {
  test('every write is there after opening again, in alternating slots', () => {
    for (let value = 1; value <= 4; value += 1) {
      const slots = openTwoSlot(at('i'), crypto);
      expect(slots.value?.[0]).toBe(value === 1 ? undefined : value - 1);
      slots.write(Uint8Array.of(value));
      expect(slots.value?.[0]).toBe(value);
    }
    expect(fs.readdirSync(folder).sort()).toEqual(['i.a', 'i.b']);
  });

  test('a damaged newer slot leaves the older value and says so', () => {
    const slots = openTwoSlot(at('i'), crypto);
    slots.write(Uint8Array.of(1));
    slots.write(Uint8Array.of(2));
    fs.truncateSync(at('i.b'), 5);
    const again = openTwoSlot(at('i'), crypto);
    expect([again.value?.[0], again.damaged]).toEqual([1, ['b']]);
    again.write(Uint8Array.of(3));
    expect(openTwoSlot(at('i'), crypto).value?.[0]).toBe(3);
  });

  test('a write that fails leaves the value before', () => {
    openTwoSlot(at('i'), crypto).write(Uint8Array.of(1));
    const slots = openTwoSlot(at('i'), crypto, failing('fsyncSync', 'EIO'));
    expect(
      caught(() => {
        slots.write(Uint8Array.of(2));
      }),
    ).toEqual(fault('RN-MESH-102'));
    expect(slots.value?.[0]).toBe(1);
    expect(openTwoSlot(at('i'), crypto).value?.[0]).toBe(1);
  });
});
