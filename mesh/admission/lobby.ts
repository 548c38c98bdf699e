/**
 * Where machines wait for a person's approval (protocol.md §2.14): few, for a while, and without any right but to ask how
 * it stands. Presence renews the wait. A person names a machine by its complete fingerprint, read from the machine itself;
 * anything less, or another one, approves nobody, because whoever sits in between shows its own key.
 *
 * Invariants: at most `lobbyEntriesMax` entries and `denialsMax` denials; no identity is in both.
 */
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import { type Aid, aidText, type AidText, fingerprintOf, parseFingerprint } from '#mesh/hcth/identity-text.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import type { Role } from './roles.ts';

/** What a machine that wants in says of itself. */
export interface LobbyRequest {
  readonly aid: Aid;
  readonly name: string;
  readonly role: Role;
  /** Network address it came from. */
  readonly address: string;
  /** The machine behind it: its hardware address where that is known, else its source address. */
  readonly machine: string;
  /** Opaque; empty where nothing was told. */
  readonly capabilities: Uint8Array;
}

/** One waiting machine. */
export interface LobbyEntry extends LobbyRequest {
  readonly fingerprint: string;
  /** Wall clock of this node. */
  readonly since: Millis;
  readonly expiresAt: Millis;
  /** The member at which a person approved it; null while nobody has. It waits on until its admission is committed. */
  readonly approvedBy: Aid | null;
}

/** Where an identity stands. */
export type LobbyStanding =
  | { readonly kind: 'absent' }
  | { readonly kind: 'waiting' | 'approved'; readonly entry: LobbyEntry }
  | { readonly kind: 'denied'; readonly reason: string; readonly retryAfterMs: Millis }
  | { readonly kind: 'full'; readonly retryAfterMs: Millis };

/** What came of a person's word. `mismatch` and `incomplete` changed nothing. */
export type LobbyDecision =
  | { readonly kind: 'approved' | 'denied'; readonly entry: LobbyEntry }
  | { readonly kind: 'incomplete'; readonly why: string }
  | { readonly kind: 'mismatch'; readonly fingerprint: string; readonly waiting: number; readonly why: string };

interface Waiting {
  readonly entry: LobbyEntry;
  readonly deadline: Millis;
}

/** See the header. */
export class Lobby {
  readonly #waiting = new Map<AidText, Waiting>();
  readonly #denied = new Map<AidText, { readonly reason: string; readonly until: Millis }>();

