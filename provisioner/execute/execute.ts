/**
 * Perform a plan on one host: steps in order, the lease renewed meanwhile, and everything taken back when one fails or
 * the person stops. When the host cannot be reached any more the target's own guard does the same (`target-scripts.ts`).
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { Step } from '#provisioner/plan/step.ts';
import { leaseIntervalMs, rollbackTimeoutMs } from './limits.ts';
import type { HostRun } from './run.ts';
import { escrowNextKey } from './steps/escrow.ts';
import { installExecutable, installService, verifyAgent, writeManifest } from './steps/install.ts';
import { confirmMembership, foundMesh, joinMesh, makeInvitation } from './steps/membership.ts';
import { pushAgent } from './steps/push-agent.ts';
import { clearLeftovers, closeStaging, openStaging } from './steps/staging.ts';
import { leaseScript, revertScript, rollbackScript } from './target-scripts.ts';

/** All steps, or a fault after everything begun was taken back. */
export async function execute(steps: readonly Step[], run: HostRun): Promise<void> {
  const ended = new AbortController();
  const lease = renewLease(run, ended.signal);
  try {
    for (const [index, step] of steps.entries()) {
      if (run.signal.aborted) throw new Fault('RN-PROV-031', `${run.label} was interrupted before: ${step.kind}`);
      run.report({ kind: 'step', step, index, count: steps.length });
      await perform(step, run);
    }
  } catch (error) {
    const fault = asFault(error, run);
    run.report({ kind: 'undoing', why: fault.message });
    throw await takeBack(fault, run);
  } finally {
    ended.abort();
    await lease;
  }
}

/** The compiler checks that every kind of step has its executor. */
function perform(step: Step, run: HostRun): Promise<void> {
  switch (step.kind) {
    case 'clear-leftovers':
      return clearLeftovers(step, run);
    case 'open-staging':
      return openStaging(run);
    case 'push-agent':
      return pushAgent(step, run);
    case 'verify-agent':
      return verifyAgent(step, run);
    case 'write-manifest':
      return writeManifest(step, run);
    case 'install-executable':
      return installExecutable(run);
    case 'install-service':
      return installService(step, run);
    case 'make-invitation':
      return makeInvitation(step, run);
    case 'join-mesh':
      return joinMesh(step, run);
    case 'found-mesh':
      return foundMesh(step, run);
    case 'confirm-membership':
      return confirmMembership(run);
    case 'escrow-next-key':
      return escrowNextKey(run);
    case 'close-staging':
      return closeStaging(run);
  }
}

/** Runs beside the steps; a renewal that fails is noticed by the step that runs meanwhile, not here. */
async function renewLease(run: HostRun, ended: AbortSignal): Promise<void> {
  for (let count = 1; !ended.aborted; count += 1) {
    try {
      await wait(leaseIntervalMs, undefined, { signal: ended });
      if (run.staging !== null)
        await run.target.run({ argv: ['sh', '-c', leaseScript, 'robonet-provision', run.staging, String(count)], timeoutMs: leaseIntervalMs * 4 });
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') return;
      if (isFault(error, 'RN-PROV-008')) return;
      if (!isFault(error)) throw error;
    }
  }
}

/** Both sides: the target's undo scripts, the sponsor's invitation. Returns the fault with what is now true. */
async function takeBack(fault: Fault, run: HostRun): Promise<Fault> {
  const invitation = run.invitation;
  if (invitation !== null && run.sponsor !== null) await quietly(() => run.sponsor?.revoke(invitation.tokenId));
  if (run.staging === null) return fault;
  const membersDisagree = run.joined !== null || fault.code === 'RN-PROV-025';
  const script = membersDisagree ? revertScript : rollbackScript;
  if (fault.code !== 'RN-PROV-008') {
    const done = await quietly(() => run.target.run({ argv: ['sh', '-c', script, 'robonet-provision', run.staging ?? ''], timeoutMs: rollbackTimeoutMs }));
    if (done?.exitCode === 0) {
      run.staging = null;
      return fault;
    }
  }
  return new Fault(fault.code, fault.message, {
    effect: 'Nothing could be taken back from here; the host does it by itself within a minute, unless its join had just been completed.',
    next: fault.next,
    cause: fault,
  });
}

/** Taking back is done as far as the world allows; a second failure must not hide the first. */
async function quietly<Value>(act: () => Promise<Value> | undefined): Promise<Value | null> {
  try {
    return (await act()) ?? null;
  } catch (error) {
    if (isFault(error)) return null;
    throw error;
  }
}

function asFault(error: unknown, run: HostRun): Fault {
  if (isFault(error)) return error;
  if (error instanceof Error && error.name === 'AbortError') return new Fault('RN-PROV-031', `${run.label} was interrupted`, { cause: error });
  throw error;
}
