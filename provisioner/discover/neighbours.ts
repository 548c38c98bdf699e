/** The kernel's neighbour table: machines this one has lately spoken with, and their MAC addresses. Reads only. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Session } from '#provisioner/ssh/session.ts';
import type { Sighting } from './sighting.ts';

const entrySchema = z.array(z.object({ dst: z.string(), dev: z.string().optional(), lladdr: z.string().optional(), state: z.array(z.string()).optional() }));
const dead = new Set(['FAILED', 'INCOMPLETE', 'NONE']);

/** Neighbours on the given interfaces; `ip` where it is there, /proc/net/arp otherwise. */
export async function readNeighbours(here: Session, interfaces: ReadonlySet<string>): Promise<readonly Sighting[]> {
  const result = await here.run({ argv: ['ip', '-j', '-4', 'neigh', 'show'], timeoutMs: 3_000 });
  return result.exitCode === 0 ? fromIp(result.stdout, interfaces) : fromArp(readFileSync('/proc/net/arp', 'utf8'), interfaces);
}

/** Parse `ip -j neigh`. */
export function fromIp(text: string, interfaces: ReadonlySet<string>): readonly Sighting[] {
  let value: unknown;
  try {
    value = JSON.parse(text.trim() === '' ? '[]' : text);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) return [];
  return parsed.data.flatMap(({ dst, dev, lladdr, state }) =>
    lladdr === undefined || dev === undefined || !interfaces.has(dev) || (state ?? []).some((each) => dead.has(each)) ? [] : neighbour(dst, lladdr),
  );
}

/** Parse /proc/net/arp: address, type, flags (0x2 = complete), MAC, mask, interface. */
export function fromArp(text: string, interfaces: ReadonlySet<string>): readonly Sighting[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [address, , flags, mac, , device] = line.trim().split(/\s+/);
      return address === undefined || mac === undefined || device === undefined || !interfaces.has(device) || (Number(flags) & 0x2) === 0
        ? []
        : neighbour(address, mac);
    });
}

function neighbour(address: string, mac: string): readonly Sighting[] {
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac) && mac !== '00:00:00:00:00:00' ? [{ kind: 'neighbour', address, mac }] : [];
}
