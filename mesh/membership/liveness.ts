/**
 * Who is up, suspect or down, as seen from here (protocol.md §2.15 "heartbeat"). Pure: fed with what was heard and with
 * the present, it answers with changes and with the links that want a PING. A broken connection is a reason to ask at
 * once, never proof of death; our own stalls are subtracted from everybody's silence (Lifeguard's self-awareness).
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import { MEMBERSHIP_LIMITS as LIMITS } from './limits.ts';

/** How a member is seen from here; `left` ones said so themselves. */
export type Liveness = 'up' | 'suspect' | 'down' | 'left';

/** A fact about one member, for the layers above. */
export interface LivenessChange {
  readonly id: string;
  readonly from: Liveness;
  readonly to: Liveness;
  /** Plain cause: "no frame for 15 200 ms", "connection reset and redial refused". */
  readonly why: string;
}

interface Member {
  state: Liveness;
  linked: boolean;
  /** Monotonic; valid once `heardOnce`. */
  heardAt: Millis;
  pingAt: Millis;
  suspectAt: Millis;
  /** Deadline of the redial that decides about a broken link; NEVER when none is under way. */
  probeUntil: Millis;
  intervalMean: number;
  intervalDeviation: number;
  intervals: number;
  rttMs: number | null;
}

/** The liveness of every member this node knows; owns no clock. */
export class LivenessTable {
  readonly #members = new Map<string, Member>();
  /** Own stall that has not been credited to the members yet. */
  #lagMs = 0;

