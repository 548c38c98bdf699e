import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Attempt, type Examination, examine } from '#agent/doctor/examine.ts';
import { reach } from '#agent/doctor/reach.ts';
import type { AgentSighting } from '#agent/discovery/discovery.ts';

const sighting: AgentSighting = {
  properties: { meshTag: null, state: 'member', name: 'b', fingerprint: 'BBBB-BBBB-BBBB-BBBB', protocolVersion: 1, agentVersion: '1' },
  address: '10.0.0.2',
  addresses: [],
  port: 7_411,
  interface: 'eth0',
  lastSeenAt: 0,
};
const attempt: Attempt = { subject: 'b', fingerprint: 'BBBB-BBBB-BBBB-BBBB', host: '10.0.0.2', port: 7_411, reach: { kind: 'open', tookMs: 1 }, linkMs: 0.8 };
const healthy: Examination = {
  selfName: 'a',
  verdicts: [
    { name: 'eth0', used: true, reason: null, text: 'used, with 10.0.0.1/24', mac: null, ipv4: [{ address: '10.0.0.1', prefix: 24 }] },
    { name: 'docker0', used: false, reason: 'bridge', text: 'passed over: a bridge', mac: null, ipv4: [] },
  ],
  probe: { interfaces: [{ name: 'eth0', looped: true, heard: 1 }], answered: [sighting] },
  attempts: [attempt],
  disk: { path: '/var/lib/robonet', exists: true, fault: null, freeBytes: 1e9, fsyncMs: 4 },
  status: null,
  ended: null,
  binding: null,
  wallYear: 2026,
};

function texts(change: Partial<Examination>, check: string): readonly string[] {
  return examine({ ...healthy, ...change })
    .filter((finding) => finding.check === check)
    .map((finding) => `${finding.level}: ${finding.text}`);
}

describe('doctor', () => {
  it('names each interface and why it was passed over', () => {
    expect(texts({}, 'interface')).toEqual(['ok: used, with 10.0.0.1/24', 'ok: passed over: a bridge']);
  });

  it('says when no usable interface is left', () => {
    expect(texts({ verdicts: healthy.verdicts.slice(1) }, 'interface').at(-1)).toMatch(/^critical: no usable interface is left/);
  });

  it('says "multicast blocked between A and B, unicast works" for a peer that is linked but silent', () => {
    const probe = { interfaces: [{ name: 'eth0', looped: true, heard: 0 }], answered: [] };
    expect(texts({ probe }, 'multicast-peer')).toEqual(['warning: multicast blocked between a and b, unicast works']);
    expect(texts({ probe, attempts: [{ ...attempt, fingerprint: null, linkMs: null, subject: '10.0.0.2' }] }, 'multicast-peer')).toEqual([
      'warning: multicast blocked between a and 10.0.0.2, unicast works',
    ]);
  });

  it('does not blame multicast for a peer that answered', () => {
    expect(texts({}, 'multicast-peer')).toEqual([]);
  });

  it('names the blocked port, and tells a refusal from silence', () => {
    const silent = { ...attempt, linkMs: null, reach: { kind: 'silent', waitedMs: 3_000 } } as const;
    expect(texts({ attempts: [silent] }, 'unicast')[0]).toBe(
      'critical: TCP port 7411 of b at 10.0.0.2:7411 is blocked or the machine is off: no answer within 3 s',
    );
    expect(texts({ attempts: [{ ...attempt, linkMs: null, reach: { kind: 'refused' } }] }, 'unicast')[0]).toContain(
      'refuses: the machine is there, but no agent listens',
    );
  });

  it('blames this machine when its own question does not come back', () => {
    expect(texts({ probe: { interfaces: [{ name: 'eth0', looped: false, heard: 0 }], answered: [sighting] } }, 'multicast-out')[0]).toContain(
      'something on this machine drops multicast DNS',
    );
  });

  it('says what ended the agent, and what to do about that', () => {
    const ended = { at: 0, code: 'RN-MESH-106', message: 'ledger cannot be written: ENOSPC', next: 'Free some space.', retry: 'later' };
    const [silent] = examine({ ...healthy, ended }).filter(({ check }) => check === 'mesh');
    expect(silent?.text).toBe(
      'the agent is not running: this machine takes no part; it ended at 1970-01-01 00:00:00Z with RN-MESH-106: ledger cannot be written: ENOSPC',
    );
    expect(silent?.next).toBe('Free some space.');
  });

  it('sees a disk that cannot be written, is full or slow, and a clock in the past', () => {
    const broken = (code: string): Partial<Examination> => ({ disk: { ...healthy.disk, fault: { code, text: `${code}: open` }, freeBytes: 0 } });
    expect(texts(broken('EROFS'), 'disk')[0]).toBe('critical: state cannot be written: EROFS: open');
    expect(texts(broken('ENOSPC'), 'disk')[0]).toBe('critical: state cannot be written: the disk is full (0 B free)');
    expect(texts(broken('EACCES'), 'disk')[0]).toBe('critical: state cannot be looked at: EACCES: open');
    expect(texts({ disk: { ...healthy.disk, freeBytes: 1_000 } }, 'disk')[0]).toBe('critical: only 1000 B are free');
    expect(texts({ disk: { ...healthy.disk, fsyncMs: 900 } }, 'disk')[0]).toContain('900 ms');
    expect(texts({ wallYear: 1970 }, 'clock')[0]).toContain('critical');
  });
});

describe('reach', () => {
  it('tells an open port from a refusing one', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect((await reach('127.0.0.1', port, 1_000)).kind).toBe('open');
    await new Promise((resolve) => server.close(resolve));
    expect((await reach('127.0.0.1', port, 1_000)).kind).toBe('refused');
  });
});
