/**
 * A virtual LAN of Debian machines: one switch, hosts plugged into it, faults between them. One `Lab` per test file; it
 * is built inside the throw-away outer namespace and must never touch anything outside it.
 */
import { randomInt } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { baseTree } from './base-tree.ts';
import { runChecked, runCommand } from './command.ts';
import { Ext4Disk, type Ext4Place } from './host/ext4-disk.ts';
import { type ExtraInterface, Host } from './host/host.ts';
import type { Card } from './host/link.ts';
import type { HostKind, SmallDisk } from './host/power.ts';
import { type Alteration, makeRoot, writeHomeFile } from './host/root.ts';
import { type Fault, SwitchFaults } from './faults.ts';
import { LAB_DIRECTORY, assertInsideLab } from './outer-namespace.ts';

/** First three bytes of real makers' hardware addresses. */
export const makers = {
  'raspberry-pi': 'b8:27:eb',
  'raspberry-pi-4': 'dc:a6:32',
  'raspberry-pi-400': 'e4:5f:01',
  'raspberry-pi-zero': '28:cd:c1',
  'raspberry-pi-5': 'd8:3a:dd',
  'raspberry-pi-5b': '2c:cf:67',
  intel: 'a4:bf:01',
  dell: 'd0:94:66',
  'hewlett-packard': '3c:d9:2b',
  'virtual-machine': '52:54:00',
} as const;

/** Makers by name. */
export type Maker = keyof typeof makers;

/** A host to be added. Everything but the name has a default: a light, blank, healthy machine with avahi. */
export interface HostOptions {
  readonly name: string;
  readonly kind?: HostKind;
  readonly maker?: Maker;
  /** Cards plugged into the LAN; default 1. The n-th has address 10.77.(n).x. */
  readonly cards?: number;
  readonly alterations?: readonly Alteration[];
  readonly smallDisks?: readonly SmallDisk[];
  /** A file system of its own that can fill up and fail (`Host.ext4`). */
  readonly ext4?: Ext4Place;
  readonly readOnly?: boolean;
  readonly avahi?: boolean;
  readonly extras?: readonly ExtraInterface[];
  /** Programs of this machine put into the host's /usr/local/bin without copying: name to file. */
  readonly programs?: Readonly<Record<string, string>>;
  /** Gives root of this host the private key that opens `admin` everywhere. */
  readonly ownsKey?: boolean;
  /** Log files inside the host for failure texts; default the supervised agent's. */
  readonly logFiles?: readonly string[];
  /** Leave it switched off for now. */
  readonly off?: boolean;
}

const FIRST_NUMBER = 10;
const LOG_FILES = ['/var/lib/robonet/agent.log'];

/** See the file's head. */
export class Lab {
  readonly hosts: Host[] = [];
  readonly #id: string;
  readonly #directory: string;
  readonly #base: string;
  readonly #faults: SwitchFaults;
  readonly #key: { readonly privateText: string; readonly publicText: string };
  #numbers = FIRST_NUMBER;

  private constructor(id: string, directory: string, base: string, key: { privateText: string; publicText: string }) {
    this.#id = id;
    this.#directory = directory;
    this.#base = base;
    this.#key = key;
    this.#faults = new SwitchFaults(`faults_${id}`);
  }

