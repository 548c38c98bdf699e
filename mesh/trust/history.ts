/**
 * The history from which a peer's trust follows: runs of credited slots, of time without credit and of absence, and the
 * breaks between them (protocol.md §2.12). Compact, bounded, and complete: score and level are a pure fold over it, so
 * anybody holding the history computes the same number. Time here is the observer's own running time; while the observer
 * is off, nothing passes.
 */
import type { TrustEvent } from './event.ts';
import { applyEvent, NEW_STATE, type TrustState } from './fold.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import type { TrustProfile } from './profiles.ts';

/** See the header. `base` is what the events before these left; fresh histories start at nothing. */
export interface TrustHistory {
  readonly base: TrustState;
  readonly events: readonly TrustEvent[];
}

/** The history of a stranger. */
export const NEW_HISTORY: TrustHistory = { base: NEW_STATE, events: [] };

/** The history with one more event; equal runs grow instead of repeating, and the older half is folded away at the bound. */
export function appendEvent(history: TrustHistory, event: TrustEvent, profile: TrustProfile): TrustHistory {
  const last = history.events.at(-1);
  const merged = last === undefined ? undefined : mergedRun(last, event);
  const events = merged === undefined ? [...history.events, event] : [...history.events.slice(0, -1), merged];
  if (events.length <= LIMITS.historyEventsMax) return { base: history.base, events };
  const keep = Math.floor(LIMITS.historyEventsMax / 2);
  return { base: foldEvents(history.base, events.slice(0, -keep), profile), events: events.slice(-keep) };
}

/** What a history amounts to. */
export function foldHistory(history: TrustHistory, profile: TrustProfile): TrustState {
  return foldEvents(history.base, history.events, profile);
}

function foldEvents(base: TrustState, events: readonly TrustEvent[], profile: TrustProfile): TrustState {
  let state = base;
  for (const event of events) state = applyEvent(state, event, profile);
  return state;
}

function mergedRun(last: TrustEvent, event: TrustEvent): TrustEvent | undefined {
  if (last.kind === 'credited' && event.kind === 'credited' && last.frames === event.frames && last.slotMs === event.slotMs)
    return { ...last, slots: last.slots + event.slots };
  if (last.kind === 'connected' && event.kind === 'connected') return { kind: 'connected', ms: last.ms + event.ms };
  if (last.kind === 'absent' && event.kind === 'absent') return { kind: 'absent', ms: last.ms + event.ms };
  return undefined;
}
