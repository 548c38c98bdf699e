/**
 * The manifest left on a colonized host: what was created there, so that undo removes exactly that. Written as `begun`
 * before anything is installed, so that even a run that died can be taken back. Pure.
 */
import * as z from 'zod';

const manifestSchema = z.object({
  v: z.literal(1),
  state: z.enum(['begun', 'complete']),
  /** The name the host was colonized under. */
  label: z.string().max(253),
  agentSha256: z.string().regex(/^[0-9a-f]{64}$/),
  meshId: z.string().max(128).nullable(),
  /** Absolute paths that did not exist before. */
  created: z.array(z.string().regex(/^\/[A-Za-z0-9._/-]+$/)).max(64),
  installedService: z.boolean(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Null for anything that is not a manifest of ours. */
export function parseManifest(text: string): Manifest | null {
  try {
    const parsed = manifestSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
