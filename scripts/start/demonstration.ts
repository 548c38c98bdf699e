/**
 * The demonstration itself, inside the throw-away namespace: a LAN of blank machines becomes a mesh. It prints no result
 * of its own; everything shown comes from the programs, and a program that fails ends it with that program's exit code.
 */
import { parseArgs } from 'node:util';
import { EXIT } from '#core/errors/exit-codes.ts';
import type { Host } from '#test/lan/lab/host/host.ts';
import { Lab } from '#test/lan/lab/lab.ts';
import { cast, raiseCurtain } from './cast.ts';
import { note, perform, step, strong } from './screen.ts';

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false }, choose: { type: 'boolean', default: false } } });
let isInShell = false;
// In the shell Ctrl-C belongs to what runs there. Anywhere else it ends the demonstration, and the namespace with it.
process.on('SIGINT', () => {
  if (!isInShell) process.exit(EXIT.interrupted);
});

// The hosts are still on and would keep this process: ending it ends the namespace, and with it every one of them.
process.exit(await demonstrate());

async function demonstrate(): Promise<number> {
  const startedAt = performance.now();
  step(2, 'A virtual LAN: real Debian roots, real sshd, real mDNS, one switch');
  const lab = await Lab.up(note);
  const { laptop, nodes } = await raiseCurtain(lab);
  for (const role of cast()) {
    const host = lab.hosts.find((each) => each.name === role.host.name);
    note(`${role.host.name.padEnd(12)} ${(host?.address ?? '').padEnd(12)} ${(host?.card.mac ?? '').padEnd(18)} ${role.story}`);
  }

  step(3, 'The laptop founds a mesh of one');
  const founded = await perform(laptop, ['robonet', 'init', 'homelab']);
  if (founded !== EXIT.ok) return founded;

  step(4, 'One command finds the blank machines and makes them nodes');
  const colonizedAt = performance.now();
  const chosen = values.choose && process.stdin.isTTY ? [] : ['--yes'];
  const colonized = await perform(laptop, ['provision', '--scan', '--user', 'admin', '--accept-new', ...chosen]);
  if (colonized !== EXIT.ok) return colonized;
  note(`${((performance.now() - colonizedAt) / 1000).toFixed(1)} s from the first look to the last node`);

  step(5, 'The mesh, asked on two different nodes');
  const members = nodes.filter((host) => host.has('/usr/local/bin/robonet'));
  const witnesses = members.length > 1 ? [members[0], members.at(-1)] : [laptop, ...members];
  for (const host of witnesses) {
    const code = host === undefined ? EXIT.failed : await perform(host, ['robonet', 'status']);
    if (code !== EXIT.ok) return code;
  }

  process.stdout.write(`\n${strong('Done')} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the build.\n`);
  suggest();
  if (values.keep) await keep(laptop);
  return EXIT.ok;
}

function suggest(): void {
  process.stdout.write(`\n${strong('Three things to try next')}${values.keep ? '' : ' (npm start -- --keep gives you a shell on the laptop for them)'}\n`);
  note('provision --undo admin@pi-shed.local   take one machine back to how it was, and watch robonet nodes');
  note('robonet doctor                         every check explained, interface by interface');
  note('robonet trust pi-kitchen --explain     why this node is trusted as far as it is, and no further');
}

/** Leaves the LAN up: a shell on the laptop, or without a terminal until a signal comes. */
async function keep(laptop: Host): Promise<void> {
  if (process.stdin.isTTY) {
    process.stdout.write(`\nThis is a shell on the laptop. The LAN stays up until you leave it (exit, or Ctrl-D).\n`);
    await laptop.writeFile('/root/.demonstration', "PS1='laptop:\\w# '\ncd /root\n");
    isInShell = true;
    await perform(laptop, ['bash', '--rcfile', '/root/.demonstration', '-i'], { isSilent: true });
    isInShell = false;
    return;
  }
  process.stdout.write('\nThere is no terminal for a shell; the LAN stays up until this process is ended.\n');
  await new Promise<void>((resolve) => {
    const alive = setInterval(() => undefined, 60_000);
    process.once('SIGTERM', () => {
      clearInterval(alive);
      resolve();
    });
  });
}
