import { describe, expect, it } from 'vitest';
import { parseInventory } from './inventory.ts';

const problemsOf = (text: string): readonly string[] => {
  const result = parseInventory(text);
  return result.kind === 'problems' ? result.problems.map(({ line, column, text: why }) => `${line}:${column} ${why}`) : [];
};

describe('an inventory', () => {
  it('reads our own forms', () => {
    const result = parseInventory(
      'hosts:\n  kitchen: 192.168.1.5\n  garage:\n    host: pi@192.168.1.6:2222\n    identity: ~/.ssh/garage\n  attic:\n    user: admin\n    password_file: secrets/attic\n  cellar:\n',
    );
    expect(result).toMatchObject({
      kind: 'hosts',
      hosts: [
        { label: 'kitchen', host: '192.168.1.5', user: null, port: null },
        { label: 'garage', host: '192.168.1.6', user: 'pi', port: 2222, identityFiles: ['~/.ssh/garage'] },
        { label: 'attic', host: 'attic', user: 'admin', passwordFile: 'secrets/attic' },
        { label: 'cellar', host: 'cellar' },
      ],
    });
  });

  it('reads a plain list and what Ansible says about reaching a host', () => {
    expect(parseInventory('- pi@a.local\n- name: b\n  host: 10.0.0.2\n')).toMatchObject({
      kind: 'hosts',
      hosts: [
        { label: 'pi@a.local', host: 'a.local', user: 'pi' },
        { label: 'b', host: '10.0.0.2' },
      ],
    });
    expect(
      parseInventory(
        'all:\n  children:\n    pis:\n      hosts:\n        one:\n          ansible_host: 10.0.0.1\n          ansible_user: pi\n          ansible_port: 22\n          ansible_become: true\n',
      ),
    ).toMatchObject({
      kind: 'hosts',
      hosts: [{ label: 'one', host: '10.0.0.1', user: 'pi', port: 22 }],
    });
  });

  it.each([
    ['hosts:\n  a:\n    prot: 22\n', '3:5 "prot" is not known here (did you mean "port"?)'],
    ['hosts:\n  a:\n    port: 99999\n', '3:11 "99999" is not a port between 1 and 65535'],
    ['hosts:\n  a: "$(reboot)"\n', '2:6 the host in "$(reboot)" contains a character that no host name has'],
    ['hosts:\n  a:\n    ansible_password: x\n', '3:5 "ansible_password" puts a secret into the file; use password_file, or --ask-password'],
    ['hsots:\n  a: b\n', '1:1 "hsots" is not known here (did you mean "hosts"?)'],
    ['hosts:\n  a: b\n  a: c\n', '3:3 Map keys must be unique'],
    ['hosts: {}\n', '1:1 no machine is named'],
  ])('%j is refused with line and column', (text, expected) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(expected));
  });

  it('names line and column of broken YAML', () => {
    expect(problemsOf('hosts:\n  a: [1, 2\n  b: 3\n')[0]).toMatch(/^3:\d+ /);
  });

  it.each([
    ['an alias', 'hosts:\n  - &x pi@1.2.3.4\n  - *x\n', 3, 5, /aliases \(\*x\)/],
    ['a bomb of aliases', `a: &a [x, x]\nb: &b [${'*a, '.repeat(50)}*a]\nhosts: [${'*b, '.repeat(50)}*b]\n`, 2, 8, /aliases/],
    ['the same name twice', 'hosts:\n  - pi@1.2.3.4\n  - pi@1.2.3.4\n', 3, 5, /named twice/],
    ['one machine under two names', 'hosts:\n  a: 1.2.3.4\n  b: pi@1.2.3.4\n', 3, 6, /"b" is the same machine as "a"/],
    ['a second document', 'hosts: [a]\n---\nhosts: [b]\n', 2, 1, /second document/],
    ['brackets without end', '['.repeat(20_000), 1, null, /nested far too deeply|Flow sequence/],
    ['a list as a name', 'hosts:\n  ? [a, b]\n  : 1.2.3.4\n', 2, 5, /plain text/],
    ['nothing as a name', 'hosts:\n  ? \n  : x\n', null, null, /plain text/],
  ])('refuses %s with line and column, at once and in few words', (_what, text, line, column, words) => {
    const result = parseInventory(text);
    if (result.kind !== 'problems') return expect.unreachable();
    expect(result.problems.length).toBeLessThanOrEqual(20);
    expect(result.problems[0]?.text).toMatch(words);
    if (line !== null) expect(result.problems[0]?.line).toBe(line);
    if (column !== null) expect(result.problems[0]?.column).toBe(column);
  });
});
