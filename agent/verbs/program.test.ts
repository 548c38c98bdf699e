import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { documentFault } from '#agent/api/documents.ts';
import type { ApiMethod, StatusAnswer } from '#agent/api/protocol.ts';
import { type ApiHandlers, type ApiServer, serveApi } from '#agent/api/server.ts';
import { problemsOf } from '#agent/status/problems.ts';
import { raftOf, SANDBOX } from '#agent/status/self-report.ts';
import { robonetProgram } from '#agent/verbs/program.ts';
import { runProgram } from '#core/node/command-line/run.ts';
import type { VerbSpec } from '#core/node/command-line/verb.ts';
import type { IdentityDocument } from '#mesh/hcth/identity-document.ts';
import type { ClosedView, NodeView, StatusView } from '#mesh/swarm/views.ts';
import type { TrustStep } from '#mesh/trust/explain.ts';

const self: NodeView = {
  aid: 'rn1aaaa',
  fingerprint: 'AAAA-AAAA-AAAA-AAAA',
  name: 'attic',
  self: true,
  role: 'voter',
  voter: true,
  leader: true,
  liveness: 'up',
  lastSeen: null,
  rttMs: null,
  address: null,
  trust: null,
  incarnation: 3,
  rotation: 0,
  capabilities: null,
  conditions: [],
  joinedAt: 0,
  contest: null,
};
const cellar: NodeView = {
  ...self,
  aid: 'rn1bbbb',
  fingerprint: 'BBBB-BBBB-BBBB-BBBB',
  name: 'cel\u001b[2Jlar',
  self: false,
  role: 'member',
  voter: false,
  leader: false,
  address: '10.0.0.2:7411',
  rttMs: 0.8,
  trust: {
    score: 0.2345,
    level: 1,
    standing: 'clear',
    lengthCredit: 100,
    timeCreditMs: 60_000,
    debt: 0,
    breaks: {},
    sent: { incarnation: 1, sequence: 1 },
    received: { incarnation: 1, sequence: 1 },
    lastCheckpointAt: null,
    may: ['heartbeat'],
  },
};
const mesh = {
  id: '0'.repeat(64),
  tag: '0'.repeat(16),
  name: 'home',
  admission: 'approve',
  trustProfile: 'home',
  quorum: 1,
  voters: 1,
  leader: 'rn1aaaa',
  term: 1,
  commitIndex: 4,
  foundedAt: 0,
} as const;
const member: StatusView = {
  state: 'member',
  stateReason: null,
  self,
  startReason: 'clean',
  degraded: [],
  mesh,
  nodes: [self, cellar],
  requests: [],
  closed: [],
  strangers: [],
  barred: [],
};

