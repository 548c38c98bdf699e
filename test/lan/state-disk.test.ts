/**
 * The disk of a running machine, through the built executable: full while the agent runs and when it starts, read-only by the
 * kernel's own hand, a folder or a link in the place of a state file, zeros instead of contents. It runs or refuses with its
 * documented exit code, `status` and `doctor` say why, no incarnation is used twice, and it comes back when the cause is gone.
 */
import { expect, test } from 'vitest';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, robonet, robonetRefused, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, invite, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const STATE = '/var/lib/robonet';
/** Where a file lies meanwhile. */
const KEPT = '/srv/kept';
const members = ['box', 'friend'];
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
interface Doctor {
  readonly findings: readonly { readonly check: string; readonly level: string; readonly text: string; readonly next: string | null }[];
}
/** Every incarnation that the box was seen in, by itself or by its friend. */
let newest = 0;
let aid = '';

const lan = useLan(
  () => [
    { name: 'box', programs: programs(), ext4: { path: STATE, bytes: 8 * 1024 * 1024 } },
    { name: 'friend', programs: programs() },
  ],
  async () => {
    await found(lan.host('box'), { trustProfile: 'lab' });
    await adopt(lan.host('box'), [lan.host('friend')]);
    await waitForMembers(lan.host('friend'), members, lan.evidence);
    const { self } = await statusOf(lan.host('box'));
    aid = self.aid;
    newest = self.incarnation ?? 0;
  },
);

/** The box runs again as itself, in an incarnation of its own, and both sides are content. */
async function expectBack(): Promise<void> {
  const [box, friend] = [lan.host('box'), lan.host('friend')];
  const { value } = await waitFor('the box is back', { withinMs: 30_000, evidence: lan.evidence }, async () => {
    const status = await statusOf(box);
    return status.state === 'member' ? status : undefined;
  });
  expect(value.self.aid).toBe(aid);
  expect(value.self.incarnation).toBeGreaterThan(newest);
  newest = value.self.incarnation ?? 0;
  const seen = await waitFor('the friend has met this life', { withinMs: 30_000, evidence: lan.evidence }, async () => {
    const view = (await statusOf(friend)).nodes.find((node) => node.name === 'box');
    return view?.liveness === 'up' && view.incarnation === newest ? view : undefined;
  });
  expect(seen.value.trust).toMatchObject({ standing: 'clear' });
  for (const repeated of ['B2', 'B3', 'B4', 'B5', 'PV']) expect(seen.value.trust?.breaks[repeated] ?? 0, repeated).toBe(0);
}

/** `status` and `doctor` of a box whose agent has ended: the cause, and what helps. */
async function expectTold(code: string, cause: RegExp, disk: RegExp | null): Promise<void> {
  const box = lan.host('box');
  const { value } = await waitFor('the agent has ended', { withinMs: 10_000, evidence: lan.evidence }, async () => robonetRefused(box, ['status']));
  expect(value).toMatchObject({ code: 'RN-AGENT-001', exit: 69 });
  expect(value.message).toContain(code);
  expect(value.message).toMatch(cause);
  expect(value.next).not.toContain('robonet agent start');
  const { document, result } = await robonet<Doctor>(box, ['doctor']);
  expect(result.code).toBe(1);
  const told = document.findings.filter(({ level }) => level === 'critical').map(({ check, text, next }) => `${check}: ${text} ${next ?? ''}`);
  expect(told.some((line) => line.startsWith('mesh:') && line.includes(code) && cause.test(line))).toBe(true);
  if (disk !== null) expect(told.join('\n')).toMatch(disk);
}

test('P-14 a disk that fills up ends the agent with RN-MESH-106; it comes back by itself when there is room', async () => {
  const box = lan.host('box');
  const before = await box.check(['sha256sum', `${STATE}/identity`, `${STATE}/membership`]);
  expect(box.ext4.fillUp()).toBeGreaterThan(1_000_000);
  const refused = await robonetRefused(box, ['invite']);
  expect(refused).toMatchObject({ code: 'RN-MESH-106', exit: 69, retry: 'later' });
  expect(refused.message).toMatch(/^\/var\/lib\/robonet\/[\w.-]+ cannot be written: ENOSPC$/);
  await expectTold('RN-MESH-106', /ENOSPC/, /disk: state cannot be written: the disk is full/);
  // Nor does it start on it, whoever starts it.
  expect(await robonetRefused(box, ['agent'])).toMatchObject({ code: 'RN-MESH-106', exit: 69 });
  expect(await box.check(['sha256sum', `${STATE}/identity`, `${STATE}/membership`])).toBe(before);
  box.ext4.makeRoom();
  const freedAt = performance.now();
  await expectBack();
  record({ useCase: 'P-14', what: 'a full disk was freed: a member again', measuredMs: Math.round(performance.now() - freedAt), promisedMs: 60_000 });
  await invite(box);
  await expectHealthy([box, lan.host('friend')]);
});

