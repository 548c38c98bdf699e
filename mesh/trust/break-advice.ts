/** What an owner should do about a break of each class (protocol.md §2.11), in one or two sentences. Null: nothing. */
import type { BreakClass } from '#mesh/hcth/breaks.ts';

/** One entry per class. */
export const BREAK_ADVICE: Readonly<Record<BreakClass, string | null>> = {
  B0: null,
  B1: 'Restarts with a lost tail are free six times a day. If there are more, look for a loose plug, a weak supply or a crashing agent.',
  PV: 'Update the older of the two agents. If both are current, the machine may run something else than our agent.',
  B2: 'If you restored a backup there, nothing: it goes on, and trust grows again. If you did not, check its disk or card.',
  B3: 'It earns nothing until this is settled: find out whether its card was copied or an old backup was started; `robonet status` says what is open.',
  B4: 'Find the second machine and take it off the network: one of the two is a copy; `robonet status` says what is open.',
  SELF: 'Its memory or its agent is damaged, or it lies. Check the machine before you rely on it.',
  B5: 'This identity is finished: it will never be trusted again here. Take the machine off, and join it under a new identity.',
  SENT: 'A quorum has confirmed that it misbehaved; see `robonet events`.',
};
