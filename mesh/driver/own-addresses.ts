/** Where this machine can be reached, as told to the other members. */
import { networkInterfaces } from 'node:os';
import type { Address } from '#mesh/membership/address-policy.ts';

/** The addresses listened on; for "all of them", those of the machine's interfaces, IPv4 first. */
export function ownAddresses(listenHosts: readonly string[] | undefined, port: number): readonly Address[] {
  const explicit = (listenHosts ?? []).filter((host) => host !== '::' && host !== '0.0.0.0');
  if (listenHosts !== undefined && explicit.length === listenHosts.length) return explicit.map((host) => ({ host, port }));
  const addresses: Address[] = [];
  for (const infos of Object.values(networkInterfaces())) {
    for (const info of infos ?? []) {
      if (info.internal) continue;
      // Link-local IPv6 addresses mean nothing without the interface they are on.
      if (info.family === 'IPv6' && info.address.startsWith('fe80')) continue;
      addresses.push({ host: info.address, port });
    }
  }
  return addresses.sort((a, b) => Number(a.host.includes(':')) - Number(b.host.includes(':')));
}
