/**
 * What the steps of one host share while they run: the target, the sponsor, and what earlier steps learnt. Owned by
 * `execute.ts`; a step may fill in the fields marked as its own and must not touch the others.
 */
import type { Readable } from 'node:stream';
import { Fault } from '#core/errors/fault.ts';
import type { Collected } from '#provisioner/escrow/collect.ts';
import type { EscrowStore } from '#provisioner/escrow/escrow-store.ts';
import type { AgentImage, Step } from '#provisioner/plan/step.ts';
import type { AgentInvitation } from '#provisioner/sponsor/agent-replies.ts';
import type { Sponsor } from '#provisioner/sponsor/sponsor.ts';
import type { Command, CommandResult, Session } from '#provisioner/ssh/session.ts';

/** Facts for the screen; the deciding is done elsewhere. */
export type Progress =
  | { readonly kind: 'step'; readonly step: Step; readonly index: number; readonly count: number }
  | { readonly kind: 'sent'; readonly bytes: number; readonly bytesAll: number; readonly bytesPerSecond: number }
  | { readonly kind: 'undoing'; readonly why: string }
  | { readonly kind: 'waiting'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string };

export interface HostRun {
  readonly label: string;
  /** As root. */
  readonly target: Session;
  /** Null while the host itself founds the mesh. */
  readonly sponsor: Sponsor | null;
  /** `host:port` of the sponsor as the target can reach it. */
  readonly peers: readonly string[];
  readonly openImage: (image: AgentImage) => Readable;
  readonly report: (progress: Progress) => void;
  readonly signal: AbortSignal;

  /** Where next keys are kept on this machine; null to leave them on the devices. */
  readonly escrow: EscrowStore | null;
  /** For the recap: what is not as it should be although the host is a member. */
  readonly warnings: string[];

  /** Set by open-staging, cleared by close-staging. */
  staging: string | null;
  /** Set by make-invitation, cleared by join-mesh: a token that was used needs no revoking. */
  invitation: AgentInvitation | null;
  /** Set by join-mesh and found-mesh. */
  joined: { readonly fingerprint: string; readonly meshId: string; readonly meshName: string } | null;
  /** Set by confirm-membership. */
  confirmedName: string | null;
  /** Set by escrow-next-key. */
  escrowed: Collected | null;
}

/** The staging folder; that there is one is promised by the plan's contracts. */
export function stagingOf(run: HostRun): string {
  if (run.staging === null) throw new Fault('RN-PROV-021', `the staging folder on ${run.label} is not open`);
  return run.staging;
}

/** Run one of the fixed scripts with its parameters. */
export function runScript(run: HostRun, script: string, parameters: readonly string[], more: Omit<Command, 'argv'> = {}): Promise<CommandResult> {
  return run.target.run({ signal: run.signal, ...more, argv: ['sh', '-c', script, 'robonet-provision', ...parameters] });
}

/** The same, when anything but success is a fault. */
export async function mustRun(
  run: HostRun,
  what: string,
  script: string,
  parameters: readonly string[],
  more: Omit<Command, 'argv'> = {},
): Promise<CommandResult> {
  const result = await runScript(run, script, parameters, more);
  if (result.exitCode !== 0)
    throw new Fault('RN-PROV-021', `${what} on ${run.label} failed (exit code ${result.exitCode ?? result.signal ?? 'unknown'}): ${lastWords(result)}`);
  return result;
}

/** The end of what a program said, short enough for a message. */
export function lastWords(result: CommandResult): string {
  const text = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-3).join(' / ');
  return text === '' ? 'it said nothing' : text.slice(0, 400);
}
