/**
 * What is believed of each member: words about it are weighed here, suspicions run out here. A member's own word, over its
 * own link, counts above all hearsay; accusations count by the number of members that looked for themselves; and what is
 * said of this node itself is answered, not believed.
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import type { LocalHealth } from './health.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { RowTold, Update } from './messages.ts';
import { type Case, isSuspicious, suspicionMs } from './suspicion.ts';
import type { MemberState, MemberTable, Row } from './table.ts';
import { compareVersions, isPlausibleRise, type Version, versionAbove } from './version.ts';

/** A change in what is believed, for the layers above. */
export interface MemberChange {
  readonly id: string;
  readonly from: MemberState;
  readonly to: MemberState;
  readonly why: string;
}

/** What follows from a word or from the passing of time. */
export interface Verdicts {
  readonly changes: MemberChange[];
  /** Members that have become unstable (true) or steady again. */
  readonly unstable: { readonly id: string; readonly unstable: boolean }[];
  /** To be passed on. */
  readonly news: Update[];
  /** Members to be asked at once: somebody else suspects them. */
  readonly lookInto: string[];
}

/** See the header. */
export class Judge {
  readonly #self: string;
  readonly #table: MemberTable;
  readonly #health: LocalHealth;
  /** Under suspicion, or unstable: those with a deadline. */
  readonly #watched = new Set<string>();
  #version: Version;
  #members = 1;
  #verdicts: Verdicts = empty();

  constructor(self: string, incarnation: number, table: MemberTable, health: LocalHealth) {
    this.#self = self;
    this.#table = table;
    this.#health = health;
    this.#version = { incarnation, counter: 0 };
    this.#setOwn();
  }

  /** What this node says of itself. */
  get own(): Update {
    return { kind: 'alive', id: this.#self, version: this.#version };
  }

  /** The members changed; this node may have become one. */
  set members(count: number) {
    this.#members = count;
    this.#setOwn();
  }

  /** No longer a member. */
  strike(id: string): void {
    this.#watched.delete(id);
  }

  /** Take what followed since the last time. */
  take(): Verdicts {
    const taken = this.#verdicts;
    this.#verdicts = empty();
    return taken;
  }

  get wakeAt(): Millis {
    let earliest: Millis = NEVER;
    for (const id of this.#watched) earliest = Math.min(earliest, this.#deadlineOf(this.#table.peek(id)));
    return earliest;
  }

  /** Something came from the member itself; at most `heardMs` old knowledge of this protects it from hearsay. */
  heard(id: string, now: Millis): void {
    const { heardAt, state, own, accusers } = this.#table.peek(id);
    // Looked at often: nothing is written while nothing would follow from it.
    if (state === 'up' && own === 'nothing' && accusers.length === 0 && now - heardAt < LIMITS.heardMs / 3) return;
    this.#table.change(id, (row) => {
      row.heardAt = now;
      row.own = 'nothing';
      // What was said before we heard it ourselves is worth nothing any more.
      row.accusers = [];
      if (row.state === 'suspect' || row.state === 'down') this.#become(id, row, 'up', now, 'heard directly');
    });
  }

