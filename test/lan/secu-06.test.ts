/**
 * SECU-06: a stranger replays a recorded handshake, relays one between two nodes, and captures traffic: replay and relay
 * fail and are reported by both victims; the capture reveals no payload and no secret.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventRecord } from '#mesh/swarm/views.ts';
import { Capture } from './lab/capture.ts';
import type { RunningCommand } from './lab/command.ts';
import type { Host } from './lab/host/host.ts';
import { tcpDirections } from './lab/pcap.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, robonetOk, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, invite, joinByToken, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';
import type { Reception, Visit } from './stage/stranger/raw-client.ts';
import { handshakesIn, type RecordedHandshake } from './stage/stranger/recorded.ts';

const PORT = 7411;
const SCRIPTS = join(import.meta.dirname, 'stage/stranger');
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
const LABEL = 'the-label-nobody-reads-on-the-wire';
const CONFIG = '/etc/robonet/config.yaml';
let pcap: Buffer = Buffer.alloc(0);
let handshake: RecordedHandshake | undefined;
const secrets: string[] = [];

const lan = useLan(
  () => [
    { name: 'victim', programs: programs() },
    { name: 'friend', programs: programs() },
    { name: 'third', programs: programs() },
    { name: 'stranger', programs: programs() },
  ],
  async () => {
    await found(lan.host('victim'), { name: 'secretlab' });
    await adopt(lan.host('victim'), [lan.host('friend')]);
    await waitForMembers(lan.host('friend'), ['victim', 'friend'], lan.evidence);
  },
);

async function restart(host: Host): Promise<void> {
  await host.check(['robonet', 'agent', 'stop']);
  await host.check(['robonet', 'agent', 'start']);
}

async function reported(by: Host, what: string, matches: (event: EventRecord) => boolean): Promise<EventRecord> {
  const waited = await waitFor(
    `${by.name} reports ${what}`,
    { withinMs: 40_000, evidence: async () => JSON.stringify(await eventsOf(by, 40), null, 1) },
    async () => (await eventsOf(by, 300)).find(matches),
  );
  return waited.value;
}

async function listening(command: RunningCommand): Promise<void> {
  await waitFor('the stranger listens', { withinMs: 10_000, evidence: () => command.stderr() }, () => command.stdout().includes('listening'));
}

/** The friend is led to the stranger, and the way to the victim is cut. */
async function ledAstray(during: () => Promise<void>): Promise<void> {
  const [victim, friend, stranger] = [lan.host('victim'), lan.host('friend'), lan.host('stranger')];
  await friend.check(['robonet', 'agent', 'stop']);
  await friend.check(['mkdir', '-p', '/etc/robonet']);
  await friend.writeFile(CONFIG, `peers: ["${stranger.address}:${PORT}"]\n`);
  const cut = await lan.lab.cut(friend, victim);
  try {
    await friend.check(['robonet', 'agent', 'start']);
    await during();
    expect((await statusOf(friend)).nodes.find(({ name }) => name === 'victim')?.liveness).not.toBe('up');
    expect(await cut.count()).toBeGreaterThan(0);
  } finally {
    await friend.check(['rm', '-f', CONFIG]);
    await cut.heal();
  }
}

test('SECU-06 a capture of joining, working and restarting shows no payload and no secret', async () => {
  const [victim, friend, third] = [lan.host('victim'), lan.host('friend'), lan.host('third')];
  const capture = await Capture.start(victim, 'ip');
  const token = await invite(victim, ['--label', LABEL]);
  secrets.push(token, ...secretsOf(token));
  await joinByToken(third, token);
  await waitForMembers(victim, ['victim', 'friend', 'third'], lan.evidence);
  await robonetOk(friend, ['node', 'victim', '--ping', '5']);
  await restart(friend);
  await waitForMembers(victim, ['victim', 'friend', 'third'], lan.evidence);
  pcap = await capture.stop();
  const mesh = tcpDirections(pcap).filter(({ from, to }) => from.endsWith(`:${PORT}`) || to.endsWith(`:${PORT}`));
  const stream = Buffer.concat(mesh.map(({ bytes }) => bytes));
  // There was something to be read: the joining, the ledger with the label, what machines can do, their names.
  expect(stream.length).toBeGreaterThan(8_000);
  expect(pcap.includes('_robonet')).toBe(true);
  for (const secret of secrets) {
    expect(pcap.includes(secret), `a part of the invitation: ${secret.slice(0, 6)}…`).toBe(false);
    if (/^[0-9a-f]+$/.test(secret)) expect(pcap.includes(Buffer.from(secret, 'hex')), 'the same in bytes').toBe(false);
  }
  const plain = [LABEL, 'secretlab', 'victim', 'friend', 'third', 'member', 'agentVersion', 'kernel', 'code-execution', 'virtual-machine'];
  for (const word of plain) expect(stream.includes(word), word).toBe(false);
  [handshake] = handshakesIn(pcap).filter(({ initiator, responder }) => [initiator, responder].every((end) => [victim.address, friend.address].includes(end)));
  expect(handshake).toBeDefined();
});

