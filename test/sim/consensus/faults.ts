/**
 * What is done to the servers, drawn step by step. Each kind counts itself, so that a run can show that it happened.
 */
import type { Rng } from '#core/random/random.ts';
import type { ConfigChange } from '#mesh/consensus/config/change.ts';
import { majority, quorumOf } from '#mesh/consensus/config/configuration.ts';
import { fullnessOf } from '#mesh/consensus/lease/storage-watch.ts';
import type { TraceClass } from './options.ts';
import type { Server } from './server.ts';
import type { ConsensusWorld } from './world.ts';

export type FaultKind =
  | 'crash'
  | 'crash-all'
  | 'blink'
  | 'bridge'
  | 'fade'
  | 'strike'
  | 'defect'
  | 'isolate'
  | 'one-way'
  | 'flap'
  | 'split'
  | 'slow-disk'
  | 'hung-disk'
  | 'full-disk'
  | 'sleep'
  | 'wall-clock'
  | 'transfer'
  | 'change'
  | 'damage'
  | 'forget-vote'
  | 'vote-forgotten'
  | 'fell'
  | 'pause';

const OF: Record<TraceClass, readonly FaultKind[]> = {
  calm: ['pause', 'transfer', 'change'],
  crash: ['crash', 'crash', 'crash-all', 'blink', 'bridge', 'pause'],
  churn: ['fade', 'fade', 'strike', 'strike', 'strike', 'bridge'],
  partition: ['isolate', 'one-way', 'flap', 'split', 'split', 'bridge', 'blink', 'defect'],
  disk: ['slow-disk', 'hung-disk', 'full-disk', 'crash', 'damage', 'damage', 'isolate'],
  clock: ['sleep', 'sleep', 'wall-clock', 'isolate', 'transfer', 'split'],
  change: ['change', 'change', 'change', 'transfer', 'crash', 'isolate', 'split'],
  amnesia: ['forget-vote', 'forget-vote', 'forget-vote', 'crash', 'bridge', 'transfer', 'split'],
  mixed: [
    'crash',
    'crash-all',
    'blink',
    'bridge',
    'fade',
    'isolate',
    'one-way',
    'flap',
    'split',
    'slow-disk',
    'hung-disk',
    'full-disk',
    'sleep',
    'wall-clock',
    'transfer',
    'change',
    'change',
    'damage',
  ],
};

export class Faults {
  readonly counts: Partial<Record<FaultKind, number>> = {};
  readonly #world: ConsensusWorld;
  readonly #rng: Rng;
  /** A voter that lost state is out of the count until the others have seen to it; one at a time. */
  #damaged: Server | null = null;
  /** So many of the next leaders fall just after their election. */
  #strikes = 0;
  /** It happens before this. */
  #damageAt = 0;
  /** Nothing new before this. */
  #calmUntil = 0;
  #request = 0;

  constructor(world: ConsensusWorld) {
    this.#world = world;
    this.#rng = world.rng.fork('faults');
    world.onElected = (server) => this.#strike(server);
    world.onVoteConfirmed = (server, candidate) => this.#forget(server, candidate);
  }

