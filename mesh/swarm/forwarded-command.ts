/**
 * A command of another node's operator on its way to the leader, and the answer on its way back: RMP, like everything on the
 * wire. Only commands that end in a decision, and every field checked, because a member may send anything.
 */
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { intField, listOf, mapField, mapOf, strField } from '#core/msgpack/fields.ts';
import type { RmpInput, RmpMap, RmpValue } from '#core/msgpack/value.ts';
import { ADMISSION_LIMITS as LIMITS } from '#mesh/admission/limits.ts';
import type { Command } from './step.ts';

/** Commands that are carried out where decisions are made. */
const GOVERNED = ['invite', 'revoke-invitation', 'approve', 'deny', 'forget', 'close', 'bar', 'unbar', 'settle', 'add-voter', 'remove-voter'] as const;

/** Such a command. */
export type GovernedCommand = Extract<Command, { readonly kind: (typeof GOVERNED)[number] }>;

/** Whether a command has to be carried out by whoever decides. */
export function isGoverned(command: Command): command is GovernedCommand {
  return GOVERNED.some((kind) => kind === command.kind);
}

const BYTES_MAX = 4_096;
const TEXT_BYTES_MAX = 1_024;
const ROLES = ['member', 'voter', 'observer'] as const;

/** The body of the call that asks the leader. */
export function encodeForwarded(command: GovernedCommand): Uint8Array {
  return encodeRmp(command.kind === 'invite' ? { kind: command.kind, options: { ...command.options } } : { ...command });
}

/** The command; `undefined` for anything else. */
export function readForwarded(body: Uint8Array): GovernedCommand | undefined {
  if (body.length > BYTES_MAX) return undefined;
  const decoded = decodeRmp(body);
  const fields = decoded.kind === 'ok' ? mapOf(decoded.value) : undefined;
  return fields === undefined ? undefined : read(fields);
}

/** The body of the answer; the value is what a command line prints as JSON. */
export function encodeAnswer(value: unknown): Uint8Array {
  return encodeRmp(inputOf(value));
}

/** The value of an answer, with plain objects for maps; `undefined` where the bytes are no answer. */
export function readAnswer(body: Uint8Array): { readonly value: unknown } | undefined {
  const decoded = decodeRmp(body);
  return decoded.kind === 'ok' ? { value: plainOf(decoded.value) } : undefined;
}

function read(fields: RmpMap): GovernedCommand | undefined {
  const text = (name: string): string | undefined => strField(fields, name, TEXT_BYTES_MAX);
  const textOrNull = (name: string): string | null | undefined => (fields.get(name) === null ? null : text(name));
  const kind = text('kind');
  switch (kind) {
    case 'invite':
      return readInvite(mapField(fields, 'options'));
    case 'revoke-invitation': {
      const tokenId = text('tokenId');
      return tokenId === undefined ? undefined : { kind, tokenId };
    }
    case 'approve': {
      const [fingerprint, replaces] = [text('fingerprint'), text('replaces')];
      if (fingerprint === undefined || (fields.has('replaces') && replaces === undefined)) return undefined;
      return { kind, fingerprint, ...(replaces === undefined ? {} : { replaces }) };
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

function readInvite(options: RmpMap | undefined): GovernedCommand | undefined {
  if (options === undefined) return undefined;
  const role = ROLES.find((known) => known === options.get('role'));
  const uses = intField(options, 'uses', 1, LIMITS.tokenUsesMax);
  const expiresInMs = intField(options, 'expiresInMs', LIMITS.invitationMsMin, LIMITS.invitationMsMax);
  const label = options.get('label') === null ? null : strField(options, 'label', TEXT_BYTES_MAX);
  if (role === undefined || uses === undefined || expiresInMs === undefined || label === undefined) return undefined;
  return { kind: 'invite', options: { role, uses, expiresInMs, label } };
}

function inputOf(value: unknown): RmpInput {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(inputOf);
  return new Map(Object.entries(value).map(([key, item]) => [key, inputOf(item)]));
}

function plainOf(value: RmpValue): unknown {
  const map = mapOf(value);
  if (map !== undefined) return Object.fromEntries([...map].map(([key, item]) => [key, plainOf(item)]));
  return listOf(value)?.map(plainOf) ?? value;
}