let view: StatusView = member;
const calls: (readonly [ApiMethod, unknown])[] = [];
const answer = (): StatusAnswer => ({
  ...view,
  raft: raftOf(view),
  sandbox: SANDBOX,
  agent: { version: '1', build: 'b', pid: 1, uptimeMs: 1, port: 7_411, stateDirectory: '/x', configuration: null, interfaces: [], rssBytes: 1 },
  problems: problemsOf(view, 1, 1_000_000),
});
const note = <Value>(method: ApiMethod, request: unknown, value: Value): Value => {
  calls.push([method, request]);
  return value;
};
const waiting = { fingerprint: 'CCCC-CCCC-CCCC-CCCC', aid: 'rn1c', name: 'new', address: '10.0.0.9:1', since: 0, expiresAt: 1, capabilities: null };
const closed: ClosedView = {
  aid: 'rn1dddd',
  fingerprint: 'DDDD-DDDD-DDDD-DDDD',
  name: 'old-cellar',
  closedAt: 0,
  successor: { aid: 'rn1bbbb', fingerprint: cellar.fingerprint, name: 'cellar' },
};
const publicDocument: IdentityDocument = {
  v: 1,
  type: 'robonet-identity',
  aid: 'rn1aaaa',
  fingerprint: self.fingerprint,
  name: 'attic',
  mesh: { id: mesh.id, name: mesh.name },
  rotation: 1,
  establishment: [],
  membership: null,
  peers: [],
  takenAt: 0,
};
const named = { aid: cellar.aid, name: cellar.name, fingerprint: cellar.fingerprint };
const handlers: ApiHandlers = {
  status: answer,
  init: (request) => note('init', request, answer()),
  join: (request) => note('join', request, answer()),
  leave: () => note('leave', {}, answer()),
  invite: (request) =>
    note('invite', request, {
      token: 'rnj1.secret',
      tokenId: 'abc',
      meshId: '',
      meshName: 'home',
      expiresAt: 0,
      uses: request.uses,
      role: request.role,
      standing: 'open',
      label: request.label,
      usedBy: [],
    }),
  invitations: () => [],
  'revoke-invitation': (request) => note('revoke-invitation', request, {}),
  approve: (request) => note('approve', request, waiting),
  deny: (request) => note('deny', request, waiting),
  forget: (request) => note('forget', request, cellar),
  bar: (request) => note('bar', request, named),
  unbar: (request) => note('unbar', request, named),
  'add-voter': (request) => note('add-voter', request, named),
  'remove-voter': (request) => note('remove-voter', request, named),
  settle: (request) => note('settle', request, {}),
  trust: () => ({
    peer: cellar,
    beginning: 'it began',
    steps: [oddStep],
    result: ['it ended'],
    lines: ['it began', 'it ended'],
    evidence: [],
    exported: { v: 2 },
  }),
  identity: () => ({
    aid: 'rn1aaaa',
    fingerprint: self.fingerprint,
    name: 'attic',
    binding: { kind: 'soft', reason: 'a MAC', facts: { mac: 'x' } },
    incarnation: 3,
    rotation: 1,
    nextKey: { where: 'device', rotation: 2, digest: 'd'.repeat(64) },
    replaces: [],
  }),
  close: (request) => note('close', request, closed),
  rotate: (request) => note('rotate', request, { rotation: 2, aid: 'rn1aaaa' }),
  'identity-document': (request) => note('identity-document', request, publicDocument),
  'export-next-key': () => note('export-next-key', {}, { ...publicDocument, nextKey: 'rnk1.SECR-ET' }),
  'forget-next-key': (request) => note('forget-next-key', request, {}),
  events: () => [{ at: 0, code: 'SEQ', severity: 'warning', text: 'odd', aid: null, source: '10.0.0.7', data: {} }],
  ping: () => ({ rttMs: 0.5 }),
  doctor: ({ peers }) => ({ findings: [{ check: 'unicast', subject: peers[0] ?? '-', level: 'critical', text: 'blocked', next: 'open it' }], tookMs: 1 }),
};

const oddStep: TrustStep = {
  kind: 'break',
  fromMs: 0,
  untilMs: 0,
  at: 1_700_000_000_000,
  class: 'PV',
  text: 'break PV, odd',
  before: 0.2345,
  after: 0.1345,
  levelBefore: 1,
  levelAfter: 0,
  next: 'update it',
};
let folder = '';
const frozenExport = resolve(import.meta.dirname, '../../test/vectors/trust/export.json');
let server: ApiServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verbs-'));
  server = await serveApi({
    path: join(folder, 'agent.sock'),
    handlers,
    events: { recentEvents: () => [], onEvent: () => () => undefined },
    onProblem: () => undefined,
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  view = member;
  calls.length = 0;
});

async function robonet(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runProgram(robonetProgram, {
    argv: ['--socket', join(folder, 'agent.sock'), ...argv],
    env: {},
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    signal: new AbortController().signal,
  });
  if (argv.includes('--json')) for (const line of out.split('\n').filter((text) => text !== '')) expect(documentFault(JSON.parse(line)), line).toBeUndefined();
  return { code, out, err };
}

