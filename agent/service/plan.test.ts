import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeStep, planInstall, planUninstall, type ServiceFacts } from '#agent/service/plan.ts';
import { unitText } from '#agent/service/unit.ts';

const blank: ServiceFacts = { systemd: true, unit: null, enabled: false, active: false, outdated: true, supervised: false };
const target = { unitPath: '/etc/systemd/system/robonet.service', unitName: 'robonet.service', unit: unitText(['/usr/local/bin/robonet']), start: true };
const done: ServiceFacts = { ...blank, unit: target.unit, enabled: true, active: true, outdated: false };
const install = (facts: Partial<ServiceFacts>, start = true): readonly string[] => planInstall({ ...blank, ...facts }, { ...target, start }).map(describeStep);
const remove = (facts: ServiceFacts, purge: readonly string[] = []): readonly string[] => planUninstall(facts, { ...target, purge }).map(describeStep);

describe('installing', () => {
  it('writes the unit, enables and starts it on a blank machine', () => {
    expect(install({})).toEqual([
      'write /etc/systemd/system/robonet.service',
      'run systemctl daemon-reload',
      'run systemctl enable robonet.service',
      'run systemctl start robonet.service',
    ]);
    expect(install({}, false)).not.toContain('run systemctl start robonet.service');
  });
  it('does nothing the second time', () => {
    expect(install(done)).toEqual([]);
  });
  it('restarts an agent of another build, and one whose unit changed', () => {
    expect(install({ ...done, outdated: true })).toEqual(['run systemctl restart robonet.service']);
    expect(install({ ...done, unit: 'old' })).toEqual([
      'write /etc/systemd/system/robonet.service',
      'run systemctl daemon-reload',
      'run systemctl restart robonet.service',
    ]);
  });
  it('supervises a process where there is no systemd', () => {
    expect(install({ systemd: false })).toEqual(['start the agent as a supervised process (there is no systemd)']);
    expect(install({ systemd: false, supervised: true, outdated: false })).toEqual([]);
  });
});

describe('removing', () => {
  it('undoes everything, in reverse, and purges what is named', () => {
    expect(remove(done, ['/var/lib/robonet'])).toEqual([
      'run systemctl stop robonet.service',
      'run systemctl disable robonet.service',
      'remove /etc/systemd/system/robonet.service',
      'run systemctl daemon-reload',
      'run systemctl reset-failed robonet.service',
      'remove /var/lib/robonet',
    ]);
  });
  it('does nothing where nothing is', () => {
    expect(remove(blank)).toEqual([]);
  });
});

describe('the unit', () => {
  it('never forbids writable and executable memory, which V8 needs', () => {
    expect(target.unit).not.toContain('MemoryDenyWriteExecute');
    expect(target.unit).toContain('UnsetEnvironment=NODE_OPTIONS');
  });
  it('quotes what systemd would interpret', () => {
    expect(unitText(['/opt/my robots/100%/robonet'])).toContain('ExecStart="/opt/my robots/100%%/robonet" agent');
  });
  it('is accepted by systemd-analyze where that is installed', ({ skip }) => {
    if (spawnSync('systemd-analyze', ['--version']).error !== undefined) skip('systemd-analyze is not installed');
    const folder = mkdtempSync(join(tmpdir(), 'unit-'));
    try {
      writeFileSync(join(folder, 'robonet.service'), unitText([process.execPath]));
      const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, 'robonet.service')], { encoding: 'utf8' });
      expect(stderr.split('\n').filter((line) => line.includes('robonet.service:'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
