/**
 * Tells systemd that the agent is ready and alive, through `systemd-notify`: Node cannot send to a UNIX datagram socket
 * itself. Does nothing where systemd does not ask for it.
 */
import { spawn } from 'node:child_process';
import type { Log } from '#core/log/log.ts';

/** Says ready now and alive until stopped. */
export interface ServiceNotifier {
  ready(status: string): void;
  stopping(): void;
}

export function createNotifier(env: Readonly<Record<string, string | undefined>>, log: Log): ServiceNotifier {
  const asked = (env['NOTIFY_SOCKET'] ?? '') !== '';
  const watchdogMs = Number(env['WATCHDOG_USEC'] ?? '0') / 1_000;
  let timer: ReturnType<typeof setInterval> | undefined;
  const say = (...words: readonly string[]): void => {
    if (!asked) return;
    const child = spawn('systemd-notify', [...words], { stdio: 'ignore' });
    child.on('error', (error) => {
      log('warning', `systemd-notify cannot be run: ${error.message}`);
    });
  };
  return {
    ready(status) {
      say('--ready', `--status=${status}`);
      // The timer runs in the event loop it vouches for: a stuck agent stays silent and is restarted.
      if (asked && watchdogMs > 0 && timer === undefined)
        timer = setInterval(() => {
          say('WATCHDOG=1');
        }, watchdogMs / 3).unref();
    },
    stopping() {
      clearInterval(timer);
      say('STOPPING=1');
    },
  };
}