describe('every verb', () => {
  const leaves = (verbs: readonly VerbSpec[]): readonly VerbSpec[] =>
    verbs.flatMap((verb) => [...(verb.run === undefined || verb.hidden === true ? [] : [verb]), ...leaves(verb.verbs ?? [])]);
  const all = leaves(robonetProgram.verbs ?? []);

  it('shows at least one example in its help', () => {
    expect(all.length).toBeGreaterThan(20);
    expect(all.filter((verb) => (verb.examples ?? []).length === 0).map((verb) => verb.name)).toEqual([]);
  });

  it('that changes something has --dry-run', () => {
    const changing = [
      'init',
      'join',
      'leave',
      'invite',
      'revoke',
      'approve',
      'deny',
      'forget',
      'bar',
      'unbar',
      'add',
      'remove',
      'settle',
      'install',
      'uninstall',
      'start',
      'stop',
    ];
    for (const name of changing)
      expect(
        all.find((verb) => verb.name === name)?.options?.map((option) => option.flags),
        name,
      ).toContain('--dry-run');
  });

  it.each([
    ['init', 'x'],
    ['join'],
    ['leave'],
    ['invite'],
    ['invite', 'revoke', 'abc'],
    ['approve', 'CCCC-CCCC-CCCC-CCCC'],
    ['deny', 'CCCC-CCCC-CCCC-CCCC'],
    ['node', 'forget', 'attic'],
    ['node', 'bar', 'attic'],
    ['node', 'unbar', 'attic'],
    ['voters', 'add', 'attic'],
    ['voters', 'remove', 'attic'],
    ['identity', 'settle', 'attic', '--restored'],
  ])('%s --dry-run asks the agent to change nothing', async (...words) => {
    if (words[0] === 'init' || words[0] === 'join') view = { ...member, state: 'unjoined', mesh: null };
    const { code, out } = await robonet(...words, '--dry-run');
    expect([code, calls]).toEqual([0, []]);
    expect(out).toMatch(/^would /);
    expect(JSON.parse((await robonet(...words, '--dry-run', '--json')).out)).toMatchObject({ v: 1, type: 'dry-run' });
  });
});

describe('a dry run', () => {
  it('of init and join is refused as the real run would be, on a node that has a mesh', async () => {
    for (const words of [['init', 'x'], ['join']]) {
      const { code, err } = await robonet(...words, '--dry-run');
      expect(code).not.toBe(0);
      expect(err).toContain('RN-MESH-004');
    }
  });

  it('of init refuses a name that no mesh may have', async () => {
    view = { ...member, state: 'unjoined', mesh: null };
    const { code, err } = await robonet('init', 'a\u00f6b', '--dry-run');
    expect([code, err]).toEqual([64, expect.stringContaining('letters A–Z')]);
  });

  it('does not end well where nobody answers and nothing would be started', async () => {
    const { code, err } = await robonet('init', 'x', '--dry-run', '--no-start', '--socket', '/nonexistent');
    expect([code, err]).toEqual([69, expect.stringContaining('RN-AGENT-001')]);
  });
});

describe('status', () => {
  it('says who is here and how many voters may be lost, and lets no name rewrite the screen', async () => {
    const { code, out } = await robonet('status');
    expect(code).toBe(0);
    expect(out).toContain('mesh home: 2 nodes, 2 online; leader attic, term 1; 1 voter, quorum 1: without it nothing is decided');
    expect(out).toContain('no problems');
    expect(out).toMatch(/attic +online \(this node\) +voter, leader/);
    expect(out).not.toContain('\u001b');
  });

  it('puts problems on top and exits 1 for a critical one', async () => {
    view = { ...member, degraded: ['ledger'] };
    const { code, out } = await robonet('status');
    expect(code).toBe(1);
    expect(out.split('\n')[1]).toContain('critical stored state is degraded: ledger');
  });

  it('is one document with problems for scripts', async () => {
    expect(JSON.parse((await robonet('status', '--json')).out)).toMatchObject({ v: 1, type: 'status', state: 'member', problems: [], mesh: { name: 'home' } });
  });

  it('exits 69 and says what to do when no agent runs', async () => {
    const { code, out } = await robonet('--socket', '/nonexistent/agent.sock', 'status', '--json');
    expect(code).toBe(69);
    expect(JSON.parse(out)).toMatchObject({ v: 1, type: 'error', error: { code: 'RN-AGENT-001', exit: 69 } });
  });
});