/** What a token hides, in several spellings: its text without the prefix, and its secret as text and as bytes. */
function secretsOf(token: string): readonly string[] {
  const body = token.slice('rnj1.'.length);
  const bytes = Buffer.from(body, 'base64url');
  // `k` is the secret: the key "k", then a bin of 32 bytes.
  const at = bytes.indexOf(Buffer.from('a16bc420', 'hex'));
  const secret = bytes.subarray(at + 4, at + 36);
  return [body.slice(0, 40), secret.toString('hex'), secret.toString('base64url')];
}

test('SECU-06 the recorded handshake, replayed, fails at the responder, which says that it is a replay', async () => {
  const responder = handshake?.responder === lan.host('victim').address ? lan.host('victim') : lan.host('friend');
  const stranger = lan.host('stranger');
  const send = (handshake?.asked ?? []).map((hex, index) => ({ hex, ...(index === 0 ? {} : { afterBytes: 30 * index }) }));
  const visit: Visit = { host: responder.address, port: PORT, from: stranger.address, send, patienceMs: 15_000 };
  const command = stranger.startOnNetwork([process.execPath, join(SCRIPTS, 'raw-client.ts')], { stdin: JSON.stringify([visit]) });
  const result = await command.ended;
  const [reception]: readonly Reception[] = JSON.parse(result.stdout);
  expect(reception?.ending).toMatch(/closed by the peer|reset by the peer/);
  const event = await reported(responder, 'a replay', ({ code, source }) => code === 'HANDSHAKE_REPLAYED' && source === stranger.address);
  expect(event.text).toMatch(/a handshake that was recorded earlier is replayed from/);
  expect(event.data['firstSource']).toBe(handshake?.initiator);
  expect(event.aid).toBeNull();
  await expectHealthy([lan.host('victim'), lan.host('friend'), lan.host('third')]);
});

test('SECU-06 the recorded answers, played back to the one that dials, fail, and it says so', async () => {
  const [friend, stranger] = [lan.host('friend'), lan.host('stranger')];
  const player = stranger.startOnNetwork([process.execPath, join(SCRIPTS, 'player.ts'), stranger.address, String(PORT)], {
    stdin: (handshake?.answered ?? []).join('\n'),
  });
  try {
    await listening(player);
    await ledAstray(async () => {
      const event = await reported(friend, 'a handshake that was not made for it', ({ code, text }) => code === 'HS_FAIL' && text.includes(stranger.address));
      expect(event.text).toMatch(/was not made for this handshake, as when a recorded one is replayed/);
      expect(event.aid).toBeNull();
      expect(player.stdout()).toContain('played back');
    });
  } finally {
    player.child.kill('SIGKILL');
  }
  await expectHealthy([lan.host('victim'), friend, lan.host('third')]);
});

test('SECU-06 a handshake relayed between two nodes fails, and both report it', async () => {
  const [victim, friend, stranger] = [lan.host('victim'), lan.host('friend'), lan.host('stranger')];
  const relay = stranger.startOnNetwork([process.execPath, join(SCRIPTS, 'relay.ts'), stranger.address, String(PORT), victim.address]);
  try {
    await listening(relay);
    await ledAstray(async () => {
      const atFriend = await reported(friend, 'the relay', ({ code }) => code === 'RELAY_SUSPECTED');
      const atVictim = await reported(victim, 'the relay', ({ code }) => code === 'RELAY_SUSPECTED');
      for (const event of [atFriend, atVictim]) {
        expect(event.text).toMatch(/somebody in between passes the handshake on; the connection was refused/);
        expect(event.text).toContain(stranger.address);
      }
      expect(relay.stdout()).toContain(`passed on to ${victim.address}`);
    });
  } finally {
    relay.child.kill('SIGKILL');
  }
  await expectHealthy([victim, friend, lan.host('third')]);
  const trust = (await statusOf(victim)).nodes.find(({ name }) => name === 'friend')?.trust;
  expect(trust?.breaks['PV'] ?? 0).toBe(0);
});

test('SECU-06 a dial passed on to a third node is refused by both ends, too', async () => {
  const [friend, third, stranger] = [lan.host('friend'), lan.host('third'), lan.host('stranger')];
  const before = (await eventsOf(friend, 500)).length;
  const thirdCut = await lan.lab.cut(friend, third);
  const relay = stranger.startOnNetwork([process.execPath, join(SCRIPTS, 'relay.ts'), stranger.address, String(PORT), third.address]);
  try {
    await listening(relay);
    await ledAstray(async () => {
      const event = await reported(third, 'the relay', ({ code }) => code === 'RELAY_SUSPECTED');
      expect(event.text).toContain(stranger.address);
      await reported(friend, 'it', ({ code, text }) => code === 'RELAY_SUSPECTED' && text.startsWith('third'));
    });
  } finally {
    relay.child.kill('SIGKILL');
    await thirdCut.heal();
  }
  expect((await eventsOf(friend, 500)).length).toBeGreaterThan(before);
  await expectHealthy([lan.host('victim'), friend, third]);
});
