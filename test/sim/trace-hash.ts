/**
 * A running hash of all that happens in a world, in order: two runs of one seed must end with the same number. Every
 * effect goes in with its time, its machine and, where it has bytes, their checksum.
 */
import { crc32 } from 'node:zlib';
import type { Millis } from '#core/time/time.ts';
import type { SwarmEffects } from '#mesh/swarm/step.ts';

export class TraceHash {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;
  steps = 0;

  number(value: number): void {
    this.#a = Math.imul(this.#a ^ (value | 0), 0x01000193);
    this.#b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) ^ (value | 0), 0x5bd1e995) + this.#a;
  }

  text(value: string): void {
    for (let index = 0; index < value.length; index += 1) this.number(value.charCodeAt(index));
  }

  bytes(value: Uint8Array): void {
    this.number(value.length);
    this.number(crc32(value));
  }

  /** What one machine did at one time; `sent` is the checksum of all it has sent so far. */
  effects(now: Millis, machine: number, effects: SwarmEffects, sent: number): void {
    this.steps += 1;
    this.number(Math.floor(now * 8));
    this.number(machine);
    this.number(sent);
    for (const { connection } of effects.send) this.number(connection);
    for (const record of effects.persist) {
      this.text(record.kind);
      if ('record' in record && record.record !== null) this.bytes(record.record);
    }
    for (const { code } of effects.events) this.text(code);
    for (const { connection } of effects.close) this.number(connection);
    for (const { connection } of effects.dial) this.number(connection);
    for (const { id, kind } of effects.replies) this.number(kind === 'done' ? id : -id);
  }

  get value(): string {
    return (this.#a >>> 0).toString(16).padStart(8, '0') + (this.#b >>> 0).toString(16).padStart(8, '0');
  }
}
