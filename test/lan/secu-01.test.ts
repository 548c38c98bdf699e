/**
 * SECU-01: two unknown nodes meet with no CA, server or shared secret: after a human compares the phrase on both they are
 * peers with trust 0, encrypted, and no task requiring trust is routed to either; a mismatched phrase ends the handshake
 * and records the attempt.
 */
import { expect, test } from 'vitest';
import type { AdmissionRequest } from '#mesh/swarm/views.ts';
import { Capture } from './lab/capture.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonet, robonetOk, robonetRefused, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
const WRONG_PHRASE = 'AAAA-BBBB-CCCC-DDDD';
const PHRASE = /^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/;

const lan = useLan(
  () => [
    { name: 'kitchen', programs: programs() },
    { name: 'attic', programs: programs() },
    { name: 'shed', programs: programs() },
  ],
  async () => {
    await found(lan.host('kitchen'), { name: 'cottage' });
  },
);

async function requestsOn(name: string): Promise<readonly AdmissionRequest[]> {
  return (await robonetOk<{ readonly requests: readonly AdmissionRequest[] }>(lan.host(name), ['requests'])).requests;
}

async function waitForRequest(from: string): Promise<AdmissionRequest> {
  return (
    await waitFor(`a request of ${from} is waiting`, { withinMs: 30_000, evidence: lan.evidence }, async () =>
      (await requestsOn('kitchen')).find((request) => request.name === from),
    )
  ).value;
}

test('SECU-01 two unknown nodes meet, and both ends show the same phrase', async () => {
  const [kitchen, attic] = [lan.host('kitchen'), lan.host('attic')];
  const member = await fingerprintOf(kitchen);
  expect(member).toMatch(PHRASE);
  await robonetOk(attic, ['join', '--request', '--expect', member]);
  const waiting = await waitForRequest('attic');
  const own = await fingerprintOf(attic);
  expect(own).toMatch(PHRASE);
  expect(waiting.fingerprint).toBe(own);
  expect(await attic.check(['robonet', 'identity', 'show', '--no-color'])).toContain(own);
  expect((await statusOf(attic)).state).toBe('lobby');
  expect((await nodesOf(kitchen)).map((node) => node.name)).toEqual(['kitchen']);
});

test('SECU-01 an approval with a phrase that nobody shows is refused and recorded, and nothing is admitted', async () => {
  const kitchen = lan.host('kitchen');
  const refused = await robonetRefused(kitchen, ['approve', WRONG_PHRASE]);
  expect(refused.exit).toBe(77);
  const event = (await eventsOf(kitchen)).find((each) => /APPROV|FINGERPRINT|PHRASE|NOT_PERMITTED/.test(each.code) && each.severity !== 'info');
  expect(event?.text).toContain(WRONG_PHRASE);
  expect((await nodesOf(kitchen)).map((node) => node.name)).toEqual(['kitchen']);
  expect(await requestsOn('kitchen')).toHaveLength(1);
});

test('SECU-01 after the phrase was compared they are peers with trust 0', async () => {
  const [kitchen, attic] = [lan.host('kitchen'), lan.host('attic')];
  const startedAt = performance.now();
  await robonetOk(kitchen, ['approve', await fingerprintOf(attic)]);
  await waitForMembers(attic, ['kitchen', 'attic'], lan.evidence);
  await waitForMembers(kitchen, ['kitchen', 'attic'], lan.evidence);
  record({ useCase: 'SECU-01', what: 'from approval to members', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  for (const [observer, peer] of [
    [kitchen, 'attic'],
    [attic, 'kitchen'],
  ] as const) {
    const trust = (await nodesOf(observer)).find((node) => node.name === peer)?.trust;
    expect(trust?.level).toBe(0);
    expect(trust?.score).toBeLessThan(0.01);
  }
});

test('SECU-01 at trust 0 nothing that requires trust is permitted, and trust explains so', async () => {
  const explained = await lan.host('kitchen').check(['robonet', 'trust', 'attic', '--explain', '--no-color']);
  expect(explained).toMatch(/T0/);
  expect(explained).toMatch(/may not .*receive tasks/);
  expect(explained).toMatch(/may not .*receive secrets/);
  // Nothing had gone wrong between two honest machines: no break is in the history.
  expect(explained).not.toMatch(/break/);
});

test('SECU-01 what passes between them is encrypted', async () => {
  const [kitchen, attic] = [lan.host('kitchen'), lan.host('attic')];
  const capture = await Capture.start(kitchen, 'tcp port 7411');
  // A fresh link, so that the capture holds a whole handshake and then gossip with both names and machine facts.
  await attic.powerCut();
  await attic.powerOn();
  await attic.check(['robonet', 'agent', 'start']);
  await waitForMembers(kitchen, ['kitchen', 'attic'], lan.evidence);
  await waitForMembers(attic, ['kitchen', 'attic'], lan.evidence);
  const bytes = await capture.stop();
  expect(bytes.length).toBeGreaterThan(2_000);
  expect(bytes.includes(Buffer.from([0x52, 0x4e, 0x01]))).toBe(true);
  const model = (await nodesOf(kitchen)).find((node) => node.name === 'attic')?.capabilities?.kernel ?? '';
  expect(model.length).toBeGreaterThan(3);
  for (const secret of ['attic', 'kitchen', 'cottage', model, 'capabilities', 'heartbeat'])
    expect(bytes.includes(Buffer.from(secret)), `${secret} in clear`).toBe(false);
});

test('SECU-01 a joiner that expects another phrase ends the handshake and records the attempt', async () => {
  const shed = lan.host('shed');
  const answer = await robonet<{ readonly error?: { readonly code: string; readonly message: string } }>(
    shed,
    ['join', '--request', '--expect', WRONG_PHRASE, '--wait', '15'],
    {
      timeoutMs: 60_000,
    },
  );
  expect(answer.result.code).toBe(77);
  expect(answer.document.error?.message).toContain(WRONG_PHRASE);
  // Whichever member it met: its own fingerprint is named beside the expected one.
  const shown = await Promise.all(['kitchen', 'attic'].map((name) => fingerprintOf(lan.host(name))));
  expect(shown.some((fingerprint) => answer.document.error?.message.includes(fingerprint))).toBe(true);
  expect((await eventsOf(shed)).some((event) => event.severity !== 'info' && event.text.includes(WRONG_PHRASE))).toBe(true);
  expect((await statusOf(shed)).state).toBe('unjoined');
  expect(await requestsOn('kitchen')).toHaveLength(0);
});

test('SECU-01 a request the person denies ends, is recorded at both ends, and leaves the others healthy', async () => {
  const [kitchen, shed, attic] = [lan.host('kitchen'), lan.host('shed'), lan.host('attic')];
  const joined = await robonetOk<Record<string, unknown>>(shed, ['join', '--request']);
  expect(JSON.stringify(joined)).toContain(await fingerprintOf(kitchen));
  const waiting = await waitForRequest('shed');
  await robonetOk(kitchen, ['deny', waiting.fingerprint, '--reason', 'the phrase on its screen was another one']);
  expect(await requestsOn('kitchen')).toHaveLength(0);
  await waitFor('the shed knows that it was refused', { withinMs: 20_000, evidence: lan.evidence }, async () =>
    ['refused', 'unjoined'].includes((await statusOf(shed)).state),
  );
  expect((await eventsOf(kitchen)).some((event) => /DENIED/.test(event.code))).toBe(true);
  expect((await eventsOf(shed)).some((event) => /DENIED|REFUSED/.test(event.code))).toBe(true);
  await expectHealthy([kitchen, attic], ['kitchen', 'attic']);
});
