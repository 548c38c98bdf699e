/** `robonet agent`: the node itself, in the foreground, until a signal. */
import { isAbsolute, resolve } from 'node:path';
import { forgetEnd, rememberEnd } from '#agent/api/last-end.ts';
import { loadConfig } from '#agent/config/load-config.ts';
import { RUN_DIRECTORY, STATE_DIRECTORY } from '#agent/paths.ts';
import { startAgent } from '#agent/runtime/runtime.ts';
import { createNotifier } from '#agent/service/notify.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { logLevels } from '#core/log/log.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { createLog } from '#core/node/log-sink.ts';
import { createMeshNode } from '#agent/runtime/mesh.ts';

/** Run until the signal, then leave in order; what ended it otherwise is left for `status` and `doctor` to tell. */
export async function runAgent(invocation: Invocation, context: VerbContext): Promise<ExitCode> {
  const runDirectory = absolute(invocation.text('runDir')) ?? RUN_DIRECTORY;
  try {
    const code = await runUntilStopped(invocation, context, runDirectory);
    forgetEnd(runDirectory);
    return code;
  } catch (error) {
    rememberEnd(runDirectory, error, Date.now());
    throw error;
  }
}

async function runUntilStopped(invocation: Invocation, { env, signal }: VerbContext, runDirectory: string): Promise<ExitCode> {
  const settings = await loadConfig(absolute(invocation.text('config')), {
    port: invocation.number('port'),
    facts: absolute(invocation.text('facts')),
    name: invocation.text('name'),
  });
  const threshold = logLevels.find((level) => level === invocation.text('logLevel')) ?? settings.log_level;
  const log = createLog({ threshold, env, isTerminal: process.stderr.isTTY });
  const stopped = new AbortController();
  let fatal: unknown;
  const notifier = createNotifier(env, log);
  const agent = await startAgent({
    settings,
    stateDirectory: absolute(invocation.text('stateDir')) ?? STATE_DIRECTORY,
    runDirectory,
    createNode: createMeshNode,
    log,
    onFatal: (error) => {
      fatal ??= error;
      stopped.abort();
    },
  });
  forgetEnd(runDirectory);
  const { self, mesh } = agent.node.status();
  log('notice', `agent ${buildIdentity.version} is running`, {
    name: self.name,
    fingerprint: self.fingerprint,
    mesh: mesh?.name ?? null,
    port: agent.node.port,
    socket: agent.socketPath,
  });
  notifier.ready(mesh === null ? 'belongs to no mesh' : `member of ${mesh.name}`);
  await aborted(AbortSignal.any([signal, stopped.signal]));
  log('notice', 'the agent is stopping');
  notifier.stopping();
  try {
    await agent.stop();
  } catch (error) {
    // What a failed disk says at the end is no news: the first fault is the cause.
    if (fatal === undefined) throw error;
    log('warning', `not everything could be closed: ${messageOf(error)}`);
  }
  if (fatal !== undefined) throw fatal;
  return EXIT.ok;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}

function absolute(path: string | undefined): string | undefined {
  return path === undefined || isAbsolute(path) ? path : resolve(path);
}
