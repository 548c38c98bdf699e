/**
 * Reads what changes by the second. A poll every 5 s must stay under 2 ms, so the places to read are found once, when a
 * `Sensors` is made, and a poll only opens those.
 */
import type { FactsRoot } from './facts-root.ts';
import type { LiveFacts } from './facts.ts';
import { allowedMemoryLeft, readAllowance } from './allowance.ts';
import { kibibytes, readVirtualisation } from './machine.ts';
import { mountOf, readMounts } from './storage.ts';

/** Places found once; `read` opens them again. Holds no facts itself. */
export class Sensors {
  readonly #root: FactsRoot;
  readonly #temperatures: readonly string[];
  readonly #alarms: readonly string[];
  readonly #coolers: readonly string[];
  readonly #flashes: readonly string[];
  readonly #errorCounts: readonly string[];
  readonly #contained: boolean;

  constructor(root: FactsRoot) {
    this.#root = root;
    this.#contained = readVirtualisation(root, '').virtualisation === 'container';
    this.#temperatures = temperaturePlaces(root);
    this.#alarms = named(root, '/sys/class/hwmon', 'name', /^rpi_volt$/).map((at) => `${at}/in0_lcrit_alarm`);
    this.#coolers = named(root, '/sys/class/thermal', 'type', /^(thermal-)?cpufreq|^Processor$/i).map((at) => `${at}/cur_state`);
    this.#flashes = root
      .list('/sys/block')
      .filter((name) => /^mmcblk\d+$/.test(name))
      .map((name) => `/sys/block/${name}/device`);
    this.#errorCounts = root.list('/sys/fs/ext4').map((name) => `/sys/fs/ext4/${name}/errors_count`);
  }

