/**
 * The resume decision table (protocol.md §2.9) as data: the first row whose facts fit decides. All cases are here and only
 * here; adding a consequence means adding a column. R0, R1 R7 and R8 continue the link; the others end it with the class that
 * the trust history records and the code that the peer is told.
 */
import type { ResumeVerdict } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { BreakClass } from './breaks.ts';
import type { ResumeFacts } from './resume-facts.ts';

/** Names of the rows: `new` first contact, `probe` ask the earlier session first, `dial` both ends dialled at once. */
export type ResumeCase = 'new' | 'probe' | 'dial' | 'R0' | 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6' | 'R7' | 'R8';

/** Where the peer's direction continues. */
export type ReceiveStart =
  /** At a new genesis anchored on the newest common checkpoint. */
  | 'genesis'
  /** Where we stopped; a VOID for lost frames comes first where the peer is ahead. */
  | 'received'
  /** Where the peer says it stands: we have nothing to hold against it. */
  | 'claimed';

/** What follows. */
export type ResumeAction =
  | { readonly kind: 'continue'; readonly verdict: ResumeVerdict; readonly receive: ReceiveStart }
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'refuse';
      readonly code: RefusalCode;
      readonly show: 'nothing' | 'own-newer-signatures' | 'proof';
      readonly blame: 'nobody' | 'incumbent-too' | 'newcomer';
    };

/** One row: the facts it needs (any of the listed words; unlisted facts do not matter) and what follows. */
export interface ResumeRow {
  readonly case: ResumeCase;
  readonly when: { readonly [Fact in keyof ResumeFacts]?: readonly ResumeFacts[Fact][] };
  readonly class: BreakClass;
  readonly action: ResumeAction;
  /** What happened, for people. */
  readonly meaning: string;
}

const stale = (code: RefusalCode): ResumeAction => ({ kind: 'refuse', code, show: 'own-newer-signatures', blame: 'newcomer' });

/** In order; the last rows catch everything that the others leave. */
export const RESUME_TABLE: readonly ResumeRow[] = [
  {
    case: 'R5',
    when: { conflict: ['proven'] },
    class: 'B5',
    action: { kind: 'refuse', code: 'EQUIVOCATION', show: 'proof', blame: 'newcomer' },
    meaning: 'it signed two different things for one place in its history',
  },
  {
    case: 'dial',
    when: { earlier: ['simultaneous'], incarnation: ['unknown', 'same', 'newer'] },
    class: 'B0',
    action: { kind: 'refuse', code: 'DUP_CONN', show: 'nothing', blame: 'nobody' },
    meaning: 'both ends dialled at once',
  },
  {
    case: 'probe',
    when: { earlier: ['unprobed'] },
    class: 'B0',
    action: { kind: 'probe' },
    meaning: 'an earlier session of this identity is open; it is asked whether it lives',
  },
  {
    case: 'R4',
    when: { earlier: ['answers', 'simultaneous'] },
    class: 'B4',
    action: { kind: 'refuse', code: 'IDENTITY_CONTESTED', show: 'own-newer-signatures', blame: 'incumbent-too' },
    meaning: 'two machines hold this identity at the same time',
  },
  { case: 'R2', when: { incarnation: ['older'] }, class: 'B2', action: stale('IDENTITY_STALE'), meaning: 'its disk was rolled back' },
  {
    case: 'R3',
    when: { incarnation: ['other-nonce'] },
    class: 'B3',
    action: stale('IDENTITY_STALE'),
    meaning: 'a restored copy used the same incarnation again',
  },
  {
    case: 'R7',
    when: { ourRecords: ['lost'] },
    class: 'B0',
    action: { kind: 'continue', verdict: 'fast-forward', receive: 'claimed' },
    meaning: 'we have lost our records of it, as our own signature shows',
  },
  {
    case: 'R0',
    when: { incarnation: ['same'], position: ['level', 'ahead'] },
    class: 'B0',
    action: { kind: 'continue', verdict: 'continue', receive: 'received' },
    meaning: 'the connection was lost',
  },
  {
    case: 'R6',
    when: { incarnation: ['same'], position: ['behind', 'head-differs'] },
    class: 'B3',
    action: stale('CHAIN_MISMATCH'),
    meaning: 'its memory was rolled back, or the two accounts of our history differ',
  },
  {
    case: 'R7',
    when: { incarnation: ['same'], position: ['incomparable'] },
    class: 'B0',
    action: { kind: 'continue', verdict: 'fast-forward', receive: 'claimed' },
    meaning: 'we know its incarnation but no longer how far it had come',
  },
  {
    case: 'R8',
    when: { incarnation: ['newer'], past: ['not-named'] },
    class: 'B2',
    action: { kind: 'continue', verdict: 'restart', receive: 'genesis' },
    meaning: 'its stored history has lost or changed the boot event that we hold',
  },
  {
    case: 'R1',
    when: { incarnation: ['newer'], tail: ['declared-lost'] },
    class: 'B1',
    action: { kind: 'continue', verdict: 'restart', receive: 'genesis' },
    meaning: 'it restarted and declared what it had not signed as lost',
  },
  {
    case: 'R1',
    when: { incarnation: ['newer'] },
    class: 'B0',
    action: { kind: 'continue', verdict: 'restart', receive: 'genesis' },
    meaning: 'it restarted in good order',
  },
  {
    case: 'new',
    when: { incarnation: ['unknown'] },
    class: 'B0',
    action: { kind: 'continue', verdict: 'first-contact', receive: 'genesis' },
    meaning: 'first contact',
  },
];

/** The first row that fits; the table is complete (its test tries every combination of facts). */
export function findRow(facts: ResumeFacts): ResumeRow | undefined {
  return RESUME_TABLE.find((row) => rowFits(row, facts));
}

function rowFits(row: ResumeRow, facts: ResumeFacts): boolean {
  const { when } = row;
  return (
    (when.incarnation === undefined || when.incarnation.includes(facts.incarnation)) &&
    (when.position === undefined || when.position.includes(facts.position)) &&
    (when.earlier === undefined || when.earlier.includes(facts.earlier)) &&
    (when.conflict === undefined || when.conflict.includes(facts.conflict)) &&
    (when.ourRecords === undefined || when.ourRecords.includes(facts.ourRecords)) &&
    (when.tail === undefined || when.tail.includes(facts.tail)) &&
    (when.past === undefined || when.past.includes(facts.past))
  );
}
