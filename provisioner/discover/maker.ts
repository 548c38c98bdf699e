/** Who made a network interface, by the first three bytes of its MAC address (data in makers.json). */
import makers from './makers.json' with { type: 'json' };

const byPrefix = new Map(Object.entries(makers));

/** The maker, or null; addresses a machine made up itself (random, local) have none. */
export function makerOf(mac: string): string | null {
  return byPrefix.get(mac.toLowerCase().replaceAll(':', '').slice(0, 6)) ?? null;
}
