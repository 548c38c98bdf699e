/**
 * MESH-03: multicast is dropped between two hosts: within 15 s `doctor` says "multicast blocked between A and B, unicast
 * works" and the node joins from its peer cache or one typed address; with unicast blocked too it names the blocked port
 * instead of hanging.
 */
import { expect, test } from 'vitest';
import type { Fault } from './lab/faults.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonet, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, invite, joinByToken, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
const PORT = 7411;

const lan = useLan(
  () => [
    { name: 'alpha', programs: programs() },
    { name: 'beta', programs: programs() },
    { name: 'bystander', programs: programs() },
  ],
  async () => {
    await found(lan.host('alpha'));
    await adopt(lan.host('alpha'), [lan.host('bystander')]);
  },
);

let deaf: Fault;

async function doctorOf(name: string): Promise<{ readonly text: string; readonly elapsedMs: number; readonly code: number | null }> {
  const result = await lan.host(name).run(['robonet', 'doctor', '--no-color'], { timeoutMs: 60_000 });
  return { text: result.stdout, elapsedMs: result.elapsedMs, code: result.code };
}

test('MESH-03 with multicast dropped a node joins by one typed address', async () => {
  const [alpha, beta, bystander] = [lan.host('alpha'), lan.host('beta'), lan.host('bystander')];
  deaf = await lan.lab.dropMulticast(alpha, beta);
  await lan.lab.dropMulticast(beta, bystander);
  await joinByToken(beta, await invite(alpha), ['--peer', `${alpha.address}:${PORT}`]);
  await waitForMembers(beta, ['alpha', 'beta', 'bystander'], lan.evidence);
});

test('MESH-03 within 15 s doctor says that multicast is blocked and unicast works, at both ends', async () => {
  for (const [here, there] of [
    ['beta', 'alpha'],
    ['alpha', 'beta'],
  ] as const) {
    const said = await waitFor(`doctor on ${here} names the blocked multicast`, { withinMs: 30_000, everyMs: 500, evidence: lan.evidence }, async () => {
      const { text } = await doctorOf(here);
      const line = text.split('\n').find((each) => /multicast blocked between/i.test(each) && each.includes(here) && each.includes(there));
      if (line === undefined) throw new Error(text);
      return line;
    });
    expect(said.value).toMatch(/unicast works/i);
    record({ useCase: 'MESH-03', what: `doctor on ${here} names the blocked multicast`, measuredMs: said.elapsedMs, promisedMs: 15_000 });
    expect(said.elapsedMs).toBeLessThan(15_000);
  }
  expect(await deaf.count()).toBeGreaterThan(0);
});

test('MESH-03 a link whose multicast works is not accused', async () => {
  const { text } = await doctorOf('bystander');
  expect(text).not.toMatch(/multicast blocked between.*alpha/i);
});

test('MESH-03 after a power cut the node is back from its peer cache alone', async () => {
  const beta = lan.host('beta');
  await beta.powerCut();
  await beta.powerOn();
  const startedAt = performance.now();
  await beta.check(['robonet', 'agent', 'start']);
  await waitForMembers(beta, ['alpha', 'beta', 'bystander'], lan.evidence);
  record({ useCase: 'MESH-03', what: 'back from the peer cache', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  expect((await statusOf(beta)).state).toBe('member');
});

test('MESH-03 with unicast blocked too doctor names the blocked port instead of hanging', async () => {
  const [alpha, beta, bystander] = [lan.host('alpha'), lan.host('beta'), lan.host('bystander')];
  const block = await lan.lab.blockTcp(alpha, beta, PORT);
  // The link that stands uses whichever side dialled first; a cut of the standing connection makes both dial again.
  const cut = await lan.lab.cut(alpha, beta);
  await waitFor(
    'beta no longer sees alpha up',
    { withinMs: 60_000, evidence: lan.evidence },
    async () => (await nodesOf(beta)).find((node) => node.name === 'alpha')?.liveness !== 'up',
  );
  await cut.heal();
  const said = await waitFor('doctor names the port', { withinMs: 60_000, everyMs: 500, evidence: lan.evidence }, async () => {
    const doctor = await doctorOf('beta');
    const line = doctor.text.split('\n').find((each) => each.includes('alpha') && each.includes(String(PORT)) && /block|filter|no answer|closed/i.test(each));
    if (line === undefined) throw new Error(doctor.text);
    return { line, elapsedMs: doctor.elapsedMs };
  });
  expect(said.value.elapsedMs).toBeLessThan(15_000);
  record({ useCase: 'MESH-03', what: 'doctor with everything blocked answered in', measuredMs: said.value.elapsedMs, promisedMs: 15_000 });
  expect(await block.count()).toBeGreaterThan(0);
  expect((await nodesOf(bystander)).every((node) => node.liveness === 'up')).toBe(true);
});

test('MESH-03 a node that is not joined and reaches nobody names the port, too', async () => {
  const fresh = await lan.lab.addHost({ name: 'gamma', programs: programs() });
  const alpha = lan.host('alpha');
  for (const member of ['alpha', 'beta', 'bystander']) {
    await lan.lab.dropMulticast(lan.host(member), fresh);
    await lan.lab.blockTcp(lan.host(member), fresh, PORT);
  }
  const token = await invite(alpha);
  const answer = await robonet<{ readonly error?: { readonly message: string; readonly next: string } }>(
    fresh,
    ['join', '--token-file', '-', '--peer', `${alpha.address}:${PORT}`, '--wait', '15'],
    { stdin: `${token}\n`, timeoutMs: 60_000 },
  );
  expect(answer.result.code).toBe(75);
  expect(answer.result.elapsedMs).toBeLessThan(20_000);
  expect(answer.document.error?.message).toContain(alpha.address);
  expect(`${answer.document.error?.message} ${answer.document.error?.next}`).toContain(String(PORT));
  const doctor = await fresh.run(['robonet', 'doctor', '--no-color', '--peer', `${alpha.address}:${PORT}`], { timeoutMs: 60_000 });
  expect(doctor.stdout).toMatch(/TCP port 7411 .* blocked/);
  // It would go on trying; this one has been taken away.
  await fresh.powerCut();
});

test('MESH-03 healed, everybody is healthy and nobody restarted', async () => {
  await lan.lab.healAll();
  const hosts = ['alpha', 'beta', 'bystander'].map((name) => lan.host(name));
  await expectHealthy(hosts);
  for (const name of ['alpha', 'bystander']) {
    const starts = (await eventsOf(lan.host(name))).filter((event) => /AGENT_STARTED|STARTED/.test(event.code));
    expect(starts.length).toBeLessThanOrEqual(1);
  }
});
