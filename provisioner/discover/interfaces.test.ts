import { describe, expect, it } from 'vitest';
import { type InterfaceFacts, isOnInterface, judgeInterfaces } from '#provisioner/discover/interfaces.ts';

const lan: InterfaceFacts = {
  name: 'eth0',
  mac: 'dc:a6:32:00:00:01',
  ipv4: [{ address: '192.168.1.7', prefix: 24 }],
  ipv6: [],
  up: true,
  carrier: true,
  loopback: false,
  pointToPoint: false,
  multicast: true,
  physical: true,
  bridgePorts: null,
  vlanOf: null,
  master: null,
  tunnel: false,
};

describe('judging interfaces', () => {
  it.each<[string, Partial<InterfaceFacts>, string | null, RegExp]>([
    ['a plain Ethernet is used', {}, null, /^used, with 192\.168\.1\.7\/24$/],
    ['a virtual Ethernet of a container is used too', { physical: false }, null, /^used/],
    ['unknown facts do not disqualify', { up: null, carrier: null, multicast: null }, null, /^used/],
    ['a hypervisor bridge over a real port is the LAN', { name: 'br0', bridgePorts: [{ name: 'eth0', physical: true }] }, null, /^used/],
    ['loopback', { loopback: true }, 'loopback', /only this machine/],
    ['down', { up: false }, 'down', /ip link set eth0 up/],
    ['no carrier', { carrier: false }, 'no-carrier', /no cable/],
    ['an empty docker bridge', { name: 'docker0', bridgePorts: [] }, 'bridge', /docker style, without ports/],
    ['a docker bridge with containers', { bridgePorts: [{ name: 'veth1', physical: false }] }, 'bridge', /only virtual ports: veth1/],
    ['a VLAN', { vlanOf: 'eth0' }, 'vlan', /VLAN sub-interface of eth0/],
    ['a bridge port', { master: 'br0' }, 'port', /a port of br0/],
    ['a VPN', { tunnel: true }, 'tunnel', /VPN/],
    ['PPP', { pointToPoint: true }, 'point-to-point', /point-to-point/],
    ['no multicast', { multicast: false }, 'no-multicast', /cannot multicast/],
    ['no address', { ipv4: [] }, 'no-address', /DHCP/],
  ])('%s', (_name, change, reason, text) => {
    const [verdict] = judgeInterfaces([{ ...lan, ...change }]);
    expect(verdict?.reason).toBe(reason);
    expect(verdict?.used).toBe(reason === null);
    expect(verdict?.text).toMatch(text);
  });

  it('uses only what the configuration names, unusual kinds included, and says so of the rest', () => {
    const verdicts = judgeInterfaces([lan, { ...lan, name: 'eth0.7', vlanOf: 'eth0' }], ['eth0.7']);
    expect(verdicts.map((verdict) => verdict.used)).toEqual([false, true]);
    expect(verdicts[0]?.text).toContain('the configuration names only eth0.7');
    expect(judgeInterfaces([{ ...lan, loopback: true, name: 'lo' }], ['lo'])[0]?.used).toBe(true);
  });
});

describe('isOnInterface', () => {
  it('compares network prefixes', () => {
    expect(isOnInterface('192.168.1.200', lan.ipv4)).toBe(true);
    expect(isOnInterface('192.168.2.200', lan.ipv4)).toBe(false);
    expect(isOnInterface('fe80::1', lan.ipv4)).toBe(false);
    expect(isOnInterface('999.1.1.1', [{ address: '0.0.0.0', prefix: 0 }])).toBe(false);
  });
});
