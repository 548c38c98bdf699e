/**
 * What an agent answers on its command line (`robonet … --json`), parsed as far as the provisioner needs it. Fields we do
 * not use are ignored, so that a newer agent can be talked to.
 */
import * as z from 'zod';
import type { CommandResult } from '#provisioner/ssh/session.ts';

const errorSchema = z.object({
  type: z.literal('error'),
  error: z.object({ code: z.string(), message: z.string(), next: z.string().nullish(), retry: z.enum(['never', 'later', 'now']).nullish() }),
});

export const statusSchema = z.object({
  state: z.string(),
  stateReason: z.string().nullish(),
  self: z.object({ fingerprint: z.string(), name: z.string(), aid: z.string(), address: z.string().nullish() }),
  mesh: z.object({ id: z.string(), name: z.string() }).nullable(),
});
export type AgentStatus = z.infer<typeof statusSchema>;

export const invitationSchema = z.object({ token: z.string().startsWith('rnj1.'), tokenId: z.string(), meshId: z.string(), meshName: z.string() });
export type AgentInvitation = z.infer<typeof invitationSchema>;

export const nodesSchema = z.object({
  nodes: z.array(
    z.object({
      fingerprint: z.string(),
      name: z.string(),
      aid: z.string(),
      self: z.boolean(),
      liveness: z.string(),
      capabilities: z.object({ arch: z.string() }).nullish(),
    }),
  ),
});

/** A reply that was understood, or why not, in the agent's own words. */
export type Reply<Value> =
  | { readonly kind: 'reply'; readonly value: Value }
  | {
      readonly kind: 'refused';
      readonly code: string | null;
      readonly message: string;
      readonly next: string | null;
      readonly retry: 'never' | 'later' | 'now' | null;
    };

/** Judge the outcome of one `robonet … --json`. An exit code alone is not an error: `status` exits 1 for a member with problems. */
export function readReply<Value>(result: CommandResult, schema: z.ZodType<Value>): Reply<Value> {
  const document = lastDocument(result.stdout);
  const error = errorSchema.safeParse(document);
  if (error.success)
    return {
      kind: 'refused',
      code: error.data.error.code,
      message: error.data.error.message,
      next: error.data.error.next ?? null,
      retry: error.data.error.retry ?? null,
    };
  const parsed = schema.safeParse(document);
  if (parsed.success) return { kind: 'reply', value: parsed.data };
  const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(0, 3).join(' / ').slice(0, 400);
  return {
    kind: 'refused',
    code: null,
    message: said === '' ? `no answer (exit code ${result.exitCode ?? result.signal ?? 'unknown'})` : said,
    next: null,
    retry: null,
  };
}

function lastDocument(stdout: string): unknown {
  const line = stdout.trim().split('\n').at(-1) ?? '';
  for (const text of [stdout, line]) {
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return null;
}
