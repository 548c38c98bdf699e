/**
 * Watches this machine's hardware: conditions every few seconds, capabilities now and then, and once at start the
 * difference to what the machine was before (PHYS-08). Says what changed; announcing it is the runtime's business.
 */
import { join } from 'node:path';
import type { FactsRoot } from '#agent/hardware/facts/facts-root.ts';
import type { HardwareRecord } from '#agent/hardware/facts/facts.ts';
import { readCapabilities, readConditions, readHardware } from '#agent/hardware/hardware.ts';
import { compareHardware, type HardwareDifference, hardwareChangedCondition } from '#agent/hardware/judge/compare-hardware.ts';
import { conditionChanges } from '#agent/hardware/judge/conditions.ts';
import { identifyProfile } from '#agent/hardware/profiles/identify-profile.ts';
import type { Log } from '#core/log/log.ts';
import { textOf, utf8 } from '#core/bytes/bytes.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { readWholeFile, replaceFile } from '#core/node/disk.ts';
import { DAY, HOUR, SECOND, type Millis } from '#core/time/time.ts';
import type { Capabilities, Condition, EventRecord } from '#mesh/swarm/views.ts';

/** Short of the 10 s within which the whole mesh is to know (PHYS-09); one look costs a fraction of a millisecond. */
const CONDITIONS_MS: Millis = 2 * SECOND;
const CAPABILITIES_MS: Millis = HOUR;
/** How long a hardware change stays in sight as a condition. */
const CHANGE_SHOWN_MS: Millis = DAY;
const RECORD_BYTES_MAX = 1024 * 1024;
const RECORD_NAME = 'hardware.json';

/** An event of the agent itself, before the mesh stamps it. */
export interface OwnEvent {
  readonly code: string;
  readonly severity: EventRecord['severity'];
  readonly text: string;
  readonly data?: EventRecord['data'];
}

export interface HardwareWatchOptions {
  readonly facts: FactsRoot;
  readonly stateDirectory: string;
  readonly agentVersion: string;
  readonly onChange: (capabilities: Capabilities, conditions: readonly Condition[]) => void;
  readonly onEvent: (event: OwnEvent) => void;
  readonly log: Log;
}

export class HardwareWatch {
  readonly #options: HardwareWatchOptions;
  readonly #record: HardwareRecord;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #capabilities: Capabilities;
  #conditions: readonly Condition[];

  private constructor(options: HardwareWatchOptions, record: HardwareRecord, capabilities: Capabilities, conditions: readonly Condition[]) {
    this.#options = options;
    this.#record = record;
    this.#capabilities = capabilities;
    this.#conditions = conditions;
  }

  /** Read everything once, compare with the last start, and remember. */
  static async open(options: HardwareWatchOptions): Promise<HardwareWatch> {
    const record = readHardware(options.facts);
    const capabilities = await readCapabilities(options.facts, options.agentVersion);
    const difference = compareWithLast(options, record);
    const now = Date.now();
    const changed = difference === null ? null : hardwareChangedCondition(difference, now);
    const watch = new HardwareWatch(options, record, capabilities, changed === null ? [] : [changed]);
    if (difference !== null && difference.changes.length > 0) options.onEvent(changeEvent(difference));
    watch.#poll();
    options.onChange(watch.#capabilities, watch.#conditions);
    return watch;
  }

  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  get conditions(): readonly Condition[] {
    return this.#conditions;
  }

  /** Which profile the hardware fits, and why. */
  get profileReason(): string {
    return identifyProfile(this.#record).reason;
  }

  start(): void {
    const guarded = (work: () => Promise<void> | void) => (): void => {
      Promise.resolve()
        .then(work)
        .catch((error: unknown) => {
          this.#options.log('warning', `hardware could not be read: ${messageOf(error)}`);
        });
    };
    this.#timers.push(
      setInterval(
        guarded(() => {
          this.#poll();
        }),
        CONDITIONS_MS,
      ).unref(),
    );
    this.#timers.push(
      setInterval(
        guarded(() => this.#readCapabilities()),
        CAPABILITIES_MS,
      ).unref(),
    );
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** A person has let this machine in as it is now: that it was another one before is settled (PHYS-08). */
  acknowledge(): void {
    const now = Date.now();
    this.#adopt(
      this.#conditions.map((condition) => (condition.kind === 'hardware-changed' && condition.until === null ? { ...condition, until: now } : condition)),
    );
  }

  #poll(): void {
    const now = Date.now();
    const before = this.#conditions.filter((condition) => condition.kind !== 'hardware-changed' || now - condition.since < CHANGE_SHOWN_MS);
    this.#adopt(readConditions(this.#options.facts, identifyProfile(this.#record).profile, before, now));
  }

  #adopt(after: readonly Condition[]): void {
    const { started, ended, worsened } = conditionChanges(this.#conditions, after);
    this.#conditions = after;
    for (const condition of started) this.#options.onEvent(conditionEvent('CONDITION_BEGAN', condition));
    for (const condition of worsened) this.#options.onEvent(conditionEvent('CONDITION_WORSENED', condition));
    for (const condition of ended) this.#options.onEvent(conditionEvent('CONDITION_ENDED', condition));
    if (started.length + ended.length + worsened.length > 0) this.#options.onChange(this.#capabilities, after);
  }

  async #readCapabilities(): Promise<void> {
    this.#capabilities = await readCapabilities(this.#options.facts, this.#options.agentVersion);
    this.#options.onChange(this.#capabilities, this.#conditions);
  }
}

function compareWithLast({ stateDirectory, log }: HardwareWatchOptions, record: HardwareRecord): HardwareDifference | null {
  const path = join(stateDirectory, RECORD_NAME);
  const text = JSON.stringify(record);
  const stored = readWholeFile(path, RECORD_BYTES_MAX);
  const before = stored === undefined ? undefined : (textOf(stored) ?? '');
  if (before !== text) replaceFile(path, utf8(text));
  if (before === undefined || before === text) return null;
  try {
    return compareHardware(JSON.parse(before) as HardwareRecord, record); // our own file, written above
  } catch (error) {
    log('warning', `the hardware remembered in ${path} cannot be compared: ${messageOf(error)}`);
    return null;
  }
}

function changeEvent(difference: HardwareDifference): OwnEvent {
  const data = Object.fromEntries(
    difference.changes.flatMap(({ what, before, after }) => [
      [`${what}: before`, before],
      [`${what}: after`, after],
    ]),
  );
  return { code: 'HARDWARE_CHANGED', severity: difference.identityChanged ? 'critical' : 'warning', text: difference.text.replaceAll('\n', '; '), data };
}

function conditionEvent(code: string, condition: Condition): OwnEvent {
  const { kind, value, worst, unit, since, until } = condition;
  return { code, severity: code === 'CONDITION_ENDED' ? 'info' : condition.severity, text: condition.text, data: { kind, value, worst, unit, since, until } };
}
