/**
 * "Run a command somewhere": the one interface through which the provisioner touches a machine. Two implementations
 * stand behind it, here (`here.ts`) and over SSH (`over-ssh.ts`), and one wrapper that runs everything as root
 * (`as-root.ts`). A command is an argv array; nobody above this interface ever writes a shell line from parts.
 */
import type { Readable } from 'node:stream';

/** One program to run. */
export interface Command {
  readonly argv: readonly string[];
  /** Given to the program in full, then its input is closed. Secrets go here, never into `argv`. */
  readonly stdin?: Uint8Array | string | Readable;
  readonly timeoutMs?: number;
  /** More output than this (each of stdout, stderr) is cut off; the program is not disturbed. */
  readonly outputBytesMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/** How it ended; a program that ran and failed is an outcome, not a fault. */
export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A place where commands run. Throws a Fault when the place is gone (RN-PROV-008) or the time is over (RN-PROV-009). */
export interface Session {
  /** For messages: `this machine`, `pi@192.168.1.20`. */
  readonly where: string;
  run(command: Command): Promise<CommandResult>;
  close(): Promise<void>;
}
