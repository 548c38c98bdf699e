/**
 * A command of another node's operator, as the leader takes it: only those that end in a decision, and every field checked,
 * because a member may send anything.
 */
import { textOf } from '#core/bytes/bytes.ts';
import type { Command } from './step.ts';

/** Commands that are carried out where decisions are made. */
const GOVERNED: ReadonlySet<Command['kind']> = new Set([
  'invite',
  'revoke-invitation',
  'approve',
  'deny',
  'forget',
  'close',
  'bar',
  'unbar',
  'settle',
  'add-voter',
  'remove-voter',
]);

/** Whether a command has to be carried out by whoever decides. */
export function isGoverned(command: Command): boolean {
  return GOVERNED.has(command.kind);
}

const BYTES_MAX = 4_096;
const ROLES = ['member', 'voter', 'observer'] as const;

/** The command; `undefined` for anything else. */
export function readForwarded(body: Uint8Array): Command | undefined {
  const text = body.length > BYTES_MAX ? undefined : textOf(body);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return typeof value === 'object' && value !== null ? read(new Map(Object.entries(value))) : undefined;
}

function read(fields: ReadonlyMap<string, unknown>): Command | undefined {
  const text = (name: string): string | undefined => textIn(fields.get(name));
  const textOrNull = (name: string): string | null | undefined => (fields.get(name) === null ? null : text(name));
  const kind = fields.get('kind');
  switch (kind) {
    case 'invite':
      return readInvite(fields.get('options'));
    case 'revoke-invitation': {
      const tokenId = text('tokenId');
      return tokenId === undefined ? undefined : { kind, tokenId };
    }
    case 'approve': {
      const [fingerprint, replaces] = [text('fingerprint'), text('replaces')];
      return fingerprint === undefined ? undefined : { kind, fingerprint, ...(replaces === undefined ? {} : { replaces }) };
    }
    case 'deny': {
      const [fingerprint, reason] = [text('fingerprint'), text('reason')];
      return fingerprint === undefined || reason === undefined ? undefined : { kind, fingerprint, reason };
    }
    case 'forget':
    case 'unbar':
    case 'add-voter':
    case 'remove-voter': {
      const who = text('who');
      return who === undefined ? undefined : { kind, who };
    }
    case 'close': {
      const [who, replacedBy] = [text('who'), textOrNull('replacedBy')];
      return who === undefined || replacedBy === undefined ? undefined : { kind, who, replacedBy };
    }
    case 'bar': {
      const [who, reason] = [text('who'), text('reason')];
      return who === undefined || reason === undefined ? undefined : { kind, who, reason };
    }
    case 'settle': {
      const [who, copy] = [text('who'), textOrNull('copy')];
      return who === undefined || copy === undefined ? undefined : { kind, who, copy };
    }
    default:
      return undefined;
  }
}

function readInvite(value: unknown): Command | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [role, uses, expiresInMs] = [ROLES.find((known) => known === fields.get('role')), fields.get('uses'), fields.get('expiresInMs')];
  const label = fields.get('label') === null ? null : textIn(fields.get('label'));
  if (role === undefined || typeof uses !== 'number' || typeof expiresInMs !== 'number' || label === undefined) return undefined;
  return { kind: 'invite', options: { role, uses, expiresInMs, label } };
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 1_024 ? value : undefined;
}
