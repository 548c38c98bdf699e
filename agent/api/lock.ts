/**
 * One agent per state directory. The lock is a listening UNIX socket inside it: it dies with its process, so a power cut
 * or SIGKILL leaves nothing to clean up by hand. Taking over a dead one is done by rename, so that of two agents starting
 * at once only one can win.
 */
import { linkSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { somebodyListens } from '#agent/api/socket.ts';
import { Fault } from '#core/errors/fault.ts';
import { messageOf } from '#core/node/command-line/report.ts';

const ATTEMPTS_MAX = 5;

/** Held until released or until the process ends. */
export interface StateLock {
  release(): void;
}

/** Take the lock of a state directory, which must exist. Fault RN-AGENT-004 names the process that holds it. */
export async function lockState(directory: string): Promise<StateLock> {
  const lock = join(directory, 'lock');
  const own = join(directory, `lock.${String(process.pid)}`);
  rmSync(own, { force: true });
  const server = await listen(own, directory);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      if (tryLink(own, lock)) {
        rmSync(own, { force: true });
        return {
          release: () => {
            rmSync(lock, { force: true });
            server.close();
          },
        };
      }
      if (await somebodyListens(lock)) throw new Fault('RN-AGENT-004', `process ${await holder(lock)} already runs an agent on ${directory}`);
      await removeDead(lock, join(directory, `lock.dead.${String(process.pid)}`), directory);
    }
    throw new Fault('RN-AGENT-004', `several agents are starting on ${directory} at once`);
  } catch (error) {
    rmSync(own, { force: true });
    server.close();
    throw error;
  }
}

// Between looking and renaming another agent may have put its own live socket there: then it is put back.
async function removeDead(lock: string, aside: string, directory: string): Promise<void> {
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  if (await somebodyListens(aside)) {
    tryLink(aside, lock);
    rmSync(aside, { force: true });
    throw new Fault('RN-AGENT-004', `another agent has just started on ${directory}`);
  }
  rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function listen(path: string, directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(String(process.pid));
    });
    server.once('error', (error) => {
      reject(new Fault('RN-AGENT-007', `the state directory ${directory} cannot be locked: ${messageOf(error)}`, { cause: error }));
    });
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function holder(lock: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(lock);
    socket.on('data', (part) => (text += part.toString('latin1')));
    socket.on('error', () => {
      resolve('unknown');
    });
    socket.on('close', () => {
      resolve(/^\d{1,10}$/.test(text) ? text : 'unknown');
    });
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
