import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import SSHConfig from 'ssh-config';
import { describe, expect, it } from 'vitest';
import { loadClientConfig, resolveRoute, type ClientEnvironment } from './client-config.ts';
import { nameProblem, parseHostTarget } from './host-name.ts';

const environment = (config: string, override: Partial<ClientEnvironment['override']> = {}): ClientEnvironment => ({
  home: '/users/me',
  user: 'me',
  agentSocket: '/run/agent',
  config: SSHConfig.parse(config),
  override: { user: null, port: null, identityFiles: [], knownHostsFiles: [], ...override },
});
const route = (host: string, config: string, override: Partial<ClientEnvironment['override']> = {}) =>
  resolveRoute({ host, user: null, port: null }, environment(config, override));

describe('the ssh client configuration', () => {
  const config =
    'Host kitchen\n  HostName 192.168.1.20\n  User pi\n  Port 2222\n  IdentityFile ~/.ssh/kitchen\n  UserKnownHostsFile ~/.ssh/lab_hosts\n  ProxyJump door@bastion:2200\nHost bastion\n  HostName gate.example.org\nHost *\n  User everybody\n';

  it('turns an alias into address, user, port, key, known_hosts file and jump', () => {
    expect(route('kitchen', config)).toMatchObject({
      name: 'kitchen',
      address: '192.168.1.20',
      user: 'pi',
      port: 2222,
      identityFiles: ['/users/me/.ssh/kitchen'],
      knownHostsFiles: ['/users/me/.ssh/lab_hosts'],
      jumps: [{ name: 'bastion', address: 'gate.example.org', user: 'door', port: 2200 }],
    });
  });

  it('lets the command line win, but not on the way through', () => {
    const found = route('kitchen', config, { user: 'root', port: 22 });
    expect(found).toMatchObject({ user: 'root', port: 22, jumps: [{ user: 'door', port: 2200 }] });
  });

  it('has sensible defaults without any configuration', () => {
    expect(resolveRoute({ host: 'pi.local', user: null, port: null }, { ...environment(''), config: null })).toMatchObject({
      address: 'pi.local',
      user: 'me',
      port: 22,
      agentSocket: '/run/agent',
      knownHostsFiles: ['/users/me/.ssh/known_hosts'],
      jumps: [],
    });
  });

  it('never evaluates Match exec, and refuses a jump that leads back to itself', () => {
    expect(route('x', 'Match exec "touch /tmp/must-not-happen"\n  User evil\n').user).toBe('me');
    expect(() => route('a', 'Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n')).toThrow(expect.objectContaining({ code: 'RN-PROV-034' }));
  });

  it('refuses a HostName that is no host name', () => {
    expect(() => route('a', 'Host a\n  HostName "$(id)"\n')).toThrow(expect.objectContaining({ code: 'RN-PROV-034' }));
  });

  it('follows Include below ~/.ssh', () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    mkdirSync(join(home, '.ssh', 'more'), { recursive: true });
    writeFileSync(join(home, '.ssh', 'config'), 'Include more/*\n');
    writeFileSync(join(home, '.ssh', 'more', 'lab'), 'Host lab\n  HostName 10.0.0.9\n');
    expect(
      resolveRoute({ host: 'lab', user: null, port: null }, { ...environment(''), config: loadClientConfig(join(home, '.ssh', 'config'), home) }).address,
    ).toBe('10.0.0.9');
    expect(loadClientConfig(join(home, 'none'), home)).toBeNull();
    rmSync(home, { recursive: true });
  });
});

describe('host names', () => {
  it.each([
    ['pi@192.168.1.5:2222', { host: '192.168.1.5', user: 'pi', port: 2222 }],
    ['kitchen', { host: 'kitchen', user: null, port: null }],
    ['pi@[fe80::1%eth0]:22', { host: 'fe80::1%eth0', user: 'pi', port: 22 }],
    ['2001:db8::1', { host: '2001:db8::1', user: null, port: null }],
  ])('%s is understood', (text, target) => {
    expect(parseHostTarget(text)).toEqual({ kind: 'target', target });
  });

  it.each(['', '-oProxyCommand=reboot', 'a b', '$(reboot)', 'pi;id@host', 'host:99999', 'host:', 'a/b', 'pi@'])('%j is refused', (text) => {
    expect(parseHostTarget(text).kind).toBe('problem');
  });

  it('whatever passes contains nothing a shell would notice', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        if (nameProblem(text) === null) expect(text).toMatch(/^[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]*$/);
      }),
    );
  });
});
