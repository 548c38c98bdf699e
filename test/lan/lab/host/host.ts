/**
 * One machine on the virtual LAN, as a test handles it: switch it on and off, pull its cable, run commands and read files
 * in it, look at what was changed. The programs under test see an ordinary Debian machine.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CommandOptions, type CommandResult, type RunningCommand, describeResult, runChecked, runCommand, startCommand } from '../command.ts';
import type { Ext4Disk } from './ext4-disk.ts';
import { type Card, addDeadCard, addIdleBridge, addVlan, dropNamespace, makeNamespace, plugCard, setCable } from './link.ts';
import { type HostKind, type Machine, type SmallDisk, cutPower, powerOn, shutDown } from './power.ts';
import { type HostRoot, accountOf, dropRoot } from './root.ts';
import { type Snapshot, firewallOf, takeSnapshot } from './snapshot.ts';

/** What a host is, before it runs. */
export interface HostDescription {
  readonly name: string;
  readonly kind: HostKind;
  /** Address of the first card, without the prefix length. */
  readonly address: string;
  readonly cards: readonly Card[];
  readonly namespace: string;
  readonly bridge: string;
  readonly directory: string;
  readonly root: HostRoot;
  readonly smallDisks: readonly SmallDisk[];
  readonly ext4: Ext4Disk | null;
  readonly readOnly: boolean;
  readonly avahi: boolean;
  /** Extra cards and bridges, made anew at every power-on. */
  readonly extras: readonly ExtraInterface[];
  /** Log files inside the host that belong into a failure text. */
  readonly logFiles: readonly string[];
}

/** Interfaces that are not plugged into the LAN. */
export type ExtraInterface =
  | { readonly kind: 'idle-bridge'; readonly name: string; readonly address: string }
  | { readonly kind: 'vlan'; readonly parent: string; readonly id: number; readonly address: string }
  | { readonly kind: 'dead-card'; readonly name: string; readonly mac: string; readonly address: string | null };

/** How to run a command inside a host. */
export interface HostCommandOptions extends CommandOptions {
  /** Default root. */
  readonly user?: string;
}

/** A process inside a host. */
export interface HostProcess {
  /** As this test process numbers it. */
  readonly pid: number;
  readonly command: string;
}

const HOST_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** See the file's head. */
export class Host {
  readonly description: HostDescription;
  #machine: Machine | undefined;

  constructor(description: HostDescription) {
    this.description = description;
  }

  get name(): string {
    return this.description.name;
  }

  get address(): string {
    return this.description.address;
  }

  get card(): Card {
    const [card] = this.description.cards;
    if (card === undefined) throw new Error(`${this.name} has no card in the LAN`);
    return card;
  }

  /** The file system of its own. */
  get ext4(): Ext4Disk {
    if (this.description.ext4 === null) throw new Error(`${this.name} has no file system of its own`);
    return this.description.ext4;
  }

  get isOn(): boolean {
    return this.#machine !== undefined;
  }

