/**
 * Evidence on disk: one file per piece, named by what it is and its digest (protocol.md §2.10). Convictions (`proof-…`) go
 * last when the store is full; what cannot be read is passed over, for every piece is verified again before it counts.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type DiskCalls, ensureDirectory, isFolder, readWholeFile, removeFile, replaceFile } from '#core/node/disk.ts';
import type { StoredEvidence } from '#mesh/swarm/step.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

const CONVICTION = 'proof-';
/** Names that we give; anything else in the folder is somebody else's. */
const NAME = /^[a-z]+-[0-9a-z]{16,80}$/;

/** Everything that is kept, oldest first. */
export function readEvidence(stateFolder: string, calls: DiskCalls = fs): readonly StoredEvidence[] {
  const out: StoredEvidence[] = [];
  for (const { name, path, bytes } of filesOf(join(stateFolder, 'evidence'), calls)) {
    if (!NAME.test(name) || bytes > LIMITS.evidenceFileBytesMax) continue;
    const record = readWholeFile(path, LIMITS.evidenceFileBytesMax, calls);
    if (record !== undefined) out.push({ name, record });
  }
  return out;
}

/** Keep a piece, or replace the one of the same name; null removes it. */
export function writeEvidence(stateFolder: string, name: string, record: Uint8Array | null, calls: DiskCalls = fs): void {
  const folder = join(stateFolder, 'evidence');
  const path = join(folder, name);
  if (record === null) return removeFile(path, calls);
  ensureDirectory(folder, undefined, calls);
  const files = filesOf(folder, calls).filter((file) => file.path !== path);
  let bytes = files.reduce((sum, file) => sum + file.bytes, record.length);
  for (const file of [
    ...files.filter(({ name: other }) => !other.startsWith(CONVICTION)),
    ...files.filter(({ name: other }) => other.startsWith(CONVICTION)),
  ]) {
    if (bytes <= LIMITS.evidenceBytesMax) break;
    removeFile(file.path, calls);
    bytes -= file.bytes;
  }
  replaceFile(path, record, undefined, calls);
}

interface EvidenceFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly at: number;
}

function filesOf(folder: string, calls: DiskCalls): readonly EvidenceFile[] {
  if (!isFolder(folder, calls)) return [];
  return calls
    .readdirSync(folder)
    .flatMap((name) => {
      const path = join(folder, name);
      const stat = calls.lstatSync(path, { throwIfNoEntry: false });
      return stat?.isFile() === true ? [{ name, path, bytes: stat.size, at: stat.mtimeMs }] : [];
    })
    .sort((a, b) => a.at - b.at || a.name.localeCompare(b.name));
}
