/** Which hosts a command line speaks of: arguments, an inventory, or both. */
import { dirname, isAbsolute, join } from 'node:path';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { readTextFile } from '#core/node/read-text-file.ts';
import { inventoryBytesMax, parseInventory } from '#provisioner/inventory/inventory.ts';
import { parseHostTarget } from '#provisioner/ssh/host-name.ts';
import type { NamedHost } from './reach.ts';

/** One host as typed. */
export function hostOf(text: string): NamedHost {
  const parsed = parseHostTarget(text);
  if (parsed.kind === 'problem') throw new Fault('RN-PROV-028', parsed.why);
  return { label: text, ...parsed.target, passwordFile: null, sudoPasswordFile: null };
}

/** All hosts of the command line; the same host twice is one. */
export function hostsOf(invocation: Invocation): readonly NamedHost[] {
  const file = invocation.text('inventory');
  const all = [...invocation.arguments.map(hostOf), ...(file === undefined ? [] : inventoryHosts(file))];
  return all.filter((host, index) => all.findIndex((other) => other.label === host.label) === index);
}

function inventoryHosts(file: string): readonly NamedHost[] {
  const read = readTextFile(file, inventoryBytesMax);
  if (read.kind === 'problem')
    throw new Fault('RN-PROV-027', `the inventory ${file} cannot be used: ${read.why}`, { next: 'Check the path, and that you may read the file.' });
  const result = parseInventory(read.text);
  if (result.kind === 'problems') {
    const [first, ...more] = result.problems.map(({ line, column, text: why }) => `${file}:${line}:${column}: ${why}`);
    throw new Fault('RN-PROV-027', [first ?? file, ...more].join('\n  '));
  }
  // Paths of secrets are meant from where the inventory lies.
  const path = (secret: string | null): string | null =>
    secret === null || isAbsolute(secret) || secret.startsWith('~') ? secret : join(dirname(file), secret);
  return result.hosts.map((host) => ({ ...host, passwordFile: path(host.passwordFile), sudoPasswordFile: path(host.sudoPasswordFile) }));
}
