import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { FrameReader } from '#mesh/wire/frame-reader.ts';
import { writeChecksum } from '#mesh/wire/header.ts';
import { FLAG, MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { helloBody, rejectedWith, strangeFrame } from './strange-frames-for-tests.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

function founded(): { world: World; founder: WorldNode } {
  const world = new World(crypto);
  const founder = world.add('founder');
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
  return { world, founder };
}

function linked(): { world: World; founder: WorldNode; device: WorldNode } {
  const { world, founder } = founded();
  const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
  const answer = founder.replies.get(id);
  const device = world.add('device');
  if (answer?.kind !== 'done') throw new Error('no invitation');
  world.command(device, { kind: 'join', options: { mode: 'token', token: (answer.value as Invitation).token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => up(founder, device) && up(device, founder), 5_000);
  world.run(500);
  return { world, founder, device };
}

function up(node: WorldNode, of: WorldNode): boolean {
  return node.swarm!.status().nodes.find((view) => view.aid === of.text)?.liveness === 'up';
}

const frame = (type: number, payload: Uint8Array, changes: { flags?: number; sequence?: number } = {}): Uint8Array =>
  strangeFrame(crypto, type, payload, changes);
const rejected = (received: readonly Uint8Array[]): string | undefined => rejectedWith(crypto, received);
const goodHello = frame(MESSAGE_TYPE.HELLO, helloBody());

function mutated(bytes: Uint8Array, at: number, value: number, fixChecksum = true): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  if (fixChecksum) writeChecksum(crypto, copy);
  return copy;
}

describe('hostile bytes before HELLO', () => {
  const cases: readonly [string, Uint8Array, string][] = [
    ['another protocol', utf8('GET / HTTP/1.1\r\n\r\n'), 'FRAME_MAGIC'],
    ['a frame of another version', mutated(goodHello, 2, 9), 'FRAME_VERSION'],
    ['a damaged frame', mutated(goodHello, 30, 0xff, false), 'FRAME_CRC'],
    ['a claim of 16 MiB', mutated(goodHello, 16, 1), 'FRAME_SIZE'],
    ['a handshake without HELLO', frame(MESSAGE_TYPE.HS1, new Uint8Array(32)), 'FRAME_TYPE'],
    ['a message of an open session', frame(MESSAGE_TYPE.PING, new Uint8Array(20)), 'FRAME_TYPE'],
    ['an unknown type', frame(0x7f, new Uint8Array(4)), 'FRAME_TYPE'],
    ['reserved flags', frame(MESSAGE_TYPE.HELLO, helloBody(), { flags: 0x40 }), 'FRAME_FLAGS'],
    ['a batch', frame(MESSAGE_TYPE.HELLO, helloBody(), { flags: FLAG.BATCH }), 'FRAME_FLAGS'],
    ['a sealed frame', frame(MESSAGE_TYPE.HELLO, new Uint8Array(40), { flags: FLAG.ENC }), 'AEAD_FAIL'],
    ['a wrong number', frame(MESSAGE_TYPE.HELLO, helloBody(), { sequence: 5 }), 'SEQ'],
    ['a HELLO that is no map', frame(MESSAGE_TYPE.HELLO, Uint8Array.of(0xc0)), 'RMP_INVALID'],
    ['a HELLO above its limit', frame(MESSAGE_TYPE.HELLO, encodeRmp({ x: new Uint8Array(400) })), 'FRAME_SIZE'],
    ['a HELLO of the future only', frame(MESSAGE_TYPE.HELLO, helloBody({ versions: [7] })), 'VERSION_FLOOR'],
    ['a HELLO for another mesh', frame(MESSAGE_TYPE.HELLO, helloBody({ meshTag: new Uint8Array(8).fill(3), mode: 0 })), 'MESH_MISMATCH'],
    ['an invitation nobody made', frame(MESSAGE_TYPE.HELLO, helloBody({ mode: 1, tokenId: new Uint8Array(8), meshTag: new Uint8Array(8) })), 'MESH_MISMATCH'],
    ['a sealed ACCEPT', frame(MESSAGE_TYPE.ACCEPT, new Uint8Array(40), { flags: FLAG.ENC }), 'AEAD_FAIL'],
  ];

  for (const [name, bytes, code] of cases) {
    it(`${name} is refused with ${code}, in the REJECT and in the events`, () => {
      const { world, founder } = founded();
      const stranger = world.stranger(founder);
      stranger.write(bytes);
      world.run(100);
      expect(rejected(stranger.received)).toBe(code);
      expect(founder.events.find((event) => event.code === code)?.source).toBe('10.0.9.9');
      expect(stranger.isClosed()).toBe(true);
    });
  }

  it('a HELLO that is never finished ends after 5 s with HS_TIMEOUT, however slowly it drips', () => {
    const { world, founder } = founded();
    const stranger = world.stranger(founder);
    for (let at = 0; at < 50; at += 1) {
      stranger.write(goodHello.slice(at, at + 1));
      world.run(200);
    }
    expect(rejected(stranger.received)).toBe('HS_TIMEOUT');
    expect(founder.codes).toContain('HS_TIMEOUT');
  });

  it('silence ends after 5 s', () => {
    const { world, founder } = founded();
    const stranger = world.stranger(founder);
    world.run(4_900);
    expect(stranger.isClosed()).toBe(false);
    world.run(200);
    expect(stranger.isClosed()).toBe(true);
  });
});

describe('hostile bytes inside the handshake', () => {
  function greeted(): { world: World; founder: WorldNode; stranger: ReturnType<World['stranger']> } {
    const { world, founder } = founded();
    const stranger = world.stranger(founder);
    stranger.write(goodHello);
    world.run(100);
    expect(stranger.received).toHaveLength(1);
    return { world, founder, stranger };
  }

  it('an answer to HELLO tells the mesh to whoever asks', () => {
    const { stranger, founder } = greeted();
    const reader = new FrameReader(crypto, 4_096);
    reader.push(stranger.received[0]!);
    const first = reader.next();
    const decoded = first?.kind === 'frame' ? decodeMessage(first.type, first.payload) : undefined;
    expect(decoded).toMatchObject({ kind: 'ok', message: { kind: 'hello', answer: true, versions: [1] } });
    expect(founder.swarm!.status().mesh).not.toBe(null);
  });

  it('a first message that is cut short is HS_FAIL', () => {
    const { world, stranger } = greeted();
    stranger.write(frame(MESSAGE_TYPE.HS1, new Uint8Array(8), { sequence: 1 }));
    world.run(100);
    expect(rejected(stranger.received)).toBe('HS_FAIL');
  });

  it('a low-order key is HS_FAIL', () => {
    const { world, stranger } = greeted();
    stranger.write(frame(MESSAGE_TYPE.HS1, new Uint8Array(32), { sequence: 1 }));
    world.run(100);
    expect(rejected(stranger.received)).toBe('HS_FAIL');
  });

  it('a third message that nobody with the keys wrote is HS_FAIL', () => {
    const { world, founder, stranger } = greeted();
    stranger.write(frame(MESSAGE_TYPE.HS1, crypto.dhKey(new Uint8Array(32).fill(7)).publicKey, { sequence: 1 }));
    world.run(100);
    stranger.write(frame(MESSAGE_TYPE.HS3, new Uint8Array(600).fill(9), { sequence: 2 }));
    world.run(100);
    expect(rejected(stranger.received)).toBe('HS_FAIL');
    expect(founder.codes).toContain('HS_FAIL');
  });

  it('a second HELLO is FRAME_TYPE', () => {
    const { world, stranger } = greeted();
    stranger.write(frame(MESSAGE_TYPE.HELLO, helloBody(), { sequence: 1 }));
    world.run(100);
    expect(rejected(stranger.received)).toBe('FRAME_TYPE');
  });

  it('a recorded session played again does not get in, and costs its owner nothing', () => {
    const recorded: Uint8Array[] = [];
    const { world, founder } = founded();
    const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    const answer = founder.replies.get(id);
    const device = world.add('device');
    world.tamper = (from, _, bytes) => {
      if (from === device) recorded.push(bytes.slice());
      return bytes;
    };
    world.command(device, { kind: 'join', options: { mode: 'token', token: (answer as { value: Invitation }).value.token, peers: [] } });
    world.hint(device, founder, founder.swarm!.status().mesh!.tag);
    world.runUntil(() => up(founder, device), 5_000);
    world.tamper = null;
    const stranger = world.stranger(founder);
    for (const bytes of recorded) {
      stranger.write(bytes);
      world.run(20);
    }
    world.run(1_000);
    expect(stranger.isClosed()).toBe(true);
    expect(['TOKEN_BAD', 'HS_FAIL']).toContain(rejected(stranger.received));
    expect(up(founder, device)).toBe(true);
    expect(founder.swarm!.status().nodes.find((node) => node.aid === device.text)?.trust?.breaks).toEqual({});
  });
});

describe('somebody on the path of an open link', () => {
  function tampered(change: (bytes: Uint8Array) => Uint8Array): { founder: WorldNode; device: WorldNode; world: World } {
    const { world, founder, device } = linked();
    let done = false;
    world.tamper = (from, _, bytes) => {
      if (done || from !== device) return bytes;
      done = true;
      return change(bytes);
    };
    world.run(6_000);
    expect(done).toBe(true);
    world.tamper = null;
    world.runUntil(() => up(founder, device) && up(device, founder), 20_000);
    return { world, founder, device };
  }

  const breaksAt = (node: WorldNode, of: WorldNode): unknown => node.swarm!.status().nodes.find((view) => view.aid === of.text)?.trust?.breaks;

  it('a flipped bit is FRAME_CRC; the link comes back and nobody loses trust', () => {
    const { founder, device } = tampered((bytes) => mutated(bytes, bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1, false));
    expect(founder.codes).toContain('FRAME_CRC');
    expect(breaksAt(founder, device)).toEqual({});
    expect(breaksAt(device, founder)).toEqual({});
  });

  it('a change with a mended checksum is AEAD_FAIL; the link comes back and nobody loses trust', () => {
    const { founder, device } = tampered((bytes) => mutated(bytes, bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1));
    expect(founder.codes).toContain('AEAD_FAIL');
    expect(breaksAt(founder, device)).toEqual({});
  });

  it('a changed sequence number is AEAD_FAIL, never the peer’s fault', () => {
    const { founder, device } = tampered((bytes) => mutated(bytes, 15, 99));
    expect(founder.codes).toContain('AEAD_FAIL');
    expect(breaksAt(founder, device)).toEqual({});
  });

  it('a frame played twice is AEAD_FAIL, never the peer’s fault', () => {
    const { founder, device } = tampered((bytes) => concat(bytes, bytes));
    expect(founder.codes).toContain('AEAD_FAIL');
    expect(breaksAt(founder, device)).toEqual({});
  });

  it('an oversize claim is FRAME_SIZE before anything is buffered', () => {
    const { founder, device } = tampered((bytes) => mutated(bytes, 16, 0x7f));
    expect(founder.codes).toContain('FRAME_SIZE');
    expect(breaksAt(founder, device)).toEqual({});
  });

  it('frames in the clear inside a session are AEAD_FAIL', () => {
    const { founder, device } = tampered((bytes) => mutated(bytes, 4, 0));
    expect(founder.codes).toContain('AEAD_FAIL');
    expect(breaksAt(founder, device)).toEqual({});
  });
});

describe('floods', () => {
  it('one source gets four half-open connections and ten new ones per minute; members still get in at once', () => {
    const { world, founder, device } = linked();
    world.kill(device);
    world.run(1_000);
    const strangers = Array.from({ length: 40 }, () => world.stranger(founder));
    expect(strangers.filter((stranger) => !stranger.isClosed()).length).toBeGreaterThan(4);
    world.run(10);
    expect(strangers.filter((stranger) => !stranger.isClosed())).toHaveLength(4);
    expect(founder.codes).toContain('RATE_LIMIT');
    world.start(device);
    expect(world.runUntil(() => up(founder, device), 10_000)).toBeLessThanOrEqual(2_500);
  });

  it('what one source causes in the diary is limited, the rest is counted', () => {
    const { world, founder } = founded();
    const before = founder.events.length;
    for (let index = 0; index < 200; index += 1) world.stranger(founder).write(utf8('junk'));
    world.run(50);
    expect(founder.events.length - before).toBeLessThanOrEqual(12);
    world.run(2_000);
    world.stranger(founder).write(utf8('junk'));
    world.run(50);
    expect(Number(founder.events.at(-1)?.data['swallowed'])).toBeGreaterThan(100);
  });

  it('a link lives through twenty minutes, re-keyed on the way', () => {
    const { world, founder, device } = linked();
    world.run(20 * 60_000);
    expect(up(founder, device) && up(device, founder)).toBe(true);
    expect([...founder.codes, ...device.codes]).not.toContain('AEAD_FAIL');
  });
});
