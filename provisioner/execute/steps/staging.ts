/** Opening, leaving and clearing the staging folder. */
import { setTimeout as wait } from 'node:timers/promises';
import { Fault } from '#core/errors/fault.ts';
import { guardPatienceSeconds, leftoverWaitMs } from '#provisioner/execute/limits.ts';
import { mustRun, runScript, stagingOf, type HostRun } from '#provisioner/execute/run.ts';
import { guardScript, openStagingScript, rollbackScript } from '#provisioner/execute/target-scripts.ts';
import { stagingPrefix } from '#provisioner/plan/paths.ts';
import type { StepOf } from '#provisioner/plan/step.ts';

/** Make the folder and start its guard. */
export async function openStaging(run: HostRun): Promise<void> {
  const result = await mustRun(run, 'making the staging folder', openStagingScript, [stagingPrefix, String(guardPatienceSeconds), guardScript, rollbackScript]);
  const dir = result.stdout.trim().split('\n').at(-1) ?? '';
  if (!dir.startsWith(stagingPrefix) || !/^[A-Za-z0-9./_-]+$/.test(dir))
    throw new Fault('RN-PROV-019', `${run.label} answered "${dir.slice(0, 80)}" where the staging folder's name was expected`);
  run.staging = dir;
}

/**
 * Wait for guards that still watch over an earlier run's folder (they end by themselves once that run is silent), and
 * take back folders whose guard died with its machine.
 */
export async function clearLeftovers(step: StepOf<'clear-leftovers'>, run: HostRun): Promise<void> {
  const deadline = performance.now() + leftoverWaitMs;
  for (const path of step.paths) {
    for (;;) {
      const state = await runScript(
        run,
        `[ -d "$1" ] || exit 0; kill -0 "$(cat "$1/guard.pid" 2>/dev/null)" 2>/dev/null && exit 3; [ -f "$1/rollback.sh" ] && sh "$1/rollback.sh" "$1"; rm -rf "$1"`,
        [path],
      );
      if (state.exitCode === 0) break;
      if (performance.now() > deadline)
        throw new Fault('RN-PROV-037', `${path} on ${run.label} is still kept alive by another run after ${leftoverWaitMs / 1000} s`);
      run.report({ kind: 'waiting', text: 'waiting for the traces of an interrupted run to vanish' });
      await wait(1_000, undefined, { signal: run.signal });
    }
  }
}

/** Remove the folder; its guard sees that and ends. */
export async function closeStaging(run: HostRun): Promise<void> {
  await mustRun(run, 'removing the staging folder', 'rm -rf "$1"', [stagingOf(run)]);
  run.staging = null;
}
