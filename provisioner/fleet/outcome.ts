/** How a run ended for one host; what the recap table, the JSON document and the exit code are made of. */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import type { Fault } from '#core/errors/fault.ts';
import type { Step } from '#provisioner/plan/step.ts';

export type HostOutcome = { readonly label: string; readonly address: string | null; readonly seconds: number } & (
  | {
      readonly kind: 'joined';
      readonly name: string;
      readonly fingerprint: string;
      readonly meshName: string;
      /** File with its next key on this machine; null where the device has kept it. */
      readonly escrow: string | null;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'already-member'; readonly fingerprint: string | null; readonly meshName: string | null }
  | { readonly kind: 'planned'; readonly steps: readonly Step[]; readonly warnings: readonly string[] }
  | { readonly kind: 'undo-planned'; readonly leaves: string | null; readonly paths: readonly string[] }
  | { readonly kind: 'undone'; readonly departed: boolean; readonly removed: readonly string[]; readonly left: readonly string[] }
  | { readonly kind: 'failed'; readonly fault: Fault }
);

/** One bad host has its own exit code; several hosts share 0 (all well), 1 (none) and 2 (some). */
export function exitOf(outcomes: readonly HostOutcome[]): ExitCode {
  const failed = outcomes.filter((outcome) => outcome.kind === 'failed');
  if (failed.length === 0) return EXIT.ok;
  const [only] = failed;
  if (outcomes.length === 1 && only !== undefined) return only.fault.exit;
  if (failed.some((outcome) => outcome.fault.code === 'RN-PROV-031')) return EXIT.interrupted;
  return failed.length === outcomes.length ? EXIT.failed : EXIT.partlyFailed;
}

/** The same as plain data for `--json`. */
export function outcomeDocument(outcome: HostOutcome): object {
  const { label, address, seconds } = outcome;
  const common = { host: label, address, result: outcome.kind, seconds: Math.round(seconds * 10) / 10 };
  switch (outcome.kind) {
    case 'joined':
      return { ...common, name: outcome.name, fingerprint: outcome.fingerprint, mesh: outcome.meshName, escrow: outcome.escrow, warnings: outcome.warnings };
    case 'already-member':
      return { ...common, fingerprint: outcome.fingerprint, mesh: outcome.meshName };
    case 'planned':
      return { ...common, steps: outcome.steps.map((step) => ({ kind: step.kind })), warnings: outcome.warnings };
    case 'undo-planned':
      return { ...common, leaves: outcome.leaves, remove: outcome.paths };
    case 'undone':
      return { ...common, departed: outcome.departed, removed: outcome.removed, left: outcome.left };
    case 'failed': {
      const { code, message, effect, next, retry, exit } = outcome.fault;
      return { ...common, error: { code, message, effect, next, retry, exit } };
    }
  }
}
