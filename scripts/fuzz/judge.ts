/** Running a target on one input: accepted, refused, or one of its promises broken. */
import type { FuzzTarget } from './target.ts';

/** What one input gave. */
export type Judgement = { readonly kind: 'accepted' | 'refused' } | { readonly kind: 'broken'; readonly what: string };

const MS_MAX = 50;
const MS_PER_BYTE = 0.001;
/** A collection is not the input's doing: the fastest of several runs counts. */
const TRIES = 4;

/** Processor time of this thread: a machine that does other things too is not the input's doing either. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** Run once, or several times where it took suspiciously long. */
export function judge(target: FuzzTarget, input: Uint8Array): Judgement {
  const limit = (target.msMax ?? MS_MAX) + input.length * MS_PER_BYTE;
  let fastest = Number.POSITIVE_INFINITY;
  let accepted = false;
  for (let attempt = 0; attempt < TRIES && fastest > limit; attempt += 1) {
    const began = cpuMs();
    try {
      accepted = target.run(input);
    } catch (error) {
      return { kind: 'broken', what: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
    }
    fastest = Math.min(fastest, cpuMs() - began);
  }
  if (fastest > limit) return { kind: 'broken', what: `took ${fastest.toFixed(0)} ms for ${input.length} bytes; the limit is ${limit.toFixed(0)} ms` };
  return { kind: accepted ? 'accepted' : 'refused' };
}
