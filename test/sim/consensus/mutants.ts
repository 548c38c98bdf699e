/**
 * Broken machines, one rule each: the product's source with one place changed, bundled in memory, and run through the same
 * traces. A checker that does not see them would not see the same mistake in the product. Nothing in the product knows of
 * this; a place that is not found there any more fails.
 */
import { loadBroken } from '../broken-source.ts';
import type { ConsensusTrace, TraceClass } from './options.ts';
import type { ConsensusResult } from './run.ts';

/** One rule, broken. */
export interface Mutant {
  readonly name: string;
  /** The rule of docs/protocols/consensus.md. */
  readonly rule: string;
  /** Below mesh/consensus. */
  readonly file: string;
  /** Each is there exactly once. */
  readonly changes: readonly { readonly from: string; readonly to: string }[];
  /** Where it shows. */
  readonly class: TraceClass;
  /** A seed in which it does, found by looking; to be looked for again when the generator draws otherwise. */
  readonly seed: number;
  /** Who notices. */
  readonly checkers: readonly string[];
}

const change = (from: string, to: string): { readonly from: string; readonly to: string } => ({ from, to });

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'what is sent does not wait for the disk',
    rule: 'C-1',
    file: 'raft/node.ts',
    changes: [change('const { confirmed } = this.storage;', 'const confirmed = this.storage.issued;')],
    class: 'disk',
    seed: 1,
    checkers: ['quorum-on-disk', 'one-vote-per-term', 'leader-completeness'],
  },
  {
    name: 'the leader counts itself before its own disk has confirmed',
    rule: 'C-2',
    file: 'raft/lead.ts',
    changes: [change('node.persisted, ({ match }) => match', 'node.log.lastIndex, ({ match }) => match')],
    class: 'disk',
    seed: 1,
    checkers: ['quorum-on-disk'],
  },
  {
    name: 'candidates do not ask before they stand',
    rule: 'C-4',
    file: 'raft/election.ts',
    changes: [change('  becomePreCandidate(node);\n  const', '  return stand(node, false);\n  const')],
    class: 'partition',
    seed: 1,
    checkers: ['asked-before-standing'],
  },
  {
    name: 'votes are given while a leader is heard',
    rule: 'C-5',
    file: 'raft/election.ts',
    changes: [change("return node.role === 'leader' || node.now.mono - node.heardAt < node.timing.electionMsMin;", 'return false;')],
    class: 'partition',
    seed: 1,
    checkers: ['one-lease'],
  },
  {
    name: 'whoever asks is voted for, whatever its log',
    rule: 'C-6',
    file: 'raft/election.ts',
    changes: [change('return isAsNew(end, node.log.end) && (', 'return (true || ')],
    class: 'crash',
    seed: 3,
    checkers: ['leader-completeness', 'state-machine-safety'],
  },
  {
    name: 'entries of old terms are committed by counting',
    rule: 'C-9',
    file: 'raft/lead.ts',
    changes: [change('if (index <= node.commit || node.log.termAt(index) !== node.term) return;', 'if (index <= node.commit) return;')],
    class: 'churn',
    seed: 10,
    checkers: ['leader-completeness', 'state-machine-safety'],
  },
  {
    name: 'a leader that gives way keeps its lease',
    rule: 'C-11',
    file: 'raft/lead.ts',
    changes: [change('  leading.lease.forfeit();\n', '')],
    class: 'clock',
    seed: 23,
    checkers: ['one-lease'],
  },
  {
    name: 'a configuration changes while another change is under way',
    rule: 'C-15',
    file: 'raft/lead.ts',
    changes: [
      change('  if (node.configs.newest.index > node.commit) return { code', '  if (node.commit < 0) return { code'),
      change(
        'if (!isReady(node) || node.configs.newest.index > node.commit || leading.transfer !== null) return;\n  for',
        'if (!isReady(node)) return;\n  for',
      ),
    ],
    class: 'change',
    seed: 18,
    checkers: ['one-change-at-a-time', 'leader-completeness', 'state-machine-safety', 'one-leader-per-term'],
  },
  {
    name: 'half of the voters count as a majority',
    rule: 'C-16',
    file: 'config/configuration.ts',
    changes: [change('return Math.floor(voters / 2) + 1;', 'return Math.ceil(voters / 2);')],
    class: 'partition',
    seed: 18,
    checkers: ['one-leader-per-term', 'state-machine-safety', 'leader-completeness', 'one-lease'],
  },
  {
    name: 'a voter votes as soon as it has started',
    rule: 'C-19',
    file: 'raft/node.ts',
    changes: [change('this.isAlone || this.now.mono >= this.abstainUntil', 'true')],
    class: 'partition',
    seed: 29,
    checkers: ['one-lease'],
  },
  {
    name: 'a voter that lost what it had kept goes on as if nothing had happened',
    rule: 'C-22',
    file: 'raft/node.ts',
    changes: [
      change(
        'this.damagedSince = stored.hard.damagedSince ?? (intact ? null : self.incarnation);',
        'this.damagedSince = stored.hard.damagedSince ?? (intact ? null : null);',
      ),
    ],
    class: 'disk',
    seed: 43,
    checkers: ['leader-completeness', 'state-machine-safety', 'one-vote-per-term', 'one-leader-per-term'],
  },
  {
    name: 'a machine that slept goes on with its lease',
    rule: 'C-13',
    file: 'lease/lease.ts',
    changes: [
      change('    if (Math.abs(now.wall - sent.wall - mono) > clockJumpMsMax(this.#timing)) return 0;\n', ''),
      change('    if (last === null) return null;', '    if (last !== null || now.mono > 0) return null;'),
    ],
    class: 'clock',
    seed: 6,
    checkers: ['one-lease'],
  },
  {
    name: 'a lease lasts as long as the promise of the voters, whatever their clocks',
    rule: 'C-12',
    file: 'lease/lease.ts',
    changes: [change('return Math.max(0, this.#timing.leaseMs - mono);', 'return Math.max(0, 2.2 * this.#timing.leaseMs - mono);')],
    class: 'partition',
    seed: 13,
    checkers: ['one-lease'],
  },
  {
    name: 'a leader answers reads without asking whether it still leads',
    rule: 'C-28',
    file: 'raft/propose.ts',
    changes: [
      change('leading.reads.push({ id, round: leading.lease.round, index: node.commit });', 'leading.reads.push({ id, round: 0, index: node.commit });'),
    ],
    class: 'clock',
    seed: 10,
    checkers: ['linearizable'],
  },
  {
    name: 'a proposal that was made twice is applied twice',
    rule: 'C-24',
    file: 'raft/apply.ts',
    changes: [change('duplicateOf = node.proposals.indexOf(key) ?? null;', 'duplicateOf = null;')],
    class: 'crash',
    seed: 9,
    checkers: ['applied-once', 'linearizable'],
  },
  {
    name: 'a new leader reads before it has committed anything of its own term',
    rule: 'C-10',
    file: 'raft/lead.ts',
    changes: [change('return node.leading !== null && node.commit >= node.leading.firstIndex;', 'return node.leading !== null;')],
    class: 'crash',
    seed: 33,
    checkers: ['linearizable', 'leader-completeness'],
  },
];

/** The simulator over a broken machine. */
export interface Broken {
  run(seed: number): ConsensusResult;
}

/** Bundle the simulator over the machine with one rule broken; `undefined` breaks none. */
export async function breakRule(mutant: Mutant | undefined, of: TraceClass): Promise<Broken> {
  const entry = `export { drawConsensusTrace } from './options.ts'; export { runConsensusTrace } from './run.ts';`;
  const changes = mutant === undefined ? [] : mutant.changes.map((change) => ({ file: `mesh/consensus/${mutant.file}`, ...change }));
  const { drawConsensusTrace, runConsensusTrace } = (await loadBroken(entry, import.meta.dirname, changes)) as {
    drawConsensusTrace(seed: string, chosen: TraceClass): ConsensusTrace;
    runConsensusTrace(options: ConsensusTrace): ConsensusResult;
  };
  return { run: (seed) => runConsensusTrace(drawConsensusTrace(String(seed), of)) };
}
