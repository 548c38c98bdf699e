import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '#agent/api/client.ts';
import { endWords, forgetEnd, lastEnd, rememberEnd } from '#agent/api/last-end.ts';
import { Fault } from '#core/errors/fault.ts';

const full = new Fault('RN-MESH-106', '/var/lib/robonet/membership cannot be written: ENOSPC');
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'robonet-end-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('what ended the agent', () => {
  it('is told by whoever finds nobody answering, with what helps, until the next start', async () => {
    const run = join(folder, 'run');
    rememberEnd(run, full, 1_000);
    expect(lastEnd(run)).toEqual({ at: 1_000, code: full.code, message: full.message, next: full.next, retry: 'later' });
    const asked = createClient(join(run, 'agent.sock')).call('status', {});
    await expect(asked).rejects.toMatchObject({
      code: 'RN-AGENT-001',
      message: 'the agent is not running: it ended at 1970-01-01 00:00:01Z with RN-MESH-106: /var/lib/robonet/membership cannot be written: ENOSPC',
      next: full.next,
    });
    forgetEnd(run);
    expect(lastEnd(run)).toBeUndefined();
    await expect(createClient(join(run, 'agent.sock')).call('status', {})).rejects.toMatchObject({
      message: `the agent is not running: there is no socket at ${join(run, 'agent.sock')}`,
    });
  });

  it('may be read by whoever may use the socket, and by nobody else', () => {
    rememberEnd(folder, full, 0);
    expect(statSync(join(folder, 'ended.json')).mode & 0o777).toBe(0o640);
  });

  it('is no business of a second agent that was turned away', () => {
    rememberEnd(folder, full, 0);
    rememberEnd(folder, new Fault('RN-MESH-029', 'in use'), 1);
    expect(lastEnd(folder)?.code).toBe('RN-MESH-106');
  });

  it('a bug of ours is told as one', () => {
    rememberEnd(folder, new Error('surprise'), 0);
    expect(endWords(lastEnd(folder)!)).toContain('RN-CLI-002: unexpected: surprise');
  });

  it.each([
    ['is not JSON', 'oops'],
    ['lacks a field', '{"at":1,"code":"RN-MESH-106","message":"x","next":"y"}'],
    ['is too long', `{"at":1,"code":"c","message":"${'x'.repeat(20_000)}","next":"y","retry":"later"}`],
  ])('a file that %s says nothing', (_what, text) => {
    writeFileSync(join(folder, 'ended.json'), text);
    expect(lastEnd(folder)).toBeUndefined();
  });

  it('follows no link, and a place that cannot be written stops nothing', () => {
    writeFileSync(join(folder, 'elsewhere'), 'kept');
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'ended.json'));
    rememberEnd(folder, full, 0);
    expect(lastEnd(folder)).toBeUndefined();
    rememberEnd(join(folder, 'elsewhere'), full, 0);
    expect(lastEnd(join(folder, 'elsewhere'))).toBeUndefined();
  });
});
