/**
 * The machines of the demonstration: a drawer of small computers as people have them, the laptop of their owner, a
 * neighbour's mesh, and one machine nobody can log into.
 */
import type { Host } from '#test/lan/lab/host/host.ts';
import { announcingServices } from '#test/lan/lab/host/alterations.ts';
import type { HostOptions, Lab } from '#test/lan/lab/lab.ts';
import { laptopPrograms, robonetProgram } from '#test/lan/stage/programs.ts';

/** A machine and what the audience is told about it. */
export interface Role {
  readonly host: HostOptions;
  readonly story: string;
}

/** Everybody on the LAN, in order of address. */
export function cast(): readonly Role[] {
  return [
    { host: { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() }, story: "the owner's laptop: robonet, provision and an SSH key" },
    { host: { name: 'pi-kitchen', kind: 'booted', maker: 'raspberry-pi-4' }, story: 'blank, runs nothing of ours' },
    { host: { name: 'pi-attic', kind: 'booted', maker: 'raspberry-pi-5' }, story: 'blank' },
    { host: { name: 'pi-shed', kind: 'booted', maker: 'raspberry-pi-zero', alterations: [announcingServices] }, story: 'blank' },
    { host: { name: 'mini-pc', kind: 'booted', maker: 'intel' }, story: 'blank' },
    { host: { name: 'old-server', kind: 'light', maker: 'hewlett-packard' }, story: 'blank, and without systemd' },
    { host: { name: 'next-door', maker: 'raspberry-pi', programs: { robonet: robonetProgram() } }, story: "a node of the neighbour's mesh" },
    { host: { name: 'locked-box', maker: 'raspberry-pi-400' }, story: 'announces itself, but its SSH port is filtered' },
  ];
}

/** Switches everybody on and puts the last two into their state. */
export async function raiseCurtain(lab: Lab): Promise<{ readonly laptop: Host; readonly nodes: readonly Host[] }> {
  const hosts = await lab.addHosts(cast().map((role) => role.host));
  const [laptop, kitchen, attic, shed, mini, server, nextDoor, locked] = hosts;
  if (laptop === undefined || kitchen === undefined || attic === undefined || shed === undefined || mini === undefined || server === undefined)
    throw new Error('the cast is incomplete');
  if (nextDoor === undefined || locked === undefined) throw new Error('the cast is incomplete');
  await nextDoor.check(['robonet', 'init', 'neighbours']);
  await lab.blockTcp(laptop, locked, 22);
  return { laptop, nodes: [kitchen, attic, shed, mini, server] };
}
