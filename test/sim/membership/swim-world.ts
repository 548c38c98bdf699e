/**
 * A world of members for the simulator: real membership machines, virtual time, links that open, break, lose and delay.
 * Only links and the log (a directory that everybody is given) are modelled; what the machines decide is theirs.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { Directory } from '#mesh/membership/swim/directory.ts';
import type { MemberChange } from '#mesh/membership/swim/judge.ts';
import { Swim, type SwimInput, type SwimOutput } from '#mesh/membership/swim/machine.ts';
import type { SwimMessage } from '#mesh/membership/swim/messages.ts';
import { UNHEARD } from '#mesh/membership/swim/table.ts';
import { EventQueue } from '#test/sim/event-queue.ts';

/** How a world is made. */
export interface SwimWorldOptions {
  readonly seed: string;
  readonly nodes: number;
  /** Everybody knows everybody from the start; else all have just been switched on. */
  readonly settled: boolean;
  /** Share of messages that vanish, 0 to 1. */
  readonly loss?: number;
  readonly latencyMsMax?: number;
}

/** One machine. */
export interface SwimNode {
  readonly id: string;
  machine: Swim;
  incarnation: number;
  /** Without power: says nothing, answers nothing. */
  running: boolean;
  readonly links: Set<string>;
  readonly dialling: Map<string, number>;
  wakeAt: Millis;
  /** Until then its event loop stands still. */
  stalledUntil: Millis;
}

const DIAL_TIMEOUT_MS = 2_000;
const BACKOFF_MS_MAX = 30_000;
/** A link that neither end keeps is closed after so long. */
const IDLE_LINK_MS = 30_000;

/** See the header. */
export class SwimWorld {
  readonly nodes = new Map<string, SwimNode>();
  readonly options: SwimWorldOptions;
  now: Millis = 0;
  directory: Directory;
  messages = 0;
  lost = 0;
  readonly messagesByKind = new Map<SwimMessage['kind'], number>();
  /** Whether a message may pass; beside loss. */
  passes: (from: string, to: string) => boolean = () => true;
  onChange: (at: SwimNode, change: MemberChange) => void = () => undefined;
  onUnstable: (at: SwimNode, id: string, unstable: boolean) => void = () => undefined;
  /** Sees every message that is sent. */
  onMessage: (from: string, to: string, message: SwimMessage) => void = () => undefined;
  loss: number;
  readonly #rng: Rng;
  readonly #queue = new EventQueue();

