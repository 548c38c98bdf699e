/**
 * Changes of the configuration, one server at a time (Ongaro §4.1, with the fix of 2015: only after an entry of the own
 * term is committed). Judged before they are appended; what they lead to is a whole new configuration.
 */
import { type Configuration, configurationFault, isVoter, type ServerId } from './configuration.ts';

/** What can be changed, one thing at a time. */
export type ConfigChange =
  /** Give a server the log; with `promote` it becomes a voter once it has caught up. */
  | { readonly kind: 'add-learner'; readonly id: ServerId; readonly promote: boolean }
  | { readonly kind: 'promote'; readonly id: ServerId }
  /** Take its vote away; with `promote` only until it has caught up again. */
  | { readonly kind: 'demote'; readonly id: ServerId; readonly promote: boolean }
  | { readonly kind: 'remove'; readonly id: ServerId }
  /** Null for the majority. */
  | { readonly kind: 'set-quorum'; readonly quorum: number | null };

/** What a change leads to, or why it leads nowhere. */
export type ChangeVerdict = { readonly kind: 'good'; readonly config: Configuration } | { readonly kind: 'bad'; readonly why: string };

/** Apply a change to a configuration; `incarnation` is the life of the server concerned, 0 where it was not heard of. */
export function changeConfiguration(config: Configuration, change: ConfigChange, incarnation = 0): ChangeVerdict {
  const next = changed(config, change, incarnation);
  if (typeof next === 'string') return { kind: 'bad', why: next };
  const fault = configurationFault(next);
  return fault === undefined ? { kind: 'good', config: next } : { kind: 'bad', why: fault };
}

function changed(config: Configuration, change: ConfigChange, incarnation: number): Configuration | string {
  if (change.kind === 'set-quorum') return { ...config, quorum: change.quorum };
  const { id } = change;
  const votes = isVoter(config, id);
  const learns = config.learners.some((learner) => learner.id === id);
  const others = config.learners.filter((learner) => learner.id !== id);
  const voters = config.voters.filter((voter) => voter !== id);
  switch (change.kind) {
    case 'add-learner':
      return votes ? `${id} is a voter already` : { ...config, learners: [...others, { id, promote: change.promote, incarnation }] };
    case 'promote':
      return learns ? { ...config, voters: [...config.voters, id], learners: others } : `${id} is no learner: it has to be added as one and to catch up first`;
    case 'demote':
      return votes || learns
        ? { ...config, voters, learners: [...others, { id, promote: change.promote, incarnation }] }
        : `${id} is no server of this mesh's log`;
    case 'remove':
      return votes || learns ? { ...config, voters, learners: others } : `${id} is no server of this mesh's log`;
  }
}