describe('identity', () => {
  const file = (text: string): string => {
    const path = join(folder, `key-${String(Math.random()).slice(2)}`);
    writeFileSync(path, text);
    return path;
  };

  it('show warns while the next key is on the device, and says how to take it away', async () => {
    const shown = await robonet('identity', 'show');
    expect(shown.out).toContain('rotation 1');
    expect(shown.out).toMatch(/next key +on this device/);
    expect(shown.err).toContain('provision escrow pull');
    expect(JSON.parse((await robonet('identity', 'show', '--json')).out)).toMatchObject({ rotation: 1, nextKey: { where: 'device', rotation: 2 } });
  });

  it('rotate asks the agent; --dry-run asks it whether it could, and changes nothing', async () => {
    const dry = await robonet('identity', 'rotate', '--dry-run');
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('would replace the key of this node')]);
    expect(calls.at(-1)).toEqual(['rotate', { nextKey: null, recovery: false, document: null, dryRun: true }]);
    const done = await robonet('identity', 'rotate', '--next-key', file('# note\nrnk1.AAAA\n'));
    expect(done.out).toContain('a new key (rotation 2)');
    expect(calls.at(-1)).toEqual(['rotate', { nextKey: '# note\nrnk1.AAAA\n', recovery: false, document: null, dryRun: false }]);
  });

  it('a next key on the command line is refused and never sent', async () => {
    const before = calls.length;
    for (const verb of ['rotate', 'recover']) {
      const refused = await robonet('identity', verb, '--next-key', 'rnk1.AAAA-BBBB');
      expect([refused.code, refused.err]).toEqual([64, expect.stringContaining('could be read by every user')]);
      expect(refused.err).not.toContain('BBBB');
    }
    expect(calls.length).toBe(before);
  });

  it('recover on another device needs what a member knows, or --alone', async () => {
    const escrow = JSON.stringify({ ...publicDocument, aid: 'rn1other', fingerprint: 'EEEE-EEEE-EEEE-EEEE', nextKey: 'rnk1.AAAA' });
    const path = file(escrow);
    const refused = await robonet('identity', 'recover', '--next-key', path);
    expect([refused.code, refused.err]).toEqual([64, expect.stringContaining('robonet identity document NAME')]);
    await robonet('identity', 'recover', '--next-key', path, '--alone');
    expect(calls.at(-1)).toEqual(['rotate', { nextKey: 'rnk1.AAAA', recovery: true, document: escrow, dryRun: false }]);
    const told = file(JSON.stringify(publicDocument));
    await robonet('identity', 'recover', '--next-key', path, '--identity', told);
    expect(calls.at(-1)).toEqual(['rotate', { nextKey: 'rnk1.AAAA', recovery: true, document: JSON.stringify(publicDocument), dryRun: false }]);
    // The escrow of this very device needs no document.
    await robonet('identity', 'recover', '--next-key', file(JSON.stringify({ ...publicDocument, nextKey: 'rnk1.BBBB' })));
    expect(calls.at(-1)).toEqual(['rotate', { nextKey: 'rnk1.BBBB', recovery: true, document: null, dryRun: false }]);
    expect((await robonet('identity', 'recover')).code).toBe(64);
  });

  it('export-next writes a file for this user alone, reads it back, and only then has the copy deleted', async () => {
    const path = join(folder, 'attic.key');
    const exported = await robonet('identity', 'export-next', path);
    expect(exported.code).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^# roboNet: next key of attic .*\n# Whoever.*\nrnk1\.SECR-ET\n$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(calls.at(-1)).toEqual(['forget-next-key', { digest: 'd'.repeat(64), how: 'exported', place: path }]);
    const before = calls.filter(([method]) => method === 'forget-next-key').length;
    // A file that is there is not touched, and nothing is deleted.
    const again = await robonet('identity', 'export-next', path);
    expect([again.code, again.err]).toEqual([65, expect.stringContaining('The next key is still on this device')]);
    expect((await robonet('identity', 'export-next', join(folder, 'no', 'where'))).code).toBe(65);
    expect((await robonet('identity', 'export-next', join(folder, 'kept.key'), '--keep')).code).toBe(0);
    const piped = await robonet('identity', 'export-next', '-');
    expect([piped.out, piped.err]).toEqual(['rnk1.SECR-ET\n', expect.stringContaining(`forget-next ${'d'.repeat(64)}`)]);
    expect(calls.filter(([method]) => method === 'forget-next-key').length).toBe(before);
    expect(JSON.parse((await robonet('identity', 'export-next', '-', '--json')).out)).toMatchObject({ type: 'robonet-identity', nextKey: 'rnk1.SECR-ET' });
    await robonet('identity', 'export-next', '-', '--delete');
    expect(calls.filter(([method]) => method === 'forget-next-key').length).toBe(before + 1);
  });

  it('document prints no secret', async () => {
    const printed = await robonet('identity', 'document', 'cellar');
    expect(JSON.parse(printed.out)).toEqual(publicDocument);
    expect(calls.at(-1)).toEqual(['identity-document', { node: 'cellar' }]);
  });
});