  constructor(options: SwimWorldOptions) {
    this.options = options;
    this.loss = options.loss ?? 0;
    this.#rng = createRng(`membership ${options.seed}`);
    const ids = Array.from({ length: options.nodes }, (_, index) => `n${String(index).padStart(5, '0')}`);
    this.directory = Directory.of(ids);
    for (const id of ids) this.nodes.set(id, this.#make(id, 1, options.settled));
    if (!options.settled) for (const node of this.nodes.values()) this.#start(node);
    else {
      for (const node of this.nodes.values()) for (const other of node.machine.view) this.#join(node.id, other);
      // Links that were there before the world began are no news.
      for (const node of this.nodes.values()) for (const id of node.links) this.#feed(node, { kind: 'linked', id, incarnation: 1 }, false);
      for (const node of this.nodes.values()) this.#schedule(node);
    }
  }

  node(id: string): SwimNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  get running(): readonly SwimNode[] {
    return [...this.nodes.values()].filter((node) => node.running);
  }

  /** Let so much virtual time pass, or less, where `until` holds before. Whether it held. */
  run(spanMs: Millis, until?: () => boolean): boolean {
    const end = this.now + spanMs;
    for (;;) {
      if (until?.() === true) return true;
      const at = this.#queue.nextAt;
      if (at === undefined || at > end) break;
      this.now = at;
      this.#queue.take()?.();
    }
    this.now = end;
    return until?.() ?? true;
  }

  /** Something to do at a later moment. */
  after(spanMs: Millis, run: () => void): void {
    this.#queue.add(this.now + spanMs, run);
  }

  /** The process dies: its host resets its connections and refuses new ones. */
  kill(id: string): void {
    const node = this.node(id);
    node.running = false;
    for (const other of node.links) this.#unlink(other, id, 'broken');
    node.links.clear();
  }

  /** The power goes: nothing is said any more, and nothing refused. */
  powerOff(id: string): void {
    this.node(id).running = false;
  }

  /** A farewell, then nothing. */
  stop(id: string, forGood: boolean): void {
    const node = this.node(id);
    this.#feed(node, { kind: 'leave', forGood });
    node.running = false;
    for (const other of node.links) this.#unlink(other, id, forGood ? 'left' : 'stopped');
    node.links.clear();
  }

  /** The machine starts again, as a new incarnation that knows nobody. */
  start(id: string): void {
    const old = this.node(id);
    for (const other of old.links) this.nodes.get(other)?.links.delete(id);
    const node = this.#make(id, old.incarnation + 1, false);
    this.nodes.set(id, node);
    this.#start(node);
  }

  /** The event loop of this node stands still for so long; what comes waits. */
  stall(id: string, spanMs: Millis): void {
    const node = this.node(id);
    node.stalledUntil = this.now + spanMs;
    this.#queue.add(node.stalledUntil, () => {
      if (this.nodes.get(id) === node && node.running) this.#feed(node, { kind: 'stalled', lagMs: spanMs });
    });
  }

  /** The log says who is a member; those told here know it. */
  setMembers(ids: Iterable<string>, told: Iterable<string> = this.nodes.keys()): void {
    this.directory = Directory.of(ids);
    for (const id of this.directory.ids()) if (!this.nodes.has(id)) this.nodes.set(id, this.#make(id, 1, false));
    for (const id of [...told]) {
      const node = this.nodes.get(id);
      if (node?.running === true) this.#feed(node, { kind: 'members', directory: this.directory });
    }
  }

  /** A machine that was made by {@link setMembers} goes on the network. */
  begin(id: string): void {
    this.#start(this.node(id));
  }

  /** A message as if this node had said it; for liars. */
  forge(from: string, to: string, message: SwimMessage): void {
    this.#send(from, to, message);
  }

  #make(id: string, incarnation: number, settled: boolean): SwimNode {
    const assumed = settled ? ({ version: { incarnation: 1, counter: 0 }, state: 'up' } as const) : UNHEARD;
    const machine = new Swim({ self: id, incarnation, rng: this.#rng.fork(`${id} ${incarnation}`), directory: this.directory, assumed }, this.now);
    return { id, machine, incarnation, running: true, links: new Set(), dialling: new Map(), wakeAt: NEVER, stalledUntil: 0 };
  }

  #start(node: SwimNode): void {
    for (const id of node.machine.view) this.#dial(node, id, true);
    this.#schedule(node);
  }

  #feed(node: SwimNode, input: SwimInput, effects = true): void {
    if (!node.running) return;
    if (this.now < node.stalledUntil && input.kind !== 'stalled') {
      this.#queue.add(node.stalledUntil, () => this.#feed(node, input, effects));
      return;
    }
    const out = node.machine.step(input, this.now);
    if (effects) this.#perform(node, out);
  }

  #perform(node: SwimNode, out: SwimOutput): void {
    for (const { to, message } of out.send) this.#send(node.id, to, message);
    for (const change of out.changes) this.onChange(node, change);
    for (const { id, unstable } of out.unstable) this.onUnstable(node, id, unstable);
    for (const id of out.dial) this.#dial(node, id, false);
    if (out.view !== null) for (const id of out.view) this.#dial(node, id, true);
    this.#schedule(node);
  }

  #schedule(node: SwimNode): void {
    const at = Math.max(this.now, node.stalledUntil, node.machine.wakeAt);
    if (!node.running || at >= node.wakeAt || at === NEVER) return;
    node.wakeAt = at;
    this.#queue.add(at, () => {
      if (node.wakeAt !== at) return;
      node.wakeAt = NEVER;
      this.#feed(node, { kind: 'tick' });
      this.#schedule(node);
    });
  }

  #latency(): Millis {
    return 0.2 + this.#rng.next() * ((this.options.latencyMsMax ?? 4) - 0.2);
  }

  #send(from: string, to: string, message: SwimMessage): void {
    this.messages += 1;
    this.messagesByKind.set(message.kind, (this.messagesByKind.get(message.kind) ?? 0) + 1);
    this.onMessage(from, to, message);
    if (!this.passes(from, to) || (this.loss > 0 && this.#rng.next() < this.loss)) {
      this.lost += 1;
      return;
    }
    this.#queue.add(this.now + this.#latency(), () => {
      const node = this.nodes.get(to);
      if (node?.running === true && node.links.has(from)) this.#feed(node, { kind: 'receive', from, message });
    });
  }

  /** Open a link, as the dial plan would: again and again for those of the view, once for others. */
  #dial(node: SwimNode, id: string, kept: boolean, failures = 0): void {
    if (node.links.has(id) || node.dialling.has(id) || !this.nodes.has(id)) return;
    node.dialling.set(id, failures);
    const other = this.node(id);
    const reaches = this.passes(node.id, id) && this.passes(id, node.id);
    const refused = reaches && !other.running && this.#refuses.has(id);
    const works = reaches && other.running;
    this.#queue.add(this.now + (works ? 3 : refused ? 1 : 0) * this.#latency() + (works || refused ? 0 : DIAL_TIMEOUT_MS), () => {
      node.dialling.delete(id);
      if (!node.running || this.nodes.get(node.id) !== node || node.links.has(id)) return;
      const there = this.node(id);
      if (works && there.running && this.passes(node.id, id) && this.passes(id, node.id)) {
        this.#join(node.id, id);
        this.#feed(node, { kind: 'linked', id, incarnation: there.incarnation });
        this.#feed(there, { kind: 'linked', id: node.id, incarnation: node.incarnation });
        if (!kept) this.#closeWhenIdle(node.id, id);
        return;
      }
      this.#feed(node, { kind: 'dial-failed', id, refused });
      const wait = Math.min(BACKOFF_MS_MAX, 1_000 * 2 ** Math.min(5, failures)) * (0.75 + this.#rng.next() / 2);
      if (node.machine.view.includes(id)) this.after(wait, () => node.running && node.machine.view.includes(id) && this.#dial(node, id, true, failures + 1));
    });
  }

  readonly #refuses = { has: (id: string): boolean => this.nodes.get(id)?.links.size === 0 && this.nodes.get(id)?.running === false };

  #join(a: string, b: string): void {
    this.node(a).links.add(b);
    this.node(b).links.add(a);
  }

  #unlink(at: string, id: string, how: 'broken' | 'closed' | 'stopped' | 'left'): void {
    const node = this.nodes.get(at);
    if (node?.links.delete(id) !== true) return;
    this.#queue.add(this.now + this.#latency(), () => this.#feed(node, { kind: 'unlinked', id, how }));
  }

  #closeWhenIdle(a: string, b: string): void {
    this.after(IDLE_LINK_MS, () => {
      const [left, right] = [this.node(a), this.node(b)];
      if (!left.links.has(b) || left.machine.view.includes(b) || right.machine.view.includes(a)) return;
      this.#unlink(a, b, 'closed');
      this.#unlink(b, a, 'closed');
    });
  }
}
