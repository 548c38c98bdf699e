/**
 * A look at an SSH port: connect, read the banner the server sends by itself, hang up. Nothing is sent, no login is
 * tried; the server notes at most "connection closed". Bounded in number and rate.
 */
import { connect } from 'node:net';
import { bannerIn } from './banner.ts';
import type { Sighting } from './sighting.ts';

/** A server on the LAN that has said nothing by then will not. */
export const lookTimeoutMs = 2_500;
const bannerBytesMax = 4_096;

/** What one port says. */
export function lookAtSsh(address: string, port: number, timeoutMs: number = lookTimeoutMs): Promise<Sighting> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    let text = '';
    let connected = false;
    const end = (sighting: Sighting): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(sighting);
    };
    const timer = setTimeout(() => end({ kind: 'no-ssh', address, why: connected ? 'not-ssh' : 'silent' }), timeoutMs);
    socket.on('connect', () => (connected = true));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const banner = bannerIn(text);
      if (banner !== null) end({ kind: 'ssh', address, banner });
      else if (text.length > bannerBytesMax) end({ kind: 'no-ssh', address, why: 'not-ssh' });
    });
    socket.on('error', (error) => end({ kind: 'no-ssh', address, why: 'code' in error && error.code === 'ECONNREFUSED' ? 'refused' : 'silent' }));
    socket.on('close', () => end({ kind: 'no-ssh', address, why: connected ? 'not-ssh' : 'silent' }));
  });
}

/** Looks one after another at a bounded rate, a bounded number at the same time. */
export class SshLooker {
  readonly #onSighting: (sighting: Sighting) => void;
  readonly #perSecond: number;
  readonly #openMax: number;
  readonly #queue: { readonly address: string; readonly port: number }[] = [];
  readonly #asked = new Set<string>();
  #open = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(options: { readonly perSecond: number; readonly openMax: number; readonly onSighting: (sighting: Sighting) => void }) {
    this.#onSighting = options.onSighting;
    this.#perSecond = options.perSecond;
    this.#openMax = options.openMax;
  }

  /** Look at this port, once per run. */
  look(address: string, port: number): void {
    const key = `${address} ${port}`;
    if (this.#asked.has(key) || this.#stopped) return;
    this.#asked.add(key);
    this.#queue.push({ address, port });
    this.#next();
  }

  /** Nothing waits and nothing is open. */
  get idle(): boolean {
    return this.#open === 0 && this.#queue.length === 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #next(): void {
    if (this.#timer !== null || this.#stopped || this.#open >= this.#openMax) return;
    const job = this.#queue.shift();
    if (job === undefined) return;
    this.#open += 1;
    void lookAtSsh(job.address, job.port).then((sighting) => {
      this.#open -= 1;
      if (!this.#stopped) this.#onSighting(sighting);
      this.#next();
    });
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#next();
    }, 1000 / this.#perSecond);
  }
}
