/** What control groups leave of a machine, and whether its clock is right: staged as the kernel shows both. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCapabilities } from '../hardware.ts';
import { stageFacts, type FactChanges } from '../stage-facts.ts';
import { readAllowance } from './allowance.ts';
import { BackgroundReport } from './background-report.ts';
import { openFacts } from './facts-root.ts';
import { Sensors } from './sensors.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-facts-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function staged(changes: FactChanges) {
  stageFacts(directory, changes);
  return openFacts(directory);
}

const MiB = 1_048_576;
const machine: FactChanges = {
  '/proc/meminfo': 'MemTotal:        8000000 kB\nMemAvailable:    6000000 kB\n',
  '/proc/cpuinfo': Array.from({ length: 8 }, (_each, index) => `processor\t: ${index}\n`).join('\n'),
};

test('a container announces its memory and processors, not those of the machine it runs on (cgroup version 2)', async () => {
  const root = staged({
    ...machine,
    '/run/systemd/container': 'docker\n',
    '/proc/1/cgroup': '0::/\n',
    '/sys/fs/cgroup/memory.max': `${512 * MiB}\n`,
    '/sys/fs/cgroup/memory.current': `${500 * MiB}\n`,
    '/sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${300 * MiB}\n`,
    '/sys/fs/cgroup/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/cpuset.cpus.effective': '0-3,6\n',
  });
  expect(readAllowance(root)).toEqual({ memoryBytes: 512 * MiB, cores: 1 });
  const capabilities = await readCapabilities(root, '1.0.0');
  expect(capabilities).toMatchObject({ memoryBytes: 512 * MiB, cpu: { cores: 1 } });
  expect(capabilities.skills).not.toContain('data-processing');
  // Files the kernel may drop at any time are not used up.
  expect(new Sensors(root).read().memory).toEqual({ bytes: 512 * MiB, availableBytes: 312 * MiB });
});

test('the narrowest limit on the way up counts, and less than one processor is still one', () => {
  const root = staged({
    ...machine,
    '/proc/1/cgroup': '0::/lxc/box/init.scope\n',
    '/sys/fs/cgroup/lxc/memory.max': `${256 * MiB}\n`,
    '/sys/fs/cgroup/lxc/box/memory.max': `${1024 * MiB}\n`,
    '/sys/fs/cgroup/lxc/box/init.scope/memory.max': 'max\n',
    '/sys/fs/cgroup/lxc/box/cpu.max': '20000 100000\n',
  });
  expect(readAllowance(root)).toEqual({ memoryBytes: 256 * MiB, cores: 1 });
});

test('version 1 control groups are understood, with and without their path in sight; its word for "no limit" is none', async () => {
  const root = staged({
    ...machine,
    '/proc/1/cgroup': '4:memory:/docker/ab12\n3:cpuset:/docker/ab12\n2:cpu,cpuacct:/docker/ab12\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${1024 * MiB}\n`,
    '/sys/fs/cgroup/cpu/docker/ab12/cpu.cfs_quota_us': '250000\n',
    '/sys/fs/cgroup/cpu/docker/ab12/cpu.cfs_period_us': '100000\n',
    '/sys/fs/cgroup/cpuset/docker/ab12/cpuset.effective_cpus': '0-7\n',
  });
  expect(readAllowance(root)).toEqual({ memoryBytes: 1024 * MiB, cores: 2 });
  writeFileSync(join(directory, 'sys/fs/cgroup/memory/memory.limit_in_bytes'), '9223372036854771712\n');
  expect((await readCapabilities(root, '1.0.0')).memoryBytes).toBe(8_000_000 * 1024);
});

test('the limit that the agent’s own service has does not narrow the node', async () => {
  const root = staged({
    ...machine,
    '/proc/1/cgroup': '0::/init.scope\n',
    '/proc/self/cgroup': '0::/system.slice/robonet.service\n',
    '/sys/fs/cgroup/system.slice/robonet.service/memory.max': `${512 * MiB}\n`,
    '/sys/fs/cgroup/init.scope/memory.max': 'max\n',
    '/sys/fs/cgroup/init.scope/cpu.max': 'max 100000\n',
  });
  expect(readAllowance(root)).toEqual({ memoryBytes: null, cores: null });
  expect(await readCapabilities(root, '1.0.0')).toMatchObject({ memoryBytes: 8_000_000 * 1024, cpu: { cores: 8 } });
});

test.each([
  ['../../etc', 'a path that climbs'],
  ['/', 'nonsense in the files'],
])('hostile or broken group files are no limit (%s: %s)', (path) => {
  const root = staged({
    ...machine,
    '/proc/1/cgroup': `0::${path}\n`,
    '/sys/fs/cgroup/memory.max': '-5\n',
    '/sys/fs/cgroup/cpu.max': '0 0\n',
    '/sys/fs/cgroup/cpuset.cpus.effective': '9-\n',
  });
  expect(readAllowance(root)).toEqual({ memoryBytes: null, cores: null });
});

test('the clock is right when any time service says so, and a container says nothing of its host’s clock', () => {
  expect(new Sensors(staged({ '/robonet-facts/clock': 'yes\n' })).read().clockSynchronised).toBe(true);
  expect(new Sensors(staged({ '/robonet-facts/clock': 'no\n' })).read().clockSynchronised).toBe(false);
  // chrony has set it, while timesyncd lies there unused.
  expect(new Sensors(staged({ '/robonet-facts/clock': 'yes\n', '/run/systemd/timesync/x': '' })).read().clockSynchronised).toBe(true);
  expect(
    new Sensors(staged({ '/robonet-facts/clock': 'no\n', '/run/systemd/container': 'lxc\n', '/run/systemd/timesync': null })).read().clockSynchronised,
  ).toBe(null);
});

test('a report is fetched in the background, once per interval, and a program that fails has said nothing', async () => {
  const program = join(directory, 'program');
  writeFileSync(program, `#!/bin/sh\necho x >> "${join(directory, 'runs')}"\nexit "$1"\n`);
  chmodSync(program, 0o755);
  const report = async (argv: readonly string[]): Promise<string | null> => {
    const subject = new BackgroundReport(argv, 60_000);
    expect(subject.current()).toBe(null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let turn = 0; turn < 100 && subject.current() === null; turn += 1) await new Promise((resolve) => setTimeout(resolve, 20));
    return subject.current();
  };
  expect(await report(['/bin/echo', 'yes'])).toBe('yes');
  expect(await report([program, '3'])).toBe(null);
  expect(await report(['/no/such/program'])).toBe(null);
  expect(new BackgroundReport(null, 0).current()).toBe(null);
}, 20_000);