test('P-14 a kernel that turns the disk read-only ends the agent with RN-MESH-102; after the repair it goes on', async () => {
  const box = lan.host('box');
  await box.ext4.failReadOnly();
  const refused = await robonetRefused(box, ['invite']);
  expect(refused).toMatchObject({ code: 'RN-MESH-102', exit: 69 });
  expect(refused.message).toMatch(/ cannot be written: EROFS$/);
  await expectTold('RN-MESH-102', /EROFS/, /disk: state cannot be written: EROFS/);
  expect(await robonetRefused(box, ['agent'])).toMatchObject({ code: 'RN-MESH-102', exit: 69 });
  await box.powerCut();
  await box.ext4.repair();
  await box.powerOn();
  await box.check(['robonet', 'agent', 'start']);
  await expectBack();
});

test('P-8 a folder or a link in the place of a state file: not started, exit 78, nothing touched', async () => {
  const box = lan.host('box');
  await box.check(['robonet', 'agent', 'stop']);
  await box.check(['mkdir', '-p', KEPT]);
  const place = async (name: string, script: string): Promise<void> => {
    await box.check(['sh', '-c', `cd ${STATE}; ${script}`, 'place', name]);
  };
  // Each kind of file and each kind of stand-in once; every pair of them is test/damage.test.ts's.
  for (const [name, stand] of [
    ['identity', 'mkdir "$1"'],
    ['incarnation.a', `ln -s "${KEPT}/$1" "$1"`],
    ['membership', 'ln -s /nowhere "$1"'],
    ['evidence', `ln -s "${KEPT}/$1" "$1"`],
  ] as const) {
    await place(name, `[ -e "$1" ] || mkdir "$1"; mv "$1" ${KEPT}/; ${stand}`);
    const before = await box.check(['sh', '-c', `cd ${KEPT}; find . -type f | sort | xargs -r sha256sum`]);
    const refused = await robonetRefused(box, ['agent']);
    expect(refused, `${name}: ${stand}`).toMatchObject({ code: 'RN-MESH-101', exit: 78, effect: 'Nothing was read or written there.' });
    expect(refused.message).toContain(`${STATE}/${name} is not a`);
    expect(await box.check(['sh', '-c', `cd ${KEPT}; find . -type f | sort | xargs -r sha256sum`])).toBe(before);
    await place(name, `rm -r "$1"; mv "${KEPT}/$1" .`);
  }
  await place('ledger.journal', `mv "$1" ${KEPT}/; mkdir "$1"`);
  const startedAt = performance.now();
  const refused = await robonetRefused(box, ['agent', 'start']);
  expect(refused).toMatchObject({ code: 'RN-AGENT-017', exit: 69 });
  expect(refused.message).toContain('RN-MESH-101');
  expect(performance.now() - startedAt, 'nobody waits for an agent that will not come').toBeLessThan(12_000);
  await expectTold('RN-MESH-101', /ledger\.journal is not a file/, null);
  await place('ledger.journal', `rmdir "$1"; mv "${KEPT}/$1" .`);
  await box.check(['robonet', 'agent', 'start']);
  await expectBack();
});

test('P-7 zeros in the place of contents: itself with what is gone said, or refused; no incarnation again', async () => {
  const box = lan.host('box');
  const zero = async (...names: readonly string[]): Promise<void> => {
    await box.check(['robonet', 'agent', 'stop']);
    for (const name of names)
      await box.check(['sh', '-c', 'n=$(stat -c %s "$1"); head -c "$n" /dev/zero | dd of="$1" conv=notrunc status=none', 'zero', `${STATE}/${name}`]);
  };
  await box.check(['cp', `${STATE}/identity`, KEPT]);
  await zero('identity');
  expect(await robonetRefused(box, ['agent'])).toMatchObject({
    code: 'RN-MESH-002',
    exit: 78,
    effect: 'Nothing was overwritten; the file was left where it is.',
  });
  expect(await box.check(['sh', '-c', `tr -d '\\0' <${STATE}/identity | wc -c`])).toBe('0\n');
  await box.check(['cp', `${KEPT}/identity`, `${STATE}/identity`]);
  for (const [names, said] of [
    [['membership'], /membership is damaged/],
    [['incarnation.a', 'incarnation.b', 'statements.journal', 'peers.journal'], /no incarnation of this identity could be read/],
  ] as const) {
    await zero(...names);
    await box.check(['robonet', 'agent', 'start']);
    await expectBack();
    const { document, result } = await robonet<{ readonly problems: readonly { readonly code: string; readonly text: string }[] }>(box, ['status']);
    expect(result.code).toBe(1);
    const degraded = document.problems.filter(({ code }) => code === 'STATE_DEGRADED').map(({ text }) => text);
    expect(degraded.join('\n')).toMatch(said);
  }
  const { findings } = (await robonet<Doctor>(box, ['doctor'])).document;
  expect(findings.some(({ check, level, text }) => check === 'identity' && level === 'critical' && text.includes('degraded'))).toBe(true);
  const events = (await eventsOf(lan.host('friend'))).map(({ code }) => code);
  for (const accusation of ['IDENTITY_CONTESTED', 'EQUIVOCATION', 'ROLLED_BACK']) expect(events).not.toContain(accusation);
});
