/**
 * Who is there: SWIM with Lifeguard over authenticated links. Pure: links that open and break, messages and the present go
 * in; messages, changes, and the links this node wants come out. It decides nothing that lasts: who is a member, and who is
 * forgotten, is decided by the log and comes in as a directory.
 */
import type { Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import type { Directory } from './directory.ts';
import { LocalHealth } from './health.ts';
import { Judge, type MemberChange } from './judge.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { SwimMessage, Update } from './messages.ts';
import { News } from './news.ts';
import { type ProbeFailure, Prober, type ProbeStep, Relays, shuffled } from './probe.ts';
import { doublings } from './suspicion.ts';
import { Sync } from './sync.ts';
import { type Assumption, type MemberState, MemberTable, UNHEARD } from './table.ts';

/** What a machine is started with. */
export interface SwimOptions {
  readonly self: string;
  /** The HCTH incarnation of this run. */
  readonly incarnation: number;
  readonly rng: Rng;
  readonly directory: Directory;
  /** What is believed of members of whom nothing was heard; `UNHEARD` unless it is known better. */
  readonly assumed?: Assumption;
}

/** What can happen to it. */
export type SwimInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'receive'; readonly from: string; readonly message: SwimMessage }
  /** Something else came from this member, over its own link. */
  | { readonly kind: 'heard'; readonly from: string }
  | { readonly kind: 'linked'; readonly id: string; readonly incarnation: number }
  /** A link ended: broken without a word, closed by either side on purpose, or with a farewell of the member. */
  | { readonly kind: 'unlinked'; readonly id: string; readonly how: 'broken' | 'closed' | 'stopped' | 'left' }
  /** A dial came to nothing; `refused`: its host answered that nobody listens there. */
  | { readonly kind: 'dial-failed'; readonly id: string; readonly refused: boolean }
  | { readonly kind: 'members'; readonly directory: Directory }
  | { readonly kind: 'stalled'; readonly lagMs: Millis }
  /** This node stops, or leaves the mesh. */
  | { readonly kind: 'leave'; readonly forGood: boolean };

/** What has to be done. */
export interface SwimOutput {
  readonly send: { readonly to: string; readonly message: SwimMessage }[];
  readonly changes: MemberChange[];
  readonly unstable: { readonly id: string; readonly unstable: boolean }[];
  /** Members to which a link is needed now, beside those of the view. */
  readonly dial: string[];
  /** The members to keep a link to, where that has changed. */
  view: readonly string[] | null;
}

/** See the header. */
export class Swim {
  readonly #self: string;
  readonly #rng: Rng;
  readonly #table: MemberTable;
  readonly #health = new LocalHealth();
  readonly #judge: Judge;
  readonly #prober: Prober;
  readonly #relays = new Relays();
  readonly #news = new News();
  readonly #sync: Sync;
  readonly #links = new Set<string>();
  #directory: Directory;
  #view: readonly string[] = [];
  #newsAt: Millis = Number.NEGATIVE_INFINITY;
  #contradictionsAt: Millis = Number.NEGATIVE_INFINITY;
  #gone = false;
  #out: SwimOutput = nothing();

  constructor(options: SwimOptions, now: Millis) {
    this.#self = options.self;
    this.#rng = options.rng.fork('links');
    this.#directory = options.directory;
    this.#table = new MemberTable(options.directory, options.assumed ?? UNHEARD);
    this.#judge = new Judge(options.self, options.incarnation, this.#table, this.#health);
    this.#judge.members = options.directory.size;
    this.#prober = new Prober(options.rng.fork('probe'), now);
    this.#sync = new Sync(this.#table, options.rng.fork('sync'), now);
    this.#news.add(this.#judge.own, null);
    this.#reviewLinks(now);
  }

  /** How a member is seen. */
  state(id: string): MemberState {
    return this.#table.state(id);
  }

  /** Whether it has had to contradict its death too often lately. */
  isUnstable(id: string, now: Millis): boolean {
    return this.#table.peek(id).unstableUntil > now;
  }

  /** The members to keep a link to. */
  get view(): readonly string[] {
    return this.#view;
  }

  /** 0 (good) to `healthMax`. */
  get health(): number {
    return this.#health.score;
  }

