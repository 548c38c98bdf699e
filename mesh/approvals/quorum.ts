/**
 * How many must approve: M = ⌊(N + c)/2⌋ + 1 of N voters, where c of them may be copies or lie (protocol.md §3.6). Two such
 * sets always share an honest voter. A command may ask for more, or for as few as a majority, by a setting of its own.
 */

/** How many copies or liars a mesh of N voters tolerates unless told otherwise: none up to three voters, then one. */
export function liarsTolerated(voters: number): number {
  return voters <= 3 ? 0 : 1;
}

/** M; null where so many liars leave no M that N voters can reach. */
export function approvalsNeeded(voters: number, liars = liarsTolerated(voters)): number | null {
  const needed = Math.floor((voters + liars) / 2) + 1;
  return voters < 2 || needed > voters ? null : needed;
}

/** The least and the most that a command can ask for: a majority, and all. */
export function quorumRange(voters: number): { readonly least: number; readonly most: number } {
  return { least: Math.floor(voters / 2) + 1, most: voters };
}

/** What is wrong with a setting, naming what would be right; undefined where nothing is. */
export function quorumSettingFault(quorum: number, voters: number): string | undefined {
  const { least, most } = quorumRange(voters);
  if (Number.isInteger(quorum) && quorum >= least && quorum <= most) return undefined;
  return `${quorum} approvals are out of range: with ${voters} voters it can be ${least === most ? `only ${most}` : `${least} to ${most}`}`;
}

/**
 * What a command takes now. A setting that was made among more voters, or fewer, keeps its meaning as far as it has one:
 * never below a majority of those there are, never more than all. Null: nothing can be approved here (one voter).
 */
export function approvalsFor(setting: number | undefined, voters: number): number | null {
  if (voters < 2) return null;
  if (setting === undefined) return approvalsNeeded(voters);
  const { least, most } = quorumRange(voters);
  return Math.min(most, Math.max(least, setting));
}
