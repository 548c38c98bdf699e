/**
 * One machine that shows one strange identity after another (protocol.md §6, A11). Identities cost nothing, so they are
 * counted by what does: the machine, which is its hardware address where the neighbour table knows it (one that changes
 * its network address is still one), else its source address. Many of them become one alert, not many. Nothing is decided
 * by it but how a person is told; what strangers may do is bounded elsewhere.
 *
 * Invariants: at most `strangerMachinesMax` groups, `strangerIdentitiesMax` identities and `strangerAddressesMax` addresses
 * in each; every group is announced at most once.
 */
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';

/** Where somebody came from. */
export interface Machine {
  readonly key: string;
  readonly mac: string | null;
  readonly address: string;
}

/** What one machine has shown. */
export interface StrangerGroup {
  readonly mac: string | null;
  /** Network addresses it came from, oldest first. */
  readonly addresses: readonly string[];
  /** Different identities that proved themselves and belong to no member. */
  readonly identities: number;
  /** Of those and of connections from there, how many were turned away. */
  readonly turnedAway: number;
  /** Wall clock. */
  readonly firstAt: Millis;
  readonly lastAt: Millis;
}

interface Group {
  readonly mac: string | null;
  readonly addresses: Set<string>;
  readonly identities: Set<string>;
  turnedAway: number;
  readonly firstAt: Millis;
  lastAt: Millis;
  lastMono: Millis;
  /** When to tell: a little after the threshold, so that the one alert knows most of it. */
  announceAt: Millis;
  announced: boolean;
}

/** See the header. */
export class StrangerWatch {
  readonly #groups = new Map<string, Group>();

  /** A strange identity proved itself. */
  identity(machine: Machine, aid: string, now: Instant): void {
    const group = this.#group(machine, now);
    if (group.identities.size < LIMITS.strangerIdentitiesMax) group.identities.add(aid);
    if (!group.announced && group.announceAt === NEVER && group.identities.size >= LIMITS.strangerIdentitiesSuspect)
      group.announceAt = now.mono + LIMITS.strangerAlertDelayMs;
  }

  /** A connection or an identity from there was turned away. */
  turnedAway(machine: Machine, now: Instant): void {
    this.#group(machine, now).turnedAway += 1;
  }

  /** Groups that are alerts, newest first. */
  get alerts(): readonly StrangerGroup[] {
    return [...this.#groups.values()]
      .filter(isAlert)
      .map(viewOf)
      .toSorted((a, b) => b.lastAt - a.lastAt);
  }

  /** Groups to be announced now, each once; and the idle ones are forgotten. */
  tick(now: Instant): readonly StrangerGroup[] {
    const due: StrangerGroup[] = [];
    for (const [key, group] of this.#groups) {
      if (now.mono >= group.announceAt) {
        group.announced = true;
        group.announceAt = NEVER;
        due.push(viewOf(group));
      }
      if (now.mono - group.lastMono >= (isAlert(group) ? LIMITS.strangerAlertKeptMs : LIMITS.strangerWindowMs)) this.#groups.delete(key);
    }
    return due;
  }

  /** When the next announcement is due. */
  get wakeAt(): Millis {
    let earliest = NEVER;
    for (const { announceAt } of this.#groups.values()) earliest = Math.min(earliest, announceAt);
    return earliest;
  }

  #group(machine: Machine, now: Instant): Group {
    const known = this.#groups.get(machine.key);
    const group = known ?? {
      mac: machine.mac,
      addresses: new Set<string>(),
      identities: new Set<string>(),
      turnedAway: 0,
      firstAt: now.wall,
      lastAt: now.wall,
      lastMono: now.mono,
      announceAt: NEVER,
      announced: false,
    };
    if (known === undefined) {
      if (this.#groups.size >= LIMITS.strangerMachinesMax) this.#forgetLeast();
      this.#groups.set(machine.key, group);
    }
    if (group.addresses.size < LIMITS.strangerAddressesMax) group.addresses.add(machine.address);
    group.lastAt = now.wall;
    group.lastMono = now.mono;
    return group;
  }

  /** The one with the fewest identities, of those the longest idle: an alert is the last to go. */
  #forgetLeast(): void {
    let least: { readonly key: string; readonly group: Group } | undefined;
    for (const [key, group] of this.#groups) {
      const isLess = least === undefined || group.identities.size < least.group.identities.size;
      const isOlder = least !== undefined && group.identities.size === least.group.identities.size && group.lastMono < least.group.lastMono;
      if (isLess || isOlder) least = { key, group };
    }
    if (least !== undefined) this.#groups.delete(least.key);
  }
}

function isAlert(group: Group): boolean {
  return group.identities.size >= LIMITS.strangerIdentitiesSuspect;
}

function viewOf(group: Group): StrangerGroup {
  return {
    mac: group.mac,
    addresses: [...group.addresses],
    identities: group.identities.size,
    turnedAway: group.turnedAway,
    firstAt: group.firstAt,
    lastAt: group.lastAt,
  };
}
