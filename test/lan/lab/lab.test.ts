/** The lab itself: what the use-case tests stand on must hold before they are believed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { announcingServices, pretend32BitUserland, pretendMachine, withoutStandardCxx, withoutSudo } from './host/alterations.ts';
import { compareSnapshots, describeChanges } from './host/snapshot.ts';
import type { Host } from './host/host.ts';
import { Capture } from './capture.ts';
import { Lab } from './lab.ts';
import { tcpDirections } from './pcap.ts';
import { Terminal, keys } from './terminal.ts';
import { waitFor } from './wait-for.ts';

describe('the virtual LAN', () => {
  let lab: Lab;
  let laptop: Host;
  let pi: Host;
  let quick: Host;

  beforeAll(async () => {
    lab = await Lab.up();
    [laptop, pi] = (await lab.addHosts([
      { name: 'laptop', maker: 'dell', ownsKey: true },
      { name: 'pi-kitchen', alterations: [announcingServices] },
    ])) as [Host, Host];
  });
  afterAll(async () => lab.down());

  test('a light host is on within two seconds', async () => {
    const startedAt = performance.now();
    quick = await lab.addHost({ name: 'quick' });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test('hosts find each other by mDNS name and log in with the key', async () => {
    const seen = await waitFor('pi-kitchen.local resolves', { withinMs: 15_000, evidence: () => lab.evidence() }, async () => {
      const found = await laptop.run(['getent', 'ahostsv4', 'pi-kitchen.local']);
      return found.code === 0 && found.stdout.includes(pi.address);
    });
    expect(seen.value).toBe(true);
    const ssh = await laptop.check(['ssh', '-o', 'StrictHostKeyChecking=accept-new', 'admin@pi-kitchen.local', 'hostname; sudo -n id -u']);
    expect(ssh).toBe('pi-kitchen\n0\n');
    expect(await pi.authLog()).toMatch(/Accepted publickey for admin/);
  });

  test('a capture holds what each side of a connection sent', async () => {
    const capture = await Capture.start(pi, 'tcp port 22');
    await laptop.check(['ssh', '-o', 'StrictHostKeyChecking=accept-new', `admin@${pi.address}`, 'true']);
    const directions = tcpDirections(await capture.stop());
    const fromPi = directions.find((direction) => direction.from === `${pi.address}:22`);
    expect(fromPi?.to).toMatch(new RegExp(`^${laptop.address}:`));
    expect(fromPi?.bytes.toString('latin1')).toMatch(/^SSH-2\.0-OpenSSH/);
    expect(directions).toHaveLength(2);
  });

  test('a person at a terminal sees the screen and answers', async () => {
    const screen = await Terminal.open(laptop, ['bash', '-c', 'tput cols; read -rsp "your name? " name; echo; echo "hello $name"; exit 7']);
    expect((await screen.sees(/^\d+/m)).value[0]).toBe('140');
    await screen.sees(/your name\?/);
    screen.type(`ada${keys.enter}`);
    await screen.sees(/hello ada/);
    expect((await screen.ended()).code).toBe(7);
  });

  test('a host sees its own processes only', async () => {
    const commands = (await pi.processes()).map((process) => process.command);
    expect(commands.some((command) => command.includes('sshd'))).toBe(true);
    expect(commands.some((command) => command.includes('avahi'))).toBe(true);
    expect(await pi.check(['cat', '/proc/1/cmdline'])).toContain('light-init.sh');
  });

  test('nothing changed is an empty difference; a changed mode, a new and a deleted file are named', async () => {
    const before = await pi.snapshot();
    expect(describeChanges(await compareSnapshots(before, await pi.snapshot()))).toBe('');
    await pi.check([
      'sh',
      '-c',
      'echo new >/opt/new; chmod 600 /etc/fstab 2>/dev/null || chmod 600 /etc/issue; rm /etc/issue.net; cp /etc/hosts /tmp/h; cat /tmp/h >/etc/hosts',
    ]);
    const changed = (await compareSnapshots(before, await pi.snapshot())).map((change) => change.path);
    expect(changed).toContain('/opt/new');
    expect(changed).toContain('/etc/issue.net');
    expect(changed).not.toContain('/etc/hosts');
    expect(changed.length).toBe(3);
  });

  test('a pulled cable is silent and comes back', async () => {
    const reach = async (): Promise<boolean> => (await laptop.run(['ping', '-c', '1', '-W', '1', pi.address])).code === 0;
    expect(await reach()).toBe(true);
    await pi.unplug();
    expect(await reach()).toBe(false);
    expect(await pi.check(['cat', '/sys/class/net/eth0/carrier'])).toBe('0\n');
    await pi.replug();
    await waitFor('the replugged host answers', { withinMs: 10_000 }, reach);
  });

  test('a multicast fault eats multicast only, and counts what it ate', async () => {
    const fault = await lab.dropMulticast(laptop, pi);
    const resolves = async (): Promise<boolean> => (await laptop.run(['getent', 'ahostsv4', 'pi-kitchen.local'])).code === 0;
    await laptop.check(['pkill', '-HUP', 'avahi-daemon']);
    await waitFor(
      'the name no longer resolves',
      { withinMs: 15_000 },
      async () => !(await laptop.run(['sh', '-c', 'avahi-daemon -k; avahi-daemon -D; getent ahostsv4 pi-kitchen.local'])).stdout.includes(pi.address),
    );
    expect((await laptop.run(['ping', '-c', '1', '-W', '1', pi.address])).code).toBe(0);
    expect(await fault.count()).toBeGreaterThan(0);
    await fault.heal();
    await waitFor('the name resolves again', { withinMs: 15_000 }, resolves);
  });

  test('a blocked port hangs, other ports answer', async () => {
    const fault = await lab.blockTcp(laptop, pi, 22);
    const blocked = await laptop.run(['timeout', '1', 'bash', '-c', `exec 3<>/dev/tcp/${pi.address}/22`]);
    expect(blocked.code).toBe(124);
    expect(await fault.count()).toBeGreaterThan(0);
    await fault.heal();
    expect((await laptop.run(['timeout', '5', 'bash', '-c', `exec 3<>/dev/tcp/${pi.address}/22; read -r line <&3; echo $line`])).stdout).toMatch(/^SSH-2/);
  });

  test('a host that lost power is gone, keeps its files and boots again', async () => {
    await pi.writeFile('/home/pi/kept', 'kept');
    await pi.powerCut();
    expect((await laptop.run(['ping', '-c', '1', '-W', '1', pi.address])).code).not.toBe(0);
    await pi.powerOn();
    expect(await pi.readFile('/home/pi/kept')).toBe('kept');
    expect(pi.has('/tmp/h')).toBe(false);
  });

  test('staged faults of a machine are what a visitor sees: small disk, read-only root, no sudo', async () => {
    const [small, frozen] = (await lab.addHosts([
      {
        name: 'small',
        smallDisks: [{ path: '/usr/local', size: '5m' }],
        alterations: [withoutSudo, pretendMachine('armv6l'), pretend32BitUserland, withoutStandardCxx],
      },
      { name: 'frozen', readOnly: true },
    ])) as [Host, Host];
    expect(await small.check(['df', '--output=size', '-k', '/usr/local'])).toContain('5120');
    expect(await small.check(['uname', '-m'])).toBe('armv6l\n');
    expect(await small.check(['getconf', 'LONG_BIT'])).toBe('32\n');
    expect((await small.run(['sudo', '-n', 'true'])).code).not.toBe(0);
    expect(await quick.check(['find', '/usr/lib', '-name', 'libstdc++.so.6'])).not.toBe('');
    expect(await small.check(['find', '/usr/lib', '-name', 'libstdc++.so.6'])).toBe('');
    expect((await frozen.run(['touch', '/usr/local/x'])).stderr).toMatch(/Read-only file system/);
    expect((await laptop.run(['ssh', '-o', 'StrictHostKeyChecking=accept-new', `admin@${frozen.address}`, 'true'])).code).toBe(0);
  });
});

describe('a booted host', () => {
  test('runs systemd to the end, starts units, and shuts down in order', async () => {
    const lab = await Lab.up();
    try {
      const startedAt = performance.now();
      const host = await lab.addHost({ name: 'booted', kind: 'booted' });
      const state = await waitFor('systemd is done', { withinMs: 30_000, evidence: () => lab.evidence() }, async () => {
        const answer = (await host.run(['systemctl', 'is-system-running'])).stdout.trim();
        return answer === 'running' || answer === 'degraded' ? answer : undefined;
      });
      if (state.value === 'degraded') throw new Error(await host.check(['systemctl', '--failed', '--no-pager']));
      expect(performance.now() - startedAt).toBeLessThan(20_000);
      const before = await host.snapshot();
      await host.writeFile('/etc/systemd/system/probe.service', '[Service]\nType=exec\nExecStart=/bin/sleep 1000\nProtectSystem=strict\nPrivateTmp=yes\n');
      await host.check(['systemctl', 'daemon-reload']);
      await host.check(['systemctl', 'start', 'probe']);
      expect((await host.processes()).some((process) => process.command.includes('sleep 1000'))).toBe(true);
      await host.check(['systemctl', 'stop', 'probe']);
      await host.check(['rm', '/etc/systemd/system/probe.service']);
      expect(describeChanges(await compareSnapshots(before, await host.snapshot()))).toBe('');
      await host.reboot();
      expect(await host.check(['hostname'])).toBe('booted\n');
    } finally {
      await lab.down();
    }
  });
});
