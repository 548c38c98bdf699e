/**
 * Whom to dial, and when. Members are dialled by the node with the lower identity at once and by the other one two
 * seconds later; unanswered dials back off with jitter. Pure: answers with the dials that are due, opens nothing.
 */
import type { Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { type Address, addressText } from './address-policy.ts';
import { MEMBERSHIP_LIMITS as LIMITS } from './limits.ts';

/** What a dial is meant to reach: a member by identity, or whoever listens at a hinted address. */
export type DialTarget = { readonly kind: 'member'; readonly id: string } | { readonly kind: 'hint'; readonly key: string };

interface Target {
  readonly target: DialTarget;
  addresses: Address[];
  /** Next address in turn. */
  turn: number;
  failures: number;
  dueAt: Millis;
  dialling: boolean;
  linked: boolean;
  heardOf: Millis;
}

/** A dial that is due now. */
export interface Dial {
  readonly target: DialTarget;
  readonly address: Address;
}

/** Plans the dials of one node. */
export class DialPlan {
  readonly #self: string;
  readonly #rng: Rng;
  readonly #targets = new Map<string, Target>();

  /** @param self text form that orders identities; the smaller one dials first */
  constructor(self: string, rng: Rng) {
    this.#self = self;
    this.#rng = rng;
  }

  /** A member to keep a link to; addresses may come later. */
  addMember(id: string, now: Millis): void {
    if (id === this.#self || this.#targets.has(`member ${id}`)) return;
    this.#targets.set(`member ${id}`, target({ kind: 'member', id }, now + this.#headStart(id), now));
  }

  /** No longer a member. */
  removeMember(id: string): void {
    this.#targets.delete(`member ${id}`);
  }

  /** The member has been seen at this address; the newest is tried first. */
  addressOf(id: string, address: Address, now: Millis): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry === undefined) return;
    const text = addressText(address);
    const fresh = !entry.addresses.some((known) => addressText(known) === text);
    entry.addresses = [address, ...entry.addresses.filter((known) => addressText(known) !== text)].slice(0, LIMITS.addressesPerMemberMax);
    entry.turn = 0;
    if (fresh && !entry.linked && !entry.dialling) {
      entry.failures = 0;
      entry.dueAt = Math.min(entry.dueAt, now + this.#headStart(id));
    }
  }

  /** Known addresses of a member, newest first. */
  addressesOf(id: string): readonly Address[] {
    return this.#targets.get(`member ${id}`)?.addresses ?? [];
  }

  /** Somebody may listen there; nobody has been authenticated yet. */
  addHint(address: Address, now: Millis): void {
    const key = addressText(address);
    const known = this.#targets.get(`hint ${key}`);
    if (known !== undefined) {
      known.heardOf = now;
      return;
    }
    const hints = [...this.#targets.entries()].filter(([, entry]) => entry.target.kind === 'hint');
    if (hints.length >= LIMITS.hintsMax) {
      const oldest = hints.reduce((a, b) => (a[1].heardOf <= b[1].heardOf ? a : b));
      this.#targets.delete(oldest[0]);
    }
    const entry = target({ kind: 'hint', key }, now, now);
    entry.addresses = [address];
    this.#targets.set(`hint ${key}`, entry);
  }

  /** The hint led somewhere, or nowhere for good. */
  removeHint(key: string): void {
    this.#targets.delete(`hint ${key}`);
  }

  /** Whether any hint is left to be tried. */
  get hasHints(): boolean {
    for (const entry of this.#targets.values()) if (entry.target.kind === 'hint') return true;
    return false;
  }

  /** The network changed: nobody waits any longer for the next attempt. */
  retryAll(now: Millis): void {
    for (const entry of this.#targets.values()) {
      if (entry.linked || entry.dialling) continue;
      entry.failures = 0;
      entry.dueAt = now;
    }
  }

  /** Forget all hints; a node that has become a member dials members. */
  clearHints(): void {
    for (const [key, entry] of this.#targets) if (entry.target.kind === 'hint') this.#targets.delete(key);
  }

  /** A link to the member is open. */
  linked(id: string): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry === undefined) return;
    entry.linked = true;
    entry.dialling = false;
    entry.failures = 0;
    entry.dueAt = NEVER;
  }

  /** The link broke: probe at once, whoever has the lower identity (§2.15: killed process suspect within 3 s). */
  broken(id: string, now: Millis): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry === undefined) return;
    entry.linked = false;
    entry.dialling = false;
    entry.failures = 0;
    entry.dueAt = now;
  }

  /** The peer said goodbye: it will come back by itself; look now and then. */
  resting(id: string, now: Millis): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry === undefined) return;
    entry.linked = false;
    entry.dialling = false;
    entry.failures = 3;
    entry.dueAt = now + this.#backoff(entry.failures);
  }

  /** Try again at this moment, whatever the back-off says; not while a link is open. */
  soon(id: string, at: Millis): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry === undefined || entry.linked || entry.dialling) return;
    entry.dueAt = at;
  }

  /** Not before this moment: the peer would turn us away, or we it. */
  notBefore(id: string, at: Millis): void {
    const entry = this.#targets.get(`member ${id}`);
    if (entry !== undefined && !entry.linked) entry.dueAt = Math.max(entry.dueAt, at);
  }

  /** The dial did not lead to a link. Returns whether the target is given up. */
  failed(of: DialTarget, now: Millis): boolean {
    const entry = this.#targets.get(keyOf(of));
    if (entry === undefined || entry.linked) return false;
    entry.dialling = false;
    entry.failures += 1;
    entry.turn += 1;
    if (of.kind === 'hint' && entry.failures >= LIMITS.hintFailuresMax) {
      this.#targets.delete(keyOf(of));
      return true;
    }
    // All addresses of a member are tried once before the first wait.
    entry.dueAt = entry.turn % Math.max(1, entry.addresses.length) === 0 ? now + this.#backoff(entry.failures) : now;
    return false;
  }

  /** The dials that are due; each is marked as under way. */
  due(now: Millis): readonly Dial[] {
    const dials: Dial[] = [];
    let under = 0;
    for (const entry of this.#targets.values()) if (entry.dialling) under += 1;
    for (const [key, entry] of this.#targets) {
      if (entry.target.kind === 'hint' && !entry.dialling && now - entry.heardOf > LIMITS.hintAgeMsMax) {
        this.#targets.delete(key);
        continue;
      }
      if (entry.linked || entry.dialling || entry.dueAt > now || under >= LIMITS.dialsMax) continue;
      const address = entry.addresses[entry.turn % Math.max(1, entry.addresses.length)];
      if (address === undefined) continue;
      entry.dialling = true;
      under += 1;
      dials.push({ target: entry.target, address });
    }
    return dials;
  }

  /** When {@link due} is next worth asking. */
  wakeAt(): Millis {
    let earliest: Millis = NEVER;
    let under = 0;
    for (const entry of this.#targets.values()) {
      // Who waits for its turn is not due: the end of a dial wakes the node, and a deadline in the past would do so without end.
      if (entry.dialling) under += 1;
      if (under >= LIMITS.dialsMax) return NEVER;
      if (!entry.linked && !entry.dialling && entry.addresses.length > 0) earliest = Math.min(earliest, entry.dueAt);
    }
    return earliest;
  }

  #headStart(id: string): Millis {
    return this.#self < id ? 0 : LIMITS.higherDialDelayMs;
  }

  #backoff(failures: number): Millis {
    const full = Math.min(LIMITS.backoffMsMax, LIMITS.backoffMsMin * 2 ** Math.min(10, failures - 1));
    return Math.round(full * (0.75 + this.#rng.next() / 2));
  }
}

function keyOf(of: DialTarget): string {
  return of.kind === 'member' ? `member ${of.id}` : `hint ${of.key}`;
}

function target(of: DialTarget, dueAt: Millis, now: Millis): Target {
  return { target: of, addresses: [], turn: 0, failures: 0, dueAt, dialling: false, linked: false, heardOf: now };
}
