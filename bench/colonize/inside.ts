/**
 * One measurement of the colonize benchmark, run inside the lab's namespace: `inside.ts provision|scp HOSTS`.
 * The clock runs from the first command to the last host being an up member in the founder's list.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { runChecked } from '#test/lan/lab/command.ts';
import type { Host } from '#test/lan/lab/host/host.ts';
import { Lab } from '#test/lan/lab/lab.ts';

const LINK_MBIT = 100;
const [, , way, count] = process.argv;
const robonet = resolve('dist/robonet-linux-x64');
const lab = await Lab.up((text) => void process.stderr.write(`${text}\n`));

try {
  const laptop = await lab.addHost({ name: 'laptop', maker: 'intel', ownsKey: true, programs: { robonet, provision: resolve('dist/provision-linux-x64') } });
  const hosts = await lab.addHosts(Array.from({ length: Number(count) }, (_, index) => ({ name: `board-${String(index + 1)}` })));
  for (const host of hosts) await slowLink(host);
  await laptop.writeFile('/root/robonet.gz', await readFile('dist/robonet-linux-x64.gz'));
  await laptop.check(['robonet', 'init', 'bench']);
  const start = performance.now();
  if (way === 'provision') {
    await laptop.check(['provision', ...hosts.map((host) => `admin@${host.address}`), '--accept-new', '--yes', '--parallel', '10', '--json']);
  } else {
    for (const host of hosts) await byHand(laptop, host);
  }
  await untilMembers(laptop, hosts.length + 1);
  process.stdout.write(`${JSON.stringify({ way, hosts: hosts.length, seconds: (performance.now() - start) / 1_000 })}\n`);
} catch (error) {
  process.stderr.write(`${await lab.evidence()}\n`);
  throw error;
} finally {
  await lab.down();
}

/** What a person would type for one host, with every check that provision makes. */
async function byHand(laptop: Host, host: Host): Promise<void> {
  const options = '-o StrictHostKeyChecking=accept-new -o BatchMode=yes -q';
  const target = `admin@${host.address}`;
  await laptop.check([
    'sh',
    '-ec',
    [
      `want=$(gzip -dc /root/robonet.gz | sha256sum)`,
      `ssh ${options} ${target} 'uname -m; getconf LONG_BIT; df /usr/local/bin; sudo -n true'`,
      `scp ${options} /root/robonet.gz ${target}:robonet.gz`,
      `got=$(ssh ${options} ${target} 'gzip -dc robonet.gz > robonet && sha256sum < robonet')`,
      `[ "$want" = "$got" ]`,
      `ssh ${options} ${target} 'sudo install -m 755 robonet /usr/local/bin/robonet && rm robonet robonet.gz && sudo robonet agent install'`,
      `robonet invite --json | sed 's/.*"token":"\\([^"]*\\)".*/\\1/' | ssh ${options} ${target} 'sudo robonet join --token-file - --wait 30'`,
    ].join('\n'),
  ]);
}

async function untilMembers(laptop: Host, wanted: number): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const { nodes } = JSON.parse(await laptop.check(['robonet', 'nodes', '--json'])) as { nodes: { liveness: string }[] };
    if (nodes.filter((node) => node.liveness === 'up').length >= wanted) return;
    await new Promise((resolveLater) => setTimeout(resolveLater, 100));
  }
  throw new Error(`fewer than ${String(wanted)} members are up after 60 s`);
}

/** A port of a small switch: 100 Mbit/s towards the host. */
async function slowLink(host: Host): Promise<void> {
  await runChecked(['tc', 'qdisc', 'add', 'dev', host.card.port, 'root', 'tbf', 'rate', `${String(LINK_MBIT)}mbit`, 'burst', '64kb', 'latency', '100ms']);
}
