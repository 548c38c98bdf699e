/** How this very program is started again: the executable alone, or Node with the script when run from source. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { buildIdentity } from '#core/node/build-identity.ts';

export function selfCommand(): readonly string[] {
  const executable = realpathSync(process.execPath);
  const script = process.argv[1];
  return buildIdentity.packaged || script === undefined ? [executable] : [executable, resolve(script)];
}
