/**
 * What an idle node writes: a mesh in virtual time, and beside its founder the driver's own disk layer, given every record
 * and event the founder wants kept. Bytes and confirmations are counted at the disk port.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { DiskCalls } from '#core/node/disk.ts';
import { HOUR, type Millis, MINUTE } from '#core/time/time.ts';
import { EventRing } from '#mesh/driver/event-ring.ts';
import { NodeState } from '#mesh/driver/node-state.ts';
import type { Invitation } from '#mesh/swarm/views.ts';
import { World } from '#mesh/swarm/world.ts';

/** Counted per hour. */
export interface IdleWrites {
  /** Bytes handed to the kernel, by file. */
  readonly bytesByFile: ReadonlyMap<string, number>;
  readonly bytes: number;
  /** 4 KiB blocks touched by those writes: what wears a card. */
  readonly blocks: number;
  readonly confirmations: number;
}

/** Published in docs/BENCHMARKS.md; with 20 peers 16 MB and 456 confirmations a day. */
export const IDLE_BUDGET = { bytesPerHour: 6_000, bytesPerHourAndPeer: 33_000, confirmationsPerHour: 19 } as const;

const BLOCK_BYTES = 4_096;

/** A founder with so many linked members, left alone for a while after it has settled; in `folder`, which must exist. */
export function measureIdleWrites(crypto: CryptoPort, folder: string, peers: number, span: Millis, settled: () => void = () => undefined): IdleWrites {
  const counter = new Counter();
  const world = new World(crypto, 'idle');
  const founder = world.add('founder');
  const state = new NodeState(folder, crypto, counter.calls);
  const ring = new EventRing(folder, counter.calls);
  founder.onPersist = (records) => state.persist(records);
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
  const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: peers, expiresInMs: 24 * HOUR, label: null } });
  const reply = founder.replies.get(id);
  if (reply?.kind !== 'done') throw new Error('no invitation');
  const { token } = reply.value as Invitation;
  for (let index = 1; index <= peers; index += 1) {
    const device = world.add(`device-${index}`);
    // Nobody dials a device: links lead to the founder only, which is the one that is measured.
    world.unreachable.add(device.address.host);
    world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [`${founder.address.host}:${founder.address.port}`] } });
    world.run(500);
  }
  const linked = (): number => founder.swarm?.status().nodes.filter((node) => !node.self && node.liveness === 'up').length ?? 0;
  world.runUntil(() => linked() === peers, 5 * MINUTE);
  world.run(6 * MINUTE);
  ring.add(founder.events);
  counter.reset();
  settled();
  // Events are appended as they come; once a minute is as often as an idle node has any.
  for (let passed = 0; passed < span; passed += MINUTE) {
    const before = founder.events.length;
    world.run(MINUTE);
    ring.add(founder.events.slice(before));
  }
  if (linked() !== peers) throw new Error(`${linked()} of ${peers} members are linked at the end`);
  const counted = counter.perHour(span);
  state.close();
  return counted;
}

class Counter {
  readonly calls: DiskCalls;
  #bytes = new Map<string, number>();
  #blocks = 0;
  #confirmations = 0;
  readonly #names = new Map<number, string>();

  constructor() {
    const confirm = (call: (descriptor: number) => void) => (descriptor: number) => {
      this.#confirmations += 1;
      call(descriptor);
    };
    this.calls = {
      ...fs,
      openSync: (path, flags, mode) => {
        const descriptor = fs.openSync(path, flags, mode);
        this.#names.set(descriptor, path.split('/').at(-1) ?? path);
        return descriptor;
      },
      writeSync: (descriptor, buffer, offset, length, position) => {
        const at = position ?? fs.fstatSync(descriptor).size;
        const count = fs.writeSync(descriptor, buffer, offset, length, position);
        const name = (this.#names.get(descriptor) ?? '?').replace(/\.new$/, '');
        this.#bytes.set(name, (this.#bytes.get(name) ?? 0) + count);
        this.#blocks += Math.floor((at + count - 1) / BLOCK_BYTES) - Math.floor(at / BLOCK_BYTES) + 1;
        return count;
      },
      fsyncSync: confirm(fs.fsyncSync),
      fdatasyncSync: confirm(fs.fdatasyncSync),
    };
  }

  reset(): void {
    [this.#bytes, this.#blocks, this.#confirmations] = [new Map(), 0, 0];
  }

  perHour(span: Millis): IdleWrites {
    const scale = HOUR / span;
    const bytesByFile = new Map([...this.#bytes].map(([name, bytes]) => [name, bytes * scale] as const));
    const bytes = [...bytesByFile.values()].reduce((sum, part) => sum + part, 0);
    return { bytesByFile, bytes, blocks: this.#blocks * scale, confirmations: this.#confirmations * scale };
  }
}

/** A folder for one measurement below `parent`. */
export function freshFolder(parent: string, name: string): string {
  const folder = join(parent, name);
  fs.mkdirSync(folder, { mode: 0o700 });
  return folder;
}
