/**
 * Which place a statement fills, so that two different ones in it convict (protocol.md §2.9, slot keys). Every statement
 * fills its number; one that promises something also fills the place of its promise: a vote its term, an approval its
 * request, whatever their numbers. The readers of such bodies come with the bodies: consensus and approvals add theirs to
 * the table below, and nothing else changes.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { Statement, StatementKind } from './statement-log.ts';

/** Reads what a statement's body promises; `undefined` where it promises nothing that can be held against it. */
export type PromiseReader = (body: Uint8Array) => { readonly key: Uint8Array; readonly text: string } | undefined;

/** Readers by kind of statement. */
export type PromiseReaders = Readonly<Partial<Record<StatementKind, PromiseReader>>>;

/** No body promises anything yet: votes and approvals come with the consensus of several voters. */
const READERS: PromiseReaders = {};

/** The common place of two statements of one incarnation, for people; `undefined` where they stand in different ones. */
export function sameStatementSlot(a: Statement, b: Statement, readers: PromiseReaders = READERS): string | undefined {
  if (a.number === b.number) return `statement ${a.number}`;
  if (a.kind !== b.kind || bytesEqual(a.body, b.body)) return undefined;
  const read = readers[a.kind];
  const [mine, other] = [read?.(a.body), read?.(b.body)];
  return mine !== undefined && other !== undefined && bytesEqual(mine.key, other.key) ? mine.text : undefined;
}
