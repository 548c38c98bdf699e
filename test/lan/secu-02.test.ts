/**
 * SECU-02: owner watches trust grow over successful exchanges (accelerated clock): it follows the published formula of
 * length, consistency and age, never jumps, and `trust explain` lists the events from which an offline tool recomputes
 * the same number.
 */
import { expect, test } from 'vitest';
import type { TrustView } from '#mesh/swarm/views.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { nodesOf, robonetRefused } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

/** The lab profile of protocol.md §2.12: Λ = 64 frames, Θ = 24 min; slots of 60 s, at most 8 frames and 1.5 slots credited. */
const LENGTH_SCALE = 64;
const TIME_SCALE_MS = 24 * 60_000;
const SLOT_FRAMES_MAX = 8;
const SLOT_MS_MAX = 90_000;
const CLOCK_RATE = 20;
/** Scores are printed with four decimals. */
const PRINT_ERROR = 0.000_11;

const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });

const lan = useLan(
  () => [
    { name: 'owner', programs: programs() },
    { name: 'worker', programs: programs() },
    { name: 'auditor', programs: programs() },
  ],
  async () => {
    for (const name of ['owner', 'worker']) await lan.host(name).writeFile('/etc/robonet/config.yaml', `clock_rate: ${CLOCK_RATE}\n`);
    await found(lan.host('owner'), { trustProfile: 'lab' });
    await adopt(lan.host('owner'), [lan.host('worker')]);
    await waitForMembers(lan.host('owner'), ['owner', 'worker'], lan.evidence);
  },
);

function published(lengthCredit: number, timeCreditMs: number, debt: number): number {
  return Math.exp(-debt) * Math.sqrt((1 - Math.exp(-lengthCredit / LENGTH_SCALE)) * (1 - Math.exp(-timeCreditMs / TIME_SCALE_MS)));
}

async function trustOf(peer: string): Promise<TrustView> {
  const trust = (await nodesOf(lan.host('owner'))).find((node) => node.name === peer)?.trust;
  if (trust === null || trust === undefined) throw new Error(`the owner has no judgement of ${peer}`);
  return trust;
}

test('SECU-02 trust grows from 0 along the published formula and never jumps', async () => {
  const samples: TrustView[] = [await trustOf('worker')];
  expect(samples[0]?.level).toBe(0);
  const startedAt = performance.now();
  await waitFor('the worker has earned level 2', { withinMs: 120_000, everyMs: 300, evidence: lan.evidence }, async () => {
    samples.push(await trustOf('worker'));
    return samples.at(-1)!.level >= 2;
  });
  record({
    useCase: 'SECU-02',
    what: `level 2 at ${CLOCK_RATE} times the speed of time`,
    measuredMs: Math.round(performance.now() - startedAt),
    promisedMs: null,
  });
  const scores = new Set(samples.map((sample) => sample.score));
  expect(scores.size).toBeGreaterThan(5);
  samples.forEach((sample, index) => {
    expect(Math.abs(sample.score - published(sample.lengthCredit, sample.timeCreditMs, sample.debt))).toBeLessThan(PRINT_ERROR);
    const before = samples[index - 1];
    if (before === undefined) return;
    expect(sample.score).toBeGreaterThanOrEqual(before.score);
    // What one credited slot can add is the most a step may be, times the slots that passed between two looks.
    const slots = Math.max(1, Math.ceil((sample.timeCreditMs - before.timeCreditMs) / 60_000));
    const reachable = published(before.lengthCredit + slots * SLOT_FRAMES_MAX, before.timeCreditMs + slots * SLOT_MS_MAX, before.debt);
    expect(sample.score).toBeLessThanOrEqual(reachable + PRINT_ERROR);
  });
});

test('SECU-02 trust explain lists the events, and an offline tool recomputes the same number from them', async () => {
  const owner = lan.host('owner');
  const auditor = lan.host('auditor');
  const explained = await owner.check(['robonet', 'trust', 'worker', '--explain', '--no-color']);
  // Equal slots in a row are one sentence; together they are the whole time credit.
  const slots = [...explained.matchAll(/(\d+) slots? of 1 min with a fresh signed checkpoint/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  expect(slots).toBeGreaterThan(3);
  expect(Math.abs(slots - (await trustOf('worker')).timeCreditMs / 60_000)).toBeLessThanOrEqual(2);
  await owner.check(['robonet', 'trust', 'worker', '--export', '/tmp/worker-trust.json']);
  const exported = await owner.readFile('/tmp/worker-trust.json');
  const shown = await trustOf('worker');
  // The auditor runs no agent and is in no mesh; only the file reaches it.
  await auditor.writeFile('/tmp/worker-trust.json', exported);
  const verified = await auditor.run(['robonet', 'trust', '--verify', '/tmp/worker-trust.json', '--json']);
  expect(verified.code).toBe(0);
  const document = JSON.parse(verified.stdout) as { readonly score: number; readonly valid: boolean };
  expect(document.valid).toBe(true);
  expect(document.score).toBeLessThanOrEqual(shown.score + PRINT_ERROR);
  expect(shown.score - document.score).toBeLessThan(0.05);
  // What the file states (in ten-thousandths) is what was recomputed.
  const stated = (JSON.parse(exported) as { readonly result: { readonly score: number } }).result.score;
  expect(document.score).toBeCloseTo(stated / 10_000, 4);
});

test('SECU-02 a history that was touched no longer yields its number', async () => {
  const auditor = lan.host('auditor');
  const exported = JSON.parse(await auditor.readFile('/tmp/worker-trust.json')) as Record<string, unknown>;
  const generous = JSON.stringify(exported, (key, value: unknown) => (key === 'score' && typeof value === 'number' ? Math.min(1, value + 0.2) : value));
  expect(generous).not.toBe(JSON.stringify(exported));
  await auditor.writeFile('/tmp/generous.json', generous);
  const refused = await robonetRefused(auditor, ['trust', '--verify', '/tmp/generous.json']);
  expect(refused.exit).toBe(65);
});

test('SECU-02 the number survives a restart of the observer and is not raised by one of the peer', async () => {
  const [owner, worker] = [lan.host('owner'), lan.host('worker')];
  const before = await trustOf('worker');
  await owner.check(['robonet', 'agent', 'stop']);
  await owner.check(['robonet', 'agent', 'start']);
  await waitForMembers(owner, ['owner', 'worker'], lan.evidence);
  const after = await trustOf('worker');
  expect(after.score).toBeGreaterThan(before.score - 0.05);
  await worker.check(['robonet', 'agent', 'stop']);
  const stopped = await trustOf('worker');
  await worker.check(['robonet', 'agent', 'start']);
  await waitForMembers(owner, ['owner', 'worker'], lan.evidence);
  const again = await trustOf('worker');
  const reachable = published(stopped.lengthCredit + 20 * SLOT_FRAMES_MAX, stopped.timeCreditMs + 20 * SLOT_MS_MAX, stopped.debt);
  expect(again.score).toBeLessThanOrEqual(reachable);
  await expectHealthy([owner, worker]);
});
