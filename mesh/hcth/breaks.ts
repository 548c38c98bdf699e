/**
 * The classes of what can be wrong with a peer's history, as data (protocol.md §2.11). Always authenticated: nothing that
 * somebody on the path can produce appears here, and neither do bad checksums, failed seals, timeouts or wrong tokens.
 * What a class costs in trust is computed in mesh/trust from this table.
 */

/** B0 nothing … B5 equivocation; PV protocol violation; SELF false own checkpoint; SENT confirmed quarantine. */
export type BreakClass = 'B0' | 'B1' | 'PV' | 'B2' | 'B3' | 'B4' | 'SELF' | 'B5' | 'SENT';

/** What happens to the standing of the peer's trust. */
export type BreakStanding = 'unchanged' | 'frozen' | 'contested' | 'convicted';

/** One class: what it costs and what else follows. */
export interface BreakRule {
  readonly class: BreakClass;
  /** What happened, for people. */
  readonly title: string;
  /** Added to the trust debt D, in millionths; B1 and PV have rules of their own beside it. */
  readonly debtMicros: number;
  /** Credit that remains, in tenths. */
  readonly historyTenths: number;
  readonly standing: BreakStanding;
  /** A voter of this standing votes no more until it is admitted again. */
  readonly losesVote: boolean;
  /** Close the connection. */
  readonly closes: boolean;
}

/** One row per class. */
export const BREAK_RULES: Readonly<Record<BreakClass, BreakRule>> = {
  B0: { class: 'B0', title: 'a connection was lost', debtMicros: 0, historyTenths: 10, standing: 'unchanged', losesVote: false, closes: false },
  B1: {
    class: 'B1',
    title: 'it restarted and declared what it lost',
    debtMicros: 50_000,
    historyTenths: 10,
    standing: 'unchanged',
    losesVote: false,
    closes: false,
  },
  PV: {
    class: 'PV',
    title: 'it broke the protocol inside a verified frame',
    debtMicros: 100_000,
    historyTenths: 10,
    standing: 'unchanged',
    losesVote: false,
    closes: true,
  },
  B2: { class: 'B2', title: 'its disk was rolled back', debtMicros: 350_000, historyTenths: 7, standing: 'unchanged', losesVote: true, closes: true },
  B3: { class: 'B3', title: 'it used an incarnation twice', debtMicros: 700_000, historyTenths: 5, standing: 'frozen', losesVote: true, closes: true },
  B4: { class: 'B4', title: 'two machines use this identity', debtMicros: 0, historyTenths: 10, standing: 'contested', losesVote: true, closes: false },
  SELF: {
    class: 'SELF',
    title: 'it signed something else than it sent',
    debtMicros: 700_000,
    historyTenths: 5,
    standing: 'unchanged',
    losesVote: false,
    closes: true,
  },
  B5: {
    class: 'B5',
    title: 'it signed two different things for one place in its history',
    debtMicros: 0,
    historyTenths: 10,
    standing: 'convicted',
    losesVote: true,
    closes: true,
  },
  SENT: {
    class: 'SENT',
    title: 'a quorum confirmed its quarantine',
    debtMicros: 500_000,
    historyTenths: 10,
    standing: 'unchanged',
    losesVote: false,
    closes: false,
  },
};

/** All classes in the order of the table. */
export const BREAK_CLASSES: readonly BreakClass[] = ['B0', 'B1', 'PV', 'B2', 'B3', 'B4', 'SELF', 'B5', 'SENT'];

/** B1 and PV count within windows of this length, opened by the first. */
export const BREAK_WINDOW_MS = 86_400_000;
/** At most so much debt from declared losses in one window, in millionths. */
export const DECLARED_LOSS_DEBT_MICROS_MAX = 300_000;
/** A violation costs twice the one before in its window, at most so much, in millionths. */
export const VIOLATION_DEBT_MICROS_MAX = 1_600_000;

/** Debt of the k-th protocol violation in a window (k from 1): 0.10 × 2^(k−1), at most 1.6. */
export function violationDebtMicros(k: number): number {
  return Math.min(VIOLATION_DEBT_MICROS_MAX, BREAK_RULES.PV.debtMicros * 2 ** Math.min(k - 1, 10));
}