  /** Everybody who waits, longest first; includes approved machines that are not members yet. */
  get entries(): readonly LobbyEntry[] {
    return [...this.#waiting.values()].map(({ entry }) => entry);
  }

  /** Monotonic moment of the next expiry. */
  get wakeAt(): Millis {
    let earliest = NEVER;
    for (const { deadline } of this.#waiting.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }

  /** Where an identity stands, or would stand if it asked now. Changes nothing. */
  standing(aid: Aid, now: Instant): LobbyStanding {
    const text = aidText(aid);
    const denial = this.#denied.get(text);
    if (denial !== undefined && denial.until > now.mono) return { kind: 'denied', reason: denial.reason, retryAfterMs: denial.until - now.mono };
    const waiting = this.#waiting.get(text);
    if (waiting !== undefined && waiting.deadline > now.mono) return { kind: waiting.entry.approvedBy === null ? 'waiting' : 'approved', entry: waiting.entry };
    const alive = [...this.#waiting.values()].filter(({ deadline }) => deadline > now.mono);
    if (alive.length < LIMITS.lobbyEntriesMax) return { kind: 'absent' };
    return { kind: 'full', retryAfterMs: Math.min(...alive.map(({ deadline }) => deadline)) - now.mono };
  }

  /** A machine asks, or asks again: it waits from now on, for ten more minutes. Refused where it stands denied or the lobby is full. */
  enter(request: LobbyRequest, now: Instant): LobbyStanding {
    const standing = this.standing(request.aid, now);
    if (standing.kind === 'denied' || standing.kind === 'full') return standing;
    const text = aidText(request.aid);
    const before = standing.kind === 'absent' ? undefined : standing.entry;
    if (before === undefined) {
      this.#waiting.delete(text);
      for (const [key, { deadline }] of this.#waiting) if (deadline <= now.mono && this.#waiting.size >= LIMITS.lobbyEntriesMax) this.#waiting.delete(key);
    }
    this.#denied.delete(text);
    const capabilities = request.capabilities.length <= LIMITS.lobbyCapabilitiesBytesMax ? request.capabilities : new Uint8Array(0);
    const entry: LobbyEntry = {
      ...request,
      capabilities,
      fingerprint: fingerprintOf(request.aid),
      since: before?.since ?? now.wall,
      expiresAt: now.wall + LIMITS.lobbyMsMax,
      approvedBy: before?.approvedBy ?? null,
    };
    this.#waiting.set(text, { entry, deadline: now.mono + LIMITS.lobbyMsMax });
    return { kind: entry.approvedBy === null ? 'waiting' : 'approved', entry };
  }

  /** It showed itself (an authenticated frame arrived): its ten minutes begin again. */
  renew(aid: Aid, now: Instant): void {
    const text = aidText(aid);
    const waiting = this.#waiting.get(text);
    if (waiting === undefined || waiting.deadline <= now.mono) return;
    this.#waiting.set(text, { entry: { ...waiting.entry, expiresAt: now.wall + LIMITS.lobbyMsMax }, deadline: now.mono + LIMITS.lobbyMsMax });
  }

  /** A person approves the machine whose screen shows this. */
  approve(typed: string, by: Aid, now: Instant): LobbyDecision {
    const found = this.#find(typed, now);
    if (found.kind !== 'found') return found;
    const { waiting } = found;
    const entry: LobbyEntry = { ...waiting.entry, approvedBy: waiting.entry.approvedBy ?? by };
    this.#waiting.set(aidText(entry.aid), { ...waiting, entry });
    return { kind: 'approved', entry };
  }

  /** A person turns the machine away; it is refused at once for a while. */
  deny(typed: string, reason: string, now: Instant): LobbyDecision {
    const found = this.#find(typed, now);
    if (found.kind !== 'found') return found;
    const { entry } = found.waiting;
    const text = aidText(entry.aid);
    this.#waiting.delete(text);
    this.#denied.delete(text);
    for (const key of this.#denied.keys()) if (this.#denied.size >= LIMITS.denialsMax) this.#denied.delete(key);
    this.#denied.set(text, { reason, until: now.mono + LIMITS.denialMs });
    return { kind: 'denied', entry };
  }

  /** It is a member now, or has gone for good. */
  remove(aid: Aid): void {
    this.#waiting.delete(aidText(aid));
  }

  /** Drop whoever has not shown itself in time; returns them. */
  expire(now: Instant): readonly LobbyEntry[] {
    const gone: LobbyEntry[] = [];
    for (const [text, { entry, deadline }] of this.#waiting) {
      if (deadline > now.mono) continue;
      this.#waiting.delete(text);
      gone.push(entry);
    }
    for (const [text, { until }] of this.#denied) if (until <= now.mono) this.#denied.delete(text);
    return gone;
  }

  #find(typed: string, now: Instant): { readonly kind: 'found'; readonly waiting: Waiting } | LobbyDecision {
    const fingerprint = parseFingerprint(typed);
    if (fingerprint === undefined)
      return {
        kind: 'incomplete',
        why: 'a complete fingerprint has 16 characters, such as ABCD-EFGH-IJKL-MNOP; read it from the screen of the machine itself',
      };
    const alive = [...this.#waiting.values()].filter(({ deadline }) => deadline > now.mono);
    const waiting = alive.find(({ entry }) => entry.fingerprint === fingerprint);
    if (waiting !== undefined) return { kind: 'found', waiting };
    const why = `no waiting machine has the fingerprint ${fingerprint} (${alive.length} ${alive.length === 1 ? 'waits' : 'wait'}); if the machine shows this one, somebody may sit in between`;
    return { kind: 'mismatch', fingerprint, waiting: alive.length, why };
  }
}
