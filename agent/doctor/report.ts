/** What `doctor` found, as data: one finding per question asked, worst first for people, in order of asking here. */

export type FindingLevel = 'ok' | 'notice' | 'warning' | 'critical';

/** The answer to one question. */
export interface Finding {
  /** Stable name of the question: `interface`, `multicast-out`, `multicast-in`, `multicast-peer`, `unicast`, `clock`, `version`, `identity`, `disk`, `mesh`. */
  readonly check: string;
  /** What it is about: an interface, a peer's name or address, a path. */
  readonly subject: string;
  readonly level: FindingLevel;
  readonly text: string;
  /** What to do; null where nothing needs doing. */
  readonly next: string | null;
}

export interface DoctorReport {
  readonly findings: readonly Finding[];
  readonly tookMs: number;
}
