/**
 * One computer of the world: a disk, clocks, an address, and while it is on, one run of a node. A run is everything
 * between two starts; what goes into it is written down, so that its memory can be had again, as it was at any input:
 * that is what a snapshot of a virtual machine with its memory is.
 */
import { crc32 } from 'node:zlib';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createRng, type Entropy } from '#core/random/random.ts';
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import { decodeBoot, makeBoot, type StartReason } from '#mesh/hcth/boot-event.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { ownBoots, packStatement, readOwnStatements } from '#mesh/hcth/own-statements.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { decideStart } from '#mesh/hcth/incarnation.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import type { LocalIdentity } from '#mesh/session/host.ts';
import type { SwarmOptions } from '#mesh/swarm/core.ts';
import type { Reply, SwarmEffects, SwarmInput } from '#mesh/swarm/step.ts';
import { Swarm } from '#mesh/swarm/swarm.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';
import { SOME_CAPABILITIES } from '#mesh/swarm/world.ts';
import { assert } from '#core/errors/assert.ts';
import { MachineClock } from './clock.ts';
import { Disk, type DiskImage, peerCacheOf } from './disk.ts';

const PORT = 7_411;
/** Full handshakes per second that a machine can afford. */
const HANDSHAKES_PER_SECOND = 20;

/** Reproducible bytes in the place of the operating system's. */
export function seededEntropy(seed: string): Entropy {
  const rng = createRng(seed);
  return (byteCount) => {
    const bytes = new Uint8Array(byteCount);
    for (let index = 0; index < byteCount; index += 1) bytes[index] = rng.next() * 256;
    return bytes;
  };
}

/** Everything a run starts from. Two runs with equal starts and equal inputs are equal. */
export interface RunStart {
  readonly seed: string;
  readonly image: DiskImage;
  readonly identity: LocalIdentity;
  readonly why: StartReason;
  readonly name: string;
  readonly at: Instant;
}

/** One run of a node. */
export class Run {
  readonly start: RunStart;
  readonly swarm: Swarm;
  /** Names this run without holding its memory. */
  readonly mark = Symbol('run');
  /** What went in, and when by the machine's own clocks, where memories are wanted. */
  readonly #recorded: { readonly input: SwarmInput; readonly at: Instant }[] | null;
  #inputCount = 0;
  /** Checksum of everything it has sent: two memories that are the same have sent the same. */
  sent = 0;
  /** Where in its inputs its random bytes began to come from somewhere else: it is a memory that woke up there. */
  readonly #awakenings: { readonly at: number; readonly seed: string }[] = [];
  #entropy: Entropy;