  read(): LiveFacts {
    const root = this.#root;
    const allowedBytes = readAllowance(root).memoryBytes;
    const meminfo = root.text('/proc/meminfo') ?? '';
    const memoryBytes = kibibytes(meminfo, 'MemTotal');
    const availableBytes = kibibytes(meminfo, 'MemAvailable');
    const flags = throttledFlags(root.throttledReport());
    const alarms = this.#numbers(this.#alarms);
    const coolers = this.#numbers(this.#coolers);
    const mount = mountOf(readMounts(root), root.statePath);
    return {
      temperatureCelsius: this.#temperature(),
      underVoltage: alarms.length > 0 ? alarms.some((alarm) => alarm > 0) || flags?.underVoltage === true : (flags?.underVoltage ?? null),
      throttled: coolers.length > 0 || flags !== null ? coolers.some((state) => state > 0) || flags?.throttled === true : null,
      underVoltageSinceBoot: flags?.underVoltageSinceBoot ?? null,
      throttledSinceBoot: flags?.throttledSinceBoot ?? null,
      storageReadOnly: mount?.readOnly ?? null,
      storage: root.space(root.exists(root.statePath) ? root.statePath : '/'),
      wornPercent: this.#worn(),
      reserveState: greatest(this.#flashes.map((at) => reserve(root.text(`${at}/pre_eol_info`)))),
      fileSystemErrors: greatest(this.#numbers(this.#errorCounts)),
      memory: memoryBytes === null || availableBytes === null ? null : withinAllowance(root, allowedBytes, { bytes: memoryBytes, availableBytes }),
      memoryStallPercent: stall(root.text('/proc/pressure/memory')),
      clockSynchronised: clockSynchronised(root, this.#contained),
      uptimeSeconds: firstNumber(root.text('/proc/uptime')),
    };
  }

  #numbers(places: readonly string[]): number[] {
    return places.map((place) => firstNumber(this.#root.text(place))).filter((value) => value !== null);
  }

  #temperature(): number | null {
    // Sensors answer in thousandths; a broken one answers nonsense (-40, 0, 255), which is no fact.
    const sane = this.#numbers(this.#temperatures).filter((value) => value > 0 && value < 150_000);
    const hottest = greatest(sane);
    return hottest === null ? null : Math.round(hottest / 100) / 10;
  }

  #worn(): number | null {
    const steps = this.#flashes.flatMap((at) => (this.#root.text(`${at}/life_time`) ?? '').split(/\s+/)).map((text) => Number.parseInt(text, 16));
    const worst = greatest(steps.filter((step) => step >= 1 && step <= 11));
    return worst === null ? null : worst * 10;
  }
}

/** The bits of `vcgencmd get_throttled`: 0–3 now, 16–19 since boot. */
export function throttledFlags(report: string | null): Record<'underVoltage' | 'throttled' | 'underVoltageSinceBoot' | 'throttledSinceBoot', boolean> | null {
  const bits = Number.parseInt(/^(?:throttled=)?(?:0x)?([0-9a-f]+)$/i.exec(report?.trim() ?? '')?.[1] ?? '', 16);
  if (!Number.isSafeInteger(bits)) return null;
  const has = (mask: number): boolean => (bits & mask) !== 0;
  // 1: sags · 2: clock capped · 4: slowed down · 8: soft temperature limit.
  return { underVoltage: has(0x1), throttled: has(0xe), underVoltageSinceBoot: has(0x10000), throttledSinceBoot: has(0xe0000) };
}

/** Processor sensors where there are any; else every thermal zone. */
function temperaturePlaces(root: FactsRoot): readonly string[] {
  const zones = named(root, '/sys/class/thermal', 'type', /cpu|soc|pkg_temp|package|bigcore|littlecore|center/i).filter((at) => at.includes('/thermal_zone'));
  if (zones.length > 0) return zones.map((at) => `${at}/temp`);
  const monitors = named(root, '/sys/class/hwmon', 'name', /^(coretemp|k10temp|zenpower|cpu_thermal)$/).map((at) => `${at}/temp1_input`);
  if (monitors.length > 0) return monitors;
  return named(root, '/sys/class/thermal', 'type', /./)
    .filter((at) => at.includes('/thermal_zone'))
    .map((at) => `${at}/temp`);
}

/** Folders of a class whose name file matches. */
function named(root: FactsRoot, folder: string, file: string, pattern: RegExp): readonly string[] {
  return root
    .list(folder)
    .map((name) => `${folder}/${name}`)
    .filter((at) => pattern.test(root.text(`${at}/${file}`) ?? ''));
}

function firstNumber(text: string | null): number | null {
  const value = Number.parseFloat(text ?? '');
  return Number.isFinite(value) ? value : null;
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function reserve(text: string | null): number | null {
  const value = Number.parseInt(text ?? '', 16);
  return value >= 1 && value <= 3 ? value : null;
}

function stall(pressure: string | null): number | null {
  return firstNumber(/^full avg10=([\d.]+)/m.exec(pressure ?? '')?.[1] ?? null);
}

type Memory = NonNullable<LiveFacts['memory']>;

/** In a container with a limit, the limit is the memory there is. */
function withinAllowance(root: FactsRoot, allowedBytes: number | null, machine: Memory): Memory {
  if (allowedBytes === null || allowedBytes >= machine.bytes) return machine;
  const left = allowedMemoryLeft(root, allowedBytes);
  return { bytes: allowedBytes, availableBytes: left === null ? Math.min(machine.availableBytes, allowedBytes) : Math.min(machine.availableBytes, left) };
}

/** systemd-timesyncd leaves a file once it has set the clock; for every other time service the kernel is asked. A container's clock is its host's affair. */
function clockSynchronised(root: FactsRoot, contained: boolean): boolean | null {
  if (root.exists('/run/systemd/timesync/synchronized')) return true;
  const report = contained ? null : root.clockReport();
  if (report === 'yes' || report === 'no') return report === 'yes';
  return root.exists('/run/systemd/timesync') ? false : null;
}