describe('closed identities', () => {
  it('are listed under the nodes, and shown with date and successor', async () => {
    view = { ...member, closed: [closed] };
    try {
      const nodes = await robonet('nodes');
      expect(nodes.out).toContain('old-cellar (DDDD-DDDD-DDDD-DDDD), closed 1970-01-01 00:00:00Z; cellar (BBBB-BBBB-BBBB-BBBB) has taken its place');
      expect((await robonet('node', 'OLD-cellar')).out).toContain('closed 1970-01-01');
      expect((await robonet('node', 'BBBB-BBBB-BBBB-BBBB')).out).toMatch(/replaces +old-cellar/);
      expect(JSON.parse((await robonet('nodes', '--json')).out)).toMatchObject({ closed: [{ name: 'old-cellar' }] });
    } finally {
      view = member;
    }
  });

  it('node close and approve --replaces say what they would do, and do it', async () => {
    const dry = await robonet('node', 'close', 'BBBB-BBBB-BBBB-BBBB', '--dry-run');
    expect(dry.out).toContain('would close the identity of');
    await robonet('node', 'close', 'BBBB-BBBB-BBBB-BBBB', '--replaced-by', 'attic');
    expect(calls.at(-1)).toEqual(['close', { node: 'rn1bbbb', replacedBy: 'rn1aaaa' }]);
    await robonet('approve', 'CCCC-CCCC-CCCC-CCCC', '--replaces', 'attic');
    expect(calls.at(-1)).toEqual(['approve', { fingerprint: 'CCCC-CCCC-CCCC-CCCC', replaces: 'attic' }]);
    expect((await robonet('approve', 'CCCC-CCCC-CCCC-CCCC', '--replaces', 'attic', '--dry-run')).out).toContain('would close the identity of attic');
  });
});

describe('join', () => {
  it('takes the invitation out of whatever text surrounds it', async () => {
    writeFileSync(join(folder, 'token'), 'your invitation:\n rnj1.abcdef \n');
    await robonet('join', '--token-file', join(folder, 'token'), '--peer', '10.0.0.2', '--wait', '5');
    expect(calls).toEqual([['join', { mode: 'token', token: 'rnj1.abcdef', peers: ['10.0.0.2'] }]]);
  });

  it('refuses an invitation on the command line, an empty file and a missing one', async () => {
    writeFileSync(join(folder, 'empty'), '');
    expect(await robonet('join', 'rnj1.abc')).toMatchObject({ code: 64, err: expect.stringContaining('--token-file') });
    expect(await robonet('join', '--token-file', join(folder, 'empty'))).toMatchObject({ code: 65 });
    expect(await robonet('join', '--token-file', join(folder, 'none'))).toMatchObject({ code: 65 });
    expect(calls).toEqual([]);
  });

  it('without an invitation asks for approval and shows the fingerprint to compare', async () => {
    view = { ...member, state: 'lobby', mesh: null };
    const { err } = await robonet('join', 'home', '--expect', 'BBBB-BBBB-BBBB-BBBB');
    expect(calls).toEqual([['join', { mode: 'request', mesh: 'home', expect: 'BBBB-BBBB-BBBB-BBBB', peers: [] }]]);
    expect(err).toContain('AAAA-AAAA-AAAA-AAAA');
  });

  it('says when the wait is over, with exit 75', async () => {
    view = { ...member, state: 'lobby', mesh: null };
    expect(await robonet('join', '--wait', '50ms')).toMatchObject({ code: 75 });
  });
});

