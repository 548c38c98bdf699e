/**
 * One judgement per kind of condition: is it there now, how bad is it, and what should a person do. Pure; the thresholds come from
 * the hardware profile, the fixed ones stand here and in docs/HARDWARE.md.
 */
import type { Condition, ConditionKind } from '#mesh/swarm/views.ts';
import type { LiveFacts } from '../facts/facts.ts';
import { limits } from '../limits.ts';
import type { HardwareProfile } from '../profiles/profile.ts';

/** What one look says about one kind. */
export interface Signal {
  readonly severity: Condition['severity'];
  readonly text: string;
  readonly value: number | null;
  readonly unit: string | null;
  /** Not now, but at some time since boot. */
  readonly past: boolean;
}

type Judge = (facts: LiveFacts, profile: HardwareProfile, open: boolean) => Signal | null;

const MEBIBYTE = 1024 * 1024;
/** Percent added to a free-space or free-memory threshold before an open condition clears. */
const CLEARING_PERCENT = 3;
/** Share of the threshold below which it is critical. */
const CRITICAL_SHARE = 0.3;
const MEMORY_STALL_PERCENT = 20;

function now(severity: Condition['severity'], text: string, value: number | null, unit: string | null): Signal {
  return { severity, text, value, unit, past: false };
}

const underVoltage: Judge = (facts, profile) => {
  const below = profile.limits.underVoltageVolts === null ? '' : ` below ${profile.limits.underVoltageVolts} V`;
  if (facts.underVoltage === true)
    return now('warning', `the power supply sags${below}: the board may corrupt its card or restart. ${profile.power}`, null, 'V');
  if (facts.underVoltageSinceBoot !== true) return null;
  return { severity: 'notice', text: `the power supply sagged${below} at some time since boot. ${profile.power}`, value: null, unit: 'V', past: true };
};

const throttled: Judge = (facts, profile) => {
  const at = facts.temperatureCelsius === null ? '' : ` at ${Math.round(facts.temperatureCelsius)} °C`;
  const cause = facts.underVoltage === true ? `because the power supply sags. ${profile.power}` : `to stay within its limits${at}. ${profile.cooling}`;
  if (facts.throttled === true)
    return now('warning', `the processor is slowed down ${cause}`, facts.temperatureCelsius, facts.temperatureCelsius === null ? null : '°C');
  if (facts.throttledSinceBoot !== true) return null;
  return { severity: 'notice', text: `the processor was slowed down at some time since boot. ${profile.cooling}`, value: null, unit: null, past: true };
};

const hot: Judge = (facts, profile, open) => {
  const celsius = facts.temperatureCelsius;
  const { hotCelsius, criticalCelsius, hysteresisCelsius } = profile.limits;
  if (celsius === null || celsius < (open ? hotCelsius - hysteresisCelsius : hotCelsius)) return null;
  const severity = celsius >= criticalCelsius ? 'critical' : 'warning';
  return now(
    severity,
    `the processor is at ${Math.round(celsius)} °C; hot from ${hotCelsius} °C, critical from ${criticalCelsius} °C. ${profile.cooling}`,
    celsius,
    '°C',
  );
};

const storageReadOnly: Judge = (facts) =>
  facts.storageReadOnly === true
    ? now(
        'critical',
        'the file system that holds the node is read-only, so nothing new can be kept: a card or disk that fails does this. Look at dmesg, save what matters, replace the card, then restart',
        null,
        null,
      )
    : null;

