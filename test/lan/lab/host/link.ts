/**
 * The network side of a host: its namespace, its cards and the port of the switch each card is plugged into. A cable is
 * pulled by taking the port down, so the host sees its carrier go, as with a real one.
 */
import { randomInt } from 'node:crypto';
import { runChecked, runCommand } from '../command.ts';

/** A network card plugged into the LAN's switch. */
export interface Card {
  readonly name: string;
  readonly mac: string;
  /** `10.77.0.12/24`, or null for a card without an address. */
  readonly address: string | null;
  /** The switch's end of the cable, visible in the lab's own namespace. */
  readonly port: string;
}

/** Makes the namespace a host lives in; `gateway` may be an address nobody has. */
export async function makeNamespace(namespace: string): Promise<void> {
  await runChecked(['ip', 'netns', 'add', namespace]);
  await runChecked(['ip', '-n', namespace, 'link', 'set', 'lo', 'up']);
}

/** Plugs a card into the switch. */
export async function plugCard(namespace: string, bridge: string, card: Card): Promise<void> {
  await runChecked(['ip', 'link', 'add', card.port, 'type', 'veth', 'peer', 'name', card.name, 'address', card.mac, 'netns', namespace]);
  await runChecked(['ip', 'link', 'set', card.port, 'master', bridge, 'up']);
  const batch = [`link set ${card.name} up`];
  if (card.address !== null) batch.push(`addr add ${card.address} brd + dev ${card.name}`);
  await runChecked(['ip', '-n', namespace, '-batch', '-'], { stdin: `${batch.join('\n')}\n` });
}

/** Ends a namespace and with it every card in it. Nothing is said on the wire: this is what losing power looks like. */
export async function dropNamespace(namespace: string, cards: readonly Card[]): Promise<void> {
  for (const card of cards) await runCommand(['ip', 'link', 'set', card.port, 'down']);
  for (const card of cards) await runCommand(['ip', 'link', 'del', card.port]);
  await runCommand(['ip', 'netns', 'del', namespace]);
}

/** Pulls or replugs the cable of one card. */
export async function setCable(card: Card, plugged: boolean): Promise<void> {
  await runChecked(['ip', 'link', 'set', card.port, plugged ? 'up' : 'down']);
}

/** A bridge as container software makes it: an address, no member, no carrier. */
export async function addIdleBridge(namespace: string, name: string, address: string): Promise<void> {
  await runChecked(['ip', '-n', namespace, 'link', 'add', name, 'type', 'bridge']);
  await runChecked(['ip', '-n', namespace, 'addr', 'add', address, 'brd', '+', 'dev', name]);
  await runChecked(['ip', '-n', namespace, 'link', 'set', name, 'up']);
}

/** A VLAN sub-interface; where the kernel has no 802.1Q, a macvlan of the same name stands in. Says which it was. */
export async function addVlan(namespace: string, parent: string, id: number, address: string): Promise<'vlan' | 'macvlan'> {
  const name = `${parent}.${id}`;
  const real = await runCommand(['ip', '-n', namespace, 'link', 'add', 'link', parent, 'name', name, 'type', 'vlan', 'id', String(id)]);
  if (real.code !== 0) await runChecked(['ip', '-n', namespace, 'link', 'add', 'link', parent, 'name', name, 'type', 'macvlan', 'mode', 'private']);
  await runChecked(['ip', '-n', namespace, 'addr', 'add', address, 'brd', '+', 'dev', name]);
  await runChecked(['ip', '-n', namespace, 'link', 'set', name, 'up']);
  return real.code === 0 ? 'vlan' : 'macvlan';
}

/** A card that is up but at the other end of whose cable nothing is: no carrier, an address all the same. */
export async function addDeadCard(namespace: string, name: string, mac: string, address: string | null): Promise<void> {
  const port = `dead-${randomInt(36 ** 5).toString(36)}`;
  await runChecked(['ip', 'link', 'add', port, 'type', 'veth', 'peer', 'name', name, 'address', mac, 'netns', namespace]);
  await runChecked(['ip', '-n', namespace, 'link', 'set', name, 'up']);
  if (address !== null) await runChecked(['ip', '-n', namespace, 'addr', 'add', address, 'brd', '+', 'dev', name]);
}
