/** The supervisor's process id on disk, believed only while that process really is a supervisor. */
import { readFileSync } from 'node:fs';
import { RUN_DIRECTORY } from '#agent/paths.ts';

export const PID_PATH = `${RUN_DIRECTORY}/supervisor.pid`;

/** Id of the running supervisor, or `undefined`. */
export function supervisorPid(path = PID_PATH): number | undefined {
  const pid = Number(read(path)?.trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const words = read(`/proc/${String(pid)}/cmdline`)?.split('\0') ?? [];
  return words.includes('supervise') ? pid : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return undefined;
    throw error;
  }
}
