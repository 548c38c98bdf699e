/**
 * SECU-03: an entry in a node's stored chain is edited, dropped or reordered: the next handshake names the first bad entry,
 * trust falls by the stated amount, both halves are kept as evidence, and higher-trust work leaves the node. The meddler has
 * the disk of a stopped machine and knows the format; checksums are made to fit, except where it is a card that is at fault.
 */
import { expect, test } from 'vitest';
import { decodeBoot } from '#mesh/hcth/boot-event.ts';
import { packStatement, unpackStatement } from '#mesh/hcth/own-statements.ts';
import { decodeStatement } from '#mesh/hcth/statement-log.ts';
import { LEVEL_PERMISSIONS } from '#mesh/trust/permissions.ts';
import type { EventRecord, NodeView } from '#mesh/swarm/views.ts';
import type { Host } from './lab/host/host.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf } from './stage/documents.ts';
import { recordsOf, writeDamaged, writeRecords } from './stage/journals.ts';
import { useLan } from './stage/lan.ts';
import { adopt, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const STATE = '/var/lib/robonet';
const LOG = `${STATE}/statements.journal`;
const CLOCK_RATE = 20;

/** What is done to a log at the farewell of its first life, and what has to come of it. */
const MEDDLINGS: Readonly<
  Record<
    string,
    {
      readonly kind: string;
      readonly class: 'B2' | 'B3';
      readonly debt: number;
      readonly do: (host: Host, records: readonly Uint8Array[], at: number) => Promise<void>;
    }
  >
> = {
  edited: { kind: 'edited', class: 'B3', debt: 0.7, do: (host, records, at) => writeRecords(host, LOG, records.with(at, edited(records[at]!))) },
  dropped: { kind: 'dropped', class: 'B3', debt: 0.7, do: (host, records, at) => writeRecords(host, LOG, records.toSpliced(at, 1)) },
  reordered: {
    kind: 'reordered',
    class: 'B3',
    debt: 0.7,
    do: (host, records, at) => writeRecords(host, LOG, records.with(at, records[at + 1]!).with(at + 1, records[at]!)),
  },
  worn: { kind: 'unreadable', class: 'B2', debt: 0.35, do: (host, records, at) => writeDamaged(host, LOG, records, at) },
};
const workers = Object.keys(MEDDLINGS);
const members = ['owner', ...workers];

const lan = useLan(
  () => members.map((name) => ({ name, programs: { robonet: robonetProgram() } })),
  async () => {
    for (const name of members) await lan.host(name).writeFile('/etc/robonet/config.yaml', `clock_rate: ${CLOCK_RATE}\n`);
    await found(lan.host('owner'), { trustProfile: 'lab' });
    await adopt(
      lan.host('owner'),
      workers.map((name) => lan.host(name)),
    );
    await waitForMembers(lan.host('owner'), members, lan.evidence);
    await each(async (host) => {
      await host.check(['robonet', 'agent', 'stop']);
      await host.check(['robonet', 'agent', 'start']);
    });
    await waitForMembers(lan.host('owner'), members, lan.evidence);
  },
);

async function each(act: (host: Host, name: string) => Promise<void>): Promise<void> {
  await Promise.all(workers.map((name) => act(lan.host(name), name)));
}

async function seenByOwner(name: string): Promise<NodeView> {
  const node = (await nodesOf(lan.host('owner'))).find((view) => view.name === name);
  if (node === undefined) throw new Error(`the owner does not know ${name}`);
  return node;
}

function edited(packed: Uint8Array): Uint8Array {
  const { body, sig } = unpackStatement(packed)!;
  return packStatement({ body: body.with(body.length - 1, body.at(-1)! ^ 1), sig });
}

/** Where the farewell of the first life stands in the log; behind it is the next boot event. */
function farewellIn(records: readonly Uint8Array[]): number {
  const bodies = records.map((packed) => unpackStatement(packed)!.body);
  const at = bodies.findIndex((body) => decodeStatement(body)?.kind === 'bye');
  expect(at).toBeGreaterThan(0);
  expect(decodeBoot(bodies[at + 1]!)).toBeDefined();
  return at;
}

async function damageOn(host: Host, aid: string): Promise<EventRecord | undefined> {
  return (await eventsOf(host)).find((event) => event.code === 'PAST_DAMAGED' && event.aid === aid);
}

test('SECU-03 four machines have earned the right to work', async () => {
  for (const name of workers)
    await waitFor(`${name} has earned level 2`, { withinMs: 120_000, everyMs: 500, evidence: lan.evidence }, async () => {
      const { trust } = await seenByOwner(name);
      return trust !== null && trust.level >= 2 && trust.may.includes('receive-workloads');
    });
});

test('SECU-03 an entry that was edited, dropped, moved or became unreadable is named on both sides, and costs what is stated', async () => {
  const owner = lan.host('owner');
  const expected = new Map<string, { readonly index: number; readonly before: NodeView }>();
  await each(async (host, name) => {
    await host.check(['robonet', 'agent', 'stop']);
    const records = await recordsOf(host, LOG);
    const at = farewellIn(records);
    expected.set(name, { index: at + 1, before: await seenByOwner(name) });
    await MEDDLINGS[name]!.do(host, records, at);
  });
  const startedAt = performance.now();
  await each(async (host) => {
    await host.check(['robonet', 'agent', 'start']);
  });
  for (const name of workers) {
    const meddling = MEDDLINGS[name]!;
    const { index, before } = expected.get(name)!;
    const told = await waitFor(`the owner hears of ${name}`, { withinMs: 60_000, evidence: lan.evidence }, async () => damageOn(owner, before.aid));
    const own = await waitFor(`${name} says it, too`, { withinMs: 20_000, evidence: lan.evidence }, async () => damageOn(lan.host(name), before.aid));
    expect(told.value.data, name).toMatchObject({ kind: meddling.kind, class: meddling.class, index });
    const { level: _, evidence, ...place } = told.value.data;
    expect(own.value.data, name).toEqual(place);
    expect(own.value.text).toContain(`entry ${String(index)} of the own stored history`);
    expect(told.value.text).toContain(`entry ${String(index)} of its stored history`);
    // Trust falls by the stated amount, and work with it.
    const { trust } = await seenByOwner(name);
    expect(trust!.breaks, name).toMatchObject({ [meddling.class]: 1 });
    expect(trust!.debt - before.trust!.debt, name).toBeCloseTo(meddling.debt, 2);
    expect(trust!.standing, name).toBe(meddling.class === 'B3' ? 'frozen' : 'clear');
    // What was earned meanwhile is less than two slots; who is frozen has earned nothing.
    expect(trust!.score, name).toBeLessThanOrEqual(before.trust!.score * Math.exp(-meddling.debt) + (meddling.class === 'B3' ? 0.001 : 0.05));
    if (meddling.class === 'B3') expect(told.value.data['level'], name).toBe(trust!.level);
    expect([...trust!.may], name).toEqual([...LEVEL_PERMISSIONS[trust!.level].actions]);
    // From below T4 the graver class takes all work away that a newcomer may not have.
    expect(before.trust!.level, name).toBeLessThan(4);
    if (meddling.class === 'B3')
      for (const action of ['receive-workloads', 'receive-secrets', 'call-standard', 'voter'] as const) expect(trust!.may, name).not.toContain(action);
    // Both halves: what the machine found on its disk, and what the owner has of it.
    expect(lan.host(name).has(`${LOG}.corrupt-1`), name).toBe(true);
    expect(owner.has(`${STATE}/evidence/${String(evidence)}`), name).toBe(true);
  }
  record({
    useCase: 'SECU-03',
    what: 'four bad entries named by the machine and its peer',
    measuredMs: Math.round(performance.now() - startedAt),
    promisedMs: null,
  });
});

test('SECU-03 trust, export and doctor show it', async () => {
  const owner = lan.host('owner');
  for (const name of workers) {
    const explained = await owner.check(['robonet', 'trust', name, '--explain', '--no-color']);
    expect(explained).toMatch(/entry \d+ of its stored history/);
    expect(explained).toContain('Evidence evidence/past-');
    await owner.check(['robonet', 'trust', name, '--export', '/tmp/trust.json']);
    expect(await owner.readFile('/tmp/trust.json')).toMatch(/entry \d+ of its stored history/);
    expect((await owner.run(['robonet', 'trust', '--verify', '/tmp/trust.json'])).code).toBe(0);
    const doctor = await lan.host(name).run(['robonet', 'doctor', '--no-color']);
    expect(doctor.stdout, name).toMatch(/entry \d+ of the own stored history/);
  }
});

test('SECU-03 the next start is sound again, and the owner may settle it', async () => {
  const owner = lan.host('owner');
  await each(async (host) => {
    await host.check(['robonet', 'agent', 'stop']);
    await host.check(['robonet', 'agent', 'start']);
  });
  await waitForMembers(owner, members, lan.evidence);
  for (const name of workers) {
    const { aid, trust } = await seenByOwner(name);
    expect(trust!.breaks, name).toMatchObject({ [MEDDLINGS[name]!.class]: 1 });
    expect((await eventsOf(lan.host(name))).filter((event) => event.code === 'PAST_DAMAGED' && event.aid === aid)).toHaveLength(1);
    if (MEDDLINGS[name]!.class === 'B3') await owner.check(['robonet', 'identity', 'settle', name, '--restored']);
    expect((await seenByOwner(name)).trust?.standing).toBe('clear');
  }
});