  /** Members of whom more is known than is assumed, and news waiting: what memory is spent on. */
  get held(): { readonly rows: number; readonly news: number } {
    return { rows: this.#table.rowCount, news: this.#news.size };
  }

  /** When `tick` is next needed. */
  get wakeAt(): Millis {
    if (this.#gone || this.#directory.size < 2) return NEVER;
    const earliest = Math.min(this.#judge.wakeAt, this.#prober.wakeAt, this.#relays.wakeAt, this.#sync.wakeAt(this.#links.size > 0));
    if (this.#news.isEmpty) return earliest;
    if (earliest > this.#contradictionsAt && this.#due(true).length > 0) return Math.min(earliest, this.#contradictionsAt);
    return earliest <= this.#newsAt || this.#due(false).length === 0 ? earliest : Math.min(earliest, this.#newsAt);
  }

  /** Advance by one input. */
  step(input: SwimInput, now: Millis): SwimOutput {
    if (!this.#gone) {
      this.#handle(input, now);
      if (!this.#gone) this.#advance(now);
    }
    const out = this.#out;
    this.#out = nothing();
    return out;
  }

  #handle(input: SwimInput, now: Millis): void {
    switch (input.kind) {
      case 'tick':
        return;
      case 'receive':
        if (this.#directory.has(input.from) && input.from !== this.#self) this.#onMessage(input.from, input.message, now);
        return;
      case 'heard':
        return this.#onHeard(input.from, now);
      case 'linked':
        return this.#onLinked(input.id, input.incarnation, now);
      case 'unlinked':
        return this.#onUnlinked(input.id, input.how, now);
      case 'dial-failed':
        return this.#onDialFailed(input.id, input.refused, now);
      case 'members':
        return this.#onMembers(input.directory, now);
      case 'stalled':
        this.#health.bad();
        return this.#judge.stalled(input.lagMs, now);
      case 'leave': {
        this.#gone = true;
        const version = this.#table.version(this.#self);
        for (const to of this.#links)
          this.#out.send.push({ to, message: { kind: 'news', updates: [{ kind: 'farewell', id: this.#self, version, forGood: input.forGood }] } });
        return;
      }
    }
  }

  /** What time alone brings, and what follows from what was handled. */
  #advance(now: Millis): void {
    this.#judge.tick(now);
    this.#settle(now);
    const { steps, failures } = this.#prober.tick(now, this.#view, (id) => this.#isHere(id), this.#health.multiplier);
    for (const step of steps) this.#probe(step, now);
    for (const failure of failures) this.#onFailure(failure, now);
    for (const { asker, number } of this.#relays.tick(now)) this.#say(asker, { kind: 'nack', number, updates: [] });
    this.#settle(now);
    const comparison = this.#sync.tick(now, this.#links, this.#directory);
    if (comparison !== undefined) this.#out.send.push(comparison);
    if (!this.#news.isEmpty) this.#tellNews(now);
  }

  /** Verdicts become news, changes and further questions. */
  #settle(now: Millis): void {
    const { changes, unstable, news, lookInto } = this.#judge.take();
    for (const update of news) this.#news.add(update, null);
    for (const id of lookInto) if (this.#watches(id) && this.#table.peek(id).own === 'nothing') this.#prober.begin(id, now, true);
    for (const change of changes) if (!this.#isHere(change.id)) this.#prober.drop(change.id);
    this.#out.changes.push(...changes);
    this.#out.unstable.push(...unstable);
    if (!this.#directory.isFull && changes.some(({ from, to }) => isGone(from) !== isGone(to))) this.#reviewLinks(now);
  }

  #onMessage(from: string, message: SwimMessage, now: Millis): void {
    this.#onHeard(from, now);
    if ('updates' in message) for (const update of message.updates) this.#onUpdate(update, from, now);
    switch (message.kind) {
      case 'probe':
        return this.#say(from, { kind: 'ack', number: message.number, updates: this.#against(from) });
      case 'ack': {
        if (this.#prober.answered(message.number, from) !== undefined) this.#health.good();
        return;
      }
      case 'ask':
        return this.#onAsk(from, message.number, message.target, now);
      case 'nack':
        return this.#prober.nacked(message.number, from, now);
      case 'news':
        return;
      case 'digest': {
        const rows = this.#sync.answer(message, this.#directory, now);
        if (rows !== undefined) this.#out.send.push({ to: from, message: rows });
        return;
      }
      case 'rows': {
        let learnt = false;
        for (const row of message.rows) {
          if (!this.#directory.has(row.id)) continue;
          if (this.#judge.onRow(row, from, now)) learnt = true;
        }
        if (message.answer) {
          const buckets = message.buckets.slice(0, LIMITS.syncBucketsPerTime);
          this.#out.send.push({ to: from, message: { kind: 'rows', buckets, rows: this.#sync.rowsOf(buckets, this.#directory), answer: false } });
          this.#sync.found(from, now);
        } else if (learnt) this.#sync.found(from, now);
        return;
      }
    }
  }

  #onUpdate(update: Update, from: string, now: Millis): void {
    // Strangers, and those whom the log has forgotten, are nobody's business.
    if (!this.#directory.has(update.id) || (update.kind === 'accuse' && !this.#directory.has(update.by))) return;
    const isNews = this.#judge.onUpdate(update, from, now);
    // Whoever accuses us has missed what we said last, or is about to spread it: it is told again.
    if (update.id === this.#self && update.kind !== 'alive') return this.#say(from, { kind: 'news', updates: [this.#judge.own] });
    if (isNews) this.#news.add(update, from);
    else this.#news.knows(update, from);
  }

  #onHeard(from: string, now: Millis): void {
    if (!this.#directory.has(from)) return;
    if (this.#prober.heard(from)) this.#health.good();
    for (const { asker, number } of this.#relays.answered(from, undefined)) this.#say(asker, { kind: 'ack', number, updates: [] });
    this.#judge.heard(from, now);
  }

  #onLinked(id: string, incarnation: number, now: Millis): void {
    if (!this.#directory.has(id)) return;
    this.#links.add(id);
    const against = this.#against(id);
    if (this.#prober.heard(id)) this.#health.good();
    this.#judge.linked(id, incarnation, now);
    for (const number of this.#relays.numbersFor(id)) this.#say(id, { kind: 'probe', number, updates: [] });
    this.#out.send.push({ to: id, message: { kind: 'news', updates: [this.#judge.own, ...against] } });
    this.#sync.soon(id, now);
  }

  #onUnlinked(id: string, how: 'broken' | 'closed' | 'stopped' | 'left', now: Millis): void {
    this.#links.delete(id);
    if (!this.#directory.has(id)) return;
    if (how === 'stopped' || how === 'left') this.#onUpdate({ kind: 'farewell', id, version: this.#table.version(id), forGood: how === 'left' }, id, now);
    else if (how === 'broken' && this.#isHere(id)) {
      this.#out.dial.push(id);
      this.#prober.begin(id, now);
    }
  }

  #onDialFailed(id: string, refused: boolean, now: Millis): void {
    if (!refused || this.#links.has(id) || !this.#directory.has(id)) return;
    for (const { asker, number } of this.#relays.refused(id)) this.#say(asker, { kind: 'nack', number, updates: [] });
    // Once is enough: what follows from it is under way.
    if (!this.#isHere(id) || this.#table.peek(id).own === 'refused') return;
    this.#prober.begin(id, now);
    this.#prober.refused(id, now);
  }

  #onMembers(directory: Directory, now: Millis): void {
    this.#directory = directory;
    for (const id of this.#table.setDirectory(directory)) {
      this.#judge.strike(id);
      this.#prober.drop(id);
      this.#news.forget(id);
      this.#links.delete(id);
    }
    this.#judge.members = directory.size;
    this.#reviewLinks(now);
  }

  #probe({ target, number, indirect }: ProbeStep, now: Millis): void {
    const linked = this.#links.has(target);
    if (linked) this.#say(target, { kind: 'probe', number, updates: this.#against(target) });
    else this.#out.dial.push(target);
    if (linked && !indirect) return;
    const able = shuffled([...this.#links], this.#rng).filter((id) => id !== target && this.#table.state(id) === 'up');
    const close = new Set(this.#directory.isFull ? [] : this.#directory.neighbours(target));
    // Who watches it, too, need not dial first.
    able.sort((a, b) => Number(close.has(b)) - Number(close.has(a)));
    for (const helper of able.slice(0, LIMITS.helpersMax)) {
      this.#prober.asked(target, helper);
      this.#say(helper, { kind: 'ask', number, target, updates: [] });
    }
    this.#prober.askedAll(target, now);
  }

  #onFailure({ target, wasIndirect, witnesses, refused }: ProbeFailure, now: Millis): void {
    // A single helper that says "nor me" shows that we are not the problem; when all are silent, it may be us.
    if (wasIndirect && witnesses.length === 0) this.#health.bad();
    // "Nor me" after a moment of silence is no judgement; after a refused connection it is.
    this.#judge.failed(target, refused ? 'refused' : 'silent', refused ? witnesses : [], now);
    // Until the suspicion runs out it is told of it, and asked, without a pause.
    if (!refused && this.#isHere(target)) this.#prober.begin(target, now, true);
  }

  #onAsk(asker: string, number: number, target: string, now: Millis): void {
    if (target === this.#self || !this.#directory.has(target)) return;
    const own = this.#relays.add(asker, number, target, now, this.#health.multiplier);
    if (own === undefined) return;
    if (this.#links.has(target)) this.#say(target, { kind: 'probe', number: own, updates: this.#against(target) });
    else this.#out.dial.push(target);
  }

  /** What this member has to contradict: it is told whenever we meet. */
  #against(id: string): readonly Update[] {
    const { state, version, accusers } = this.#table.peek(id);
    const held = state !== 'up' || accusers.length > 0;
    return held && version.incarnation > 0 ? [{ kind: 'accuse', id, version, by: accusers[0] ?? this.#self }] : [];
  }

  /** News goes along with everything that is said anyway. */
  #say(to: string, message: Extract<SwimMessage, { updates: readonly Update[] }>): void {
    if (!this.#links.has(to)) return;
    const news = this.#news.take(to, this.#repeatsMax);
    const updates = [...message.updates, ...news].slice(0, LIMITS.newsPerMessageMax);
    this.#out.send.push({ to, message: { ...message, updates } });
  }

  #tellNews(now: Millis): void {
    // A contradiction runs against the time of a suspicion: it goes to all, and does not wait its turn.
    const urgent = now >= this.#contradictionsAt ? this.#due(true) : [];
    if (urgent.length > 0) {
      this.#contradictionsAt = now + LIMITS.contradictionPeriodMs;
      for (const to of urgent) this.#say(to, { kind: 'news', updates: [] });
    }
    if (now < this.#newsAt) return;
    const due = this.#due(false);
    if (due.length === 0) {
      if (this.#links.size > 0) this.#news.settle(this.#links);
      return;
    }
    this.#newsAt = now + LIMITS.newsPeriodMs;
    for (const to of shuffled(due, this.#rng).slice(0, LIMITS.newsFanout)) this.#say(to, { kind: 'news', updates: [] });
  }

  /** Links over which something has not been told yet. */
  #due(urgent: boolean): readonly string[] {
    return this.#news.isEmpty || (urgent && !this.#news.hasContradiction) ? [] : [...this.#links].filter((id) => this.#news.hasFor(id, urgent));
  }

  get #repeatsMax(): number {
    return LIMITS.newsRepeatsPerDoubling * doublings(this.#directory.size);
  }

  #isHere(id: string): boolean {
    return !isGone(this.#table.state(id));
  }

  /** Whether it is on us to look for ourselves when somebody suspects this member. */
  #watches(id: string): boolean {
    return this.#isHere(id) && this.#view.includes(id);
  }

  #reviewLinks(now: Millis): void {
    const view = this.#directory.view(this.#self, (id) => !this.#isHere(id));
    if (view.length === this.#view.length && view.every((id, index) => this.#view[index] === id)) return;
    // In the place of one that died comes one that may have died with it: it is asked at once.
    for (const id of view) if (!this.#view.includes(id) && !this.#links.has(id) && this.#isHere(id)) this.#prober.begin(id, now);
    this.#view = view;
    this.#prober.viewChanged(view);
    this.#out.view = view;
  }
}

function isGone(state: MemberState): boolean {
  return state === 'down' || state === 'stopped' || state === 'left';
}

function nothing(): SwimOutput {
  return { send: [], changes: [], unstable: [], dial: [], view: null };
}
