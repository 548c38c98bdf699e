/** Runs `provision --scan` on a laptop and reads its list. */
import { describeResult } from '../lab/command.ts';
import type { Host } from '../lab/host/host.ts';

/** One row of the list. */
export interface ScannedHost {
  readonly standing: string;
  readonly address: string;
  readonly name: string | null;
  readonly maker: string | null;
  readonly os: string | null;
  readonly arch: string | null;
}

/** A finished scan. */
export interface Scan {
  readonly hosts: readonly ScannedHost[];
  readonly elapsedMs: number;
}

/** Scans and returns the rows; the exit code must be 0. */
export async function scan(laptop: Host, options: readonly string[] = []): Promise<Scan> {
  const result = await laptop.run(['provision', '--scan', ...options, '--json'], { timeoutMs: 60_000 });
  if (result.code !== 0) throw new Error(describeResult(result));
  const documents = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): { readonly hosts?: readonly ScannedHost[] } => JSON.parse(line));
  const hosts = documents.findLast((document) => document.hosts !== undefined)?.hosts;
  if (hosts === undefined) throw new Error(`no list of hosts: ${describeResult(result)}`);
  return { hosts, elapsedMs: result.elapsedMs };
}
