import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { runProgram } from '#core/node/command-line/run.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { parseAid } from '#mesh/hcth/identity-text.ts';
import { nextKeyText } from '#mesh/hcth/next-key.ts';
import { program } from '#provisioner/commands/program.ts';
import { sshdProblem, startSshd, type TestSshd } from '#provisioner/ssh/sshd-for-tests.ts';
import { FINGERPRINT, makeTestMesh, NEXT_KEY_DIGEST, nextKeyDocument, type TestMesh } from './agent-for-tests.ts';

const problem = sshdProblem() ?? (process.arch === 'x64' ? null : 'the stand-in agent is laid out for x64');
let sshd: TestSshd;
let mesh: TestMesh;
const pathBefore = process.env['PATH'];

beforeAll(async () => {
  if (problem !== null) return;
  sshd = await startSshd(['/usr/local/bin', '/var/lib']);
  mesh = makeTestMesh(sshd.dir);
  writeFileSync(join(sshd.dir, 'good'), 'raspberry\n');
  writeFileSync(join(sshd.dir, 'bad'), 'wrong\n');
  process.env['PATH'] = `${mesh.sponsorPath}:${pathBefore ?? ''}`;
}, 20_000);
afterAll(() => {
  process.env['PATH'] = pathBefore;
  if (problem === null) sshd.stop();
});

const documentSchema = z.looseObject({ hosts: z.array(z.looseObject({ error: z.looseObject({ code: z.string() }).optional() })) });
type RunDocument = z.infer<typeof documentSchema>;

const installed = (): readonly string[] =>
  ['empty-0', 'empty-1']
    .flatMap((folder) => readdirSync(join(sshd.dir, folder), { recursive: true }).map((path) => `${folder}/${String(path)}`))
    .filter((path) => !path.startsWith('empty-1/sudo'))
    .sort();
const meshFile = (name: string): string => (existsSync(join(mesh.mesh, name)) ? readFileSync(join(mesh.mesh, name), 'utf8') : '');

async function provision(...argv: readonly string[]): Promise<Run> {
  return invoke([...argv, '--host-keys', 'accept-new', '--agents', mesh.agents, '--identity', sshd.key]);
}

const escrowFolder = (): string => join(sshd.dir, 'data', 'robonet', 'escrow');
const escrowed = (): string => join(escrowFolder(), `${nextKeyDocument().aid}.json`);

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: () => RunDocument;
}

