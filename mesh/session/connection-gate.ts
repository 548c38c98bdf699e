/**
 * The door in front of the handshake (protocol.md §2.15): half-open connections, new connections per source, and the
 * CPU that strangers may cost. Half of the handshake budget is kept for addresses where members were last seen, so that
 * a flood of strangers cannot keep members out. Nothing here ever touches an identity's trust.
 */
import type { Millis } from '#core/time/time.ts';
import { GATE_LIMITS as LIMITS } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Who knocks. */
export interface Caller {
  /** An IPv4 address or an IPv6 /64. */
  readonly source: string;
  /** The machine behind it: its hardware address where that is known, else the source again. */
  readonly machine: string;
  /** Members were last seen at this address. */
  readonly known: boolean;
}

interface Source {
  readonly connections: TokenBucket;
  readonly lines: TokenBucket;
  halfOpen: number;
  suppressed: number;
}

/** Why a connection or a handshake is turned away. */
export type GateRefusal =
  'half-open' | 'half-open-source' | 'half-open-machine' | 'connection-rate' | 'connection-rate-machine' | 'connections' | 'handshake-budget';

/** Counts connections and handshakes by source, and by the machine behind several sources where that is known. */
export class ConnectionGate {
  readonly #sources = new Map<string, Source>();
  readonly #strangers: TokenBucket;
  readonly #members: TokenBucket;
  /** Event lines of all sources together. */
  readonly #lines: TokenBucket;
  #halfOpen = 0;
  #established = 0;

  /** @param handshakesPerSecond what the start-up self-benchmark allows, at most the limit */
  constructor(handshakesPerSecond: number, now: Millis) {
    const half = Math.max(1, Math.min(LIMITS.handshakesPerSecond, handshakesPerSecond) / 2);
    this.#strangers = new TokenBucket(half, half, now);
    this.#members = new TokenBucket(half, half, now);
    this.#lines = new TokenBucket(LIMITS.logLinesPerSecondTotal, LIMITS.logLinesPerSecondTotal, now);
  }

  /** Sources remembered at present. */
  get sourceCount(): number {
    return this.#sources.size;
  }

  /** A connection came in; when admitted it counts as half-open until {@link opened} or {@link abandoned}. */
  arrive({ source, machine, known }: Caller, now: Millis): GateRefusal | undefined {
    const entry = this.#source(source, now);
    const behind = machine === source ? null : this.#source(machineKey(machine), now);
    if (this.#established >= LIMITS.connectionsMax) return 'connections';
    if (!known && this.#halfOpen >= LIMITS.halfOpenMax) return 'half-open';
    if (entry.halfOpen >= LIMITS.halfOpenPerSourceMax * (known ? 4 : 1)) return 'half-open-source';
    if (!known && behind !== null && behind.halfOpen >= LIMITS.halfOpenPerMachineMax) return 'half-open-machine';
    if (!known && !entry.connections.take(1, now)) return 'connection-rate';
    if (!known && behind !== null && !behind.connections.take(1 / LIMITS.connectionsPerMachineFactor, now)) return 'connection-rate-machine';
    entry.halfOpen += 1;
    if (behind !== null) behind.halfOpen += 1;
    this.#halfOpen += 1;
    return undefined;
  }

  /** A handshake wants the public-key part done. A known address may use both halves of the budget. */
  spend(known: boolean, now: Millis): boolean {
    return (known && this.#members.take(1, now)) || this.#strangers.take(1, now);
  }

  /** The half-open connection authenticated. */
  opened(caller: Pick<Caller, 'source' | 'machine'>): void {
    this.abandoned(caller);
    this.#established += 1;
  }

  /** The half-open connection ended without authentication. */
  abandoned({ source, machine }: Pick<Caller, 'source' | 'machine'>): void {
    for (const key of machine === source ? [source] : [source, machineKey(machine)]) {
      const entry = this.#sources.get(key);
      if (entry !== undefined && entry.halfOpen > 0) entry.halfOpen -= 1;
    }
    if (this.#halfOpen > 0) this.#halfOpen -= 1;
  }

  /** An established connection ended. */
  closed(): void {
    if (this.#established > 0) this.#established -= 1;
  }

  /**
   * Whether another line about this source may be written now; a number is how many lines were swallowed since the
   * last one that was.
   */
  mayLog(source: string, now: Millis): number | undefined {
    const entry = this.#source(source, now);
    if (!entry.lines.take(1, now) || !this.#lines.take(1, now)) {
      entry.suppressed += 1;
      return undefined;
    }
    const swallowed = entry.suppressed;
    entry.suppressed = 0;
    return swallowed;
  }

  #source(key: string, now: Millis): Source {
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    if (this.#sources.size >= LIMITS.sourcesMax) this.#forgetIdle(now);
    const entry: Source = {
      connections: new TokenBucket(LIMITS.connectionsPerMinute / 60, LIMITS.connectionBurst, now),
      lines: new TokenBucket(LIMITS.logLinesPerSecond, LIMITS.logLinesPerSecond, now),
      halfOpen: 0,
      suppressed: 0,
    };
    this.#sources.set(key, entry);
    return entry;
  }

  #forgetIdle(now: Millis): void {
    for (const [key, entry] of this.#sources) {
      if (entry.halfOpen === 0 && entry.connections.isFull(now) && entry.lines.isFull(now)) this.#sources.delete(key);
    }
    for (const [key, entry] of this.#sources) {
      if (this.#sources.size < LIMITS.sourcesMax) return;
      if (entry.halfOpen === 0) this.#sources.delete(key);
    }
  }
}

/** Machines are counted beside sources; their names never meet. */
function machineKey(machine: string): string {
  return `machine ${machine}`;
}
