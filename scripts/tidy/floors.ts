/**
 * Folders are floors: imports only go down. This table and the one in docs/ARCHITECTURE.md are the same table; change both in one commit.
 */
import { importsOf } from '#scripts/tidy/imports.ts';
import { type Finding, type SourceTree, isTest, look, typescriptOf } from '#scripts/tidy/source-tree.ts';

/** One floor: a folder and the folders it may import from (its own is understood). */
export interface Floor {
  readonly folder: string;
  readonly below: readonly string[];
}

const core = ['core/bytes', 'core/crypto', 'core/errors', 'core/journal', 'core/log', 'core/msgpack', 'core/random', 'core/terminal', 'core/time'];
const handshake = ['mesh/wire', 'mesh/channel', 'mesh/hcth'];
const machines = ['mesh/trust', 'mesh/admission', 'mesh/approvals', 'mesh/consensus', 'mesh/membership'];
const mesh = [...handshake, ...machines, 'mesh/session', 'mesh/swarm', 'mesh/transport', 'mesh/driver'];
const everything = ['core', 'mesh', 'provisioner', 'agent', 'scripts', 'bench', 'test', 'hw-profiles', 'images'];

/** All floors; the longest matching folder counts. */
export const floors: readonly Floor[] = [
  ...core.map((folder) => ({ folder, below: core })),
  { folder: 'core/node', below: core },
  { folder: 'mesh/wire', below: core },
  { folder: 'mesh/channel', below: [...core, 'mesh/wire'] },
  { folder: 'mesh/hcth', below: [...core, 'mesh/wire', 'mesh/channel'] },
  ...machines.map((folder) => ({ folder, below: [...core, ...handshake] })),
  { folder: 'mesh/session', below: [...core, ...handshake, ...machines] },
  { folder: 'mesh/swarm', below: [...core, ...handshake, ...machines, 'mesh/session'] },
  { folder: 'mesh/transport', below: [...core, 'core/node'] },
  { folder: 'mesh/driver', below: ['core', ...mesh] },
  { folder: 'provisioner', below: ['core', 'mesh'] },
  { folder: 'agent', below: ['core', 'mesh', 'provisioner', 'hw-profiles'] },
  { folder: 'scripts', below: everything },
  { folder: 'bench', below: everything },
  { folder: 'test', below: everything },
];

/** Every import that goes up or sideways, and every source that lies on no floor. Unit tests may import what they need to test with. */
export function checkFloors(tree: SourceTree, table: readonly Floor[] = floors): Finding {
  const sources = new Map([...typescriptOf(tree)].filter(([path]) => !isTest(path) && path.includes('/')));
  return look(sources, (path, text) => {
    const floor = floorOf(path, table);
    if (floor === undefined) return [`${path}: this folder is on no floor; add it to the table in scripts/tidy/floors.ts and docs/ARCHITECTURE.md`];
    return importsOf(path, text).flatMap(({ target }) => {
      if (target === undefined || isInside(target, floor.folder) || floor.below.some((folder) => isInside(target, folder))) return [];
      return [`${path} → ${target}: ${floor.folder} may import only ${floor.below.join(', ')}`];
    });
  });
}

function floorOf(path: string, table: readonly Floor[]): Floor | undefined {
  return table.filter((floor) => isInside(path, floor.folder)).sort((a, b) => b.folder.length - a.folder.length)[0];
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}