async function invoke(argv: readonly string[]): Promise<{ code: number; stdout: string; stderr: string; json: () => RunDocument }> {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(program, {
    argv,
    env: { HOME: sshd.dir, USER: 'admin', XDG_DATA_HOME: join(sshd.dir, 'data') },
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr, json: () => documentSchema.parse(JSON.parse(stdout)) };
}

const target = (user: string): string => `${user}@127.0.0.1:${sshd.port}`;

describe.skipIf(problem !== null)(`colonizing over a real sshd${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  it('dry-run says what would be done and does nothing', async () => {
    const result = await provision(target('admin'), '--dry-run', '--verbose');
    expect(result.code).toBe(0);
    expect(result.stdout).toContain('join the mesh with the invitation');
    expect(result.stdout).toContain('$ ssh');
    expect(installed()).toEqual([]);
    expect(meshFile('invites')).toBe('');
  });

  it('makes a member, shows its host key, confirms both ends, and leaves no staging behind', async () => {
    const result = await provision(target('admin'));
    expect(result.stderr).toContain(sshd.hostFingerprint);
    expect([result.code, result.stdout]).toEqual([0, expect.stringContaining(FINGERPRINT)]);
    expect(installed()).toEqual([
      'empty-0/robonet',
      'empty-1/robonet',
      'empty-1/robonet/key-gone',
      'empty-1/robonet/member',
      'empty-1/robonet/provisioned.json',
      'empty-1/robonet/running',
    ]);
    expect(meshFile('tokens')).toBe('rnj1.secret\n');
    expect(meshFile('invites')).toContain(`--label ${target('admin')}`);
    expect(JSON.parse(readFileSync(join(sshd.dir, 'empty-1/robonet/provisioned.json'), 'utf8'))).toMatchObject({
      state: 'complete',
      created: expect.arrayContaining(['/usr/local/bin/robonet', '/var/lib/robonet']),
    });
  }, 30_000);

  it('run again changes nothing and makes no invitation', async () => {
    const before = meshFile('invites');
    const result = await provision(target('admin'), '--json');
    expect(result.json()).toMatchObject({ type: 'provision', exit: 0, hosts: [{ result: 'already-member' }] });
    expect(meshFile('invites')).toBe(before);
  });

  it('undo leaves the mesh in good order and the host as it was', async () => {
    const before = installed();
    const plan = await provision('--undo', '--dry-run', target('admin'), '--json');
    expect(JSON.parse(plan.stdout)).toMatchObject({
      dryRun: true,
      hosts: [{ result: 'undo-planned', leaves: 'home', remove: expect.arrayContaining(['/usr/local/bin/robonet', '/var/lib/robonet']) }],
      summary: { planned: 1, undone: 0 },
    });
    expect([installed(), meshFile('departures')]).toEqual([before, '']);
    const result = await provision('--undo', target('admin'), '--json');
    expect(result.json()).toMatchObject({ hosts: [{ result: 'undone', departed: true }] });
    expect(installed()).toEqual([]);
    expect(meshFile('departures')).toBe('left\n');
    expect((await provision('--undo', target('admin'), '--json')).json()).toMatchObject({ hosts: [{ error: { code: 'RN-PROV-029' } }] });
  }, 30_000);

  it('a refused join is taken back on the host and at the sponsor', async () => {
    writeFileSync(join(mesh.mesh, 'refuse'), '');
    const result = await provision(target('admin'), '--json');
    rmSync(join(mesh.mesh, 'refuse'));
    expect(result.json()).toMatchObject({
      hosts: [{ result: 'failed', error: { code: 'RN-PROV-024', message: expect.stringContaining('TOKEN_EXPIRED'), next: 'Ask for another one.' } }],
    });
    expect(meshFile('revoked')).toBe('t1\n');
    expect(installed()).toEqual([]);
  }, 30_000);

  it('works with password and sudo password, and a wrong password leaves the host untouched', async () => {
    const bad = await provision(target('pi'), '--password-file', join(sshd.dir, 'bad'), '--json');
    expect(bad.code).toBe(77);
    expect(bad.json()).toMatchObject({ hosts: [{ error: { code: 'RN-PROV-006', exit: 77 } }] });
    expect(installed()).toEqual([]);
    const good = await provision(target('pi'), '--password-file', join(sshd.dir, 'good'), '--json');
    expect(good.json()).toMatchObject({ exit: 0, hosts: [{ result: 'joined', fingerprint: FINGERPRINT }] });
    await provision('--undo', target('pi'), '--password-file', join(sshd.dir, 'good'));
    expect(installed()).toEqual([]);
  }, 60_000);

  it('one bad host does not stop the others: exit 2 and a cause for each', async () => {
    // One sshd plays two machines: the second has another name, as one machine listed twice is refused.
    const nosudo = target('plain').replace('127.0.0.1', 'localhost');
    writeFileSync(join(sshd.dir, 'hosts.yaml'), `hosts:\n  good: ${target('admin')}\n  closed:\n    host: admin@127.0.0.1\n    port: 1\n  nosudo: ${nosudo}\n`);
    const result = await provision('--inventory', join(sshd.dir, 'hosts.yaml'), '--json');
    expect(result.code).toBe(2);
    expect(result.json().hosts.map((host) => [host['host'], host['result'], host.error?.code])).toEqual([
      ['good', 'joined', undefined],
      ['closed', 'failed', 'RN-PROV-001'],
      ['nosudo', 'failed', expect.stringMatching(/RN-PROV-01[01]/)],
    ]);
    await provision('--undo', target('admin'));
  }, 60_000);

  it('Ctrl-C in the middle takes back what was begun', async () => {
    const stop = new AbortController();
    let stderr = '';
    const code = await runProgram(program, {
      argv: [target('admin'), '--host-keys', 'accept-new', '--agents', mesh.agents, '--identity', sshd.key],
      env: { HOME: sshd.dir, USER: 'admin' },
      stdout: { write: () => true },
      stderr: {
        write: (text: string) => {
          stderr += text;
          if (text.includes('install and start the service')) stop.abort('interrupted');
        },
      },
      signal: stop.signal,
    });
    expect([code, stderr]).toEqual([130, expect.stringContaining('taking back')]);
    expect(installed()).toEqual([]);
  }, 30_000);

  it('founds a mesh when asked to', async () => {
    const result = await provision('--found', 'home', target('admin'), '--json');
    expect(result.json()).toMatchObject({ exit: 0, mesh: { name: 'home' }, hosts: [{ result: 'joined' }] });
    await provision('--undo', target('admin'));
    expect(installed()).toEqual([]);
  }, 30_000);

  it('the next key is in escrow here, for this user alone, before the device deletes its copy', async () => {
    rmSync(escrowFolder(), { recursive: true, force: true });
    writeFileSync(join(mesh.mesh, 'forgotten'), '');
    const result = await provision(target('admin'), '--json');
    expect(result.json()).toMatchObject({
      exit: 0,
      hosts: [{ result: 'joined', escrow: escrowed(), warnings: expect.not.arrayContaining([expect.stringContaining('next key')]) }],
    });
    expect([statSync(escrowed()).mode & 0o777, statSync(escrowFolder()).mode & 0o777]).toEqual([0o600, 0o700]);
    expect(JSON.parse(readFileSync(escrowed(), 'utf8'))).toMatchObject({ ...nextKeyDocument(), host: target('admin'), escrowedAt: expect.any(Number) });
    expect(meshFile('forgotten')).toContain(`identity forget-next ${NEXT_KEY_DIGEST} --escrowed --place provision on `);
    expect(result.stdout + result.stderr).not.toContain('rnk1.');
  }, 30_000);

  it('list and show know it; show prints the key alone', async () => {
    const list = await invoke(['escrow', 'list']);
    expect([list.code, list.stdout]).toEqual([0, expect.stringContaining(FINGERPRINT)]);
    expect(list.stdout + list.stderr).not.toContain('rnk1.');
    for (const handle of ['host', FINGERPRINT.toLowerCase(), target('admin')])
      expect(await invoke(['escrow', 'show', handle])).toMatchObject({ code: 0, stdout: `${nextKeyDocument().nextKey ?? ''}\n` });
    expect(await invoke(['escrow', 'show', 'hots'])).toMatchObject({ code: 65, stdout: '', stderr: expect.stringContaining('did you mean host?') });
    writeFileSync(join(escrowFolder(), `rn1${'a'.repeat(52)}.json`), '{');
    expect(await invoke(['escrow', 'list'])).toMatchObject({ code: 1, stdout: expect.stringContaining('damaged') });
    rmSync(join(escrowFolder(), `rn1${'a'.repeat(52)}.json`));
  });

  it('pull says when there is nothing to take, and takes what is there; an older key never replaces a later one', async () => {
    const pull = (...more: readonly string[]) =>
      invoke(['escrow', 'pull', target('admin'), ...more, '--host-keys', 'accept-new', '--identity', sshd.key, '--json']);
    const nothing = await pull();
    expect([nothing.code, nothing.json()]).toMatchObject([65, { hosts: [{ result: 'failed', error: { code: 'RN-PROV-060', next: 'Look elsewhere.' } }] }]);
    const gone = join(sshd.dir, 'empty-1/robonet/key-gone');
    rmSync(gone);
    const before = readFileSync(escrowed(), 'utf8');
    expect((await pull('--dry-run')).stdout).toContain('would');
    writeFileSync(escrowed(), before.replace('"rotation": 0', '"rotation": 7'));
    expect((await pull()).json()).toMatchObject({ hosts: [{ error: { code: 'RN-PROV-063' } }] });
    rmSync(escrowed());
    writeFileSync(join(mesh.mesh, 'stubborn'), '');
    const stubborn = await pull();
    rmSync(join(mesh.mesh, 'stubborn'));
    expect(stubborn.json()).toMatchObject({ hosts: [{ error: { code: 'RN-PROV-060', effect: 'The key is in escrow, and still on the device as well.' } }] });
    expect(existsSync(escrowed())).toBe(true);
    const taken = await pull();
    expect([taken.code, taken.json()]).toMatchObject([0, { hosts: [{ result: 'escrowed', fingerprint: FINGERPRINT, rotation: 1, path: escrowed() }] }]);
    expect(existsSync(gone)).toBe(true);
    await provision('--undo', target('admin'));
    expect(installed()).toEqual([]);
  }, 60_000);

  it('a device that hands over another key than it committed to, or none, is a member all the same, with a warning', async () => {
    rmSync(escrowFolder(), { recursive: true, force: true });
    const document = nextKeyDocument();
    const good = readFileSync(join(mesh.mesh, 'next-key.json'), 'utf8');
    const wrong = nextKeyText(createNodeCrypto(), parseAid(document.aid)!, 1, new Uint8Array(32));
    writeFileSync(join(mesh.mesh, 'next-key.json'), JSON.stringify({ ...document, nextKey: wrong }));
    const result = await provision(target('admin'), '--json');
    writeFileSync(join(mesh.mesh, 'next-key.json'), good);
    expect(result.json()).toMatchObject({
      exit: 0,
      hosts: [{ result: 'joined', escrow: null, warnings: expect.arrayContaining([expect.stringContaining('not the one its identity has committed to')]) }],
    });
    expect(existsSync(escrowed())).toBe(false);
    expect(existsSync(join(sshd.dir, 'empty-1/robonet/key-gone'))).toBe(false);
    await provision('--undo', target('admin'));
    writeFileSync(join(mesh.mesh, 'mute'), '');
    expect((await provision(target('admin'), '--json')).json()).toMatchObject({
      exit: 0,
      hosts: [{ result: 'joined', escrow: null, warnings: expect.arrayContaining([expect.stringContaining('escrow pull')]) }],
    });
    rmSync(join(mesh.mesh, 'mute'));
    await provision('--undo', target('admin'));
    expect((await provision(target('admin'), '--no-escrow', '--json')).json()).toMatchObject({
      exit: 0,
      hosts: [{ result: 'joined', escrow: null, warnings: expect.not.arrayContaining([expect.stringContaining('next key')]) }],
    });
    expect(existsSync(escrowed())).toBe(false);
    await provision('--undo', target('admin'));
    expect(installed()).toEqual([]);
  }, 90_000);

  it('an inventory with a mistake contacts no host', async () => {
    writeFileSync(join(sshd.dir, 'bad.yaml'), 'hosts:\n  a:\n    prot: 22\n');
    const result = await provision('--inventory', join(sshd.dir, 'bad.yaml'));
    expect([result.code, result.stderr]).toEqual([65, expect.stringContaining('bad.yaml:3:5: "prot" is not known here (did you mean "port"?)')]);
  });
});
