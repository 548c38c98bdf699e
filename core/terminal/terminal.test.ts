import { describe, expect, it } from 'vitest';
import { formatHostPort, parseHostPort, parsePort } from '#core/terminal/address.ts';
import { formatDuration, formatRelative, parseDuration } from '#core/terminal/duration.ts';
import { createPalette } from '#core/terminal/palette.ts';
import { formatBytes, parseBytes } from '#core/terminal/size.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { printable, renderPairs, renderTable } from '#core/terminal/table.ts';

describe('a table', () => {
  it('aligns by visible width, not by code units', () => {
    const paint = createPalette(true);
    const lines = renderTable(
      [{ heading: 'NAME' }, { heading: 'N', align: 'right' }],
      [
        ['日本', '7'],
        [paint.good('ok'), '12'],
      ],
    );
    expect(lines).toEqual(['NAME   N', '日本   7', `${paint.good('ok')}    12`]);
  });

  it('makes control characters from the network visible instead of obeying them', () => {
    expect(printable('a\u001b[2Jb\u202ec')).toBe('a\ufffd[2Jb\ufffdc');
  });

  it('aligns pairs', () => {
    expect(
      renderPairs(
        [
          ['name', 'a'],
          ['id', 'b'],
        ],
        ' ',
      ),
    ).toEqual([' name  a', ' id    b']);
  });
});

describe('durations', () => {
  it.each([
    ['90', 90_000],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['250ms', 250],
    ['1.5h', 5_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ kind: 'value', value: ms });
  });
  it.each(['', 'soon', '-5s', '5 parsecs', '1h x', '1e9'])('%j is refused with examples', (text) => {
    expect(parseDuration(text)).toMatchObject({ kind: 'problem', problem: expect.stringContaining('1h30m') });
  });
  it('are short in tables', () => {
    expect([0, 420, 4_250, 61_000, 240_000, 8_000_000, 400_000_000].map(formatDuration)).toEqual(['0 ms', '420 ms', '4.3 s', '61 s', '4 min', '2 h', '5 d']);
    expect(formatRelative(1_000, 1_200)).toBe('just now');
    expect(formatRelative(1_000, 13_000)).toBe('12 s ago');
    expect(formatRelative(200_000, 1_000)).toBe('in 3 min');
  });
});

describe('sizes', () => {
  it.each([
    ['512', 512],
    ['64k', 65_536],
    ['10MiB', 10_485_760],
    ['1.5G', 1_610_612_736],
    ['3 TB', 3_298_534_883_328],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseBytes(text)).toEqual({ kind: 'value', value: bytes });
  });
  it('refuses what is not one', () => {
    expect(parseBytes('big').kind).toBe('problem');
  });
  it('are short in tables', () => {
    expect([96, 1_024, 1_536, 157_286_400, 8 * 2 ** 30].map(formatBytes)).toEqual(['96 B', '1 KiB', '1.5 KiB', '150 MiB', '8 GiB']);
  });
});

describe('addresses', () => {
  it.each([
    ['pi.local', 'pi.local', undefined],
    ['10.0.0.5:7411', '10.0.0.5', 7411],
    ['[fe80::1%eth0]:22', 'fe80::1%eth0', 22],
    ['fe80::1', 'fe80::1', undefined],
  ])('%s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ kind: 'value', value: { host, port } });
  });
  it.each(['-oProxyCommand=x', 'a b', '$(reboot)', 'host:99999', 'host:', 'a;b', '', '[x]:1'])('%j never reaches a shell', (text) => {
    expect(parseHostPort(text).kind).toBe('problem');
  });
  it('round-trip', () => {
    expect(formatHostPort('fe80::1', 1)).toBe('[fe80::1]:1');
    expect(parsePort('0').kind).toBe('problem');
  });
});

describe('nearest', () => {
  it('finds slips and swaps, and stays silent about strangers', () => {
    expect(nearest('statsu', ['status', 'nodes'])).toBe('status');
    expect(nearest('clock_rat', ['clock_rate', 'port'])).toBe('clock_rate');
    expect(nearest('xyzzy', ['status', 'nodes'])).toBeUndefined();
  });

  it('takes the beginning of one word for the whole of it, and of several for none', () => {
    expect(nearest('--token', ['--socket', '--token-file'])).toBe('--token-file');
    expect(nearest('password', ['password-file', 'password-hint'])).toBeUndefined();
  });
});
