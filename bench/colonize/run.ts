/**
 * Colonize benchmark: N blank hosts become confirmed members, by `provision` in parallel and by the same steps typed one
 * host after another with ssh and scp. Both on the same virtual LAN, each host behind a 100 Mbit/s port.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface ColonizeRow {
  readonly hosts: number;
  readonly provisionSeconds: number;
  readonly scpSeconds: number;
}

export interface ColonizeOptions {
  readonly hostCounts: readonly number[];
  readonly say: (line: string) => void;
}

/** Needs root and the executables in dist/. */
export async function runColonize(options: ColonizeOptions): Promise<readonly ColonizeRow[]> {
  for (const file of ['dist/robonet-linux-x64.gz', 'dist/provision-linux-x64']) {
    if (!existsSync(file)) throw new Error(`${file} is missing; run npm run build first`);
  }
  const rows: ColonizeRow[] = [];
  for (const hosts of options.hostCounts) {
    options.say(`colonizing ${String(hosts)} host(s), both ways`);
    rows.push({ hosts, provisionSeconds: await seconds('provision', hosts), scpSeconds: await seconds('scp', hosts) });
  }
  return rows;
}

/** One measurement in a lab of its own; the child prints a JSON document as its last line. */
async function seconds(way: string, hosts: number): Promise<number> {
  const child = spawn(process.execPath, ['scripts/lab-shell.ts', '--', process.execPath, 'bench/colonize/inside.ts', way, String(hosts)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 1));
  });
  if (code !== 0) throw new Error(`the ${way} run with ${String(hosts)} hosts failed with ${String(code)}: ${text}`);
  const { seconds: measured } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { seconds: number };
  return measured;
}
