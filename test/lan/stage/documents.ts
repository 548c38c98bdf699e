/**
 * Reads what the programs print with `--json`. Only shapes that the catalogue promises are looked at, and a document of
 * another type, or none, is a failure that shows the whole command.
 */
import { documentFault } from '#agent/api/documents.ts';
import type { EventRecord, NodeView, StatusView } from '#mesh/swarm/views.ts';
import { type CommandResult, describeResult } from '../lab/command.ts';
import type { Host, HostCommandOptions } from '../lab/host/host.ts';

/** A problem `status` reports with what to do about it. */
export interface Problem {
  readonly code: string;
  readonly severity: string;
  readonly text: string;
  readonly next: string;
}

/** The `error` document. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly effect: string;
  readonly next: string;
  readonly retry: string;
  readonly exit: number;
}

/** A result with the document it printed. */
export interface Answer<T> {
  readonly document: T;
  readonly result: CommandResult;
}

/** Runs `robonet …ARGS --json` on a host and reads its document, whatever the exit code. */
export async function robonet<T = Readonly<Record<string, unknown>>>(
  host: Host,
  args: readonly string[],
  options: HostCommandOptions = {},
): Promise<Answer<T>> {
  const result = await host.run(['robonet', ...args, '--json'], options);
  return { document: documented<T>(result), result };
}

/** The same for a command that must succeed. */
export async function robonetOk<T = Readonly<Record<string, unknown>>>(host: Host, args: readonly string[], options: HostCommandOptions = {}): Promise<T> {
  const result = await host.run(['robonet', ...args, '--json'], options);
  if (result.code !== 0) throw new Error(`on ${host.name}: ${describeResult(result)}`);
  return documented<T>(result);
}

/** The same for a command that must be refused: its error document and exit code. */
export async function robonetRefused(host: Host, args: readonly string[], options: HostCommandOptions = {}): Promise<ErrorDocument> {
  const result = await host.run(['robonet', ...args, '--json'], options);
  if (result.code === 0) throw new Error(`on ${host.name} this should have been refused: ${describeResult(result)}`);
  const document = documented<{ readonly error: ErrorDocument }>(result);
  if (document.error === undefined) throw new Error(`on ${host.name} no error document: ${describeResult(result)}`);
  if (document.error.exit !== result.code) throw new Error(`exit code and document disagree: ${describeResult(result)}`);
  return document.error;
}

/** The document of a run of `robonet`, which must be as docs/JSON.md says. */
function documented<T>(result: CommandResult): T {
  const document = parseDocument<T>(result);
  const fault = documentFault(document);
  if (fault !== undefined) throw new Error(`a document is not as docs/JSON.md says: ${fault}\n${describeResult(result)}`);
  return document;
}

/** `robonet status` of a host. */
export async function statusOf(host: Host): Promise<StatusView & { readonly problems: readonly Problem[] }> {
  return (await robonet<StatusView & { readonly problems: readonly Problem[] }>(host, ['status'])).document;
}

/** The nodes a host sees, itself included. */
export async function nodesOf(host: Host): Promise<readonly NodeView[]> {
  return (await statusOf(host)).nodes;
}

/** A host's recent events, newest or oldest first as the program prints them. */
export async function eventsOf(host: Host, limit = 200): Promise<readonly EventRecord[]> {
  const printed = await host.check(['robonet', 'events', '--limit', String(limit), '--json']);
  return parseLines<EventRecord>(printed);
}

/** Reads newline-delimited JSON. */
export function parseLines<T>(text: string): readonly T[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): T => JSON.parse(line));
}

/** Reads the one document a command printed. */
export function parseDocument<T>(result: CommandResult): T {
  try {
    return JSON.parse(result.stdout);
  } catch (cause) {
    throw new Error(`not one JSON document on standard output: ${describeResult(result)}`, { cause });
  }
}