const storageWorn: Judge = (facts) => {
  const worn = facts.wornPercent;
  const errors = facts.fileSystemErrors ?? 0;
  if ((worn !== null && worn > 100) || facts.reserveState === 3) {
    return now(
      'critical',
      `the flash memory has passed its rated life${worn === null ? '' : ` (${worn} %)`}: it may turn read-only at any time. Replace it now`,
      worn,
      '%',
    );
  }
  if ((worn !== null && worn >= 90) || facts.reserveState === 2) {
    return now(
      'warning',
      `the flash memory has used ${worn === null ? 'four fifths of its reserve blocks' : `${worn} % of its rated life`}. Plan a replacement`,
      worn,
      '%',
    );
  }
  if (errors > 0) {
    return now(
      'warning',
      `the file system has recorded ${errors} ${errors === 1 ? 'error' : 'errors'}: the card, its contact or the power supply is bad. Check it with fsck, replace the card if errors return`,
      errors,
      'errors',
    );
  }
  return null;
};

const storageFilling: Judge = (facts, profile, open) => {
  const space = facts.storage;
  if (space === null || space.bytes <= 0) return null;
  const percent = (space.freeBytes / space.bytes) * 100;
  const threshold = profile.limits.storageFreePercentMin;
  if (percent >= threshold + (open ? CLEARING_PERCENT : 0)) return null;
  const severity = percent < threshold * CRITICAL_SHARE ? 'critical' : 'warning';
  const text = `${Math.round(percent)} % of the storage is free (${mebibytes(space.freeBytes)} of ${mebibytes(space.bytes)}); below ${threshold} % work that writes is refused. Delete or move data`;
  return now(severity, text, round(percent), '% free');
};

const memoryLow: Judge = (facts, profile, open) => {
  if (facts.memory === null || facts.memory.bytes <= 0) return null;
  const percent = (facts.memory.availableBytes / facts.memory.bytes) * 100;
  const threshold = profile.limits.memoryAvailablePercentMin;
  const stalled = (facts.memoryStallPercent ?? 0) >= MEMORY_STALL_PERCENT;
  if (!stalled && percent >= threshold + (open ? CLEARING_PERCENT : 0)) return null;
  const severity = percent < threshold * CRITICAL_SHARE || stalled ? 'critical' : 'warning';
  const wait = stalled ? `, and all work waits for memory ${Math.round(facts.memoryStallPercent ?? 0)} % of the time` : '';
  return now(
    severity,
    `${mebibytes(facts.memory.availableBytes)} of ${mebibytes(facts.memory.bytes)} memory are available${wait}. Stop a large program or move its work to another node`,
    round(percent),
    '% available',
  );
};

const clockUnsynchronised: Judge = (facts) =>
  facts.clockSynchronised === false && (facts.uptimeSeconds ?? 0) >= limits.clockGraceSeconds
    ? now(
        'notice',
        'the clock is not synchronised: times in logs and expiries shown may be wrong. Check that a time server can be reached (timedatectl timesync-status)',
        null,
        null,
      )
    : null;

/** All judgements in the order they are shown; `worse` picks the worse of two values. */
export const judges: readonly { readonly kind: ConditionKind; readonly judge: Judge; readonly worse: (a: number, b: number) => number }[] = [
  { kind: 'storage-read-only', judge: storageReadOnly, worse: (a, b) => Math.max(a, b) },
  { kind: 'under-voltage', judge: underVoltage, worse: (a, b) => Math.min(a, b) },
  { kind: 'hot', judge: hot, worse: (a, b) => Math.max(a, b) },
  { kind: 'throttled', judge: throttled, worse: (a, b) => Math.max(a, b) },
  { kind: 'storage-worn', judge: storageWorn, worse: (a, b) => Math.max(a, b) },
  { kind: 'storage-filling', judge: storageFilling, worse: (a, b) => Math.min(a, b) },
  { kind: 'memory-low', judge: memoryLow, worse: (a, b) => Math.min(a, b) },
  { kind: 'clock-unsynchronised', judge: clockUnsynchronised, worse: (a, b) => Math.max(a, b) },
];

function mebibytes(bytes: number): string {
  const mebi = bytes / MEBIBYTE;
  return mebi >= 1024 ? `${round(mebi / 1024)} GiB` : `${Math.round(mebi)} MiB`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