  /** One drawn fault, begun now; it ends by itself or with the healing. */
  step(): void {
    const { now, mesh } = this.#world;
    if (now < this.#calmUntil) return this.#world.run(Math.min(this.#calmUntil - now, mesh.timing.electionMsMin));
    const kinds = OF[this.#world.options.class];
    const kind = kinds[Math.floor(this.#rng.next() * kinds.length)] ?? 'pause';
    const unit = this.#world.mesh.timing.electionMsMin;
    if (this.#do(kind, unit)) this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.#world.run(unit * (0.2 + this.#rng.next() * 3));
  }

  /** Everything is whole again. */
  heal(): void {
    const { network, servers } = this.#world;
    this.#strikes = 0;
    network.mendAll();
    network.weather = { ...network.weather, lostPerMille: 0, latePerMille: 0 };
    for (const server of servers) {
      server.fsyncMs = 2;
      server.forgetsVote = false;
      this.#world.wake(server);
      if (server.run > 0) this.#world.start(server);
      this.#world.input(server, { kind: 'storage', fullness: 'ample' });
    }
  }

  #some(): Server | undefined {
    const leader = this.#world.leader;
    // Leaders are where it hurts.
    if (leader !== undefined && this.#rng.next() < 0.4) return leader;
    const up = this.#world.servers.filter(({ isUp }) => isUp);
    return up[Math.floor(this.#rng.next() * up.length)];
  }

  #do(kind: FaultKind, unit: number): boolean {
    const world = this.#world;
    const server = this.#some();
    const span = unit * (0.3 + this.#rng.next() * 4);
    if (server === undefined) return false;
    const name = `server ${server.persona.number}`;
    world.tell(`${kind} ${name} for ${Math.round(span)} ms`);
    switch (kind) {
      case 'pause':
      case 'vote-forgotten':
      case 'fell':
        return true;
      case 'crash':
        world.crash(server);
        world.later(span, () => world.start(server));
        return true;
      case 'crash-all':
        for (const each of world.servers.filter(({ isUp }) => isUp)) {
          world.crash(each);
          world.later(this.#rng.next() * span, () => world.start(each));
        }
        return true;
      case 'blink':
        // Back before anybody has missed it: what it promised is forgotten, and still counted on.
        world.crash(server);
        world.later(this.#rng.next() * unit * 0.1, () => world.start(server));
        return true;
      case 'bridge':
        // One voter does not hear the leader, and is heard by those that do.
        return world.leader !== undefined && world.leader !== server && this.#cut((other) => other === world.leader, server, span, 'both');
      case 'fade':
        return this.#fade(unit, span);
      case 'strike':
        this.#strikes += 1 + Math.floor(this.#rng.next() * 3);
        if (world.leader !== undefined) world.crash(world.leader);
        world.later(span, () => world.start(server));
        return true;
      case 'defect':
        return this.#defect(unit);
      case 'isolate':
        return this.#cut((other) => other !== server, server, span, 'both');
      case 'one-way':
        return this.#cut((other) => other !== server && this.#rng.next() < 0.8, server, span, this.#rng.next() < 0.5 ? 'in' : 'out');
      case 'flap':
        for (let at = 0; at < span; at += unit * 0.3) world.later(at, () => void this.#cut((other) => other !== server, server, unit * 0.15, 'both'));
        return true;
      case 'split': {
        const side = new Set(world.servers.filter(() => this.#rng.next() < 0.5));
        for (const one of side) this.#cut((other) => !side.has(other), one, span, 'both');
        return true;
      }
      case 'slow-disk':
      case 'hung-disk': {
        server.fsyncMs = kind === 'slow-disk' ? unit / 4 : unit * 3;
        world.later(span, () => (server.fsyncMs = 2));
        return true;
      }
      case 'full-disk':
        world.input(server, { kind: 'storage', fullness: fullnessOf(this.#rng.next() < 0.5 ? 91 : 96, false) });
        world.later(span, () => world.input(server, { kind: 'storage', fullness: 'ample' }));
        return true;
      case 'sleep':
        world.sleep(server);
        // Sometimes cut off as well: then nobody tells it, when it wakes, how long it slept.
        if (this.#rng.next() < 0.5) this.#cut((other) => other !== server, server, span * 1.5, 'both');
        // Short sleeps are the dangerous ones: nothing shows them but the clocks.
        world.later(span * (this.#rng.next() < 0.5 ? 0.1 : 1), () => world.wake(server));
        return true;
      case 'wall-clock':
        server.setWall((this.#rng.next() - 0.5) * 100_000);
        return true;
      case 'transfer': {
        const voters = server.machine?.view.config.voters ?? [];
        world.input(server, { kind: 'transfer', to: voters[Math.floor(this.#rng.next() * voters.length)] ?? '' });
        return server === world.leader;
      }
      case 'change':
        return this.#change();
      case 'damage':
        return this.#damage(server, span);
      case 'forget-vote': {
        const voter = this.#some();
        if (voter === undefined) return false;
        voter.forgetsVote = true;
        // A vote has to be given before it can be forgotten.
        const { leader } = world;
        if (leader === undefined || leader === voter) return false;
        world.crash(leader);
        world.later(span, () => world.start(leader));
        return true;
      }
    }
  }

  #cut(whom: (other: Server) => boolean, server: Server, span: number, way: 'in' | 'out' | 'both'): boolean {
    const { network, servers } = this.#world;
    const [a] = [server.persona.number];
    const paths = servers
      .filter(whom)
      .flatMap(({ persona: { number: b } }): (readonly [number, number])[] => [
        ...(way === 'in' ? [] : [[a, b] as const]),
        ...(way === 'out' ? [] : [[b, a] as const]),
      ]);
    for (const [from, to] of paths) network.cut(from, to);
    this.#world.later(span, () => {
      for (const [from, to] of paths) network.mend(from, to);
    });
    return true;
  }

  #strike(server: Server): void {
    if (this.#strikes === 0) return;
    this.#strikes -= 1;
    const { weather, counts } = { weather: this.#world.network.weather, counts: this.counts };
    this.#world.later(this.#rng.next() * 6 * (weather.latencyMs + weather.jitterMs), () => {
      this.#world.crash(server);
      counts['fell'] = (counts['fell'] ?? 0) + 1;
    });
    this.#world.later(this.#world.mesh.timing.electionMsMin * (1 + this.#rng.next() * 4), () => this.#world.start(server));
  }

  /** One voter has not heard the leader for long; then those whose answers the lease stands on restart, and hear only the one. */
  #defect(unit: number): boolean {
    const world = this.#world;
    const { leader } = world;
    const voters = leader?.view?.config.voters ?? [];
    const others = world.servers.filter((server) => server.isUp && server !== leader && voters.includes(server.persona.id));
    const [rival, ...rest] = others.sort(() => this.#rng.next() - 0.5);
    if (leader === undefined || rival === undefined || leader.view === null) return false;
    const defectors = rest.slice(0, quorumOf(leader.view.config) - 1);
    // Nobody writes meanwhile, or the rival's log would be too old for a vote.
    world.quietUntil = world.now + unit * 5;
    this.#cut((other) => other === leader, rival, unit * 6, 'both');
    world.later(unit * (2 + this.#rng.next()), () => {
      for (const defector of defectors) {
        this.#cut((other) => other === leader, defector, unit * 2, 'both');
        world.crash(defector);
        world.later(this.#rng.next() * 10, () => world.start(defector));
      }
    });
    return true;
  }

  /** The leader reaches one other only, for less than it takes to notice, and falls: what it wrote is on two logs. */
  #fade(unit: number, span: number): boolean {
    const world = this.#world;
    const { leader } = world;
    if (leader === undefined) return false;
    const others = world.servers.filter(({ isUp, persona }) => isUp && persona !== leader.persona && leader.view?.config.voters.includes(persona.id) === true);
    const confidant = others[Math.floor(this.#rng.next() * others.length)];
    const fall = unit * (0.1 + this.#rng.next() * 0.5);
    this.#cut((other) => other !== leader && other !== confidant, leader, fall, 'both');
    world.later(fall, () => {
      world.crash(leader);
      world.later(span * 0.6, () => world.start(leader));
    });
    return true;
  }

  /** An operator's change at whoever leads; new servers are switched on first. */
  #change(): boolean {
    const world = this.#world;
    const { leader } = world;
    const config = leader?.machine?.view.config;
    if (leader === undefined || config === undefined) return false;
    const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(this.#rng.next() * from.length)];
    const fresh = world.servers.find(({ run }) => run === 0);
    const dice = this.#rng.next();
    let change: ConfigChange | undefined;
    if (dice < 0.3 && fresh !== undefined) {
      world.start(fresh);
      change = { kind: 'add-learner', id: fresh.persona.id, promote: this.#rng.next() < 0.8 };
    } else if (dice < 0.5) {
      const id = pick(config.learners)?.id;
      change = id === undefined ? undefined : { kind: 'add-learner', id, promote: true };
    } else if (dice < 0.7 && config.voters.length > 2) {
      const id = pick(config.voters);
      change = id === undefined ? undefined : { kind: 'remove', id };
    } else if (dice < 0.85 && config.voters.length > 2) {
      const id = pick(config.voters);
      change = id === undefined ? undefined : { kind: 'demote', id, promote: this.#rng.next() < 0.7 };
    } else {
      const least = majority(config.voters.length);
      change = { kind: 'set-quorum', quorum: this.#rng.next() < 0.6 ? null : least - 1 + Math.floor(this.#rng.next() * (config.voters.length - least + 3)) };
    }
    if (change === undefined) return false;
    this.#request += 1;
    world.input(leader, { kind: 'change', change, key: { aid: leader.persona.aid, incarnation: 1_000, request: this.#request } });
    return true;
  }

  /** Only where the others can go on without it, and never two at once: a mesh that lost a quorum of memories is lost. */
  #mayLose(server: Server): boolean {
    const config = this.#world.leader?.view?.config ?? server.view?.config;
    const open = this.#damaged;
    const isOpen =
      this.#world.now < this.#damageAt || (open !== null && (!open.isUp || open.machine?.view.damaged === true || open.machine?.view.votes !== true));
    return config !== undefined && !isOpen && quorumOf(config) <= config.voters.length - 1;
  }

  /** The worst moment: the victim holds what only the leader holds beside it, loses it, and the leader falls. */
  #damage(server: Server, span: number): boolean {
    const world = this.#world;
    const { leader } = world;
    const victim = leader !== server && leader?.view?.config.voters.includes(server.persona.id) === true ? server : undefined;
    if (leader === undefined || victim === undefined || !this.#mayLose(victim)) return false;
    if (world.servers.some(({ machine, run }) => run > 0 && machine === null)) return false;
    const quorum = leader.view === null ? 0 : quorumOf(leader.view.config);
    const near = new Set([leader, victim, ...world.servers.filter(({ isUp }) => isUp).slice(0, Math.max(0, quorum - 2))]);
    const unit = world.mesh.timing.electionMsMin;
    this.#cut((other) => !near.has(other), leader, unit * 0.6, 'both');
    this.#damaged = victim;
    this.#damageAt = world.now + unit;
    const withLeader = this.#rng.next() < 0.7;
    world.later(unit * 0.6, () => {
      world.crash(victim);
      victim.disk.damage(this.#rng);
      if (withLeader) world.crash(leader);
      world.later(unit * 0.2, () => world.start(victim));
      world.later(span, () => world.start(leader));
    });
    return true;
  }

  /**
   * It has voted, forgets it, and nobody but itself can hear its candidate: somebody else may ask for the same term. The one
   * that holds the vote stays within its reach until it has asked: without that nothing is promised (C-20).
   */
  #forget(server: Server, id: string): void {
    const world = this.#world;
    const candidate = world.serverOf(id);
    if (candidate === undefined || !this.#mayLose(server)) return;
    const { electionMsMin } = world.mesh.timing;
    this.#calmUntil = world.now + 1.5 * electionMsMin;
    for (const [from, to] of [
      [server, candidate],
      [candidate, server],
    ] as const)
      world.network.mend(from.persona.number, to.persona.number);
    this.#cut((other) => other !== candidate && other !== server, candidate, electionMsMin * (1 + this.#rng.next() * 5), 'both');
    server.forgetsVote = false;
    world.crash(server);
    if (server.disk.loseVote()) {
      this.#damaged = server;
      this.counts['vote-forgotten'] = (this.counts['vote-forgotten'] ?? 0) + 1;
      world.tell(`server ${server.persona.number} has forgotten a vote`);
    }
    world.later(this.#rng.next() * 100, () => world.start(server));
  }
}