describe('other verbs', () => {
  it('invite puts the token alone on stdout', async () => {
    expect(await robonet('invite', '--uses', '3', '--expires', '2d')).toMatchObject({ code: 0, out: 'rnj1.secret\n' });
    expect(calls).toEqual([['invite', { role: 'member', uses: 3, expiresInMs: 172_800_000, label: null }]]);
  });

  it('approve wants the whole fingerprint', async () => {
    expect(await robonet('approve', 'CCCC-CCCC')).toMatchObject({ code: 64 });
    expect(await robonet('approve', 'cccc cccc cccc cccc')).toMatchObject({ code: 0 });
  });

  it('node suggests the name that was meant', async () => {
    expect(await robonet('node', 'atic')).toMatchObject({ code: 65, err: expect.stringContaining('did you mean attic?') });
    expect(JSON.parse((await robonet('node', 'attic', '--ping', '3', '--json')).out)).toMatchObject({
      type: 'node',
      name: 'attic',
      ping: { count: 3, medianMs: 0.5 },
    });
  });

  it('events are one document per line', async () => {
    expect(JSON.parse((await robonet('events', '--json')).out)).toEqual({
      v: 1,
      type: 'event',
      at: 0,
      code: 'SEQ',
      severity: 'warning',
      text: 'odd',
      aid: null,
      source: '10.0.0.7',
      data: {},
    });
  });

  it('doctor exits 1 for something critical and passes typed peers on', async () => {
    expect(await robonet('doctor', '--peer', '10.0.0.2:1')).toMatchObject({ code: 1, out: expect.stringContaining('10.0.0.2:1: blocked') });
  });

  it('trust --verify refuses what is not an export, without any agent', async () => {
    writeFileSync(join(folder, 'export.json'), '{"v":1}');
    expect(await robonet('--socket', '/nonexistent', 'trust', '--verify', join(folder, 'export.json'), '--json')).toMatchObject({
      code: 65,
      out: expect.stringContaining('RN-AGENT-014'),
    });
    writeFileSync(join(folder, 'export.json'), '{');
    expect(await robonet('trust', '--verify', join(folder, 'export.json'))).toMatchObject({ code: 65 });
  });

  it('trust --verify recomputes an export without any agent, and says what it verified', async () => {
    const good = await robonet('--socket', '/nonexistent', 'trust', '--verify', frozenExport);
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('Holds: rn1') });
    expect(good.out).toContain('1 rotation, 2 boot events, 2 statements and 4 checkpoints of both, 0 proofs against the peer');
    const document = JSON.parse((await robonet('trust', '--verify', frozenExport, '--json')).out) as { valid: boolean; score: number };
    expect(document).toMatchObject({ valid: true, level: 2, verified: { checkpoints: 4 } });
  });

  it('trust --verify names file, line and place of the first item that does not hold', async () => {
    const file = join(folder, 'edited.json');
    const lines = readFileSync(frozenExport, 'utf8').split('\n');
    const at = lines.findIndex((line) => line.includes('n 60000'));
    writeFileSync(file, lines.with(at, lines[at]!.replace('n 60000', 'n 60001')).join('\n'));
    expect(await robonet('trust', '--verify', file)).toMatchObject({
      code: 65,
      err: expect.stringContaining(`edited.json:${String(at + 1)}: the history does not hold: events[3]: "n 60001"`),
    });
  });

  it('trust --explain is a table of events with their dates and what to do', async () => {
    const { out } = await robonet('trust', 'BBBB-BBBB-BBBB-BBBB', '--explain');
    expect(out).toContain('2023-11-14 22:13:20Z');
    expect(out).toMatch(/−0\.1000 +0\.1345 \(T1 → T0\) +break PV, odd/);
    expect(out).toContain('→ update it');
  });

  it('explain knows faults, refusals and events', async () => {
    for (const code of ['RN-AGENT-001', 'token_used', 'HARDWARE_CHANGED']) expect((await robonet('explain', code)).code).toBe(0);
    expect(await robonet('explain', 'TOKEN_USE')).toMatchObject({ code: 65, err: expect.stringContaining('did you mean TOKEN_USED?') });
  });

  it('node bar and unbar say what they do, with the reason', async () => {
    const { out } = await robonet('node', 'bar', 'BBBB-BBBB-BBBB-BBBB', '--reason', 'stolen');
    expect(out).toContain('(BBBB-BBBB-BBBB-BBBB) is barred: stolen');
    await robonet('node', 'bar', 'rn1zzzz');
    await robonet('node', 'unbar', 'cellar', '--json');
    expect(calls).toEqual([
      ['bar', { node: 'rn1bbbb', reason: 'stolen' }],
      ['bar', { node: 'rn1zzzz', reason: 'barred by the owner' }],
      ['unbar', { node: 'cellar' }],
    ]);
  });

  it('voters says how many may fail; add and remove pass the node on and say what comes of it', async () => {
    expect((await robonet('voters')).out).toContain('1 voter, quorum 1: without it nothing is decided');
    const { out, err } = await robonet('voters', 'add', 'BBBB-BBBB-BBBB-BBBB');
    expect(out).toContain('votes as soon as it has kept up');
    expect(out + err).toContain('with two voters both are needed');
    expect((await robonet('voters', 'remove', 'BBBB-BBBB-BBBB-BBBB')).out).toContain('has no vote any more');
    expect(calls).toEqual([
      ['add-voter', { node: 'rn1bbbb' }],
      ['remove-voter', { node: 'rn1bbbb' }],
    ]);
  });

  it('identity settle wants one answer, and passes it on', async () => {
    for (const wrong of [[], ['--copy', '4-ab12cd34', '--restored']])
      expect((await robonet('identity', 'settle', 'BBBB-BBBB-BBBB-BBBB', ...wrong)).code).toBe(64);
    expect(calls).toEqual([]);
    expect((await robonet('identity', 'settle', 'BBBB-BBBB-BBBB-BBBB', '--copy', '4-ab12cd34')).out).toContain('4-ab12cd34 is the copy of ');
    await robonet('identity', 'settle', 'BBBB-BBBB-BBBB-BBBB', '--restored', '--json');
    expect(calls).toEqual([
      ['settle', { node: 'rn1bbbb', copy: '4-ab12cd34' }],
      ['settle', { node: 'rn1bbbb', copy: null }],
    ]);
  });

  it('an identity on two machines is on top of the status, with both and the command for either answer', async () => {
    const holders = [
      { boot: '3-aaaaaaaa', incarnation: 3, address: '10.0.0.2', macs: ['02:00:00:00:00:02'] },
      { boot: '4-bbbbbbbb', incarnation: 4, address: '10.0.0.9', macs: ['02:00:00:00:00:09'] },
    ];
    const contest = { aid: 'rn1bbbb', name: 'cellar', since: 0, believed: true, observers: ['attic'], holders, text: 'cellar is one identity on two machines' };
    view = { ...member, nodes: [self, { ...cellar, contest, trust: { ...cellar.trust!, standing: 'contested' } }] };
    const { code, out } = await robonet('status');
    expect(code).toBe(1);
    expect(out.split('\n')[1]).toContain('critical cellar is one identity on two machines');
    expect(out).toContain('--copy 4-bbbbbbbb');
    expect(out).toContain('--copy 3-aaaaaaaa');
    expect((await robonet('node', 'BBBB-BBBB-BBBB-BBBB')).out).toContain('contested');
    expect((await robonet('node', 'BBBB-BBBB-BBBB-BBBB', '--json')).out).toContain('02:00:00:00:00:09');
    view = {
      ...member,
      barred: [{ aid: 'rn1cccc', fingerprint: 'CCCC-CCCC-CCCC-CCCC', name: 'old', cause: 'owner', reason: 'stolen', evidence: null, hardware: 'tpm', at: 0 }],
    };
    expect((await robonet('nodes')).out).toContain('old (CCCC-CCCC-CCCC-CCCC): stolen; its machine too (tpm)');
    expect((await robonet('nodes', '--json')).out).toContain('"hardware":"tpm"');
    view = member;
  });

  it('forget tells the agent the identity, not the name', async () => {
    await robonet('node', 'forget', 'BBBB-BBBB-BBBB-BBBB');
    expect(calls).toEqual([['forget', { node: 'rn1bbbb' }]]);
  });
});