  /** Plugs the cards in and boots. */
  async powerOn(): Promise<void> {
    if (this.#machine !== undefined) throw new Error(`${this.name} is already on`);
    const { namespace, bridge, cards, extras } = this.description;
    await makeNamespace(namespace);
    for (const card of cards) await plugCard(namespace, bridge, card);
    await runCommand(['ip', '-n', namespace, 'route', 'add', 'default', 'via', gatewayOf(this.address)]);
    for (const extra of extras) await addExtra(namespace, extra);
    this.#machine = await powerOn(this.description);
  }

  /** Pulls the plug: no process says goodbye, no segment leaves. Files written so far stay (the disk is not torn). */
  async powerCut(): Promise<void> {
    const machine = this.#running();
    for (const card of this.description.cards) await setCable(card, false);
    this.#machine = undefined;
    await cutPower(machine);
    await dropNamespace(this.description.namespace, this.description.cards);
  }

  /** Shuts down in order. */
  async shutDown(): Promise<void> {
    const machine = this.#running();
    this.#machine = undefined;
    await shutDown(machine, this.description.kind);
    await dropNamespace(this.description.namespace, this.description.cards);
  }

  /** Shuts down in order and boots again. */
  async reboot(): Promise<void> {
    await this.shutDown();
    await this.powerOn();
  }

  /** Ends the host and forgets everything about it. */
  async remove(): Promise<void> {
    if (this.#machine !== undefined) await this.powerCut();
    await dropRoot(this.description.root, this.description.directory);
  }

  /** Pulls the cable of the first card (or the named one). */
  async unplug(cardName?: string): Promise<void> {
    await setCable(this.#cardNamed(cardName), false);
  }

  /** Replugs it. */
  async replug(cardName?: string): Promise<void> {
    await setCable(this.#cardNamed(cardName), true);
  }

  /** Slows what the LAN sends to this host (e.g. `40mbit`), or ends that; power-on ends it too. */
  async limitRate(rate: string | null): Promise<void> {
    await runCommand(['tc', 'qdisc', 'del', 'dev', this.card.port, 'root']);
    if (rate !== null) await runChecked(['tc', 'qdisc', 'add', 'dev', this.card.port, 'root', 'tbf', 'rate', rate, 'burst', '64kb', 'latency', '200ms']);
  }

  /** Runs a command inside the host to its end, whatever its exit code. */
  async run(argv: readonly string[], options: HostCommandOptions = {}): Promise<CommandResult> {
    return (await this.start(argv, options)).ended;
  }

  /** Runs a command inside the host that must succeed; returns its standard output. */
  async check(argv: readonly string[], options: HostCommandOptions = {}): Promise<string> {
    const result = await this.run(argv, options);
    if (result.code !== 0) throw new Error(`on ${this.name}: ${describeResult(result)}`);
    return result.stdout;
  }

  /** Starts a command inside the host; it dies with the test process. */
  async start(argv: readonly string[], options: HostCommandOptions = {}): Promise<RunningCommand> {
    const { env, ...rest } = options;
    return startCommand(await this.commandInside(argv, options), { ...rest, env: await this.environment(options.user ?? 'root', env) });
  }

  /** The command line of this machine that runs `argv` inside the host. */
  async commandInside(argv: readonly string[], options: { readonly user?: string } = {}): Promise<readonly string[]> {
    const enter = ['nsenter', '-t', String(this.#running().pid), '-m', '-u', '-i', '-n', '-p', '--root', '--wd'];
    const user = options.user ?? 'root';
    const become = ['setpriv', '--pdeathsig', 'KILL', ...(user === 'root' ? [] : [`--reuid=${user}`, `--regid=${user}`, '--init-groups'])];
    return [...enter, ...become, '--', ...argv];
  }

  /** Runs a command of this machine (its files, its tools) on the host's network only. */
  startOnNetwork(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
    return startCommand(['ip', 'netns', 'exec', this.description.namespace, 'setpriv', '--pdeathsig', 'KILL', '--', ...argv], options);
  }

  /** Where a file of the host is for this process; follows no absolute symbolic link of the host. */
  path(path: string): string {
    return join(this.#machine === undefined ? this.description.root.merged : `/proc/${this.#machine.pid}/root`, path);
  }

  /** Is there such a path in the host? */
  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** Reads a text file of the host. */
  async readFile(path: string): Promise<string> {
    return readFile(this.path(path), 'utf8');
  }

  /** Writes a file as root, making its folder. */
  async writeFile(path: string, text: string | Uint8Array): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), text);
  }

  /** Takes over a folder of another host's disk as it is at this moment, whoever writes to it: a copied card. */
  async copyFolderFrom(other: Host, folder: string, from = folder): Promise<void> {
    await runChecked(['rm', '-rf', this.path(folder)]);
    await mkdir(dirname(this.path(folder)), { recursive: true });
    await runChecked(['cp', '-a', other.path(from), this.path(folder)]);
  }

  /** The processes of the host, without PID 1. */
  async processes(): Promise<readonly HostProcess[]> {
    const init = this.#running().pid;
    const namespace = await readlink(`/proc/${init}/ns/pid`);
    const found: HostProcess[] = [];
    for (const entry of await readdir('/proc')) {
      if (!/^\d+$/.test(entry) || Number(entry) === init) continue;
      // A process may end while we look at it; then it is not one of the host's processes.
      const itsNamespace = await readlink(`/proc/${entry}/ns/pid`).catch(() => '');
      if (itsNamespace !== namespace) continue;
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
      if (command !== '') found.push({ pid: Number(entry), command: command.replaceAll('\0', ' ').trim() });
    }
    return found;
  }

  /** The host's files now. */
  async snapshot(): Promise<Snapshot> {
    return takeSnapshot(this.description.root);
  }

  /** The firewall rules in force. */
  async firewall(): Promise<string> {
    return firewallOf(this.description.namespace);
  }

  /** What sshd said about log-ins since the first boot (light) or this boot (booted). */
  async authLog(): Promise<string> {
    if (this.description.kind === 'light') return readFile(join(this.description.root.logs, 'sshd.log'), 'utf8');
    return this.check(['journalctl', '-u', 'ssh', '--no-pager', '-o', 'cat']);
  }

  /** Marks a place in the console log, so that a failure text is easier to read. */
  async mark(text: string): Promise<void> {
    await appendFile(join(this.description.root.logs, 'console.log'), `---- ${text}\n`);
  }

  /** The last lines of everything this host logged, for a failure text. */
  async evidence(lines = 25): Promise<string> {
    const parts: string[] = [`== ${this.name} (${this.address}, ${this.isOn ? 'on' : 'off'})`];
    for (const file of ['console.log', 'sshd.log']) {
      const path = join(this.description.root.logs, file);
      if (existsSync(path)) parts.push(`-- ${file}`, tail(await readFile(path, 'utf8'), lines));
    }
    for (const file of this.description.logFiles) {
      if (this.has(file)) parts.push(`-- ${file}`, tail(await this.readFile(file), lines));
    }
    if (this.isOn && this.description.kind === 'booted') {
      const journal = await this.run(['journalctl', '--no-pager', '-n', String(lines), '-o', 'cat'], { timeoutMs: 5_000 });
      parts.push('-- journal', journal.stdout.trimEnd());
    }
    return parts.join('\n');
  }

  #running(): Machine {
    if (this.#machine === undefined) throw new Error(`${this.name} is off`);
    return this.#machine;
  }

  #cardNamed(name: string | undefined): Card {
    const card = name === undefined ? this.card : this.description.cards.find((each) => each.name === name);
    if (card === undefined) throw new Error(`${this.name} has no card ${name}`);
    return card;
  }

  /** The environment a log-in would give that user. */
  async environment(user: string, extra: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
    const account = await accountOf(this.description.root.merged, user);
    return { PATH: HOST_PATH, HOME: account.home, USER: user, LOGNAME: user, SHELL: '/bin/bash', LANG: 'C.UTF-8', TERM: 'xterm-256color', ...extra };
  }
}

async function addExtra(namespace: string, extra: ExtraInterface): Promise<void> {
  switch (extra.kind) {
    case 'idle-bridge':
      return addIdleBridge(namespace, extra.name, extra.address);
    case 'vlan':
      await addVlan(namespace, extra.parent, extra.id, extra.address);
      return;
    case 'dead-card':
      return addDeadCard(namespace, extra.name, extra.mac, extra.address);
  }
}

function gatewayOf(address: string): string {
  return address.replace(/\.\d+$/, '.1');
}

function tail(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
