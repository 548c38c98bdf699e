import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bannerIn, osOfBanner } from './banner.ts';
import { makerOf } from './maker.ts';
import { SightingMerge } from './merge.ts';
import { fromArp, fromIp } from './neighbours.ts';
import type { Sighting } from './sighting.ts';
import { addressOfReverse, reverseName, subnetsOf } from './subnets.ts';

const merged = (sightings: readonly Sighting[], ownMeshTag: string | null = null) => {
  const merge = new SightingMerge({ ownMeshTag, ownAddresses: ['10.0.0.1'] });
  sightings.forEach((sighting) => merge.absorb(sighting));
  return merge.rows();
};
const agentOf = (state: 'member' | 'lobby' | 'unjoined', meshTag: string | null) => ({
  meshTag,
  state,
  name: 'kitchen',
  fingerprint: 'AAAA-BBBB-CCCC-DDDD',
  protocolVersion: 1,
  agentVersion: '0.1.0',
});
const service = (address: string, state: 'member' | 'lobby' | 'unjoined', tag: string | null): Sighting => ({
  kind: 'service',
  address,
  type: '_robonet._tcp',
  host: 'robonet-x.local',
  port: 7411,
  agent: agentOf(state, tag),
});
const banner = 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3';

describe('merging sightings', () => {
  const pi: readonly Sighting[] = [
    { kind: 'neighbour', address: '10.0.0.5', mac: 'DC:A6:32:01:02:03' },
    { kind: 'name', address: '10.0.0.5', name: 'kitchen.local' },
    { kind: 'ssh', address: '10.0.0.5', banner },
    { kind: 'heard', address: '10.0.0.5' },
    { kind: 'neighbour', address: '10.0.0.9', mac: 'dc:a6:32:01:02:03' },
    { kind: 'no-ssh', address: '10.0.0.7', why: 'refused' },
  ];

  it('makes one row per machine whatever the order of its sightings', () => {
    const rows = merged(pi);
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatchObject({
      address: '10.0.0.5',
      addresses: ['10.0.0.5', '10.0.0.9'],
      standing: 'candidate',
      name: 'kitchen',
      maker: 'Raspberry Pi',
      os: 'Debian 12 (bookworm)',
    });
    expect(rows[1]).toMatchObject({ address: '10.0.0.7', standing: 'unreachable', because: 'no SSH server on port 22' });
    fc.assert(
      fc.property(fc.shuffledSubarray([...pi], { minLength: pi.length }), (shuffled) => {
        expect(merged(shuffled)).toEqual(rows);
      }),
    );
  });

  it('is the same when told everything twice, and says so', () => {
    const merge = new SightingMerge({ ownMeshTag: null, ownAddresses: [] });
    expect(pi.map((sighting) => merge.absorb(sighting))).toEqual([true, true, true, false, true, true]);
    expect(pi.some((sighting) => merge.absorb(sighting))).toBe(false);
  });

  it.each([
    ['member', service('10.0.0.5', 'member', 'a'.repeat(16)), 'member'],
    ['foreign mesh', service('10.0.0.5', 'member', 'b'.repeat(16)), 'foreign'],
    ['pending', service('10.0.0.5', 'lobby', 'a'.repeat(16)), 'pending'],
    ['unreachable without SSH', service('10.0.0.5', 'unjoined', null), 'unreachable'],
  ] as const)('tells %s', (_name, sighting, standing) => {
    expect(merged([sighting], 'a'.repeat(16))[0]?.standing).toBe(standing);
  });

  it('keeps four boards of one name apart, lists not itself, and shows no hostile name', () => {
    const same = [2, 3, 4, 5].map((last): Sighting => ({ kind: 'name', address: `10.0.0.${last}`, name: 'raspberrypi.local' }));
    expect(merged(same)).toHaveLength(4);
    expect(merged([{ kind: 'heard', address: '10.0.0.1' }])).toEqual([]);
    expect(merged([{ kind: 'name', address: '10.0.0.2', name: '$(reboot).local' }])[0]?.name).toBeNull();
  });

  it('follows an announced SSH port', () => {
    const merge = new SightingMerge({ ownMeshTag: null, ownAddresses: [] });
    merge.absorb({ kind: 'no-ssh', address: '10.0.0.5', why: 'refused' });
    expect(merge.sshPortToLook('10.0.0.5')).toBeNull();
    merge.absorb({ kind: 'service', address: '10.0.0.5', type: '_ssh._tcp', host: null, port: 2222, agent: null });
    expect(merge.sshPortToLook('10.0.0.5')).toBe(2222);
  });
});

describe('the sources', () => {
  it('read banners and makers', () => {
    expect(bannerIn(`welcome\r\n${banner}\r\n`)).toBe(banner);
    expect(bannerIn('HTTP/1.1 400 Bad Request\r\n')).toBeNull();
    expect(bannerIn('SSH-2.0-\u001b[2Jx\r\n')).toBeNull();
    expect(['SSH-2.0-OpenSSH_7.9p1 Raspbian-10+deb10u2', 'SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13', 'SSH-2.0-x'].map(osOfBanner)).toEqual([
      'Raspbian 10 (buster)',
      'Ubuntu',
      null,
    ]);
    expect(['b8:27:eb', 'dc:a6:32', 'e4:5f:01', '28:cd:c1', 'd8:3a:dd', '2c:cf:67'].map((prefix) => makerOf(`${prefix}:00:00:01`))).toEqual(
      Array(6).fill('Raspberry Pi'),
    );
  });

  it('read the neighbour table, without the dead and without other interfaces', () => {
    const used = new Set(['eth0']);
    const ip =
      '[{"dst":"10.0.0.5","dev":"eth0","lladdr":"dc:a6:32:00:00:01","state":["STALE"]},{"dst":"10.0.0.6","dev":"eth0","state":["FAILED"]},{"dst":"172.17.0.2","dev":"docker0","lladdr":"02:42:ac:11:00:02","state":["REACHABLE"]}]';
    expect(fromIp(ip, used)).toEqual([{ kind: 'neighbour', address: '10.0.0.5', mac: 'dc:a6:32:00:00:01' }]);
    expect(fromIp('nonsense', used)).toEqual([]);
    const arp =
      'IP address       HW type     Flags       HW address            Mask     Device\n10.0.0.5         0x1         0x2         dc:a6:32:00:00:01     *        eth0\n10.0.0.6         0x1         0x0         00:00:00:00:00:00     *        eth0\n';
    expect(fromArp(arp, used)).toHaveLength(1);
  });

  it('look only through small private networks', () => {
    const verdict = (address: string, prefix: number) => ({ name: 'eth0', used: true, reason: null, text: '', mac: null, ipv4: [{ address, prefix }] });
    expect(subnetsOf([verdict('192.168.1.20', 24)]).subnets[0]).toMatchObject({ text: '192.168.1.0/24', hosts: expect.objectContaining({ length: 253 }) });
    expect(subnetsOf([verdict('10.1.2.3', 22)]).subnets[0]?.hosts).toHaveLength(1021);
    expect(subnetsOf([verdict('10.1.2.3', 16)])).toEqual({ subnets: [], skipped: [expect.stringContaining('larger than /22')] });
    expect(subnetsOf([verdict('8.8.8.8', 24)]).skipped).toEqual([expect.stringContaining('not a private network')]);
    expect(addressOfReverse(reverseName('192.168.1.20'))).toBe('192.168.1.20');
  });
});
