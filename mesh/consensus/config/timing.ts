/**
 * The times that consensus goes by, validated together: each is only right relative to the others (protocol.md §3.2).
 * All in milliseconds of the monotonic clock.
 */
import type { Millis } from '#core/time/time.ts';

/** See the header. */
export interface Timing {
  /** A leader speaks at least so often. ≥ 2 × the 99th percentile of round trips; raise it where heartbeats crowd a slow network. */
  readonly heartbeatMs: Millis;
  /** Silence of the leader after which a follower may stand for election: drawn anew from this range every time. Votes are refused for the lower end after a leader was heard. ≥ 5 × heartbeat and ≥ 10 × the 99th percentile of fsync. */
  readonly electionMsMin: Millis;
  /** Twice the lower end splits votes rarely; nearer to it splits them often. */
  readonly electionMsMax: Millis;
  /** How long a confirmed heartbeat lets the leader act alone: ≤ electionMsMin · (1 − clockErrorPercent/100) − heartbeat. */
  readonly leaseMs: Millis;
  /** A leader that has written nothing for so long writes something, to see that its disk still does. */
  readonly probeMs: Millis;
  /** How much faster one machine's clock may run than another's, in per cent. */
  readonly clockErrorPercent: number;
}

/** The profiles that ship. */
export const TIMING_PROFILES = {
  /** Wired network, disks that confirm within some milliseconds. */
  lan: { heartbeatMs: 100, electionMsMin: 1_000, electionMsMax: 2_000, leaseMs: 700, probeMs: 5_000, clockErrorPercent: 5 },
  /** Wi-Fi and SD cards, which stall for a quarter of a second now and then. */
  sdcard: { heartbeatMs: 500, electionMsMin: 3_000, electionMsMax: 6_000, leaseMs: 2_000, probeMs: 10_000, clockErrorPercent: 5 },
} as const satisfies Record<string, Timing>;

/** Name of a profile. */
export type TimingProfile = keyof typeof TIMING_PROFILES;

/** What was measured where the times are to be used; 99th percentiles. */
export interface Measured {
  readonly roundTripMs: Millis;
  readonly fsyncMs: Millis;
}

/** Everything that is wrong with these times, each with its numbers; empty where they fit together (C-27). */
export function timingFaults(timing: Timing, measured: Measured | null = null): readonly string[] {
  const { heartbeatMs, electionMsMin, electionMsMax, leaseMs, probeMs, clockErrorPercent } = timing;
  const faults: string[] = [];
  for (const [name, value] of Object.entries(timing)) if (!(value > 0 && Number.isFinite(value))) faults.push(`${name} is ${value}: it must be above 0`);
  if (faults.length > 0) return faults;
  const leaseMsMax = leaseCeiling(timing);
  if (electionMsMin < 5 * heartbeatMs) faults.push(`electionMsMin ${electionMsMin} is below 5 × heartbeatMs = ${5 * heartbeatMs}`);
  if (electionMsMax < 1.5 * electionMsMin)
    faults.push(`electionMsMax ${electionMsMax} is below 1.5 × electionMsMin = ${1.5 * electionMsMin}: votes would split`);
  if (leaseMs > leaseMsMax)
    faults.push(`leaseMs ${leaseMs} is above electionMsMin · (1 − ${clockErrorPercent} %) − heartbeatMs = ${leaseMsMax}: two leaders could hold it at once`);
  if (probeMs < electionMsMin) faults.push(`probeMs ${probeMs} is below electionMsMin ${electionMsMin}: the disk would be written to for nothing`);
  if (measured === null) return faults;
  if (heartbeatMs < 2 * measured.roundTripMs) faults.push(`heartbeatMs ${heartbeatMs} is below 2 × the round trip of ${measured.roundTripMs} ms (p99)`);
  if (electionMsMin < 10 * measured.fsyncMs) faults.push(`electionMsMin ${electionMsMin} is below 10 × the fsync of ${measured.fsyncMs} ms (p99)`);
  return faults;
}

function leaseCeiling({ electionMsMin, heartbeatMs, clockErrorPercent }: Timing): Millis {
  return Math.floor((electionMsMin * (100 - clockErrorPercent)) / 100 - heartbeatMs);
}

/**
 * How far wall and monotonic clock may move apart from the confirmation of a lease on before it is void: a second, and
 * never more than what the lease leaves of the promise it stands on (a machine that slept that long would outlive it).
 */
export function clockJumpMsMax({ electionMsMin, leaseMs, clockErrorPercent }: Timing): Millis {
  return Math.min(1_000, Math.floor((electionMsMin * (100 - clockErrorPercent)) / 100 - leaseMs));
}