  /** Start watching a member that has never been heard in this run. */
  add(id: string, now: Millis): void {
    if (this.#members.has(id)) return;
    this.#members.set(id, {
      state: 'down',
      linked: false,
      heardAt: now,
      pingAt: NEVER,
      suspectAt: now,
      probeUntil: NEVER,
      intervalMean: LIMITS.pingEveryMs,
      intervalDeviation: LIMITS.deviationMsMin,
      intervals: 0,
      rttMs: null,
    });
  }

  /** Stop watching. */
  remove(id: string): void {
    this.#members.delete(id);
  }

  /** The present judgement; `down` for strangers. */
  state(id: string): Liveness {
    return this.#members.get(id)?.state ?? 'down';
  }

  /** Last measured round trip in milliseconds, null before the first. */
  rtt(id: string): number | null {
    return this.#members.get(id)?.rttMs ?? null;
  }

  /** A link to the member is authenticated and open. */
  linkUp(id: string, now: Millis): LivenessChange | undefined {
    this.add(id, now);
    const member = this.#members.get(id);
    if (member === undefined) return undefined;
    member.linked = true;
    member.heardAt = now;
    member.pingAt = now + LIMITS.pingEveryMs;
    member.probeUntil = NEVER;
    return this.#become(id, member, 'up', now, 'link established');
  }

  /** An authenticated frame came. */
  heard(id: string, now: Millis): LivenessChange | undefined {
    const member = this.#members.get(id);
    if (member === undefined) return undefined;
    const interval = now - member.heardAt;
    member.heardAt = now;
    if (interval >= LIMITS.pingEveryMs / 2) {
      // Only heartbeat-like gaps teach us anything; a burst of requests says nothing about the next silence.
      const difference = Math.abs(interval - member.intervalMean);
      member.intervalMean += (interval - member.intervalMean) / 8;
      member.intervalDeviation += (difference - member.intervalDeviation) / 8;
      member.intervals += 1;
    }
    return member.state === 'up' || !member.linked ? undefined : this.#become(id, member, 'up', now, 'heard again');
  }

  /** A PONG came back. */
  roundTrip(id: string, rttMs: number): void {
    const member = this.#members.get(id);
    if (member !== undefined) member.rttMs = rttMs;
  }

  /** The connection broke without a farewell: the dialler is to try at once, and this starts the clock for it. */
  linkBroken(id: string, now: Millis): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.linked = false;
    member.pingAt = NEVER;
    if (member.state === 'up') member.probeUntil = now + LIMITS.probeMsMax;
  }

  /** The redial after a broken link was refused or timed out. */
  probeFailed(id: string, now: Millis, why: string): LivenessChange | undefined {
    const member = this.#members.get(id);
    if (member === undefined || member.linked || member.state !== 'up') return undefined;
    return this.#become(id, member, 'suspect', now, `connection lost, ${why}`);
  }

  /** The peer said goodbye: stopped on purpose, or left the mesh. */
  farewell(id: string, now: Millis, left: boolean): LivenessChange | undefined {
    const member = this.#members.get(id);
    if (member === undefined) return undefined;
    member.linked = false;
    member.pingAt = NEVER;
    return this.#become(id, member, left ? 'left' : 'down', now, left ? 'left the mesh' : 'stopped in an orderly way');
  }

  /** Our own event loop stood still for so long; nobody else is to blame for that silence. */
  stalled(lagMs: Millis): void {
    this.#lagMs += lagMs;
  }

  /** Advance time: changes of state, and the members whose link wants a PING now. */
  tick(now: Millis): { readonly changes: readonly LivenessChange[]; readonly pings: readonly string[] } {
    const changes: LivenessChange[] = [];
    const pings: string[] = [];
    const lag = this.#lagMs;
    this.#lagMs = 0;
    for (const [id, member] of this.#members) {
      if (lag > 0) {
        member.heardAt = Math.min(now, member.heardAt + lag);
        if (member.state === 'suspect') member.suspectAt = Math.min(now, member.suspectAt + lag);
      }
      if (member.linked && now >= member.pingAt) {
        pings.push(id);
        member.pingAt = now + LIMITS.pingEveryMs;
      }
      const change = this.#judge(id, member, now);
      if (change !== undefined) changes.push(change);
    }
    return { changes, pings };
  }

  /** When {@link tick} is next needed. */
  wakeAt(): Millis {
    let earliest: Millis = NEVER;
    for (const member of this.#members.values()) {
      earliest = Math.min(earliest, member.pingAt);
      if (member.state === 'up') earliest = Math.min(earliest, member.linked ? member.heardAt + patience(member) : member.probeUntil);
      if (member.state === 'suspect') earliest = Math.min(earliest, member.suspectAt + LIMITS.downAfterSuspectMs);
    }
    return earliest;
  }

  #judge(id: string, member: Member, now: Millis): LivenessChange | undefined {
    if (member.state === 'up' && member.linked && now >= member.heardAt + patience(member)) {
      return this.#become(id, member, 'suspect', now, `no frame for ${Math.round(now - member.heardAt)} ms`);
    }
    if (member.state === 'up' && !member.linked && now >= member.probeUntil) {
      return this.#become(id, member, 'suspect', now, `connection lost, redial not answered within ${LIMITS.probeMsMax} ms`);
    }
    if (member.state === 'suspect' && now >= member.suspectAt + LIMITS.downAfterSuspectMs) {
      return this.#become(id, member, 'down', now, `suspect for ${Math.round(now - member.suspectAt)} ms without an answer`);
    }
    return undefined;
  }

  #become(id: string, member: Member, to: Liveness, now: Millis, why: string): LivenessChange | undefined {
    const from = member.state;
    member.state = to;
    member.probeUntil = NEVER;
    if (to === 'suspect') member.suspectAt = now;
    return from === to ? undefined : { id, from, to, why };
  }
}

/** How much silence this member is allowed: φ ≥ 8 once enough was seen, 15 s at the latest (§2.15). */
function patience(member: Member): Millis {
  if (member.intervals < LIMITS.intervalSamplesMin) return LIMITS.suspectAfterMs;
  const deviation = Math.max(LIMITS.deviationMsMin, member.intervalDeviation * 1.25);
  return Math.min(LIMITS.suspectAfterMs, member.intervalMean + (deviation * LIMITS.phiDeviationsThousandths) / 1_000);
}
