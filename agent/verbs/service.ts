/** `agent install`, `uninstall`, `start`, `stop`, `supervise`: the agent as a service of this machine. */
import { createClient, SOCKET_PATH } from '#agent/api/client.ts';
import { describeStep, type ServiceStep } from '#agent/service/plan.ts';
import { hasSystemd, installPlan, perform, startService, stopService, uninstallPlan } from '#agent/service/service.ts';
import { answering, sayWould } from '#agent/verbs/connection.ts';
import type { ExitCode } from '#core/errors/exit-codes.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';

/** `robonet agent install`. */
export async function installAgent(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const start = invocation.flag('start');
  const steps = await installPlan(start);
  if (await changed(steps, invocation, context, 'install', 'the agent is installed and up to date')) {
    if (start) await answering(createClient(SOCKET_PATH), context.signal);
    if (!hasSystemd())
      context.output.note('there is no systemd here: the agent runs supervised until the next boot; start it at boot with `robonet agent start`');
    context.output.line(start ? 'the agent is installed and running.' : 'the agent is installed; `robonet agent start` starts it.');
  }
  return undefined;
}

/** `robonet agent uninstall`. */
export async function uninstallAgent(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const purge = invocation.flag('purge');
  const steps = await uninstallPlan(purge);
  if (await changed(steps, invocation, context, 'uninstall', 'the agent is not installed')) {
    context.output.line(
      purge
        ? 'the agent and everything it ever wrote are removed.'
        : 'the agent is uninstalled; its identity and state stay in /var/lib/robonet (--purge removes them).',
    );
  }
  return undefined;
}

// True when something was done; says so itself when there was nothing to do or only a dry run was asked for.
async function changed(steps: readonly ServiceStep[], invocation: Invocation, context: VerbContext, action: string, nothing: string): Promise<boolean> {
  const { output } = context;
  if (invocation.flag('dryRun')) {
    sayWould(context, ...(steps.length === 0 ? [`do nothing: ${nothing}`] : steps.map(describeStep)));
    return false;
  }
  await perform(steps, (step) => {
    output.detail(describeStep(step));
  });
  output.document('service', { action, steps: steps.map(describeStep), changed: steps.length > 0 });
  if (steps.length === 0) output.line(`nothing to do: ${nothing}.`);
  return steps.length > 0;
}

/** `robonet agent start`. */
export async function startAgent(invocation: Invocation, context: VerbContext): Promise<undefined> {
  if (invocation.flag('dryRun')) return sayWould(context, 'start the agent if it is not running');
  await startService();
  await answering(createClient(SOCKET_PATH), context.signal);
  context.output.document('service', { action: 'start', running: true });
  context.output.line('the agent is running.');
  return undefined;
}

/** `robonet agent stop`. */
export async function stopAgent(invocation: Invocation, context: VerbContext): Promise<undefined> {
  if (invocation.flag('dryRun')) return sayWould(context, 'stop the agent; the other nodes see it as offline until it is started again');
  const stopped = await stopService();
  context.output.document('service', { action: 'stop', running: false, changed: stopped });
  context.output.line(stopped ? 'the agent is stopped.' : 'nothing to do: the agent was not running as a service.');
  return undefined;
}

/** `robonet agent supervise` (hidden). */
export async function superviseAgent(_invocation: Invocation, { signal }: VerbContext): Promise<ExitCode> {
  const [{ supervise, superviseDefaults }, { selfCommand }] = await Promise.all([
    import('#agent/service/supervisor.ts'),
    import('#agent/service/self-command.ts'),
  ]);
  return supervise(superviseDefaults(selfCommand(), signal));
}
