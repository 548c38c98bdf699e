import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { SESSION_LIMITS } from '#mesh/session/limits.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { encodeFrame, writeChecksum } from '#mesh/wire/header.ts';
import { FLAG, MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { Outlaw, type OutlawOptions } from './outlaw-for-tests.ts';
import type { EventRecord, Invitation } from './views.ts';
import { World, type WorldNode, type WorldNodeOptions } from './world.ts';

const crypto = createNodeCrypto();
const MAC = '02:00:00:00:00:66';

function reply(node: WorldNode, id: number): unknown {
  const found = node.replies.get(id);
  if (found?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(found)}`);
  return found.value;
}

function found(world: World, options: WorldNodeOptions = {}): WorldNode {
  const founder = world.add('founder', options);
  reply(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  return founder;
}

function tagOf(node: WorldNode): Uint8Array {
  return fromHex(node.swarm!.status().mesh!.tag)!;
}

function seesUp(observer: WorldNode, peer: WorldNode): boolean {
  return observer.swarm!.status().nodes.find((node) => node.aid === peer.text)?.liveness === 'up';
}

function join(world: World, founder: WorldNode, name: string): WorldNode {
  const order = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
  const { token } = reply(founder, world.command(founder, { kind: 'invite', options: order })) as Invitation;
  const device = world.add(name);
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => device.swarm!.status().state === 'member' && seesUp(founder, device), 5_000);
  return device;
}

function strange(world: World): Identity {
  const binding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() } as const;
  return createIdentity(crypto, world.entropy(IDENTITY_RANDOM_BYTES), binding).identity;
}

function eventsOf(node: WorldNode, code: string): readonly EventRecord[] {
  return node.events.filter((event) => event.code === code);
}

/** A machine that waits in the lobby, and may misbehave there. */
function lobbyOutlaw(world: World, founder: WorldNode, options: Partial<OutlawOptions> = {}): Outlaw {
  return new Outlaw(world, founder, { identity: strange(world), meshTag: tagOf(founder), mode: 2, ...options }).run(30);
}

function ping(outlaw: Outlaw, id: number): Uint8Array {
  const fields = { type: MESSAGE_TYPE.PING, flags: FLAG.ENC, channel: 0, sequence: outlaw.session.link!.sending.sequence + 1 };
  return outlaw.sealed(fields, encodeMessage({ kind: 'ping', id, challenge: new Uint8Array(16) }));
}

describe('slow senders', () => {
  it('W-29 a header that comes byte by byte is waited for five seconds, then SLOW_PEER', () => {
    const world = new World(crypto);
    const founder = found(world);
    const outlaw = lobbyOutlaw(world, founder);
    expect(outlaw.isOpen).toBe(true);
    const frame = ping(outlaw, 1);
    const began = world.now;
    for (let at = 0; at < frame.length && !outlaw.isClosed; at += 1) outlaw.bytes(frame.slice(at, at + 1)).run(1_000);
    expect(outlaw.ending?.code).toBe('SLOW_PEER');
    expect(world.now - began).toBeLessThanOrEqual(SESSION_LIMITS.headerMsMax + 2_000);
  });

  it('W-29 a payload slower than 16 KiB/s is waited for ten seconds, then SLOW_PEER', () => {
    const world = new World(crypto);
    const founder = found(world);
    const outlaw = lobbyOutlaw(world, founder);
    const header = encodeFrame(crypto, { type: MESSAGE_TYPE.PING, flags: FLAG.ENC, channel: 0, sequence: 1 }, new Uint8Array(4_000));
    outlaw.bytes(header.slice(0, 30));
    let sent = 30;
    const began = world.now;
    for (; !outlaw.isClosed && sent < 4_000; sent += 100) outlaw.bytes(header.slice(sent, sent + 100)).run(500);
    expect(outlaw.ending?.code).toBe('SLOW_PEER');
    expect(world.now - began).toBeGreaterThan(SESSION_LIMITS.payloadMsMax - 1_000);
    expect(world.now - began).toBeLessThan(SESSION_LIMITS.payloadMsMax + 2_000);
  });

  it('W-29 a peer whose reads always end in the middle of a frame is not slow', () => {
    const world = new World(crypto);
    const founder = found(world);
    const outlaw = lobbyOutlaw(world, founder);
    let rest: Uint8Array = new Uint8Array(0);
    for (let id = 1; id <= 40 && !outlaw.isClosed; id += 1) {
      const frame = ping(outlaw, id);
      outlaw.bytes(concat(rest, frame.slice(0, 10))).run(1_000);
      rest = frame.slice(10);
    }
    expect(outlaw.ending).toBeNull();
    expect(outlaw.messages.filter(({ kind }) => kind === 'pong').length).toBeGreaterThan(35);
  });

  it('a connection that says nothing is closed after five seconds in all', () => {
    const world = new World(crypto);
    const founder = found(world);
    const line = world.stranger(founder);
    world.run(SESSION_LIMITS.handshakeMsMax - 100);
    expect(line.isClosed()).toBe(false);
    world.run(300);
    expect(line.isClosed()).toBe(true);
    expect(eventsOf(founder, 'HS_TIMEOUT')).toHaveLength(1);
  });
});

describe('oversize claims', () => {
  it('are refused by the header alone, before anything is kept: 256 bytes of HELLO, 2 KiB before authentication, 4 KiB in the lobby', () => {
    const world = new World(crypto);
    const founder = found(world);
    const claim = (bytes: number): Uint8Array => {
      const frame = encodeFrame(crypto, { type: MESSAGE_TYPE.HELLO, flags: 0, channel: 0, sequence: 0 }, new Uint8Array(0));
      new DataView(frame.buffer).setUint32(16, bytes);
      writeChecksum(crypto, frame);
      return frame;
    };
    const line = world.stranger(founder, '10.0.9.1');
    line.write(claim(2_049));
    world.run(20);
    expect(line.isClosed()).toBe(true);
    const outlaw = lobbyOutlaw(world, founder, { host: '10.0.9.2' });
    outlaw.bytes(claim(4_097)).run(20);
    expect(outlaw.ending?.code).toBe('FRAME_SIZE');
    expect(eventsOf(founder, 'FRAME_SIZE').length).toBeGreaterThanOrEqual(2);
  });

  it('W-30 unfinished frames of all connections together have a limit, and strangers go first', () => {
    const world = new World(crypto);
    const founder = found(world, { inboundBytesMax: 6_000 });
    const honest = join(world, founder, 'honest');
    const begin = encodeFrame(crypto, { type: MESSAGE_TYPE.HELLO, flags: 0, channel: 0, sequence: 0 }, new Uint8Array(2_000)).slice(0, 1_900);
    const lines = Array.from({ length: 4 }, (_, index) => {
      const line = world.stranger(founder, `10.0.9.${index + 1}`);
      line.write(begin);
      world.run(10);
      return line;
    });
    world.run(20);
    expect(lines.filter((line) => line.isClosed()).length).toBeGreaterThanOrEqual(1);
    expect(lines.filter((line) => !line.isClosed()).length).toBeGreaterThanOrEqual(2);
    expect(founder.events.some((event) => event.code === 'RATE_LIMIT' && event.text.includes('unfinished frames'))).toBe(true);
    expect(seesUp(founder, honest)).toBe(true);
  });
});

describe('a flood of strangers', () => {
  it('from many addresses of one machine leaves room for others, and a member is back within two seconds', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    for (let index = 0; index < 200; index += 1) world.macs.set(`10.0.9.${index}`, MAC);
    // In order: after a power cut the founder may first ask the former connection for two seconds (R4), flood or not.
    world.input(member, { kind: 'stop' });
    world.run(50);
    world.kill(member);
    world.run(200);
    let refused = 0;
    for (let index = 0; index < 200; index += 1) {
      const line = world.stranger(founder, `10.0.9.${index}`);
      world.run(5);
      if (line.isClosed()) refused += 1;
    }
    expect(refused).toBeGreaterThan(150);
    // A stranger with a machine of its own finds a place all the same.
    expect(lobbyOutlaw(world, founder, { host: '10.0.8.1' }).isOpen).toBe(true);
    world.start(member);
    expect(world.runUntil(() => seesUp(founder, member), 10_000)).toBeLessThanOrEqual(2_000);
  });

  it('of first handshake messages spends only the strangers’ half of the budget', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    world.kill(member);
    world.run(200);
    const hello = encodeMessage({
      kind: 'hello',
      answer: false,
      versions: [1],
      meshTag: tagOf(founder),
      mode: 2,
      tokenId: null,
      features: 0,
      random: new Uint8Array(16).fill(3),
    });
    let limited = 0;
    for (let index = 0; index < 60; index += 1) {
      const line = world.stranger(founder, `10.0.${9 + (index >> 6)}.${index}`);
      line.write(encodeFrame(crypto, { type: MESSAGE_TYPE.HELLO, flags: 0, channel: 0, sequence: 0 }, hello));
      line.write(encodeFrame(crypto, { type: MESSAGE_TYPE.HS1, flags: 0, channel: 0, sequence: 1 }, crypto.dhKey(world.entropy(32)).publicKey));
      world.run(4);
      const answered = concat(...line.received);
      if (line.isClosed() && !answered.some((_, at) => answered[at] === 0x52 && answered[at + 1] === 0x4e && answered[at + 3] === MESSAGE_TYPE.HS2))
        limited += 1;
    }
    expect(limited).toBeGreaterThan(40);
    world.start(member);
    expect(world.runUntil(() => seesUp(founder, member), 10_000)).toBeLessThanOrEqual(2_000);
  });
});

/** Everything that passes between two machines, by direction, one list per connection attempt. */
function recorded(world: World, from: WorldNode, to: WorldNode): { readonly there: Uint8Array[]; readonly back: Uint8Array[] } {
  const tape = { there: [] as Uint8Array[], back: [] as Uint8Array[] };
  world.tamper = (sender, receiver, bytes) => {
    if (sender === from && receiver === to) tape.there.push(bytes.slice());
    if (sender === to && receiver === from) tape.back.push(bytes.slice());
    return bytes;
  };
  return tape;
}

/** The machine that dials. */
function restarted(world: World, founder: WorldNode, member: WorldNode): { readonly there: Uint8Array[]; readonly back: Uint8Array[] } {
  world.kill(member);
  world.run(15_000);
  world.cut.clear();
  const tape = recorded(world, member, founder);
  world.start(member);
  world.runUntil(() => seesUp(founder, member), 10_000);
  world.tamper = null;
  return tape;
}

describe('recorded, reflected and relayed handshakes', () => {
  it('W-28 a recorded handshake is refused and called a replay, with the time and place of the first', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    const tape = restarted(world, founder, member);
    const debt = founder.swarm!.status().nodes.find((node) => node.aid === member.text)?.trust?.debt;
    const line = world.stranger(founder, '10.0.9.77');
    for (const bytes of tape.there) {
      line.write(bytes);
      world.run(5);
    }
    expect(line.isClosed()).toBe(true);
    const [event] = eventsOf(founder, 'HANDSHAKE_REPLAYED');
    expect(event).toMatchObject({ source: '10.0.9.77', aid: null, data: { firstSource: member.address.host } });
    expect(event?.text).toMatch(/recorded earlier is replayed from 10\.0\.9\.77/);
    // Nobody is blamed for what a third one does, and the link goes on.
    expect(founder.swarm!.status().nodes.find((node) => node.aid === member.text)?.trust?.debt).toBe(debt);
    expect(seesUp(founder, member)).toBe(true);
  });

  it('W-28 also by a node that has forgotten, since a recorded one was made for other keys', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    const tape = restarted(world, founder, member);
    world.kill(founder);
    world.run(100);
    world.start(founder);
    world.run(3_000);
    const line = world.stranger(founder, '10.0.9.77');
    for (const bytes of tape.there) {
      line.write(bytes);
      world.run(5);
    }
    expect(line.isClosed()).toBe(true);
    const failures = founder.events.filter((event) => event.code === 'HS_FAIL' && event.source === '10.0.9.77');
    expect(failures[0]?.text).toMatch(/was not made for this handshake, as when a recorded one is replayed/);
  });

  it('W-28 recorded answers are refused by the one that dials, and called a replay', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    const first = restarted(world, founder, member);
    expect(first.back.length).toBeGreaterThanOrEqual(2);
    // The connection breaks; whenever the member dials again, in the same run of it, it hears the answers of before.
    let answers: Uint8Array[] = [];
    let replayed = 0;
    world.tamper = (sender, receiver, bytes) => {
      const isHello = bytes[3] === MESSAGE_TYPE.HELLO;
      if (sender === member && receiver === founder && isHello) answers = [...first.back];
      if (sender === founder && receiver === member && isHello && answers.length < first.back.length) answers = [];
      const old = sender === founder && receiver === member ? answers.shift() : undefined;
      if (old !== undefined) replayed += 1;
      return old ?? bytes;
    };
    world.breakAfter = () => true;
    world.run(6_000);
    world.breakAfter = null;
    world.run(60_000);
    expect(replayed).toBeGreaterThanOrEqual(2);
    const [event] = eventsOf(member, 'HANDSHAKE_REPLAYED');
    expect(event?.text).toContain(founder.address.host);
    world.tamper = null;
    world.runUntil(() => seesUp(member, founder), 120_000);
  });

  it('W-28 our own HELLO that comes back is refused and called a reflection', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    world.kill(member);
    world.run(15_000);
    let own: Uint8Array | null = null;
    world.tamper = (sender, receiver, bytes) => {
      if (sender === member && receiver === founder) own ??= bytes.slice();
      return sender === founder && receiver === member && own !== null ? own : bytes;
    };
    world.start(member);
    world.run(3_000);
    const events = [...eventsOf(member, 'HANDSHAKE_REFLECTED'), ...eventsOf(founder, 'HANDSHAKE_REFLECTED')];
    expect(own).not.toBeNull();
    expect(events.length).toBeGreaterThanOrEqual(1);
    world.tamper = null;
    world.runUntil(() => seesUp(founder, member), 60_000);
  });

  it('W-27 a handshake passed on by a third machine is refused, and both ends say so', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    world.kill(member);
    world.run(100);
    // The member's cache leads to the founder no longer; something announces the mesh at another address.
    world.cut.add(founder.address.host);
    world.start(member);
    world.run(10_000);
    world.cut.clear();
    world.relays.set('10.0.0.99', founder);
    world.input(member, { kind: 'hint', address: { host: '10.0.0.99', port: 7_411 }, meshTag: founder.swarm!.status().mesh!.tag, origin: 'mdns' });
    world.run(300);
    for (const victim of [member, founder]) {
      const [event] = eventsOf(victim, 'RELAY_SUSPECTED');
      expect(event?.text, victim.name).toMatch(/somebody in between passes the handshake on; the connection was refused/);
    }
    expect(eventsOf(member, 'RELAY_SUSPECTED')[0]?.text).toContain('10.0.0.99');
    expect(eventsOf(founder, 'RELAY_SUSPECTED')[0]?.source).toBe('10.0.0.99');
    world.runUntil(() => seesUp(founder, member), 60_000);
    expect(founder.swarm!.status().nodes.find((node) => node.aid === member.text)?.trust).toMatchObject({ debt: 0 });
  });

  it('an unknowing third node to which a dial is passed on is not taken for the member that was dialled', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    const third = join(world, founder, 'third');
    world.kill(member);
    world.run(15_000);
    // The founder cannot come the other way.
    world.unreachable.add(member.address.host);
    world.relays.set(founder.address.host, third);
    world.start(member);
    world.run(3_000);
    const texts = [...member.events, ...third.events].filter(({ code }) => code === 'IDENTITY_BAD' || code === 'RELAY_SUSPECTED').map(({ text }) => text);
    expect(texts.length).toBeGreaterThanOrEqual(1);
    expect(member.swarm!.status().nodes.find((node) => node.aid === founder.text)?.liveness).not.toBe('up');
  });
});

describe('fifty identities of one machine', () => {
  it('A-27 fill neither the list of requests nor the events; one alert names the machine, and nothing else changes', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    for (let index = 0; index < 50; index += 1) world.macs.set(`10.0.9.${index}`, MAC);
    const before = founder.swarm!.status();
    for (let index = 0; index < 50; index += 1) {
      lobbyOutlaw(world, founder, { host: `10.0.9.${index}` });
      world.run(2_000);
    }
    const status = founder.swarm!.status();
    expect(status.requests).toHaveLength(ADMISSION_LIMITS.lobbyPerMachineMax);
    const alerts = eventsOf(founder, 'SYBIL_SUSPECTED');
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({ severity: 'critical', data: { mac: MAC } });
    expect(status.strangers).toMatchObject([{ mac: MAC }]);
    expect(status.strangers[0]!.identities + status.strangers[0]!.turnedAway).toBeGreaterThanOrEqual(50);
    expect(eventsOf(founder, 'ADMIT_REQUESTED').length).toBeLessThanOrEqual(ADMISSION_LIMITS.lobbyPerMachineMax);
    expect(status.mesh).toEqual(before.mesh);
    expect(status.nodes.map(({ aid }) => aid)).toEqual(before.nodes.map(({ aid }) => aid));
    // A machine of its own still gets in line.
    expect(lobbyOutlaw(world, founder, { host: '10.0.8.1' }).isOpen).toBe(true);
    expect(founder.swarm!.status().requests).toHaveLength(ADMISSION_LIMITS.lobbyPerMachineMax + 1);
    expect(seesUp(founder, member)).toBe(true);
  });
});

it('REJECT of a refused handshake tells the peer the code and nothing else', () => {
  const world = new World(crypto);
  const founder = found(world);
  const line = world.stranger(founder);
  line.write(encodeFrame(crypto, { type: MESSAGE_TYPE.HS1, flags: 0, channel: 0, sequence: 0 }, new Uint8Array(32)));
  world.run(20);
  const bytes = concat(...line.received);
  const decoded = decodeMessage(MESSAGE_TYPE.REJECT, bytes.subarray(24));
  expect(decoded.kind === 'ok' && decoded.message).toMatchObject({ kind: 'reject', code: 'FRAME_TYPE', evidence: [] });
});
