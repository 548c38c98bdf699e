/** Carries out service plans: systemctl where systemd runs the machine, a supervised process elsewhere. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createClient } from '#agent/api/client.ts';
import { forgetEnd } from '#agent/api/last-end.ts';
import { CONFIG_DIRECTORY, RUN_DIRECTORY, SOCKET_NAME, STATE_DIRECTORY, UNIT_NAME, UNIT_PATH } from '#agent/paths.ts';
import { planInstall, planUninstall, type ServiceFacts, type ServiceStep } from '#agent/service/plan.ts';
import { selfCommand } from '#agent/service/self-command.ts';
import { PID_PATH, supervisorPid } from '#agent/service/supervisor-pid.ts';
import { unitText } from '#agent/service/unit.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { replaceFile } from '#core/node/disk.ts';

const STOP_MS_MAX = 25_000;
const POLL_MS = 50;

/** Steps of `agent install`. */
export async function installPlan(start: boolean): Promise<readonly ServiceStep[]> {
  return planInstall(await serviceFacts(), { unitPath: UNIT_PATH, unitName: UNIT_NAME, unit: unitText(selfCommand()), start });
}

/** Steps of `agent uninstall`. */
export async function uninstallPlan(purge: boolean): Promise<readonly ServiceStep[]> {
  const leftovers = (purge ? [STATE_DIRECTORY, CONFIG_DIRECTORY, RUN_DIRECTORY] : []).filter((path) => existsSync(path));
  return planUninstall(await serviceFacts(), { unitPath: UNIT_PATH, unitName: UNIT_NAME, purge: leftovers });
}

/** Do the steps in order; a step that fails stops the rest. */
export async function perform(steps: readonly ServiceStep[], onStep: (step: ServiceStep) => void): Promise<void> {
  if (steps.length > 0) requireRoot();
  for (const step of steps) {
    onStep(step);
    await performStep(step);
  }
}

/** Start what is installed, or a supervised process where nothing is. */
export async function startService(): Promise<void> {
  requireRoot();
  const facts = await serviceFacts();
  if (facts.active || facts.supervised) return;
  forgetEnd(RUN_DIRECTORY);
  await performStep(
    facts.systemd && facts.unit !== null ? { kind: 'systemctl', arguments: ['start', UNIT_NAME], optional: false } : { kind: 'start-supervised' },
  );
}

/** Stop it; resolves when the process is gone. False when nothing was running. */
export async function stopService(): Promise<boolean> {
  requireRoot();
  const facts = await serviceFacts();
  if (facts.active) await performStep({ kind: 'systemctl', arguments: ['stop', UNIT_NAME], optional: false });
  if (facts.supervised) await performStep({ kind: 'stop-supervised' });
  return facts.active || facts.supervised;
}

/** Whether systemd runs this machine. */
export function hasSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

async function serviceFacts(): Promise<ServiceFacts> {
  const systemd = hasSystemd();
  return {
    systemd,
    unit: existsSync(UNIT_PATH) ? readFileSync(UNIT_PATH, 'utf8') : null,
    enabled: systemd && systemctl(['is-enabled', '--quiet', UNIT_NAME]).status === 0,
    active: systemd && ['active', 'activating', 'reloading'].includes(systemctl(['is-active', UNIT_NAME]).stdout.trim()),
    outdated: (await runningBuild()) !== buildIdentity.build,
    supervised: supervisorPid() !== undefined,
  };
}

async function runningBuild(): Promise<string | undefined> {
  try {
    return (await createClient(`${RUN_DIRECTORY}/${SOCKET_NAME}`).call('status', {}, { timeoutMs: 2_000 })).agent.build;
  } catch (error) {
    if (isFault(error)) return undefined;
    throw error;
  }
}

async function performStep(step: ServiceStep): Promise<void> {
  switch (step.kind) {
    case 'write-unit':
      replaceFile(step.path, Buffer.from(step.text), 0o644);
      return;
    case 'remove-file':
    case 'remove-directory':
      rmSync(step.path, { recursive: true, force: true });
      return;
    case 'systemctl': {
      const { status, stderr } = systemctl(step.arguments);
      if (status !== 0 && !step.optional)
        throw new Fault('RN-AGENT-011', `systemctl ${step.arguments.join(' ')} ended with code ${String(status)}: ${stderr.trim().split('\n')[0] ?? ''}`);
      return;
    }
    case 'start-supervised': {
      const [program = '', ...words] = selfCommand();
      spawn(program, [...words, 'agent', 'supervise'], { detached: true, stdio: 'ignore', cwd: '/', env: cleanEnvironment() }).unref();
      await until(() => supervisorPid() !== undefined, 'the supervisor did not start');
      return;
    }
    case 'stop-supervised': {
      const pid = supervisorPid();
      if (pid === undefined) return;
      process.kill(pid, 'SIGTERM');
      await until(() => supervisorPid() === undefined, `the supervised agent (process ${String(pid)}) has not stopped`);
      rmSync(PID_PATH, { force: true });
    }
  }
}

function systemctl(words: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync('systemctl', [...words], { encoding: 'utf8', timeout: 120_000 });
  return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
}

async function until(condition: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + STOP_MS_MAX;
  while (!condition()) {
    if (performance.now() > deadline) throw new Fault('RN-AGENT-011', `${otherwise} within ${String(STOP_MS_MAX / 1_000)} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// The supervised agent must not inherit a caller's terminal session or Node settings.
function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
}

function requireRoot(): void {
  const uid = process.getuid?.();
  if (uid !== 0) throw new Fault('RN-AGENT-010', `user ${String(uid)} may not change the agent's service`);
}
