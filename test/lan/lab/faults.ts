/**
 * Faults of the network between hosts, made where a real one would be: in the switch. Hosts are not touched and cannot
 * see the cause. Rules are kept here and handed to nftables as one atomic table whenever one is added or healed.
 */
import { runChecked } from './command.ts';

/** A fault in force; heal it to make the network whole again. */
export interface Fault {
  readonly what: string;
  heal(): Promise<void>;
  /** Frames this fault has eaten so far: a fault test must prove that the fault happened. */
  count(): Promise<number>;
}

/** The faults of one LAN, by switch ports. */
export class SwitchFaults {
  readonly #table: string;
  readonly #rules = new Map<number, { readonly what: string; readonly matches: readonly string[] }>();
  #next = 1;

  constructor(table: string) {
    this.#table = table;
  }

  /** Multicast from one port no longer reaches the other, in both directions; unicast and broadcast do. */
  async dropMulticast(a: string, b: string): Promise<Fault> {
    const match = (from: string, to: string): string =>
      `iifname "${from}" oifname "${to}" ether daddr and 01:00:00:00:00:00 == 01:00:00:00:00:00 ether daddr != ff:ff:ff:ff:ff:ff`;
    return this.#add(`multicast between ${a} and ${b} is dropped`, [match(a, b), match(b, a)]);
  }

  /** Segments to a TCP port are dropped between two ports, in both directions. */
  async blockTcp(a: string, b: string, port: number): Promise<Fault> {
    const match = (from: string, to: string): string => `iifname "${from}" oifname "${to}" tcp dport ${port}`;
    return this.#add(`tcp port ${port} between ${a} and ${b} is blocked`, [match(a, b), match(b, a)]);
  }

  /** Nothing at all passes between two ports. */
  async cut(a: string, b: string): Promise<Fault> {
    const match = (from: string, to: string): string => `iifname "${from}" oifname "${to}"`;
    return this.#add(`everything between ${a} and ${b} is dropped`, [match(a, b), match(b, a)]);
  }

  /** Heals everything. */
  async healAll(): Promise<void> {
    this.#rules.clear();
    await this.#apply();
  }

  async #add(what: string, matches: readonly string[]): Promise<Fault> {
    const id = this.#next++;
    this.#rules.set(id, { what, matches });
    await this.#apply();
    return {
      what,
      heal: async () => {
        this.#rules.delete(id);
        await this.#apply();
      },
      count: async () => {
        const listing = await runChecked(['nft', 'list', 'table', 'bridge', this.#table]);
        const counted = [...listing.stdout.matchAll(new RegExp(`counter packets (\\d+) .*comment "fault ${id}"`, 'g'))];
        return counted.reduce((sum, [, packets]) => sum + Number(packets), 0);
      },
    };
  }

  /** Replaces the whole table; counters of faults still in force start again. */
  async #apply(): Promise<void> {
    const rules = [...this.#rules].flatMap(([id, { matches }]) => matches.map((match) => `    ${match} counter drop comment "fault ${id}"`));
    const table = [`table bridge ${this.#table} {`, '  chain faults {', '    type filter hook forward priority 0; policy accept;', ...rules, '  }', '}'].join(
      '\n',
    );
    await runChecked(['nft', '-f', '-'], { stdin: `add table bridge ${this.#table}\ndelete table bridge ${this.#table}\n${table}\n` });
  }
}
