/**
 * Several swarms on one virtual clock, with a network in memory: what the tests of the swarm run on. Deterministic:
 * deliveries happen in the order of their times, then of their making. Knows nothing of what the swarms say.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createRng, type Entropy } from '#core/random/random.ts';
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import { bootDigest, makeBoot, decodeBoot } from '#mesh/hcth/boot-event.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { ROTATION_RANDOM_BYTES, rotateIdentity } from '#mesh/hcth/rotate-identity.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { packStatement, readOwnStatements } from '#mesh/hcth/own-statements.ts';
import { assert } from '#core/errors/assert.ts';
import { type Address, addressText } from '#mesh/membership/address-policy.ts';
import type { LevelRate } from '#mesh/session/limits.ts';
import type { CachedAddress, Command, Persist, Reply, SwarmEffects, SwarmInput } from './step.ts';
import { Swarm } from './swarm.ts';
import type { Capabilities, EventRecord, TrustLevel } from './views.ts';

/** Facts of a machine that nobody looks at. */
export const SOME_CAPABILITIES: Capabilities = {
  agentVersion: '0.1.0',
  arch: 'x64',
  os: 'Debian',
  kernel: '6.1',
  profile: 'virtual-machine',
  model: null,
  cpu: { model: null, cores: 2, maxMhz: null },
  memoryBytes: 1_000_000_000,
  gpu: null,
  storage: { kind: 'virtual', bytes: 10_000_000_000, freeBytes: 5_000_000_000 },
  skills: ['code-execution'],
  macs: ['02:00:00:00:00:01'],
};

/** What a machine keeps over a restart. */
interface Disk {
  ledger: Uint8Array[];
  peers: Map<string, Uint8Array>;
  documents: Map<string, Uint8Array>;
  statements: Uint8Array[];
  incarnation: number;
  evidence: Map<string, Uint8Array>;
  boots: Uint8Array[];
}

/** One end of a connection in the network. */
interface End {
  readonly node: WorldNode;
  readonly connection: number;
  other: End | null;
  open: boolean;
  paused: boolean;
  held: Uint8Array[];
  /** On the way, in order. */
  inbox: Uint8Array[];
  waiting: boolean;
}

/** Options of one machine. */
export interface WorldNodeOptions {
  readonly binding?: HardwareBinding;
  readonly levelFloor?: TrustLevel;
  readonly rates?: readonly LevelRate[];
  readonly inboundBytesMax?: number;
}

/** One machine of the world. */
export class WorldNode {
  readonly name: string;
  readonly address: Address;
  readonly options: WorldNodeOptions;
  identity: Identity;
  swarm: Swarm | null = null;
  disk: Disk = { ledger: [], peers: new Map(), documents: new Map(), statements: [], incarnation: 0, evidence: new Map(), boots: [] };
  readonly events: EventRecord[] = [];
  readonly replies = new Map<number, Reply>();
  readonly ends = new Map<number, End>();
  wakeAt: Millis = NEVER;
  nextAccepted = 1;
  reincarnate: SwarmEffects['reincarnate'] = null;
  forgotMesh = false;
  /** Identities that it gave up. */
  readonly former: Identity[] = [];
  /** Sees what each step wants on disk. */
  onPersist: (records: readonly Persist[]) => void = () => undefined;
  /** Answers calls of peers. */
  onCall: (verb: string, body: Uint8Array) => Uint8Array = (_, body) => body;

  constructor(name: string, address: Address, identity: Identity, options: WorldNodeOptions) {
    this.name = name;
    this.address = address;
    this.identity = identity;
    this.options = options;
  }

  get text(): string {
    return aidText(this.identity.established.aid);
  }

  /** Its hardware address, as neighbours see it. */
  get mac(): string {
    return `02:00:00:00:00:${this.address.host.split('.')[3]?.padStart(2, '0') ?? '00'}`;
  }

  /** Codes of the events so far. */
  get codes(): readonly string[] {
    return this.events.map((event) => event.code);
  }
}

const NO_BINDING: HardwareBinding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() };

/** Ticks at one instant, by all machines together. */
const TICKS_MAX = 1_000;

