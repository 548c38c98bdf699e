/** Checking the copy, noting the manifest, and putting executable and service in place. */
import { Fault } from '#core/errors/fault.ts';
import { serviceTimeoutMs, verifyTimeoutMs } from '#provisioner/execute/limits.ts';
import { mustRun, stagingOf, type HostRun } from '#provisioner/execute/run.ts';
import { installScript, manifestScript, serviceScript, verifyScript } from '#provisioner/execute/target-scripts.ts';
import { executablePath, manifestPath, stateDir } from '#provisioner/plan/paths.ts';
import type { StepOf } from '#provisioner/plan/step.ts';

/** Compare what lies on the target with what was meant, before anything is executed. */
export async function verifyAgent(step: StepOf<'verify-agent'>, run: HostRun): Promise<void> {
  const result = await mustRun(run, 'reading the agent back', verifyScript, [stagingOf(run)], { timeoutMs: verifyTimeoutMs });
  const digest = result.stdout.trim().split(/\s+/)[0] ?? '';
  if (digest !== step.image.sha256)
    throw new Fault('RN-PROV-020', `the agent on ${run.label} has SHA-256 ${digest.slice(0, 64)}, sent was ${step.image.sha256}`);
}

/** The note for undo, before the first thing is created that it lists. */
export async function writeManifest(step: StepOf<'write-manifest'>, run: HostRun): Promise<void> {
  await mustRun(run, 'writing the manifest', manifestScript, [stagingOf(run), stateDir, manifestPath], { stdin: `${JSON.stringify(step.manifest)}\n` });
}

/** One rename: the executable is there in full or not at all. */
export async function installExecutable(run: HostRun): Promise<void> {
  await mustRun(run, 'installing the executable', installScript, [stagingOf(run), executablePath]);
}

/** The agent installs and starts its own service; it knows the system's ways better than we do. */
export async function installService(step: StepOf<'install-service'>, run: HostRun): Promise<void> {
  await mustRun(run, 'installing the service', serviceScript, [stagingOf(run), executablePath, step.purge ? 'purge' : 'keep', ...step.created], {
    timeoutMs: serviceTimeoutMs,
  });
}
