/** What each method of the local API accepts; anything else is refused before it reaches the agent. */
import * as z from 'zod';
import type { ApiMethod } from '#agent/api/protocol.ts';
import { EVENTS_MAX } from '#agent/api/limits.ts';
import { NEXT_KEY_CHARACTERS_MAX } from '#mesh/hcth/next-key.ts';
import { IDENTITY_DOCUMENT_CHARACTERS_MAX } from '#mesh/hcth/identity-document.ts';
import { parseHostPort } from '#core/terminal/address.ts';
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';

const nothing = z.strictObject({});
const nodeReference = z.string().min(1).max(80);
const fingerprint = z.string().min(16).max(40);
const address = z.string().refine((text) => parseHostPort(text).kind === 'value', { error: 'expected HOST or HOST:PORT' });
const meshName = z.string().min(1).max(64);

/** One schema per method. */
export const requestSchemas = {
  status: nothing,
  init: z.strictObject({
    name: meshName,
    admission: z.enum(['closed', 'approve', 'token', 'open']),
    trustProfile: z.enum(['lab', 'home', 'fleet']),
  }),
  join: z.discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('token'), token: z.string().min(8).max(4_096), peers: z.array(address).max(64) }),
    z.strictObject({ mode: z.literal('request'), mesh: z.string().min(1).max(64).nullable(), expect: fingerprint.nullable(), peers: z.array(address).max(64) }),
  ]),
  leave: nothing,
  invite: z.strictObject({
    role: z.enum(['member', 'voter', 'observer']),
    uses: z.int().min(1).max(ADMISSION_LIMITS.tokenUsesMax),
    expiresInMs: z.int().min(ADMISSION_LIMITS.invitationMsMin).max(ADMISSION_LIMITS.invitationMsMax),
    label: z.string().max(253).nullable(),
  }),
  invitations: nothing,
  'revoke-invitation': z.strictObject({ tokenId: z.string().min(1).max(64) }),
  approve: z.strictObject({ fingerprint, replaces: nodeReference.optional() }),
  deny: z.strictObject({ fingerprint, reason: z.string().max(200) }),
  forget: z.strictObject({ node: nodeReference }),
  close: z.strictObject({ node: nodeReference, replacedBy: nodeReference.nullable() }),
  rotate: z.strictObject({
    nextKey: z.string().min(1).max(NEXT_KEY_CHARACTERS_MAX).nullable(),
    recovery: z.boolean(),
    document: z.string().min(2).max(IDENTITY_DOCUMENT_CHARACTERS_MAX).nullable(),
    dryRun: z.boolean(),
  }),
  'identity-document': z.strictObject({ node: nodeReference.nullable() }),
  'export-next-key': nothing,
  'forget-next-key': z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), how: z.enum(['escrowed', 'exported']), place: z.string().min(1).max(200) }),
  bar: z.strictObject({ node: nodeReference, reason: z.string().min(1).max(160) }),
  unbar: z.strictObject({ node: nodeReference }),
  'add-voter': z.strictObject({ node: nodeReference }),
  'remove-voter': z.strictObject({ node: nodeReference }),
  settle: z.strictObject({ node: nodeReference, copy: z.string().min(3).max(80).nullable() }),
  trust: z.strictObject({ node: nodeReference }),
  identity: nothing,
  events: z.strictObject({ limit: z.int().min(1).max(EVENTS_MAX) }),
  ping: z.strictObject({ node: nodeReference }),
  doctor: z.strictObject({ peers: z.array(address).max(64) }),
} as const satisfies Record<ApiMethod, z.ZodType>;
