/**
 * Whether a history of calls could have happened one after the other (Wing & Gong; the memory of positions seen is
 * Lowe's, as in Porcupine). Settings do not influence each other, so each is judged alone. A call without an answer may
 * have taken effect at any time after it began, or never.
 */
import type { Operation, Result } from './settings.ts';

/** One call; times are positions in the order of events. */
export interface Call {
  readonly operation: Operation;
  readonly from: number;
  /** Infinity while there is no answer. */
  readonly to: number;
  readonly result: Result | null;
}

/** What a history comes to. */
export interface Judgement {
  /** The name of a setting whose calls fit no order. */
  readonly misfit: string | undefined;
  /** Settings that were given up: too many unanswered calls, too many orders. */
  readonly undecided: number;
}

/** Positions looked at before a setting is given up. */
const POSITIONS_MAX = 200_000;

/** See the header. */
export function judge(calls: readonly Call[]): Judgement {
  const byKey = new Map<string, Call[]>();
  for (const call of calls) {
    // A read without an answer has said nothing.
    if (call.operation.kind === 'get' && call.to === Number.POSITIVE_INFINITY) continue;
    byKey.set(call.operation.key, [...(byKey.get(call.operation.key) ?? []), call]);
  }
  let undecided = 0;
  for (const [key, ofKey] of byKey) {
    const verdict = fits(ofKey);
    if (verdict === false) return { misfit: key, undecided };
    if (verdict === 'undecided') undecided += 1;
  }
  return { misfit: undefined, undecided };
}

/** The name of a setting whose calls fit no order; undefined where all fit, or may. */
export function misfit(calls: readonly Call[]): string | undefined {
  return judge(calls).misfit;
}

function fits(calls: readonly Call[]): boolean | 'undecided' {
  // Unanswered writes of values that nobody ever saw are seldom needed, and each of them doubles the orders: first without.
  const seen = new Set(calls.flatMap(({ operation, result }) => (operation.kind === 'get' ? [result] : operation.kind === 'swap' ? [operation.from] : [])));
  const needed = calls.filter(({ operation, to }) => to !== Number.POSITIVE_INFINITY || operation.kind === 'get' || seen.has(operation.value));
  return fit(needed) === true ? true : fit(calls);
}

function fit(calls: readonly Call[]): boolean | 'undecided' {
  const sorted = [...calls].sort((a, b) => a.from - b.from);
  const seen = new Set<string>();
  const done = new Array<boolean>(sorted.length).fill(false);
  const found = search(sorted, done, 0, seen);
  return !found && seen.size >= POSITIONS_MAX ? 'undecided' : found;
}

/** Calls that are done, and the value they led to; looks for a next one that may come before all answers still due. */
function search(calls: readonly Call[], done: boolean[], value: number, seen: Set<string>): boolean {
  const first = done.indexOf(false);
  if (first === -1) return true;
  let deadline = Number.POSITIVE_INFINITY;
  let last = first;
  for (let index = first; index < calls.length; index += 1) {
    const call = calls[index];
    if (call === undefined) break;
    if (done[index] === true) {
      last = index;
      continue;
    }
    deadline = Math.min(deadline, call.to);
  }
  if (deadline === Number.POSITIVE_INFINITY) return true; // only unanswered writes are left, and they may never have happened
  const state = `${first}:${value}:${done
    .slice(first, last + 1)
    .map(Number)
    .join('')}`;
  if (seen.has(state) || seen.size >= POSITIONS_MAX) return false;
  seen.add(state);
  for (let index = first; index < calls.length; index += 1) {
    const call = calls[index];
    if (call === undefined || call.from > deadline) break;
    if (done[index] === true) continue;
    const next = after(call, value);
    if (next === undefined) continue;
    done[index] = true;
    if (search(calls, done, next, seen)) return true;
    done[index] = false;
  }
  return false;
}

/** The value after a call that found this one; undefined where its answer says otherwise. */
function after({ operation, result }: Call, value: number): number | undefined {
  switch (operation.kind) {
    case 'get':
      return result === value ? value : undefined;
    case 'set':
      return operation.value;
    case 'swap': {
      const takes = operation.from === value;
      if (result !== null && result !== takes) return undefined;
      return takes ? operation.value : value;
    }
  }
}
