/**
 * One trace: a mesh is founded, clients begin, everything is hurt while safety is looked for after every event; then all
 * is healed, and within a bound there is a leader, everybody has the same log, and a write that is made now succeeds.
 */
import type { Millis } from '#core/time/time.ts';
import { changeConfiguration } from '#mesh/consensus/config/change.ts';
import { Clients } from './clients.ts';
import { Faults, type FaultKind } from './faults.ts';
import { judge } from './linearizable.ts';
import type { ConsensusTrace } from './options.ts';
import type { Violation } from './truth.ts';
import { ConsensusWorld } from './world.ts';

/** What a trace came to. */
export interface ConsensusResult {
  readonly options: ConsensusTrace;
  readonly violations: readonly Violation[];
  readonly hash: string;
  readonly story: readonly string[];
  readonly virtualMs: Millis;
  readonly settleMs: Millis;
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** Election timeouts until all must be well after the healing; a promotion alone takes its ten seconds. */
const SETTLE_ELECTIONS = 30;
const SETTLE_MS: Millis = 30_000;

export function runConsensusTrace(options: ConsensusTrace): ConsensusResult {
  const world = new ConsensusWorld(options);
  const clients = new Clients(world);
  const faults = new Faults(world);
  for (const server of world.servers.slice(0, options.voters + options.learners)) world.start(server);
  world.run(world.mesh.timing.electionMsMax * 2);
  clients.start();
  for (let step = 0; step < options.steps; step += 1) {
    faults.step();
    if (world.truth.violations.length > 0) break;
  }
  const hurtMs = world.now;
  const settled = world.truth.violations.length > 0 || settle(world, clients, faults);
  if (!settled) world.truth.blame('settles', describe(world), world.now);
  const { misfit: key, undecided } = judge(clients.history());
  if (key !== undefined) world.truth.blame('linearizable', `the calls about "${key}" fit no order`, world.now);
  const { sent, lost, cut, doubled, late } = world.network.counts;
  return {
    options,
    violations: world.truth.violations,
    hash: world.hash.value,
    story: world.story,
    virtualMs: world.now,
    settleMs: world.now - hurtMs,
    faults: faults.counts,
    counts: {
      ...world.events,
      ...world.truth.counts,
      ...{ sent, lost, cut, doubled, late, calls: clients.calls.length, steps: world.hash.steps },
      ...clients.counts,
      undecided,
      writesLost: world.servers.reduce((sum, { disk }) => sum + disk.lost, 0),
      writesTorn: world.servers.reduce((sum, { disk }) => sum + disk.torn, 0),
    },
  };
}

function settle(world: ConsensusWorld, clients: Clients, faults: Faults): boolean {
  faults.heal();
  world.tell('all is healed');
  const bound = world.mesh.timing.electionMsMax * SETTLE_ELECTIONS + SETTLE_MS;
  if (!world.waitFor(() => isWhole(world), bound)) return false;
  clients.stop();
  const last = clients.call(99, { kind: 'set', key: 'last', value: 1 });
  const read = clients.call(98, { kind: 'get', key: 'last' });
  const isDone = (): boolean => last.to !== Number.POSITIVE_INFINITY && read.to !== Number.POSITIVE_INFINITY && isLevel(world);
  return world.waitFor(isDone, bound);
}

/** One leader; everybody in its configuration runs, follows it, may vote if it is a voter, and nobody waits to be promoted. */
function isWhole(world: ConsensusWorld): boolean {
  const view = world.leader?.machine?.view;
  if (view === undefined) return false;
  const mayGrow = (id: string): boolean => changeConfiguration(view.config, { kind: 'promote', id }).kind === 'good';
  if (view.config.learners.some(({ id, promote }) => promote && mayGrow(id))) return false;
  return view.config.voters.every((id) => {
    const own = world.serverOf(id)?.machine?.view;
    return own !== undefined && own.term === view.term && own.votes && !own.damaged;
  });
}

/** Everybody in the configuration has applied everything. */
function isLevel(world: ConsensusWorld): boolean {
  const view = world.leader?.machine?.view;
  if (view === undefined) return false;
  const ids = [...view.config.voters, ...view.config.learners.map(({ id }) => id)];
  return ids.every((id) => world.serverOf(id)?.machine?.view.applied === view.lastIndex);
}

function describe(world: ConsensusWorld): string {
  const lines = world.servers.flatMap(({ persona, machine }) => {
    if (machine === null) return [];
    const { role, term, applied, commit, lastIndex, votes, damaged, recovered, config } = machine.view;
    const voters = config.voters.map((id) => world.serverOf(id)?.persona.number).join(',');
    const flags = `${votes ? '' : ' no votes'}${damaged ? ' damaged' : ''}${recovered ? '' : ' not recovered'}`;
    return [`${persona.number}: ${role} of ${term}, ${applied}/${commit}/${lastIndex}, voters ${voters}${flags}`];
  });
  return `not within the bound; ${lines.join('; ')}`;
}
