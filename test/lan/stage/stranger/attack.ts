/**
 * A stranger that presses on a node in one way, from many faces, until it is ended. It reads one `AttackOrder` as JSON from the
 * first line of standard input, then one word per line: `attack` (also without being told), `control` (the same on a port where
 * something else listens), `rest`. It prints how often it has attacked, twice a second.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { frame, frameTypes } from './frames.ts';

/** The ways. */
export const attackKinds = ['connects', 'half-open', 'slow', 'oversize', 'hs1', 'hs1-token', 'replay', 'reflect', 'relay'] as const;

/** What to do, and to whom. */
export interface AttackOrder {
  readonly kind: (typeof attackKinds)[number];
  readonly host: string;
  readonly port: number;
  /** A plain service on the same machine. */
  readonly controlPort: number;
  /** Another member, whose words are carried to the victim and back. */
  readonly other: string;
  readonly faces: readonly string[];
  readonly tag: string;
  /** Number of an open invitation, in hexadecimal; its secret is not known here. */
  readonly tokenId: string;
  /** What an initiator once said, frame by frame, in hexadecimal. */
  readonly recorded: readonly string[];
}

const BETWEEN_MS = 20;
/** Longer than a half-open connection is given: the victim is to close it. */
const LINGER_MS = 8_000;

type Way = (socket: Socket, order: AttackOrder) => void | Promise<void>;

function hello(order: AttackOrder, mode: number): Buffer {
  const token = mode === 1 ? { tid: Buffer.from(order.tokenId, 'hex') } : {};
  return frame({ type: frameTypes.hello, payload: encodeRmp({ fb: 0, m: Buffer.from(order.tag, 'hex'), md: mode, r: randomBytes(16), ...token, v: [1] }) });
}

const ways: Readonly<Record<AttackOrder['kind'], Way>> = {
  connects: (socket) => {
    setTimeout(() => socket.destroy(), 50);
  },
  'half-open': (socket, order) => {
    socket.write(hello(order, 2).subarray(0, 30));
  },
  slow: async (socket, order) => {
    for (const byte of hello(order, 2)) {
      if (socket.destroyed) return;
      socket.write(Buffer.of(byte));
      await delay(1_000);
    }
  },
  oversize: (socket, order) => {
    socket.write(frame({ type: frameTypes.hello, payload: hello(order, 2), claimedBytes: 0x7fff_ffff }));
  },
  hs1: (socket, order) => {
    socket.write(hello(order, 2));
    socket.once('data', () => socket.write(frame({ type: frameTypes.hs1, sequence: 1, payload: randomBytes(32) })));
  },
  'hs1-token': (socket, order) => {
    socket.write(hello(order, 1));
    socket.once('data', () => socket.write(frame({ type: frameTypes.hs1, sequence: 1, payload: randomBytes(48) })));
  },
  replay: (socket, order) => {
    const [first, ...rest] = order.recorded;
    socket.write(Buffer.from(first ?? '', 'hex'));
    socket.on('data', () => {
      const next = rest.shift();
      if (next !== undefined) socket.write(Buffer.from(next, 'hex'));
    });
  },
  reflect: (socket, order) => {
    socket.write(hello(order, 0));
    socket.on('data', (heard) => socket.write(heard));
  },
  relay: (socket, order) => {
    const other = connect({ host: order.other, port: order.port });
    other.on('error', () => undefined);
    for (const each of [socket, other]) each.write(hello(order, 0));
    socket.on('data', (heard) => other.write(heard));
    other.on('data', (heard) => socket.write(heard));
    socket.on('close', () => other.destroy());
    other.on('close', () => socket.destroy());
  },
};

if (import.meta.main) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const order: AttackOrder = JSON.parse(String((await lines.next()).value));
  let doing = 'attack';
  void (async () => {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) doing = line.value;
  })();
  let count = 0;
  let shownAt = 0;
  for (;;) {
    if (doing === 'rest') {
      await delay(BETWEEN_MS);
      continue;
    }
    const from = order.faces[count % order.faces.length] ?? '';
    count++;
    const socket = connect({ host: order.host, port: doing === 'control' ? order.controlPort : order.port, localAddress: from });
    socket.on('error', () => undefined);
    socket.on('connect', () => void ways[order.kind](socket, order));
    setTimeout(() => socket.destroy(), order.kind === 'slow' ? LINGER_MS * 2 : LINGER_MS);
    if (performance.now() - shownAt > 500) {
      shownAt = performance.now();
      process.stdout.write(`${count} attacks\n`);
    }
    await delay(BETWEEN_MS);
  }
}
