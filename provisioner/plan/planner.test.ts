import { describe, expect, it } from 'vitest';
import type { Facts } from '#provisioner/inspect/facts.ts';
import { judge } from '#provisioner/inspect/judge.ts';
import { describeStep, describeUndo, shellLines } from './describe.ts';
import { plan, type Goal } from './planner.ts';
import { contracts, type Condition } from './step.ts';

const blank: Facts = {
  machine: 'aarch64',
  bits: 64,
  kernel: '6.1',
  hostname: 'kitchen',
  os: 'Debian GNU/Linux 12 (bookworm)',
  model: 'Raspberry Pi 4 Model B Rev 1.4',
  memoryKib: 4_000_000,
  glibc: [2, 36],
  musl: false,
  missingLibraries: [],
  missingTools: [],
  init: 'systemd',
  clockSkewSeconds: 0,
  disks: { programs: { freeKib: 1_000_000, writable: true }, state: { freeKib: 1_000_000, writable: true } },
  existing: ['/usr/local/bin'],
  leftovers: [],
  agent: null,
  manifest: null,
};
const sha256 = 'a'.repeat(64);
const goal: Goal = {
  label: 'kitchen',
  image: { arch: 'arm64', bytes: 110_000_000, gzipBytes: 39_000_000, sha256 },
  escrow: '/var/escrow',
  way: { kind: 'join', meshId: 'm1' },
};
const agent = { running: true, sha256, version: '0.1.0', state: 'unjoined', fingerprint: 'AAAA-BBBB-CCCC-DDDD', meshId: null, meshName: null, ledger: false };
const kinds = (facts: Facts, wanted: Goal = goal) => plan(facts, wanted).map((step) => step.kind);

describe('the plan', () => {
  it('for a blank host is everything, and respects every contract', () => {
    const steps = plan(blank, goal);
    expect(steps.map((step) => step.kind)).toEqual([
      'open-staging',
      'push-agent',
      'verify-agent',
      'write-manifest',
      'install-executable',
      'install-service',
      'make-invitation',
      'join-mesh',
      'confirm-membership',
      'escrow-next-key',
      'close-staging',
    ]);
    const holds = new Set<Condition>(['clean']);
    for (const step of steps) {
      for (const need of contracts[step.kind].needs) expect(holds).toContain(need);
      holds.add(contracts[step.kind].gives);
    }
  });

  it('lists in the manifest only what was not there before', () => {
    const manifest = plan({ ...blank, existing: ['/usr/local/bin', '/etc/robonet'] }, goal).find((step) => step.kind === 'write-manifest')?.manifest;
    expect(manifest?.created).toContain('/usr/local/bin/robonet');
    expect(manifest?.created).not.toContain('/etc/robonet');
  });

  it('sends nothing to a host that has the same agent from an interrupted run', () => {
    const manifest = {
      v: 1,
      state: 'begun',
      label: 'kitchen',
      agentSha256: sha256,
      meshId: 'm1',
      created: ['/usr/local/bin/robonet'],
      installedService: true,
    } as const;
    expect(kinds({ ...blank, agent: { ...agent, running: false, state: null }, manifest: { ...manifest, created: [...manifest.created] } })).toEqual([
      'open-staging',
      'install-service',
      'make-invitation',
      'join-mesh',
      'confirm-membership',
      'escrow-next-key',
      'close-staging',
    ]);
  });

  it('only joins an agent somebody installed by hand, and claims none of its files', () => {
    const steps = plan({ ...blank, agent }, goal);
    expect(steps.map((step) => step.kind)).toEqual(['open-staging', 'make-invitation', 'join-mesh', 'confirm-membership', 'escrow-next-key', 'close-staging']);
    expect(steps.find((step) => step.kind === 'join-mesh')).toMatchObject({ manifest: null });
  });

  it('leaves the next key on the device where that is wanted', () => {
    expect(kinds(blank)).toContain('escrow-next-key');
    expect(kinds(blank, { ...goal, escrow: null })).not.toContain('escrow-next-key');
  });

  it('clears leftovers first, and founds instead of joining when asked to', () => {
    expect(kinds({ ...blank, leftovers: [{ path: '/usr/local/bin/.robonet-staging.x', guarded: false }] })[0]).toBe('clear-leftovers');
    const founding = kinds(blank, { ...goal, way: { kind: 'found', name: 'home' } });
    expect(founding).toContain('found-mesh');
    expect(founding).not.toContain('make-invitation');
  });

  it('can be said in words and in shell lines, with an undo for everything that changes the host', () => {
    for (const step of plan(blank, goal)) {
      expect(describeStep(step).length).toBeGreaterThan(10);
      expect(shellLines(step, 'pi@kitchen').length).toBeGreaterThan(0);
      if (['open-staging', 'write-manifest', 'install-executable', 'install-service', 'make-invitation', 'join-mesh'].includes(step.kind))
        expect(describeUndo(step)).not.toBeNull();
    }
  });
});

describe('the verdict', () => {
  const wish = { meshId: 'm1', agentBytes: 110_000_000 };
  it.each([
    ['an unsupported processor', { machine: 'armv7l' }, 'RN-PROV-012', 'armv7l'],
    ['a 32-bit userland', { bits: 32 }, 'RN-PROV-013', '32-bit'],
    ['musl', { glibc: null, musl: true }, 'RN-PROV-016', 'musl'],
    ['an old C library', { glibc: [2, 24] }, 'RN-PROV-016', '2.24'],
    ['a missing library', { missingLibraries: ['libstdc++.so.6'] }, 'RN-PROV-016', 'libstdc++'],
    ['a read-only root', { disks: { ...blank.disks, programs: { freeKib: 1_000_000, writable: false } } }, 'RN-PROV-015', '/usr/local/bin'],
    ['too little disk', { disks: { ...blank.disks, programs: { freeKib: 50_000, writable: true } } }, 'RN-PROV-014', '49 MiB free, and 121 MiB are needed'],
    ['another mesh', { agent: { ...agent, state: 'member', meshId: 'm2', meshName: 'next door' } }, 'RN-PROV-017', 'next door'],
    ['a stopped agent', { agent: { ...agent, running: false, state: null, ledger: true } }, 'RN-PROV-018', 'does not answer'],
    ['an agent in the lobby', { agent: { ...agent, state: 'lobby' } }, 'RN-PROV-036', 'approval'],
  ] as const)('refuses %s with a code of its own', (_name, change, code, words) => {
    expect(judge({ ...blank, ...change } as Facts, wish)).toMatchObject({ kind: 'refused', code, message: expect.stringContaining(words) });
  });

  it('knows a member of our mesh, and a host that fits', () => {
    expect(judge({ ...blank, agent: { ...agent, state: 'member', meshId: 'm1', meshName: 'home' } }, wish).kind).toBe('member');
    expect(judge(blank, wish)).toEqual({ kind: 'fit', arch: 'arm64', warnings: [] });
  });

  it('warns about a clock that is off and a host without systemd', () => {
    const verdict = judge({ ...blank, clockSkewSeconds: -4000, init: 'sysvinit' }, wish);
    expect(verdict.kind === 'fit' ? verdict.warnings : []).toEqual([expect.stringContaining('4000 s behind'), expect.stringContaining('sysvinit')]);
  });
});
