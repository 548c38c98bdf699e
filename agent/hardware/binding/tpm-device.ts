/**
 * Talks to a TPM: one command, one answer. A character device (`/dev/tpmrm0`, the kernel's resource manager) or, for a software
 * TPM, a UNIX socket. It moves bytes and understands none of them.
 */
import { open } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { limits } from '../limits.ts';

/** One open TPM. */
export interface TpmDevice {
  exchange(command: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a device or socket; rejects with the system's own error. */
export async function openTpm(path: string): Promise<TpmDevice> {
  return statSync(path).isSocket() ? openSocket(path) : openCharacterDevice(path);
}

async function openCharacterDevice(path: string): Promise<TpmDevice> {
  const file = await open(path, 'r+');
  return {
    async exchange(command) {
      await file.write(command, 0, command.length, null);
      const buffer = new Uint8Array(limits.tpmResponseBytesMax);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      return buffer.subarray(0, bytesRead);
    },
    close: () => file.close(),
  };
}

async function openSocket(path: string): Promise<TpmDevice> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return {
    exchange(command) {
      return new Promise((resolve, reject) => {
        let answer = Buffer.alloc(0);
        const end = (finish: () => void): void => {
          clearTimeout(timer);
          socket.removeAllListeners('data').removeAllListeners('error').removeAllListeners('close');
          finish();
        };
        const timer = setTimeout(() => end(() => reject(new Error(`no answer within ${limits.tpmCommandMs / 1_000} s`))), limits.tpmCommandMs);
        socket.on('data', (part: Buffer) => {
          answer = Buffer.concat([answer, part]);
          if (answer.length > limits.tpmResponseBytesMax) end(() => reject(new Error(`answer exceeds ${limits.tpmResponseBytesMax} bytes`)));
          else if (answer.length >= 10 && answer.length >= answer.readUInt32BE(2)) end(() => resolve(new Uint8Array(answer)));
        });
        socket.once('error', (error) => end(() => reject(error)));
        socket.once('close', () => end(() => reject(new Error('connection closed'))));
        socket.write(command);
      });
    },
    close: () =>
      new Promise((resolve) => {
        socket.end(() => resolve());
      }),
  };
}