  /** Builds an empty LAN: a switch and a key. */
  static async up(progress?: (text: string) => void): Promise<Lab> {
    assertInsideLab();
    const base = await baseTree(progress);
    const id = randomInt(36 ** 4)
      .toString(36)
      .padStart(4, '0');
    const directory = join(LAB_DIRECTORY, id);
    await mkdir(directory, { recursive: true });
    await runChecked(['mount', '-t', 'tmpfs', '-o', 'mode=755,size=80%', `lab-${id}`, directory]);
    await runChecked(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'owner@laptop', '-f', join(directory, 'key')]);
    const key = { privateText: await readFile(join(directory, 'key'), 'utf8'), publicText: await readFile(join(directory, 'key.pub'), 'utf8') };
    const lab = new Lab(id, directory, base, key);
    await runChecked(['ip', 'link', 'add', lab.#bridge, 'type', 'bridge', 'mcast_snooping', '0', 'stp_state', '0', 'forward_delay', '0']);
    await runChecked(['ip', 'link', 'set', lab.#bridge, 'up']);
    return lab;
  }

  /** Adds a host and switches it on. */
  async addHost(options: HostOptions): Promise<Host> {
    const number = this.#numbers++;
    const directory = join(this.#directory, options.name);
    const root = await makeRoot({
      name: options.name,
      directory,
      base: this.#base,
      authorizedKey: this.#key.publicText,
      alterations: options.alterations ?? [],
    });
    if (options.ownsKey === true) {
      await writeHomeFile(root, 'root', '.ssh/id_ed25519', this.#key.privateText, 0o600);
      await writeHomeFile(root, 'root', '.ssh/id_ed25519.pub', this.#key.publicText, 0o644);
    }
    for (const [name, file] of Object.entries(options.programs ?? {})) await lendProgram(file, join(root.merged, 'usr/local/bin', name));
    const cards = Array.from({ length: options.cards ?? 1 }, (_, index) => this.#card(number, index, options.maker ?? 'raspberry-pi-4'));
    const host = new Host({
      name: options.name,
      kind: options.kind ?? 'light',
      address: `10.77.0.${number}`,
      cards,
      namespace: `${this.#id}-${options.name}`,
      bridge: this.#bridge,
      directory,
      root,
      smallDisks: options.smallDisks ?? [],
      ext4: options.ext4 === undefined ? null : await Ext4Disk.make(root.merged, join(directory, 'ext4.img'), options.ext4),
      readOnly: options.readOnly ?? false,
      avahi: options.avahi ?? true,
      extras: options.extras ?? [],
      logFiles: options.logFiles ?? LOG_FILES,
    });
    this.hosts.push(host);
    if (options.off !== true) await host.powerOn();
    return host;
  }

  /** Adds several hosts at once, in this order of addresses. */
  async addHosts(all: readonly HostOptions[]): Promise<readonly Host[]> {
    return Promise.all(all.map((options) => this.addHost(options)));
  }

  /** Multicast no longer passes between two hosts; unicast does. */
  async dropMulticast(a: Host, b: Host): Promise<Fault> {
    return this.#faults.dropMulticast(a.card.port, b.card.port);
  }

  /** A TCP port is no longer reachable between two hosts, silently. */
  async blockTcp(a: Host, b: Host, port: number): Promise<Fault> {
    return this.#faults.blockTcp(a.card.port, b.card.port, port);
  }

  /** Two hosts no longer reach each other at all. */
  async cut(a: Host, b: Host): Promise<Fault> {
    return this.#faults.cut(a.card.port, b.card.port);
  }

  /** Ends every fault of the network. */
  async healAll(): Promise<void> {
    await this.#faults.healAll();
  }

  /** Removes every host and the switch. */
  async down(): Promise<void> {
    await Promise.all(this.hosts.splice(0).map((host) => host.remove()));
    await runCommand(['ip', 'link', 'del', this.#bridge]);
    await runCommand(['umount', '-l', this.#directory]);
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** The last log lines of all hosts (or the given ones), for failure texts. */
  async evidence(hosts: readonly Host[] = this.hosts): Promise<string> {
    return (await Promise.all(hosts.map((host) => host.evidence()))).join('\n');
  }

  get #bridge(): string {
    return `br-${this.#id}`;
  }

  #card(number: number, index: number, maker: Maker): Card {
    const last = number.toString(16).padStart(2, '0');
    return {
      name: `eth${index}`,
      mac: `${makers[maker]}:${index.toString(16).padStart(2, '0')}:7a:${last}`,
      address: `10.77.${index}.${number}/24`,
      port: `p${index}-${this.#id}-${number}`,
    };
  }
}

/** Puts a program of this machine into a host's tree as a read-only bind mount: no copy, no trace in the upper layer. */
async function lendProgram(file: string, target: string): Promise<void> {
  await runChecked(['touch', target]);
  await runChecked(['mount', '--bind', file, target]);
}
