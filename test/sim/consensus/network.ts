/**
 * A network that loses, delays, doubles and reorders single messages, and whose paths can be cut in each direction on its
 * own. Worse than the links of the product, which keep their order: what holds here holds there.
 */
import type { Rng } from '#core/random/random.ts';
import type { Millis } from '#core/time/time.ts';
import type { EventQueue } from '../event-queue.ts';

/** What it does to messages. */
export interface Weather {
  readonly latencyMs: Millis;
  readonly jitterMs: Millis;
  /** Of a thousand messages. */
  readonly lostPerMille: number;
  readonly doubledPerMille: number;
  /** Of a thousand: these take up to a hundred times as long, and are overtaken. */
  readonly latePerMille: number;
}

/** See the header. */
export class LossyNetwork {
  weather: Weather;
  readonly counts = { sent: 0, lost: 0, doubled: 0, late: 0, cut: 0 };
  readonly #queue: EventQueue;
  readonly #rng: Rng;
  /** Directed: `from>to`. */
  readonly #cut = new Set<number>();

  constructor(queue: EventQueue, rng: Rng, weather: Weather) {
    this.#queue = queue;
    this.#rng = rng;
    this.weather = weather;
  }

  cut(from: number, to: number): void {
    this.#cut.add(from * 256 + to);
  }

  mend(from: number, to: number): void {
    this.#cut.delete(from * 256 + to);
  }

  mendAll(): void {
    this.#cut.clear();
  }

  isCut(from: number, to: number): boolean {
    return this.#cut.has(from * 256 + to);
  }

  /** Deliver, or not. What is on its way when a cable is cut still arrives. */
  send(now: Millis, from: number, to: number, deliver: () => void): void {
    const { weather, counts } = this;
    counts.sent += 1;
    if (this.isCut(from, to)) return void (counts.cut += 1);
    const dice = this.#rng.next() * 1_000;
    if (dice < weather.lostPerMille) return void (counts.lost += 1);
    const isLate = this.#rng.next() * 1_000 < weather.latePerMille;
    if (isLate) counts.late += 1;
    const delay = weather.latencyMs + this.#rng.next() * weather.jitterMs * (isLate ? 100 : 1);
    this.#queue.add(now + delay, deliver);
    if (this.#rng.next() * 1_000 >= weather.doubledPerMille) return;
    counts.doubled += 1;
    this.#queue.add(now + delay + this.#rng.next() * weather.jitterMs * 20, deliver);
  }
}