  /** @param recorded whether its memory can be had again: everything that goes in is kept then */
  constructor(crypto: CryptoPort, start: RunStart, recorded: boolean) {
    this.start = start;
    this.#recorded = recorded ? [] : null;
    this.#entropy = seededEntropy(`${start.seed}/entropy`);
    this.swarm = new Swarm(
      optionsOf(crypto, start, (byteCount) => this.#entropy(byteCount)),
      start.at,
    );
  }

  /** Inputs so far. */
  get inputCount(): number {
    return this.#inputCount;
  }

  step(input: SwarmInput, at: Instant): SwarmEffects {
    this.#inputCount += 1;
    this.#recorded?.push({ input, at });
    const effects = this.swarm.step(input, at);
    for (const { bytes } of effects.send) this.sent = crc32(bytes, this.sent);
    return effects;
  }

  /** The memory of this run as it was after so many inputs, a second time; what it does from then on is its own. */
  remembered(crypto: CryptoPort, snapshot: Pick<RamSnapshot, 'inputCount' | 'sent'>, newSeed: string | null): Run {
    const twin = new Run(crypto, this.start, true);
    for (let index = 0; index < snapshot.inputCount; index += 1) {
      for (const { at, seed } of this.#awakenings) if (at === index) twin.#awake(seed);
      const recorded = this.#recorded?.[index];
      assert(recorded !== undefined, 'a run is remembered as far as it went, where memories are wanted');
      twin.step(recorded.input, recorded.at);
    }
    assert(twin.sent === snapshot.sent, 'a memory is the same the second time');
    if (newSeed !== null) twin.#awake(newSeed);
    return twin;
  }

  #awake(seed: string): void {
    this.#awakenings.push({ at: this.#inputCount, seed });
    this.#entropy = seededEntropy(seed);
  }
}

function optionsOf(crypto: CryptoPort, start: RunStart, entropy: Entropy): SwarmOptions {
  const { image } = start;
  return {
    crypto,
    entropy,
    rng: createRng(`${start.seed}/choices`),
    identity: start.identity,
    startReason: start.why,
    degraded: [],
    facts: { name: start.name, capabilities: SOME_CAPABILITIES, conditions: [] },
    port: PORT,
    ledger: image.ledger,
    peers: [...image.peers.values()],
    statements: image.statements,
    documents: {
      membership: image.documents.get('membership') ?? null,
      intent: image.documents.get('intent') ?? null,
      tokenSecrets: image.documents.get('token-secrets') ?? null,
      peerCache: peerCacheOf(image),
    },
    evidence: [...image.evidence].map(([name, record]) => ({ name, record })),
    ownBoots: ownBoots(image.statements, crypto),
    handshakesPerSecond: HANDSHAKES_PER_SECOND,
  };
}

/** All machines that hold one identity. */
export interface Lineage {
  readonly name: string;
  readonly text: string;
  /** As it was made; rotations stand on the disks of the machines that made them. */
  readonly identity: Identity;
  /** Newest rotation that any machine of it has made. */
  rotations: number;
  readonly machines: Machine[];
  /** What has been done to it, by the simulator's own account. */
  restored: boolean;
  cloned: boolean;
  forked: boolean;
}

/** Something on its way: bytes, or the end of the connection in order or at once. */
export type Arrival = Uint8Array | 'fin' | 'rst';

/** One end of a connection. */
export interface End {
  readonly machine: Machine;
  readonly connection: number;
  other: End | null;
  open: boolean;
  paused: boolean;
  /** On the way to this end, in order, with the times of arrival. */
  readonly inbox: { readonly at: Millis; readonly item: Arrival }[];
  scheduled: boolean;
}

/** A memory to come back to. */
export interface RamSnapshot {
  readonly run: Run;
  readonly inputCount: number;
  readonly sent: number;
  readonly image: DiskImage;
  /** Connections and dials that were open: they are dead for whoever wakes up. */
  readonly connections: readonly number[];
  readonly dials: readonly number[];
  readonly takenAt: Millis;
  readonly clock: MachineClock;
}

/** How a machine begins a run. */
export interface Beginning {
  readonly reason: 'start' | 'clock-jump' | 'restore';
  /** Incarnation that others have proved to be taken already; 0 where they have not. */
  readonly atLeast: number;
  /** Whether its memory will be asked for. */
  readonly recorded: boolean;
}

/** See the header. */
export class Machine {
  readonly index: number;
  readonly name: string;
  readonly address: Address;
  readonly lineage: Lineage;
  readonly crypto: CryptoPort;
  clock = new MachineClock();
  disk: Disk;
  powered = false;
  run: Run | null = null;
  runs = 0;
  /** Ends of its connections by number; dials under way. */
  readonly ends = new Map<number, End>();
  readonly dials = new Set<number>();
  nextAccepted = 1;
  /** When the world has to wake it. */
  wakeAt: Millis = NEVER;
  readonly events: EventRecord[] = [];
  readonly replies = new Map<number, Reply>();
  /** Its history has been broken by the simulator: its judgements may be wrong. */
  tampered = false;

  constructor(options: {
    readonly index: number;
    readonly name: string;
    readonly address: Address;
    readonly lineage: Lineage;
    readonly crypto: CryptoPort;
    readonly image: DiskImage;
  }) {
    this.index = options.index;
    this.name = options.name;
    this.address = options.address;
    this.lineage = options.lineage;
    this.crypto = options.crypto;
    this.disk = new Disk(options.image);
  }

  /** Its keys, as they stand on its disk. */
  get identity(): Identity {
    return this.disk.identity ?? this.lineage.identity;
  }

  /** An older state of this disk, or another one's. */
  diskFrom(image: DiskImage): Disk {
    return new Disk(image);
  }

  /** Begin the next incarnation as the driver does (mesh/driver/identity-store.ts): durable before anything is signed. */
  begin(seed: string, now: Millis, { reason, atLeast, recorded }: Beginning): Run {
    const stored = this.disk.incarnation;
    const decision = decideStart({
      slots: stored === null ? [] : [{ kind: 'stored', stored }],
      spokenBefore: stored !== null,
      provenByOthers: Math.max(0, atLeast - 1),
      reason,
    });
    assert(decision.kind === 'start', 'a simulated machine always starts');
    const nonce = seededEntropy(`${seed}/nonce`)(16);
    this.disk.writeIncarnation({ incarnation: decision.incarnation, nonce, why: decision.why });
    const { established, signKey, staticKey } = this.identity;
    const own = readOwnStatements(this.crypto, this.disk.image().statements);
    const bootObject = makeBoot(this.crypto, signKey, {
      aid: established.aid,
      incarnation: decision.incarnation,
      nonce,
      establishmentHead: established.head,
      previousBoot: own.boot,
      previousStatement: own.statement,
      why: decision.why,
      software: 'simulated',
    });
    this.disk.write([{ kind: 'statement', record: packStatement(bootObject), durable: true }]);
    const boot = decodeBoot(bootObject.body);
    assert(boot !== undefined, 'a boot event of our own decodes');
    const start: RunStart = {
      seed,
      image: this.disk.image(),
      identity: { aid: established.aid, text: aidText(established.aid), signKey, staticKey, established, bootObject, boot },
      why: decision.why,
      name: this.lineage.name,
      at: this.clock.at(now),
    };
    return new Run(this.crypto, start, recorded);
  }
}
