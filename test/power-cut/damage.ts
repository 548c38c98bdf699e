/**
 * What else happens to files than power cuts: cut short, flipped, zeroed, gone, something else in their place. Each kind is
 * a change to a sound state folder; the judge says whether the node then starts as itself, or refuses with a code.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owed } from '#test/power-cut/judge.ts';
import { startOnce } from '#test/power-cut/judge.ts';

/** Every file of a stopped node's folder, by name. */
export type Folder = ReadonlyMap<string, Uint8Array>;

/** One thing done to one file. */
export interface Damage {
  readonly file: string;
  readonly what: string;
  readonly apply: (path: string, bytes: Uint8Array) => void;
}

/** Read a stopped node's folder. */
export function readFolder(folder: string, inside = ''): Folder {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(join(folder, inside))) {
    const path = join(inside, name);
    if (statSync(join(folder, path)).isDirectory()) for (const [below, bytes] of readFolder(folder, path)) files.set(below, bytes);
    else files.set(path, new Uint8Array(readFileSync(join(folder, path))));
  }
  return files;
}

/** Put it back as it was. */
export function restoreFolder(folder: string, files: Folder): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) {
    mkdirSync(join(folder, name, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, name), bytes, { mode: 0o600 });
  }
}

/** The file ends after `length` bytes. */
export function cutAt(file: string, length: number): Damage {
  return { file, what: `cut at ${length}`, apply: (path, bytes) => writeFileSync(path, bytes.subarray(0, length)) };
}

/** One bit is the other way round. */
export function flipBit(file: string, bit: number): Damage {
  return {
    file,
    what: `bit ${bit} flipped`,
    apply: (path, bytes) => {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, damaged);
    },
  };
}

/** A block of zeros, as a card returns that has lost a page. */
export function zeroBlock(file: string, from: number, length: number): Damage {
  return { file, what: `zeros from ${from}`, apply: (path, bytes) => writeFileSync(path, bytes.slice().fill(0, from, from + length)) };
}

/** It is not there. */
export function missing(file: string): Damage {
  return { file, what: 'missing', apply: (path) => unlinkSync(path) };
}

/** Somebody put something else there. `foreign` is a file outside of the folder that must stay as it is. */
export function replacedBy(file: string, what: 'a folder' | 'a link to nowhere' | 'a link to a foreign file', foreign: string): Damage {
  return {
    file,
    what: `replaced by ${what}`,
    apply: (path) => {
      unlinkSync(path);
      if (what === 'a folder') mkdirSync(path);
      else symlinkSync(what === 'a link to nowhere' ? join(foreign, 'nowhere') : foreign, path);
    },
  };
}

/** How a start on damaged files ended. */
export interface Verdict {
  readonly outcome: 'as before' | 'with a word' | 'refused';
  readonly code: string | null;
  readonly wrong: readonly string[];
}

/** What a refusal at start may be. */
const REFUSALS = new Set(['RN-MESH-001', 'RN-MESH-002', 'RN-MESH-101', 'RN-MESH-102', 'RN-MESH-104', 'RN-MESH-105']);
/** Events by which a start says that something was wrong with the disk. */
const WORDS = ['STATE_DEGRADED', 'STATE_TAIL_REPAIRED', 'HW_MISMATCH'];

/** Damage one file of a sound folder, start twice, judge. */
export async function judgeDamage(folder: string, sound: Folder, damage: Damage, owed: Owed): Promise<Verdict> {
  restoreFolder(folder, sound);
  damage.apply(join(folder, damage.file), sound.get(damage.file)!);
  const before = readFolderLoosely(folder);
  const first = await startOnce(folder);
  if ('refused' in first) {
    const wrong = REFUSALS.has(first.refused) ? [] : [`refused with ${first.refused}, which explains nothing`];
    if (damage.file !== 'lock' && before.get(damage.file) !== readFolderLoosely(folder).get(damage.file)) wrong.push('refused, yet changed the damaged file');
    return { outcome: 'refused', code: first.refused, wrong };
  }
  const wrong: string[] = [];
  const words = first.events.filter((code) => WORDS.includes(code));
  const said = words.length > 0;
  const used = owed.signed.get(first.aid) ?? 0;
  if (first.incarnation <= used) wrong.push(`incarnation ${first.incarnation} had signed before (${used})`);
  if (first.aid !== owed.aid && !said) wrong.push('silently somebody else');
  if (first.aid !== owed.aid && damage.what !== 'missing') wrong.push('damage passes for other hardware: the identity was given up');
  if (first.mesh !== owed.mesh && !said) wrong.push('silently no member any more');
  if (first.commitIndex < owed.committed && !said) wrong.push(`silently without ledger entry ${owed.committed}`);
  const second = await startOnce(folder);
  if ('refused' in second) wrong.push(`the second start was refused: ${second.refused}`);
  else {
    if (second.aid !== first.aid || second.incarnation <= first.incarnation || second.mesh !== first.mesh)
      wrong.push('the second start is not the successor of the first');
    // Entries that only a member can give back are still missed, and said to be, where none was reached: a node that has asked
    // nobody signs no farewell over its shorter ledger (H-54).
    const stillMissed = first.commitIndex < owed.committed && second.commitIndex === first.commitIndex;
    for (const code of second.events.filter((event) => WORDS.includes(event) && !(stillMissed && event === 'STATE_DEGRADED')))
      wrong.push(`the second start still says ${code}`);
  }
  return { outcome: said ? 'with a word' : 'as before', code: words[0] ?? null, wrong };
}

/** Contents by name; what is no file counts by its kind. */
function readFolderLoosely(folder: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    found.set(entry.name, entry.isFile() ? readFileSync(join(folder, entry.name), 'latin1') : entry.isDirectory() ? 'a folder' : 'a link');
  return found;
}
