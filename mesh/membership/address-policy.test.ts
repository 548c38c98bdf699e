import { describe, expect, it } from 'vitest';
import { isLocalAddress, isRelayed, parseAddress, sourceKey } from './address-policy.ts';

describe('address policy', () => {
  it('only private, unique-local, link-local and loopback addresses are dialled on hearsay', () => {
    for (const host of [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.255.1',
      '192.168.1.9',
      '169.254.3.4',
      '127.0.0.1',
      '::1',
      'fe80::1%eth0',
      'fd00::7',
      '::ffff:10.0.0.1',
    ]) {
      expect(isLocalAddress(host), host).toBe(true);
    }
    for (const host of ['8.8.8.8', '172.32.0.1', '192.169.0.1', '2001:db8::1', '::ffff:8.8.8.8', 'example.org', 'pi.local', '256.1.1.1', '', '10.0.0']) {
      expect(isLocalAddress(host), host).toBe(false);
    }
  });

  it('addresses are read with and without a port', () => {
    expect(parseAddress('10.0.0.1:99', 7411)).toEqual({ host: '10.0.0.1', port: 99 });
    expect(parseAddress('pi-3.local', 7411)).toEqual({ host: 'pi-3.local', port: 7411 });
    expect(parseAddress('[fe80::1%eth0]:99', 7411)).toEqual({ host: 'fe80::1%eth0', port: 99 });
    expect(parseAddress('fe80::1', 7411)).toEqual({ host: 'fe80::1', port: 7411 });
    for (const text of ['', '10.0.0.1:0', '10.0.0.1:70000', 'a b', '; rm -rf /', '[::1', '[%eth0]:7', '%eth0:7411', '[kitchen]:7'])
      expect(parseAddress(text, 7411), text).toBeUndefined();
  });

  it('a source is an IPv4 address or an IPv6 /64', () => {
    expect(sourceKey('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(sourceKey('fd00:1:2:3:4:5:6:7')).toBe(sourceKey('fd00:1:2:3::9'));
    expect(sourceKey('fd00:1:2:4::9')).not.toBe(sourceKey('fd00:1:2:3::9'));
  });
});

describe('somebody in between', () => {
  it('W-27 on one link, where the other end sees us must be where we are', () => {
    expect(isRelayed('10.0.0.7', '10.0.0.7')).toBe(false);
    expect(isRelayed('10.0.0.9', '10.0.0.7')).toBe(true);
    expect(isRelayed('::ffff:10.0.0.9', '10.0.0.7')).toBe(true);
    expect(isRelayed('fe80::1%eth1', 'fe80::1%eth0')).toBe(false);
    expect(isRelayed('fe80::2', 'fe80::1%eth0')).toBe(true);
    expect(isRelayed('fd00:1:2:3::9', 'fd00:1:2:3::7')).toBe(true);
  });

  it('W-27 across links a router may translate, so nothing is concluded', () => {
    for (const [seenAt, local] of [
      ['192.168.1.5', '172.17.0.2'],
      ['10.0.1.9', '10.0.0.7'],
      ['fd00:1:2:4::9', 'fd00:1:2:3::7'],
      ['127.0.0.1', '127.0.0.2'],
      ['kitchen.local', '10.0.0.7'],
      ['', '10.0.0.7'],
      ['fe80::1', '10.0.0.7'],
    ] as const)
      expect(isRelayed(seenAt, local), `${seenAt} ${local}`).toBeUndefined();
  });
});
