/**
 * What control groups leave of the machine: a container may have 512 MiB on a machine of 8 GiB. Read from the groups of
 * process 1 and above, because that is the fence around everything here; the agent's own unit has a limit of its own
 * (`MemoryMax`) that fences in the agent alone and says nothing about the node. Version 2 first, then 1.
 */
import type { FactsRoot } from './facts-root.ts';

const mounted = '/sys/fs/cgroup';

/** Null for "no limit was found". */
export interface Allowance {
  readonly memoryBytes: number | null;
  /** Whole processors' worth of time, at least 1. */
  readonly cores: number | null;
}

/** The narrowest limit of every kind on the way from the group of process 1 to the top. */
export function readAllowance(root: FactsRoot): Allowance {
  const memory: number[] = [];
  const processors: number[] = [];
  for (const at of groupsOf(root, '')) {
    memory.push(...bytes(root.text(`${at}/memory.max`)));
    const [quota, period] = (root.text(`${at}/cpu.max`) ?? '').split(/\s+/);
    processors.push(...share(quota, period), ...listed(root.text(`${at}/cpuset.cpus.effective`)));
  }
  for (const at of groupsOf(root, 'memory')) memory.push(...bytes(root.text(`${at}/memory.limit_in_bytes`)));
  for (const at of groupsOf(root, 'cpu'))
    processors.push(...share(root.text(`${at}/cpu.cfs_quota_us`) ?? undefined, root.text(`${at}/cpu.cfs_period_us`) ?? undefined));
  for (const at of groupsOf(root, 'cpuset')) processors.push(...listed(root.text(`${at}/cpuset.effective_cpus`)));
  return {
    memoryBytes: memory.length === 0 ? null : Math.min(...memory),
    cores: processors.length === 0 ? null : Math.max(1, Math.floor(Math.min(...processors))),
  };
}

/** Memory the fence still leaves: its limit less what is used and could not be dropped. Null without a limit or a count. */
export function allowedMemoryLeft(root: FactsRoot, limitBytes: number): number | null {
  const left: number[] = [];
  for (const [controller, current, file] of [
    ['', 'memory.current', 'inactive_file'],
    ['memory', 'memory.usage_in_bytes', 'total_inactive_file'],
  ] as const)
    for (const at of groupsOf(root, controller)) {
      const [used] = bytes(root.text(`${at}/${current}`));
      const [droppable] = bytes(new RegExp(`^${file} (\\d+)$`, 'm').exec(root.text(`${at}/memory.stat`) ?? '')?.[1] ?? null);
      const [own] = bytes(root.text(`${at}/${controller === '' ? 'memory.max' : 'memory.limit_in_bytes'}`));
      if (used !== undefined && own === limitBytes) left.push(Math.max(0, limitBytes - used + (droppable ?? 0)));
    }
  return left.length === 0 ? null : Math.min(...left);
}

/** Folders from the group of process 1 up to the mount; `controller` is empty for version 2. Where the path is not visible, the mount alone. */
function groupsOf(root: FactsRoot, controller: string): readonly string[] {
  const line = (root.text('/proc/1/cgroup') ?? '').split('\n').find((each) => {
    const [number, names] = each.split(':');
    return controller === '' ? number === '0' && names === '' : names?.split(',').includes(controller) === true;
  });
  const top = controller === '' ? mounted : `${mounted}/${controller}`;
  const path = line?.split(':').slice(2).join(':') ?? '/';
  const parts = path.includes('..') ? [] : path.split('/').filter((part) => part !== '');
  return [...parts.map((_part, index) => `${top}/${parts.slice(0, parts.length - index).join('/')}`), top];
}

function bytes(text: string | null): readonly number[] {
  return text !== null && /^\d{1,19}$/.test(text) ? [Number(text)] : [];
}

function share(quota: string | undefined, period: string | undefined): readonly number[] {
  const [allowed, of] = [Number(quota), Number(period)];
  return Number.isInteger(allowed) && Number.isInteger(of) && allowed > 0 && of > 0 ? [allowed / of] : [];
}

/** `0-2,5` is four processors. */
function listed(text: string | null): readonly number[] {
  if (text === null || !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) return [];
  return [
    text
      .split(',')
      .map((part) => part.split('-').map(Number))
      .reduce((sum, [first = 0, last = first]) => sum + Math.max(0, last - first + 1), 0),
  ];
}
