/** Types of needs.mjs, which must stay plain JavaScript. */

/** One Debian package and the command or file that proves it is there. */
export interface Need {
  readonly package: string;
  readonly proof: string;
  readonly or?: string;
  readonly orProof?: string;
}

export function unfitMachine(machine: { platform: string; architecture: string; nodeVersion: string; glibc: string | undefined }): string | undefined;
export function missingPackages(question: {
  needs: object;
  verb: string;
  words: readonly string[];
  architecture: string;
  isThere: (proof: string) => boolean;
}): readonly Need[];
export function needsRoot(question: { needs: object; verb: string; words: readonly string[] }): boolean;
export function isThere(proof: string): boolean;
export function staleModules(question: { lock: object; installed: object | undefined; architecture: string }): readonly string[];
export function selectedStages(words: readonly string[]): readonly string[];