/** The network, the clock, the machines. */
export class World {
  readonly crypto: CryptoPort;
  readonly nodes: WorldNode[] = [];
  now: Millis = 1_000;
  /** Wall clock at virtual time zero. */
  readonly wallStart = 1_700_000_000_000;
  latencyMs: Millis = 1;
  /** Addresses to which nothing gets through, in either direction. */
  readonly cut = new Set<string>();
  /** Addresses that nobody can dial, while they can dial others. */
  readonly unreachable = new Set<string>();
  /** May drop a connection in place of a delivery: bytes delivered so far on it → whether to break it. */
  breakAfter: ((from: WorldNode, to: WorldNode, bytes: number) => boolean) | null = null;
  /** Somebody on the path: what arrives in the place of what was sent. */
  tamper: ((from: WorldNode, to: WorldNode, bytes: Uint8Array) => Uint8Array) | null = null;
  /** Machines that pass on whatever reaches them: from their host to whom. */
  readonly relays = new Map<string, WorldNode>();
  /** Hardware addresses by host, as the neighbour tables have them. */
  readonly macs = new Map<string, string>();
  delivered = 0;
  readonly #queue: { readonly at: Millis; readonly order: number; readonly run: () => void }[] = [];
  readonly #seed: string;
  #order = 0;
  #command = 0;
  #draws = 0;

  constructor(crypto: CryptoPort, seed = 'world') {
    this.crypto = crypto;
    this.#seed = seed;
  }

  /** Reproducible bytes in the place of the operating system's. */
  readonly entropy: Entropy = (byteCount) => {
    this.#draws += 1;
    const rng = createRng(`${this.#seed}/entropy/${this.#draws}`);
    return Uint8Array.from({ length: byteCount }, () => Math.floor(rng.next() * 256));
  };

  get instant(): Instant {
    return { mono: this.now, wall: this.wallStart + this.now };
  }

  /** A new machine, switched on. */
  add(name: string, options: WorldNodeOptions = {}): WorldNode {
    const { identity } = createIdentity(this.crypto, this.entropy(IDENTITY_RANDOM_BYTES), options.binding ?? NO_BINDING);
    const node = new WorldNode(name, { host: `10.0.0.${this.nodes.length + 1}`, port: 7_411 }, identity, options);
    this.nodes.push(node);
    this.start(node);
    return node;
  }

  /** Switch on: a new incarnation on the machine's disk. */
  start(node: WorldNode, incarnation?: number, reason = 'start'): void {
    const { crypto } = this;
    node.disk.incarnation = incarnation ?? node.disk.incarnation + 1;
    const { established, signKey, staticKey } = node.identity;
    const own = readOwnStatements(crypto, node.disk.statements);
    const bootObject = makeBoot(crypto, signKey, {
      aid: established.aid,
      incarnation: node.disk.incarnation,
      nonce: this.entropy(16),
      establishmentHead: established.head,
      previousBoot: own.boot,
      previousStatement: own.statement,
      why: reason === 'restore' ? 'restore' : 'start',
      software: 'test',
    });
    node.disk.statements = [...node.disk.statements, packStatement(bootObject)];
    const boot = decodeBoot(bootObject.body);
    assert(boot !== undefined, 'a boot event of our own decodes');
    const cache = node.disk.documents.get('peer-cache');
    node.swarm = new Swarm(
      {
        crypto,
        entropy: this.entropy,
        rng: createRng(`${this.#seed}/${node.name}/${node.disk.incarnation}`),
        identity: { aid: established.aid, text: aidText(established.aid), signKey, staticKey, established, bootObject, boot },
        startReason: reason,
        degraded: [],
        facts: { name: node.name, capabilities: SOME_CAPABILITIES, conditions: [] },
        port: 7_411,
        ledger: node.disk.ledger,
        peers: [...node.disk.peers.values()],
        statements: node.disk.statements,
        documents: {
          membership: node.disk.documents.get('membership') ?? null,
          intent: node.disk.documents.get('intent') ?? null,
          tokenSecrets: node.disk.documents.get('token-secrets') ?? null,
          peerCache: cache === undefined ? [] : parseCache(cache),
        },
        evidence: [...node.disk.evidence].map(([name, record]) => ({ name, record })),
        ownBoots: node.disk.boots,
        handshakesPerSecond: 20,
        ...(node.options.levelFloor === undefined ? {} : { levelFloor: node.options.levelFloor }),
        ...(node.options.rates === undefined ? {} : { rates: node.options.rates }),
        ...(node.options.inboundBytesMax === undefined ? {} : { inboundBytesMax: node.options.inboundBytesMax }),
      },
      this.instant,
    );
    node.disk.boots = [...node.disk.boots, bootDigest(crypto, bootObject)];
    this.input(node, { kind: 'listening', addresses: [node.address] });
  }

