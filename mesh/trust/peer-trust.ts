/**
 * An observer's judgement of one peer: its history and what the history amounts to, kept in step. The only state is those
 * two; the second always equals the fold over the first.
 */
import type { Millis } from '#core/time/time.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { TrustEvent } from './event.ts';
import { applyEvent, presentCredits, presentDebtMicros, type Standing, type TrustState } from './fold.ts';
import { appendEvent, foldHistory, NEW_HISTORY, type TrustHistory } from './history.ts';
import type { TrustLevel } from './levels.ts';
import type { TrustProfile } from './profiles.ts';
import { type Score, scoreOf } from './score.ts';

/** What is shown of a judgement. */
export interface TrustReading {
  readonly score: Score;
  readonly level: TrustLevel;
  readonly standing: Standing;
  /** ℓ in frames. */
  readonly lengthCredit: number;
  /** A. */
  readonly timeCreditMs: Millis;
  /** D. */
  readonly debt: number;
  readonly breaks: Readonly<Partial<Record<BreakClass, number>>>;
}

/** See the header. Owned by the record of one peer. */
export class PeerTrust {
  readonly profile: TrustProfile;
  #history: TrustHistory;
  #state: TrustState;

  /** Continue a stored history, or begin with a stranger. */
  constructor(profile: TrustProfile, history: TrustHistory = NEW_HISTORY) {
    this.profile = profile;
    this.#history = history;
    this.#state = foldHistory(history, profile);
  }

  get history(): TrustHistory {
    return this.#history;
  }

  get score(): Score {
    return scoreOf(this.#state, this.profile);
  }

  get level(): TrustLevel {
    return this.#state.level;
  }

  get standing(): Standing {
    return this.#state.standing;
  }

  /** Take in one event; returns whether the level changed. */
  record(event: TrustEvent): boolean {
    const before = this.#state.level;
    this.#history = appendEvent(this.#history, event, this.profile);
    this.#state = applyEvent(this.#state, event, this.profile);
    return this.#state.level !== before;
  }

  reading(): TrustReading {
    const credits = presentCredits(this.#state);
    return {
      score: this.score,
      level: this.level,
      standing: this.standing,
      lengthCredit: credits.lengthMilli / 1_000,
      timeCreditMs: credits.timeMs,
      debt: presentDebtMicros(this.#state) / 1_000_000,
      breaks: this.#state.counts,
    };
  }
}
