/** What is known of a target after the inspection, parsed strictly from the script's answer. Pure. */
import * as z from 'zod';
import { parseManifest, type Manifest } from '#provisioner/plan/manifest.ts';
import { factsBegin, factsEnd } from './script.ts';

/** What the agent on a target says of itself. */
export interface AgentFacts {
  readonly running: boolean;
  readonly sha256: string | null;
  readonly version: string | null;
  /** `member`, `unjoined`, `lobby`, …; null when it is not running. */
  readonly state: string | null;
  readonly fingerprint: string | null;
  readonly meshId: string | null;
  readonly meshName: string | null;
  /** It has a mesh's ledger on disk, so it belongs to a mesh even when it is not running. */
  readonly ledger: boolean;
}

export interface Facts {
  readonly machine: string;
  readonly bits: 32 | 64 | null;
  readonly kernel: string;
  readonly hostname: string;
  readonly os: string | null;
  readonly model: string | null;
  readonly memoryKib: number | null;
  /** `[2, 36]` for glibc 2.36; null when it is another C library. */
  readonly glibc: readonly [number, number] | null;
  readonly musl: boolean;
  readonly missingLibraries: readonly string[];
  readonly missingTools: readonly string[];
  readonly init: string;
  readonly clockSkewSeconds: number;
  readonly disks: Readonly<Record<'programs' | 'state', { readonly freeKib: number; readonly writable: boolean }>>;
  /** Of `touchedPaths`, those that were there. */
  readonly existing: readonly string[];
  readonly leftovers: readonly { readonly path: string; readonly guarded: boolean }[];
  readonly agent: AgentFacts | null;
  readonly manifest: Manifest | null;
}

const statusSchema = z.object({
  state: z.string(),
  self: z.object({ fingerprint: z.string(), capabilities: z.object({ agentVersion: z.string() }).nullish() }),
  mesh: z.object({ id: z.string(), name: z.string() }).nullable(),
});

/** Parse the script's answer; `nowSeconds` is our own clock in the middle of the question. */
export function parseFacts(
  output: string,
  nowSeconds: number,
): { readonly kind: 'facts'; readonly facts: Facts } | { readonly kind: 'problem'; readonly why: string } {
  const lines = output.split('\n').map((line) => line.replace(/\r$/, ''));
  const begin = lines.indexOf(factsBegin);
  const end = lines.indexOf(factsEnd);
  if (begin < 0) return { kind: 'problem', why: 'the answer does not begin as expected' };
  if (end < begin) return { kind: 'problem', why: `the answer was cut short after ${lines.length - begin} lines` };
  const values = new Map<string, string>();
  for (const line of lines.slice(begin + 1, end)) {
    const at = line.indexOf('=');
    if (at < 1) return { kind: 'problem', why: `"${line.slice(0, 60)}" is not key=value` };
    values.set(line.slice(0, at), line.slice(at + 1));
  }
  const number = (key: string): number | null => {
    const text = values.get(key);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  const text = (key: string): string | null => {
    const value = values.get(key)?.trim();
    return value === undefined || value === '' ? null : value;
  };
  const under = (prefix: string): readonly (readonly [string, string])[] =>
    [...values].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), value]);
  const [machine, clock] = [text('machine'), number('clock')];
  const programs = disk(number('disk.programs.free.kib'), text('disk.programs.writable'));
  const state = disk(number('disk.state.free.kib'), text('disk.state.writable'));
  if (machine === null || clock === null || programs === null || state === null)
    return { kind: 'problem', why: 'processor, clock or disk is missing from the answer' };
  const libc = /^glibc (\d+)\.(\d+)/.exec(text('libc') ?? '');
  const bits = number('bits');
  return {
    kind: 'facts',
    facts: {
      machine,
      bits: bits === 64 ? 64 : bits === 32 ? 32 : null,
      kernel: text('kernel') ?? '',
      hostname: text('hostname') ?? '',
      os: text('os'),
      model: text('model'),
      memoryKib: number('memory.kib'),
      glibc: libc === null ? null : [Number(libc[1]), Number(libc[2])],
      musl: text('musl') !== null,
      missingLibraries: under('library.').flatMap(([name, path]) => (path === '' ? [name] : [])),
      missingTools: ['sha256sum', 'gzip', 'mktemp'].filter((tool) => text(`tool.${tool}`) === null),
      init: text('init') ?? 'unknown',
      clockSkewSeconds: clock - nowSeconds,
      disks: { programs, state },
      existing: under('exists.').map(([path]) => path),
      leftovers: under('leftover.').map(([path, kind]) => ({ path, guarded: kind === 'guarded' })),
      agent: agentFacts(text('agent.exit'), text('agent.sha256'), text('agent.status'), text('agent.ledger') !== null),
      manifest: parseManifest(text('manifest') ?? ''),
    },
  };
}

function disk(freeKib: number | null, writable: string | null): { freeKib: number; writable: boolean } | null {
  return freeKib === null || writable === null ? null : { freeKib, writable: writable === 'yes' };
}

function agentFacts(exit: string | null, sha256: string | null, status: string | null, ledger: boolean): AgentFacts | null {
  if (exit === null && !ledger) return null;
  const parsed = statusSchema.safeParse(parseJson(status));
  const known = parsed.success ? parsed.data : null;
  return {
    running: known !== null,
    sha256,
    version: known?.self.capabilities?.agentVersion ?? null,
    state: known?.state ?? null,
    fingerprint: known?.self.fingerprint ?? null,
    meshId: known?.mesh?.id ?? null,
    meshName: known?.mesh?.name ?? null,
    ledger,
  };
}

function parseJson(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