  /** Rotate the machine's key: durable first, then told, then a new incarnation, as the driver does it. */
  rotate(node: WorldNode, options: { readonly recovery?: boolean; readonly nextSeed?: Uint8Array; readonly tell?: boolean } = {}): void {
    const { identity } = node;
    const seed = options.nextSeed ?? identity.nextSeed;
    assert(seed !== null, 'the next key is at hand');
    const rotated = rotateIdentity(
      this.crypto,
      identity.established,
      seed,
      options.recovery === true ? null : identity.signKey,
      this.entropy(ROTATION_RANDOM_BYTES),
    );
    assert(rotated.kind === 'rotated', 'the key fits');
    node.identity = rotated.identity;
    if (options.tell !== false) this.input(node, { kind: 'rotated', event: rotated.event, number: rotated.identity.established.rotations });
    const after = node.disk.incarnation + 1;
    this.#later(() => {
      this.kill(node);
      this.start(node, after);
    }, 20);
  }

  /** Power cut: no farewell, connections break, what was not persisted is gone. */
  kill(node: WorldNode): void {
    node.swarm = null;
    node.wakeAt = NEVER;
    for (const end of [...node.ends.values()]) this.#break(end);
  }

  /** One input to one machine, and its effects. */
  input(node: WorldNode, input: SwarmInput): void {
    const { swarm } = node;
    if (swarm === null) return;
    this.#perform(node, swarm.step(input, this.instant));
    if (node.swarm === swarm) node.wakeAt = swarm.wakeAt;
  }

  /** Ask something of a machine; the number under which its reply will be found. */
  command(node: WorldNode, command: Command): number {
    this.#command += 1;
    this.input(node, { kind: 'command', id: this.#command, command });
    return this.#command;
  }

  /** Call a verb on a peer. */
  request(node: WorldNode, who: string, verb: string, body: Uint8Array): number {
    this.#command += 1;
    this.input(node, { kind: 'request', id: this.#command, who, verb, body, timeoutMs: 5_000 });
    return this.#command;
  }

  /** Tell a machine where another one listens. */
  hint(node: WorldNode, at: WorldNode, meshTag: string | null = null): void {
    this.input(node, { kind: 'hint', address: at.address, meshTag, origin: 'mdns' });
  }

  /** Let virtual time pass. */
  run(span: Millis): void {
    const until = this.now + span;
    let ticks = 0;
    let ticksAt: Millis = -1;
    for (;;) {
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      const sleeper = this.nodes.reduce<WorldNode | null>(
        (earliest, node) => (node.swarm !== null && node.wakeAt < (earliest?.wakeAt ?? NEVER) ? node : earliest),
        null,
      );
      const at = Math.min(next?.at ?? NEVER, sleeper?.wakeAt ?? NEVER);
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if (next !== undefined && next.at <= at) {
        this.#queue.shift();
        next.run();
      } else if (sleeper !== null) {
        // A machine that wants to be woken at once, again and again, would stop the world.
        ticks = at > ticksAt ? 0 : ticks + 1;
        ticksAt = at;
        assert(ticks < TICKS_MAX, `${sleeper.name} wants a tick at ${sleeper.wakeAt} again and again`);
        this.input(sleeper, { kind: 'tick' });
      }
    }
    this.now = until;
  }

  /** Let time pass until a condition holds; the virtual time it took. */
  runUntil(condition: () => boolean, limit: Millis): Millis {
    const start = this.now;
    while (!condition()) {
      assert(this.now - start < limit, `the condition did not come true within ${limit} ms`);
      this.run(50);
    }
    return this.now - start;
  }

  /** A connection of a stranger to a machine, by hand: write bytes, read what comes back. */
  stranger(
    to: WorldNode,
    host = '10.0.9.9',
  ): {
    readonly write: (bytes: Uint8Array) => void;
    readonly close: () => void;
    readonly received: Uint8Array[];
    readonly isClosed: () => boolean;
  } {
    const received: Uint8Array[] = [];
    const shadow = new WorldNode('stranger', { host, port: 1 }, to.identity, {});
    const mine: End = { node: shadow, connection: 0, other: null, open: true, paused: false, held: [], inbox: [], waiting: false };
    const theirs: End = { node: to, connection: to.nextAccepted, other: mine, open: true, paused: false, held: [], inbox: [], waiting: false };
    to.nextAccepted += 1;
    mine.other = theirs;
    to.ends.set(theirs.connection, theirs);
    this.#strangers.set(mine, received);
    this.input(to, {
      kind: 'accepted',
      connection: theirs.connection,
      remote: shadow.address,
      local: to.address,
      mac: this.macs.get(shadow.address.host) ?? null,
    });
    return {
      write: (bytes) => this.#deliver(theirs, bytes),
      close: () => this.#break(mine),
      received,
      isClosed: () => !mine.open,
    };
  }

  readonly #strangers = new Map<End, Uint8Array[]>();

  #perform(node: WorldNode, effects: SwarmEffects): void {
    if (effects.persist.length > 0) node.onPersist(effects.persist);
    for (const record of effects.persist) this.#persist(node, record);
    for (const { connection, bytes } of effects.send) {
      const end = node.ends.get(connection);
      if (end?.open === true && end.other !== null) this.#deliver(end.other, bytes);
    }
    for (const { connection } of effects.close) {
      const end = node.ends.get(connection);
      if (end !== undefined) this.#later(() => this.#break(end));
    }
    for (const { connection, address } of effects.dial) this.#dial(node, connection, address);
    for (const { connection, paused } of effects.pause) this.#pause(node, connection, paused);
    node.events.push(...effects.events);
    for (const host of effects.neighbours) {
      const at = this.nodes.find((candidate) => candidate.address.host === host);
      if (at !== undefined) this.#later(() => this.input(node, { kind: 'neighbour', host, mac: at.mac }));
    }
    for (const key of effects.recheck) this.#later(() => this.input(node, { kind: 'stored-record', key, record: node.disk.peers.get(key) ?? null }));
    for (const reply of effects.replies) node.replies.set(reply.id, reply);
    for (const call of effects.calls) {
      const body = node.onCall(call.verb, call.body);
      this.#later(() => this.input(node, { kind: 'respond', call: call.call, result: { kind: 'ok', body } }));
    }
    if (effects.reincarnate !== null) {
      const { atLeast, why } = effects.reincarnate;
      node.reincarnate = effects.reincarnate;
      this.#later(() => {
        this.kill(node);
        this.start(node, Math.max(atLeast, node.disk.incarnation + 1), why);
      });
    }
    if (effects.flushWanted) this.#later(() => this.input(node, { kind: 'flush' }), 0);
  }

  #persist(node: WorldNode, record: Persist): void {
    const { disk } = node;
    switch (record.kind) {
      case 'ledger':
        disk.ledger = [...disk.ledger, record.record.slice()];
        return;
      case 'ledger-rewrite':
        disk.ledger = record.records.map((bytes) => bytes.slice());
        return;
      case 'peer':
        if (record.record === null) disk.peers.delete(record.key);
        else disk.peers.set(record.key, record.record.slice());
        return;
      case 'document':
        if (record.record === null) disk.documents.delete(record.name);
        else disk.documents.set(record.name, record.record.slice());
        return;
      case 'forget-mesh':
        node.forgotMesh = true;
        if (record.aside !== undefined) this.#later(() => this.#renew(node));
        disk.ledger = [];
        disk.peers = new Map();
        disk.documents = new Map();
        return;
      case 'evidence':
        if (record.record === null) disk.evidence.delete(record.name);
        else disk.evidence.set(record.name, record.record.slice());
        return;
      case 'statements-rewrite':
        disk.statements = record.records.map((bytes) => bytes.slice());
        return;
      case 'statement':
        disk.statements = [...disk.statements, record.record.slice()];
        return;
    }
  }

  /** What the driver does after a machine gave up its identity: a new one, and on. */
  #renew(node: WorldNode): void {
    this.kill(node);
    node.former.push(node.identity);
    node.identity = createIdentity(this.crypto, this.entropy(IDENTITY_RANDOM_BYTES), NO_BINDING).identity;
    node.disk.boots = [];
    node.disk.statements = [];
    this.start(node, 1);
  }

  #dial(node: WorldNode, connection: number, address: Address): void {
    const relayedTo = this.relays.get(address.host);
    const target = relayedTo ?? this.nodes.find((candidate) => addressText(candidate.address) === addressText(address));
    const dark = this.cut.has(address.host) || this.cut.has(node.address.host);
    this.#later(
      () => {
        if (target === undefined || target.swarm === null || dark || this.unreachable.has(address.host))
          return this.input(node, { kind: 'dial-failed', connection, why: dark ? 'ETIMEDOUT' : 'ECONNREFUSED' });
        const mine: End = { node, connection, other: null, open: true, paused: false, held: [], inbox: [], waiting: false };
        const theirs: End = { node: target, connection: target.nextAccepted, other: mine, open: true, paused: false, held: [], inbox: [], waiting: false };
        target.nextAccepted += 1;
        mine.other = theirs;
        node.ends.set(connection, mine);
        target.ends.set(theirs.connection, theirs);
        const from = relayedTo === undefined ? node.address.host : address.host;
        const remote = { host: from, port: 40_000 + theirs.connection };
        this.input(target, { kind: 'accepted', connection: theirs.connection, remote, local: target.address, mac: this.macs.get(from) ?? null });
        this.input(node, { kind: 'connected', connection, remote: address, local: node.address });
      },
      dark ? 3_000 : this.latencyMs,
    );
  }

  /** Like TCP: in order, nothing is lost while the connection lives; on a cut path it arrives when the path is back. */
  #deliver(end: End, bytes: Uint8Array): void {
    this.#later(() => {
      end.inbox.push(bytes);
      this.#drain(end);
    });
  }

  #drain(end: End): void {
    if (!end.open) return;
    if (this.#isCut(end)) return this.#drainLater(end);
    for (const bytes of end.inbox.splice(0)) {
      if (!end.open) return;
      const stranger = this.#strangers.get(end);
      if (stranger !== undefined) {
        stranger.push(bytes);
        continue;
      }
      this.delivered += bytes.length;
      if (end.other !== null && this.breakAfter?.(end.other.node, end.node, this.delivered) === true) return this.#break(end);
      const arrived = this.tamper !== null && end.other !== null ? this.tamper(end.other.node, end.node, bytes) : bytes;
      if (end.paused) end.held.push(arrived);
      else this.input(end.node, { kind: 'received', connection: end.connection, bytes: arrived });
    }
    if (end.other?.open === false) this.#close(end);
  }

  #drainLater(end: End): void {
    if (end.waiting) return;
    end.waiting = true;
    this.#later(() => {
      end.waiting = false;
      this.#drain(end);
    }, 250);
  }

  #isCut(end: End): boolean {
    return this.cut.has(end.node.address.host) || (end.other !== null && this.cut.has(end.other.node.address.host));
  }

  #pause(node: WorldNode, connection: number, paused: boolean): void {
    const end = node.ends.get(connection);
    if (end === undefined) return;
    end.paused = paused;
    if (paused) return;
    const held = end.held;
    end.held = [];
    for (const bytes of held) this.#deliver(end, bytes);
  }

  /** This side is gone at once; the other one hears of it when something can reach it. */
  #break(end: End): void {
    const { other } = end;
    this.#close(end);
    if (other === null || !other.open) return;
    if (this.#isCut(other)) this.#drainLater(other);
    else {
      other.inbox = [];
      this.#close(other);
    }
  }

  #close(end: End): void {
    if (!end.open) return;
    end.open = false;
    end.node.ends.delete(end.connection);
    if (!this.#strangers.has(end)) this.#later(() => this.input(end.node, { kind: 'closed', connection: end.connection, why: 'ECONNRESET' }));
  }

  #later(run: () => void, delay: Millis = this.latencyMs): void {
    this.#order += 1;
    this.#queue.push({ at: this.now + delay, order: this.#order, run });
  }
}

function parseCache(bytes: Uint8Array): readonly CachedAddress[] {
  const value: unknown = JSON.parse(String.fromCharCode(...bytes));
  return Array.isArray(value) ? (value as readonly CachedAddress[]) : [];
}
