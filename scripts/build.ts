/**
 * `npm run build`: the executables of both programs for both architectures, with checksums, a bill of materials and licence notices.
 * `--only agent-x64[,…]` for a quick turn; `--laptop` adds `provision` for laptops on other systems; `--out DIR` builds elsewhere.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeSums } from '#scripts/executable/checksums.ts';
import { buildLaptop } from '#scripts/executable/laptop.ts';
import { type UnitName, buildRelease, unitNames } from '#scripts/executable/release.ts';
import { writeMaterials } from '#scripts/executable/materials.ts';

const usage = `usage: npm run build -- [--only UNIT[,UNIT…]] [--laptop] [--out DIR]\nunits: ${unitNames.join(', ')}`;

function isUnit(name: string): name is UnitName {
  return unitNames.some((unit) => unit === name);
}

async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: 'string' },
      laptop: { type: 'boolean', default: false },
      out: { type: 'string', default: 'dist' },
      'agent-entry': { type: 'string', default: 'agent/main.ts' },
      'provision-entry': { type: 'string', default: 'provisioner/main.ts' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const asked = values.only?.split(',') ?? [...unitNames];
  const unknown = asked.filter((name) => !isUnit(name));
  if (unknown.length > 0) {
    process.stderr.write(`build: there is no unit ${unknown.join(', ')}; nothing was built\n${usage}\n`);
    return 64;
  }
  const root = resolve(import.meta.dirname, '..');
  const output = resolve(root, values.out);
  const progress = (line: string): void => {
    process.stderr.write(`build: ${line}\n`);
  };
  const startedAt = performance.now();
  const options = { root, output, agentEntry: values['agent-entry'], provisionEntry: values['provision-entry'], progress };
  const made = await buildRelease({ ...options, units: asked.filter(isUnit) });
  const laptop = values.laptop ? await buildLaptop(options) : [];
  await writeSums(output, [...made, ...laptop]);
  if (values.only === undefined) await writeMaterials(options);
  for (const file of [...made, ...laptop]) {
    const size = `${(file.bytes / 1e6).toFixed(1)} MB`.padStart(9);
    progress(`${size}  ${file.sha256.slice(0, 12)}  ${file.path.slice(root.length + 1)}${file.fresh ? '' : '  (unchanged)'}`);
  }
  progress(`done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
