/**
 * Approvals in a mesh that goes wrong: voters behind partitions and restarts, changing keys and voters, and as many liars
 * as the quorum is made for, one of which may lead. The log itself is one and the same for all (consensus is somebody
 * else's business); what a leader puts into it is not. Everything that runs is held against the truth (truth.ts).
 */
import { hex, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { createRng } from '#core/random/random.ts';
import { APPROVAL_ENTRIES, applyApproval } from '#mesh/approvals/apply.ts';
import { OPERATIONS, operationOf } from '#mesh/approvals/catalogue.ts';
import { DecisionCollector } from '#mesh/approvals/collector.ts';
import { type Decision, decodeDecisions, encodeDecisions, makeDecision } from '#mesh/approvals/decision.ts';
import type { Electorate } from '#mesh/approvals/electorate.ts';
import { makeOutcome, packOutcome } from '#mesh/approvals/outcome.ts';
import { readQuorumArgs, writeQuorumArgs } from '#mesh/approvals/quorum-args.ts';
import { encodeRequestEntry, makeRequest, type Order, type RequestEntry } from '#mesh/approvals/request.ts';
import { type Approvals, approvalsDigest, NO_APPROVALS, openRequests, outcomeOf, type RequestState } from '#mesh/approvals/state.ts';
import { runningRequest, turnOf } from '#mesh/approvals/turn.ts';
import { orderText, Truth, type TrueElectorate } from './truth.ts';

interface Entry {
  readonly index: number;
  readonly term: number;
  readonly kind: string;
  readonly body: Uint8Array;
  readonly at: number;
  /** World's clock, whatever `at` says. */
  readonly trueAt: number;
  readonly byLiar: boolean;
}

interface Node {
  readonly name: string;
  readonly aid: Uint8Array;
  keys: SignKey[];
  approvals: Approvals;
  quorums: Map<string, number>;
  cut: boolean;
  readonly collector: DecisionCollector;
  fence: { term: number; index: number };
  readonly said: Set<string>;
  readonly refusedFrom: Set<string>;
}

/** What a trace came to. */
export interface ApprovalsResult {
  readonly violations: readonly { readonly checker: string; readonly what: string }[];
  readonly certified: number;
  readonly ran: number;
  readonly vetoed: number;
  readonly expired: number;
  readonly voided: number;
}

const START = 1_700_000_000_000;
const ASKED = OPERATIONS.map(({ name }) => name);

/** One trace; the same for the same crypto and seed. */
export function runApprovalsTrace(crypto: CryptoPort, seed: number, steps = 90): ApprovalsResult {
  return new World(crypto, seed).run(steps);
}

class World {
  readonly #crypto: CryptoPort;
  readonly #next: () => number;
  readonly #truth = new Truth();
  readonly #nodes: Node[];
  readonly #mesh: Uint8Array;
  readonly #log: Entry[] = [];
  /** By index of the entry that it is in force for. */
  readonly #electorates: { readonly real: Electorate; readonly true: TrueElectorate }[] = [];
  readonly #liars: Set<string>;
  #voters: string[];
  #leader: string;
  #term = 1;
  #now = START;
  readonly #requests: RequestEntry[] = [];
  readonly #decisions: Decision[] = [];
  readonly #proposals: { kind: string; body: Uint8Array }[] = [];
  readonly #digests = new Map<number, string>();
  readonly #result = { violations: [] as { checker: string; what: string }[], certified: 0, ran: 0, vetoed: 0, expired: 0, voided: 0 };

  constructor(crypto: CryptoPort, seed: number) {
    this.#crypto = crypto;
    this.#next = createRng(`approvals/${seed}`).next;
    this.#mesh = crypto.sha256(utf8('mesh'));
    const voters = 2 + this.#below(6);
    const names = Array.from({ length: voters + this.#below(4) }, (_, index) => `n${index}`);
    this.#nodes = names.map((name) => ({
      name,
      aid: crypto.sha256(utf8(name)),
      keys: [crypto.signKey(crypto.sha256(utf8(`${seed} ${name} 0`)))],
      approvals: NO_APPROVALS,
      quorums: new Map(),
      cut: false,
      collector: new DecisionCollector(crypto),
      fence: { term: 0, index: 0 },
      said: new Set(),
      refusedFrom: new Set(),
    }));
    this.#voters = names.slice(0, voters);
    // As many as M is made for, by the least that the mesh may shrink to in this trace.
    this.#liars = new Set(voters >= 6 ? ['n0'] : []);
    this.#leader = 'n0';
  }

  run(steps: number): ApprovalsResult {
    for (let step = 0; step < steps; step += 1) {
      this.#event();
      this.#settle();
      if (this.#result.violations.length > 0) return this.#result;
    }
    this.#heal();
    return this.#result;
  }

  // ---- what happens ----------------------------------------------------------------------------------------------------

  #event(): void {
    const draw = this.#below(100);
    if (draw < 22) this.#ask();
    else if (draw < 30) this.#now += this.#below(draw === 22 ? 1_200_000 : 240_000);
    else if (draw < 38) this.#pick(this.#nodes).cut = this.#next() < 0.6;
    else if (draw < 44) this.#elect();
    else if (draw < 48) this.#changeVoters();
    else if (draw < 52) this.#rotate();
    else if (draw < 56) this.#restart();
    else if (this.#dishonest) this.#lie();
    else this.#mischief();
    this.#now += 1_000 + this.#below(5_000);
  }

  get #dishonest(): boolean {
    return this.#liars.has(this.#leader);
  }

  #ask(): void {
    const operation = this.#next() < 0.5 ? 'agent-restart' : this.#pick(ASKED);
    const targets = operationOf(operation)?.targets === 'some' ? this.#shuffled(this.#nodes).slice(0, 1 + this.#below(3)) : [];
    const args =
      operation === 'quorum-set'
        ? writeQuorumArgs({ operation: this.#pick(['agent-restart', 'quorum-set', 'reboot']), quorum: this.#next() < 0.2 ? null : 2 + this.#below(6) })
        : Uint8Array.of(this.#below(4));
    const order: Order = { operation, args, targets: targets.map(({ aid }) => aid) };
    const initiator = this.#pick(this.#nodes);
    const host = this.#next() < 0.3 ? this.#pick(this.#nodes) : initiator;
    const asked = this.#request(initiator, host, order, signKeyOf(initiator));
    this.#note(asked, initiator, host);
    if (this.#dishonest && this.#next() < 0.4) {
      // The id is taken with other arguments, or other targets, before the true request comes.
      const other = this.#pick(this.#nodes).aid;
      const swapped = {
        request: asked.request,
        order: this.#next() < 0.5 ? { ...order, args: Uint8Array.of(9) } : { ...order, targets: order.targets.map(() => other) },
      };
      this.#append(APPROVAL_ENTRIES.request, encodeRequestEntry(swapped));
    }
    if (!this.#dishonest || this.#next() < 0.8) this.#append(APPROVAL_ENTRIES.request, encodeRequestEntry(asked));
  }

  #request(initiator: Node, host: Node, order: Order, key: SignKey): RequestEntry {
    const index = this.#log.length;
    return makeRequest(
      this.#crypto,
      key,
      {
        meshId: this.#mesh,
        id: this.#crypto.sha256(utf8(`id ${this.#requests.length} ${this.#log.length} ${this.#next()}`)).slice(0, 16),
        initiator: initiator.aid,
        host: host.aid,
        reason: 'because',
        notAfterIndex: index + 1 + (this.#next() < 0.5 ? this.#below(14) : 900),
        basis: index,
      },
      order,
    );
  }

  #note(asked: RequestEntry, initiator: Node, host: Node): void {
    const { request, order } = asked;
    this.#requests.push(asked);
    this.#truth.requests.set(hex(request.digest), {
      id: hex(request.id),
      order: orderText(order),
      targets: order.targets.map((aid) => this.#nameOf(aid)),
      against: operationOf(order.operation)?.against === true,
      initiator: initiator.name,
      host: host.name,
      notAfterIndex: request.notAfterIndex,
      setting: order.operation === 'quorum-set' ? (readQuorumArgs(order.args) ?? null) : null,
      operation: order.operation,
    });
  }

  #elect(): void {
    this.#leader = this.#pick(this.#voters);
    this.#term += 1;
    // What the old leader had not got into the log, the new one may.
    if (!this.#dishonest) for (const { kind, body } of this.#proposals.splice(0)) this.#append(kind, body);
  }

  #changeVoters(): void {
    const floor = this.#liars.size > 0 ? 4 : 1;
    const outside = this.#nodes.filter(({ name }) => !this.#voters.includes(name));
    const leaver = this.#pick(this.#voters);
    if (this.#next() < 0.5 && this.#voters.length > floor && leaver !== this.#leader) this.#voters = this.#voters.filter((name) => name !== leaver);
    else if (outside.length > 0 && this.#voters.length < 7) this.#voters = [...this.#voters, this.#pick(outside).name];
    else return;
    this.#append('voters', new Uint8Array(0));
  }

  #rotate(): void {
    const node = this.#pick(this.#nodes);
    node.keys = [...node.keys, this.#crypto.signKey(this.#crypto.sha256(utf8(`${node.name} ${node.keys.length} ${this.#next()}`)))];
    this.#append('rotate', new Uint8Array(0));
  }

  /** It forgets what it had not kept: which decisions it has heard. What it knows of the log it reads again. */
  #restart(): void {
    const node = this.#pick(this.#nodes);
    if (node.approvals.index === 0) return;
    Object.assign(node, { approvals: NO_APPROVALS, quorums: new Map(), collector: new DecisionCollector(this.#crypto) });
  }

  /** Things that need no leader: everything that was ever said comes again. */
  #mischief(): void {
    const old = this.#pick(this.#log.length === 0 ? [undefined] : this.#log);
    if (old !== undefined && this.#next() < 0.5 && old.kind.startsWith('approval')) this.#append(old.kind, old.body);
    const decision = this.#pick(this.#decisions.length === 0 ? [undefined] : this.#decisions);
    if (decision !== undefined) for (const node of this.#nodes) if (!node.cut) node.collector.add(decision);
  }

  #lie(): void {
    const liar = this.#node(this.#leader);
    const target = this.#pick(this.#requests.length === 0 ? [undefined] : this.#requests.slice(-6));
    if (target === undefined) return;
    const { request } = target;
    const all = this.#voters.map((name) => this.#node(name));
    const forge = (voter: Node, key = signKeyOf(liar), digest = request.digest, approves = true): Decision =>
      makeDecision(this.#crypto, key, { id: request.id, digest, voter: voter.aid, approves, person: true, why: 'forged' });
    const true_ = this.#decisions.filter(({ digest }) => hex(digest) === hex(request.digest));
    const own = forge(liar);
    const commit = (decisions: readonly Decision[]): void => {
      if (decisions.length > 0) this.#append(APPROVAL_ENTRIES.commit, encodeDecisions({ digest: request.digest, decisions: decisions.slice(0, 7) }));
    };
    switch (this.#below(10)) {
      case 0:
        return commit(all.map((voter) => (voter === liar ? own : forge(voter))));
      case 1:
        return commit(all.map(() => own));
      case 2:
        return commit([own, ...true_.filter(({ voter }) => hex(voter) !== hex(liar.aid))]);
      case 3:
        return commit([own, ...true_.filter(({ approves, voter }) => approves && hex(voter) !== hex(liar.aid))]);
      case 4: {
        // Approvals of something else, under this request.
        const others = this.#decisions.filter(({ approves, voter }) => approves && hex(voter) !== hex(liar.aid));
        return commit([own, ...new Map(others.map((decision) => [hex(decision.voter), decision])).values()]);
      }
      case 5: {
        const order: Order = { operation: 'agent-restart', args: Uint8Array.of(7), targets: [this.#pick(this.#nodes).aid] };
        const victim = this.#pick(this.#nodes);
        const forged = this.#request(victim, victim, order, signKeyOf(liar));
        if (victim.name === liar.name) this.#note(forged, victim, victim);
        return this.#append(APPROVAL_ENTRIES.request, encodeRequestEntry(forged));
      }
      case 6: {
        // A machine that cannot be reached is said to be done, so that the next one begins.
        const running = runningRequest(liar.approvals);
        const victim = running?.order.targets.find((aid) => outcomeOf(running, aid) === undefined);
        if (running?.decided == null || victim === undefined) return;
        const { term, index } = running.decided;
        const outcome = makeOutcome(this.#crypto, signKeyOf(liar), { digest: running.request.digest, executor: victim, result: 'done', why: '', term, index });
        return this.#append(APPROVAL_ENTRIES.outcome, packOutcome(outcome));
      }
      case 7:
        return this.#append(
          APPROVAL_ENTRIES.veto,
          encodeDecisions({ digest: request.digest, decisions: [forge(this.#pick(all), signKeyOf(liar), request.digest, false)] }),
        );
      case 8: {
        const old = this.#pick(this.#log.length === 0 ? [undefined] : this.#log);
        return old?.kind.startsWith('approval') === true ? this.#append(old.kind, old.body) : undefined;
      }
      default:
        return this.#append(APPROVAL_ENTRIES.commit, this.#bent(encodeDecisions({ digest: request.digest, decisions: [own, ...true_].slice(0, 7) })));
    }
  }

  #bent(bytes: Uint8Array): Uint8Array {
    const at = this.#below(bytes.length);
    return bytes.map((byte, index) => (index === at ? byte ^ (1 << this.#below(8)) : byte));
  }

  // ---- what follows ----------------------------------------------------------------------------------------------------

  #append(kind: string, body: Uint8Array): void {
    const index = this.#log.length + 1;
    const at = this.#dishonest ? this.#now + this.#below(3) * 400_000 - 400_000 : this.#now;
    this.#log.push({ index, term: this.#term, kind, body, at, trueAt: this.#now, byLiar: this.#dishonest });
    const voters = new Map(this.#voters.map((name) => [name, this.#node(name).keys.length] as const));
    const keys = new Map(this.#nodes.map((node) => [hex(node.aid), signKeyOf(node).publicKey] as const));
    this.#electorates[index] = {
      true: { voters, liars: this.#liars },
      real: {
        meshId: this.#mesh,
        voters: this.#voters.map((name) => ({ aid: this.#node(name).aid, signKey: signKeyOf(this.#node(name)).publicKey, score: null })),
        memberCount: this.#nodes.length,
        keyOf: (aid) => keys.get(hex(aid)),
        scoreMin: 0,
      },
    };
    if (kind === APPROVAL_ENTRIES.veto) this.#noteVeto(index, body);
  }

  #noteVeto(index: number, body: Uint8Array): void {
    const set = decodeDecisions(body);
    const asked = set === undefined ? undefined : this.#truth.requests.get(hex(set.digest));
    if (set === undefined || asked === undefined) return;
    const real = set.decisions.every((decision) => {
      const voter = this.#nameOf(decision.voter);
      const word = this.#truth.words.get(hex(set.digest))?.get(voter);
      if (!this.#decisions.some(({ object }) => hex(object.sig) === hex(decision.object.sig))) return false;
      return (
        word !== undefined &&
        !word.approves &&
        word.person &&
        this.#electorates[index]?.true.voters.get(voter) === word.key &&
        !(asked.against && asked.targets.includes(voter))
      );
    });
    if (real) this.#truth.vetoes.set(hex(set.digest), [...(this.#truth.vetoes.get(hex(set.digest)) ?? []), index]);
  }

  #settle(): void {
    for (let round = 0; round < 6; round += 1) {
      const before = this.#log.length;
      for (const node of this.#nodes) if (!node.cut) this.#catchUp(node);
      for (const node of this.#nodes) if (!node.cut && this.#voters.includes(node.name)) this.#speak(node);
      const leader = this.#node(this.#leader);
      if (!leader.cut && !this.#dishonest) {
        for (const { kind, body } of this.#proposals.splice(0)) this.#append(kind, body);
        this.#propose(leader);
      }
      for (const node of this.#nodes) if (!node.cut) this.#act(node);
      if (this.#log.length === before) return;
    }
  }

  #catchUp(node: Node): void {
    for (const entry of this.#log.slice(node.approvals.index)) {
      const electorate = this.#electorates[entry.index];
      if (electorate === undefined) return;
      const { approvals, effects } = applyApproval(this.#crypto, node.approvals, electorate.real, entry);
      const quorums = new Map(node.quorums);
      node.approvals = approvals;
      for (const effect of effects) {
        if (effect.kind === 'void') this.#result.voided += 1;
        else if (effect.kind === 'expired') this.#result.expired += 1;
        else if (effect.kind === 'vetoed') this.#result.vetoed += 1;
        else if (effect.kind === 'certified') this.#believed(node, effect.state, electorate.true, quorums);
      }
      node.quorums = new Map(approvals.quorums);
      if (effects.some(({ kind }) => kind !== 'void')) this.#same(entry.index, hex(approvalsDigest(this.#crypto, approvals)));
    }
  }

  #same(index: number, digest: string): void {
    const known = this.#digests.get(index);
    if (known !== undefined && known !== digest) this.#violated('one-state', `two states behind entry ${index}`);
    this.#digests.set(index, digest);
  }

  #believed(node: Node, state: RequestState, electorate: TrueElectorate, quorums: ReadonlyMap<string, number>): void {
    this.#result.certified += 1;
    const { request, order, decided, index: requestIndex } = state;
    if (decided === null) return;
    const [asked, made] = [this.#log[requestIndex - 1], this.#log[decided.index - 1]];
    if (asked === undefined || made === undefined) return;
    const timeIsTrue = !asked.byLiar && !made.byLiar;
    const tookMs = made.trueAt - asked.trueAt;
    const fault = this.#truth.fault({ digest: hex(request.digest), order, requestIndex, index: decided.index, timeIsTrue, tookMs, electorate, quorums });
    if (fault !== undefined) this.#violated('only-if-approved', `${node.name} believes ${order.operation} at ${decided.index}: ${fault}`);
  }

  /** An honest voter says what it thinks of every request that it sees, once; a liar says yes to everything. */
  #speak(node: Node): void {
    for (const state of openRequests(node.approvals)) {
      const digest = hex(state.request.digest);
      if (node.said.has(digest)) continue;
      node.said.add(digest);
      const liar = this.#liars.has(node.name);
      const approves = liar || this.#next() < 0.75;
      const person = this.#next() < 0.5;
      const decision = makeDecision(this.#crypto, signKeyOf(node), {
        id: state.request.id,
        digest: state.request.digest,
        voter: node.aid,
        approves,
        person,
        why: '',
      });
      if (!liar) this.#truth.say(digest, node.name, { approves, person, key: node.keys.length });
      this.#decisions.push(decision);
      for (const other of this.#nodes) if (!other.cut && this.#next() < 0.9) other.collector.add(decision);
    }
  }

  #propose(leader: Node): void {
    const electorate = this.#electorates[this.#log.length];
    if (electorate === undefined || leader.approvals.index < this.#log.length) return;
    for (const { kind, set } of leader.collector.ripe(leader.approvals, electorate.real)) this.#append(APPROVAL_ENTRIES[kind], encodeDecisions(set));
  }

  #act(node: Node): void {
    const electorate = this.#electorates[node.approvals.index];
    if (electorate === undefined) return;
    const turn = turnOf(node.approvals, {
      crypto: this.#crypto,
      electorate: electorate.real,
      self: node.aid,
      wall: null,
      sinceCertifiedMs: 0,
      isDoubted: () => false,
      fence: node.fence,
    });
    if (turn.kind === 'none' || turn.state.decided === null) return;
    const { request, decided } = turn.state;
    const key = hex(request.digest);
    if (turn.kind === 'execute') {
      this.#result.ran += 1;
      node.fence = { ...turn.fence };
      const fault = this.#truth.run(node.name, key, new Set());
      if (fault !== undefined) this.#violated('in-turn-and-once', `${node.name} runs ${turn.state.order.operation} of entry ${decided.index}: ${fault}`);
    }
    const { term, index } = decided;
    const result = turn.kind === 'refuse' ? 'refused' : 'done';
    const outcome = makeOutcome(this.#crypto, signKeyOf(node), { digest: request.digest, executor: node.aid, result, why: '', term, index });
    this.#proposals.push({ kind: APPROVAL_ENTRIES.outcome, body: packOutcome(outcome) });
  }

  /** Everybody is back and the leader is honest: within the validity everything open is settled. */
  #heal(): void {
    for (const node of this.#nodes) node.cut = false;
    this.#leader = this.#voters.find((name) => !this.#liars.has(name)) ?? this.#leader;
    this.#term += 1;
    for (let round = 0; round < 12; round += 1) {
      this.#now += 400_000;
      this.#append('noop', new Uint8Array(0));
      this.#settle();
    }
    for (const node of this.#nodes) {
      const open = openRequests(node.approvals);
      if (open.length > 0) this.#violated('all-settled', `${open.length} requests still wait at ${node.name}`);
      if (node.approvals.index !== this.#log.length) this.#violated('all-settled', `${node.name} is behind`);
    }
  }

  // ---- small things ----------------------------------------------------------------------------------------------------

  #violated(checker: string, what: string): void {
    this.#result.violations.push({ checker, what });
  }

  #node(name: string): Node {
    const node = this.#nodes.find((known) => known.name === name);
    if (node === undefined) throw new Error(`there is no ${name}`);
    return node;
  }

  #nameOf(aid: Uint8Array): string {
    return this.#nodes.find((node) => hex(node.aid) === hex(aid))?.name ?? hex(aid);
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  #pick<Item>(from: readonly Item[]): Item {
    const item = from[this.#below(from.length)];
    if (item === undefined && from.length === 0) throw new Error('nothing to pick from');
    return item as Item;
  }

  #shuffled<Item>(from: readonly Item[]): Item[] {
    return from
      .map((item) => ({ item, place: this.#next() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ item }) => item);
  }
}

function signKeyOf(node: Node): SignKey {
  const key = node.keys.at(-1);
  if (key === undefined) throw new Error('a node without a key');
  return key;
}
