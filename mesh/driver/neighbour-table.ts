/**
 * Hardware addresses of neighbours, from the kernel's own table (/proc/net/arp): what is behind a network address on this
 * link. Hearsay, like the address itself; used to count machines, never to trust one. IPv6 neighbours are not in that table.
 */
import { readFileSync } from 'node:fs';

const PATH = '/proc/net/arp';
/** What the table says is believed for so long … */
const FRESH_MS = 1_000;
/** … and for so long that it says nothing: the kernel learns an address just before it is asked about here. */
const MISS_MS = 10;
const COMPLETE = 0x2;

/** The complete entries of a table in the kernel's form; several interfaces may know one address, the first counts. */
export function parseNeighbours(text: string): ReadonlyMap<string, string> {
  const macs = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    const [host, , flags, mac] = line.trim().split(/\s+/);
    if (host === undefined || flags === undefined || mac === undefined || macs.has(host)) continue;
    if ((Number.parseInt(flags, 16) & COMPLETE) === 0 || !/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(mac)) continue;
    macs.set(host, mac.toLowerCase());
  }
  return macs;
}

/** See the header. */
export class NeighbourTable {
  #macs: ReadonlyMap<string, string> = new Map();
  #readAt = Number.NEGATIVE_INFINITY;

  /** The hardware address behind a network address; null where nobody knows. */
  macOf(host: string, now = performance.now()): string | null {
    const age = now - this.#readAt;
    if (age >= FRESH_MS || (age >= MISS_MS && !this.#macs.has(host))) {
      this.#macs = readTable();
      this.#readAt = now;
    }
    return this.#macs.get(host) ?? null;
  }
}

// A system without such a table, or a sandbox without /proc: machines are told apart by address alone.
function readTable(): ReadonlyMap<string, string> {
  try {
    return parseNeighbours(readFileSync(PATH, 'latin1'));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return new Map();
    throw error;
  }
}
