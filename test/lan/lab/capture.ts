/**
 * Records what really passes on a host's cable, for the use cases that promise secrecy. It listens beside the host, in
 * its network only; the host does not see it.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunningCommand } from './command.ts';
import type { Host } from './host/host.ts';
import { waitFor } from './wait-for.ts';

/** See the file's head. */
export class Capture {
  readonly #file: string;
  readonly #command: RunningCommand;

  private constructor(file: string, command: RunningCommand) {
    this.#file = file;
    this.#command = command;
  }

  /** Starts recording what matches a tcpdump filter; resolves when it listens. */
  static async start(host: Host, filter: string): Promise<Capture> {
    const file = join(host.description.root.logs, `capture-${performance.now().toFixed(0)}.pcap`);
    const command = host.startOnNetwork(
      ['tcpdump', '-i', host.card.name, '--immediate-mode', '-U', '-s', '0', '-w', file, '-Z', 'root', ...filter.split(' ')],
      { timeoutMs: 600_000 },
    );
    await waitFor('tcpdump listens', { withinMs: 10_000, everyMs: 20, evidence: () => command.stderr() }, () => command.stderr().includes('listening on'));
    return new Capture(file, command);
  }

  /** Stops and returns the recorded bytes (a pcap file). */
  async stop(): Promise<Buffer> {
    // What the kernel still holds comes within its own flush interval: wait until the file has stopped growing.
    let size = -1;
    await waitFor('the capture is written', { withinMs: 10_000, everyMs: 150 }, async () => {
      const before = size;
      size = (await stat(this.#file)).size;
      return size === before;
    });
    this.#command.child.kill('SIGINT');
    await this.#command.ended;
    const bytes = await readFile(this.#file);
    await rm(this.#file);
    return bytes;
  }
}