  /** A link was authenticated: the member's own word for its incarnation. */
  linked(id: string, incarnation: number, now: Millis): void {
    this.#table.change(id, (row) => {
      row.heardAt = now;
      row.own = 'nothing';
      const version = { incarnation, counter: 0 };
      if (compareVersions(version, row.version) > 0) {
        this.#renew(row, version);
        this.#verdicts.news.push({ kind: 'alive', id, version });
      }
      this.#become(id, row, 'up', now, 'link established');
    });
  }

  /** It answered none of our questions, or refuses connections. @param witnesses helpers that looked for us and say the same */
  failed(id: string, own: 'silent' | 'refused', witnesses: readonly string[], now: Millis): void {
    const { state } = this.#table.peek(id);
    if (state !== 'up' && state !== 'suspect') return;
    this.#table.change(id, (row) => {
      const news = row.own === 'nothing';
      if (row.own !== 'refused') row.own = own;
      row.accusers = [...new Set([...row.accusers, ...witnesses])];
      this.#suspect(id, row, now, own === 'refused' ? 'connection lost and refused again' : 'no answer, directly or through others');
      if (news) this.#verdicts.news.push({ kind: 'accuse', id, version: row.version, by: this.#self });
    });
  }

  /** A word, from whoever is at the other end of a link. Whether it is worth passing on. */
  onUpdate(update: Update, from: string, now: Millis): boolean {
    if (update.id === this.#self) return this.#aboutUs(update);
    const row = this.#table.peek(update.id);
    const direct = from === update.id;
    if (!direct && !isPlausibleRise(row.version, update.version) && compareVersions(update.version, row.version) > 0) return false;
    switch (update.kind) {
      case 'alive':
        return this.#onAlive(update.id, update.version, direct, now);
      case 'accuse':
        return this.#onAccusation(update, now);
      case 'farewell':
        return this.#onFarewell(update, from, direct, now);
    }
  }

  /** A row of another's table. Whether it told us something. */
  onRow(row: RowTold, from: string, now: Millis): boolean {
    const { id, version } = row;
    switch (row.state) {
      case 'here':
        return this.onUpdate({ kind: 'alive', id, version }, from, now);
      case 'stopped':
      case 'left':
        return this.onUpdate({ kind: 'farewell', id, version, forGood: row.state === 'left' }, from, now);
      case 'down': {
        // A judgement is not believed, its reasons are weighed; what its owner saw itself is one of them.
        const reasons = new Set([...row.accusers, from]);
        return [...reasons].map((by) => this.onUpdate({ kind: 'accuse', id, version, by }, from, now)).includes(true);
      }
    }
  }

  /** Let time pass. */
  tick(now: Millis): void {
    for (const id of [...this.#watched]) {
      const row = this.#table.peek(id);
      if (now < this.#deadlineOf(row)) continue;
      if (row.state !== 'suspect') {
        this.#settleStability(id, now);
        if (row.state === 'up' && row.accusers.length >= LIMITS.accusersMin)
          this.#table.change(id, (kept) => this.#suspect(id, kept, now, 'silent since others suspect it'));
        continue;
      }
      this.#table.change(id, (kept) => this.#runOut(id, kept, now));
    }
  }

  /** Our own event loop stood still: nobody else is to blame for that. */
  stalled(lagMs: Millis, now: Millis): void {
    for (const id of this.#watched)
      this.#table.change(id, (row) => {
        if (row.state === 'suspect') row.suspectAt = Math.min(now, row.suspectAt + lagMs);
      });
  }

  #runOut(id: string, row: Row, now: Millis): void {
    const seconds = ((now - row.suspectAt) / 1_000).toFixed(1);
    // What we hear ourselves outweighs what others say; the member will contradict them itself.
    if (row.own === 'nothing' && now - row.heardAt < LIMITS.heardMs) return this.#become(id, row, 'up', now, 'heard directly, whatever others say');
    if (row.own !== 'nothing') row.accusers = [...new Set([...row.accusers, this.#self])];
    this.#become(id, row, 'down', now, `suspect for ${seconds} s, by ${row.accusers.length} members, without an answer`);
  }

  #onAlive(id: string, version: Version, direct: boolean, now: Millis): boolean {
    const known = this.#table.peek(id);
    if (compareVersions(version, known.version) <= 0) return false;
    this.#table.change(id, (row) => {
      const contradicted = row.state === 'suspect' || row.state === 'down';
      const sameRun = row.version.incarnation === version.incarnation;
      this.#renew(row, version);
      if (direct) row.heardAt = now;
      // Nobody raises its counter unless it was accused, whether we saw that or not.
      if (sameRun) this.#countRefutation(id, row, now);
      this.#become(id, row, 'up', now, contradicted && sameRun ? 'it contradicts' : 'heard of');
    });
    return true;
  }

  #onAccusation({ id, version, by }: Extract<Update, { kind: 'accuse' }>, now: Millis): boolean {
    const known = this.#table.peek(id);
    const order = compareVersions(version, known.version);
    // Nobody accuses itself; those who are gone accuse nobody; and what we say ourselves we know.
    if (order < 0 || by === id || by === this.#self || !this.#isHere(by)) return false;
    if (order === 0 && (known.state === 'down' || known.state === 'stopped' || known.state === 'left' || known.accusers.includes(by))) return false;
    if (order === 0 && known.accusers.length > LIMITS.confirmationsMax) return false;
    this.#table.change(id, (row) => {
      if (order > 0) {
        this.#renew(row, version);
        if (row.state !== 'suspect') this.#become(id, row, 'up', now, 'heard of');
      }
      row.accusers = [...row.accusers, by];
      this.#verdicts.lookInto.push(id);
      if (row.own === 'nothing' && now - row.heardAt < LIMITS.heardMs && isSuspicious({ others: row.accusers.length, own: row.own })) {
        // We have just heard it; if it stays silent, the suspicion is ours as well.
        this.#watched.add(id);
        return;
      }
      this.#suspect(id, row, now, 'other members do not reach it');
    });
    return true;
  }

  #onFarewell({ id, version, forGood }: Extract<Update, { kind: 'farewell' }>, from: string, direct: boolean, now: Millis): boolean {
    const known = this.#table.peek(id);
    const order = compareVersions(version, known.version);
    if (order < 0 || (order === 0 && (known.state === 'left' || (known.state === 'stopped' && !forGood)))) return false;
    let news = true;
    this.#table.change(id, (row) => {
      if (order > 0) this.#renew(row, version);
      const by = [...new Set([...(row.farewell?.by ?? []), from])];
      news = order > 0 || row.farewell === null;
      row.farewell = { forGood, by };
      // Hearsay from one end alone is no more than an accusation; it grows, or it runs out.
      if (direct || by.length >= LIMITS.accusersMin || row.state === 'down' || this.#members <= 2)
        this.#become(id, row, forGood ? 'left' : 'stopped', now, forGood ? 'left the mesh' : 'stopped in an orderly way');
      else {
        row.accusers = [...new Set([...row.accusers, from])];
        this.#verdicts.lookInto.push(id);
        this.#suspect(id, row, now, 'another member says that it said goodbye');
      }
    });
    return news;
  }

  /** Our own row, which others compare with theirs. */
  #setOwn(): void {
    this.#table.change(this.#self, (row) => {
      row.version = this.#version;
      row.state = 'up';
    });
  }

  /** Whatever is said of us that is not ours is contradicted. */
  #aboutUs(update: Update): boolean {
    const order = compareVersions(update.version, this.#version);
    // What nobody can go above is nothing that anybody says (M-14, M-20).
    if (order < 0 || (update.kind === 'alive' && order === 0) || update.version.counter >= LIMITS.counterMax) return false;
    this.#version = versionAbove(update.version);
    this.#setOwn();
    if (update.kind === 'accuse') this.#health.bad();
    this.#verdicts.news.push(this.own);
    return false;
  }

  #isHere(id: string): boolean {
    const state = this.#table.state(id);
    return state === 'up' || state === 'suspect';
  }

  #suspect(id: string, row: Row, now: Millis, why: string): void {
    if (row.state === 'suspect' || !isSuspicious({ others: row.accusers.length, own: row.own })) return;
    row.suspectAt = now;
    this.#become(id, row, 'suspect', now, why);
  }

  #renew(row: Row, version: Version): void {
    row.version = version;
    row.own = 'nothing';
    row.accusers = [];
    row.farewell = null;
  }

  #become(id: string, row: Row, to: MemberState, now: Millis, why: string): void {
    const from = row.state;
    row.state = to;
    if (to === 'suspect' || row.unstableUntil > now) this.#watched.add(id);
    else this.#watched.delete(id);
    // Of an unstable member it is known that it comes and goes; only what lasts is worth a word.
    const passing = row.unstableUntil > now && (to === 'suspect' || from === 'suspect') && to !== 'down';
    if (from !== to && !passing) this.#verdicts.changes.push({ id, from, to, why });
  }

  #countRefutation(id: string, row: Row, now: Millis): void {
    row.refutedAt = [...row.refutedAt.filter((at) => now - at < LIMITS.unstableMs), now].slice(-LIMITS.unstableRefutations);
    if (row.refutedAt.length < LIMITS.unstableRefutations) return;
    if (row.unstableUntil === 0) this.#verdicts.unstable.push({ id, unstable: true });
    row.unstableUntil = now + LIMITS.unstableMs;
  }

  #settleStability(id: string, now: Millis): void {
    this.#watched.delete(id);
    this.#table.change(id, (row) => {
      if (row.unstableUntil === 0 || row.unstableUntil > now) return;
      row.unstableUntil = 0;
      this.#verdicts.unstable.push({ id, unstable: false });
    });
  }

  #deadlineOf(row: Row): Millis {
    if (row.state === 'up' && row.accusers.length >= LIMITS.accusersMin) return row.heardAt + LIMITS.heardMs;
    if (row.state !== 'suspect') return row.unstableUntil;
    return row.suspectAt + suspicionMs(caseOf(row, row.suspectAt), this.#members);
  }
}

function caseOf(row: Row, now: Millis): Case {
  return { others: row.accusers.length, own: row.own, unstable: row.unstableUntil > now };
}

function empty(): Verdicts {
  return { changes: [], unstable: [], news: [], lookInto: [] };
}
