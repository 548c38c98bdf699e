import { describe, expect, it } from 'vitest';
import { isFault } from '#core/errors/fault.ts';
import { loadConfig, nodeNameOf } from '#agent/config/load-config.ts';
import { parseConfig } from '#agent/config/read-config.ts';
import { settingsSchema } from '#agent/config/settings.ts';

function complaint(text: string): string {
  try {
    parseConfig(text, 'config.yaml');
  } catch (error) {
    if (isFault(error, 'RN-AGENT-005')) return error.message;
    throw error;
  }
  return 'no complaint';
}

describe('config.yaml', () => {
  it('may be empty', () => {
    expect(parseConfig('', 'config.yaml')).toMatchObject({ port: 7_411, peers: [], log_level: 'info' });
    expect(parseConfig('# nothing\n', 'config.yaml').discovery).toBe(true);
  });

  it('takes every documented setting', () => {
    const text =
      'name: attic-pi\nport: 7500\ninterfaces: [eth0]\npeers: [10.0.0.5, "[fe80::1%eth0]:7411"]\nlabels: {room: attic}\nlog_level: debug\nclock_rate: 600\nhardware_binding: soft\n';
    expect(parseConfig(text, 'config.yaml')).toMatchObject({ name: 'attic-pi', port: 7_500, labels: { room: 'attic' }, clock_rate: 600 });
  });

  it.each([
    ['an unknown key with the nearest known one', 'port: 1\nclock_rat: 2\n', "config.yaml:2:1: unknown setting 'clock_rat'; did you mean clock_rate?"],
    ['a value of the wrong form with what is expected', 'name: x\nport: many\n', 'config.yaml:2:7: port: "many" is not allowed; expected TCP port'],
    ['a value out of range', 'port: 99999\n', 'config.yaml:1:7: port: 99999 is not allowed; expected TCP port'],
    ['a list element', 'peers:\n  - ok.local\n  - "-x"\n', 'config.yaml:3:5: peers.1: "-x" is not allowed; expected addresses'],
    ['a name that could upset a terminal', 'name: "a\\e[2J"\n', 'config.yaml:1:7: name:'],
    ['an alias', 'name: &a pi\nlabels: {x: *a}\n', 'config.yaml:2:13: aliases (*name) are not allowed'],
    ['a key given twice', 'port: 1\nport: 2\n', 'config.yaml:2:1: Map keys must be unique'],
    ['broken YAML', 'name: [a\n', 'config.yaml:2:1:'],
    ['a list instead of settings', '- a\n', 'config.yaml:1:1: expected settings'],
  ])('%s is named with line and column', (_name, text, message) => {
    expect(complaint(text)).toContain(message);
  });

  it('reports all problems of a file at once', () => {
    expect(complaint('prot: 1\nlog_level: loud\n').split('\n')).toHaveLength(2);
  });

  it('defaults without a file are the defaults of the schema', async () => {
    const { name, source, ...settings } = await loadConfig(undefined, {});
    if (source === null) expect(settings).toEqual(settingsSchema.parse({}));
    expect(name).toMatch(/^[A-Za-z0-9]/);
  });

  it('is required where it was asked for', async () => {
    await expect(loadConfig('/nonexistent/config.yaml', {})).rejects.toMatchObject({ code: 'RN-AGENT-006', exit: 78 });
  });

  it('host names become node names', () => {
    expect(['attic.lan', 'my pi!', '---', 'ok_1'].map(nodeNameOf)).toEqual(['attic', 'my-pi', 'node', 'ok_1']);
  });
});
