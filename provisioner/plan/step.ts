/**
 * The steps a host can need, as data: small, idempotent, printable. Each kind declares what must hold before it and what
 * holds after it; `planner.ts` derives the order from that, nobody writes it by hand.
 */
import type { AgentArch } from '#provisioner/inspect/judge.ts';
import type { Manifest } from './manifest.ts';

/** The executable that is to run on the target. */
export interface AgentImage {
  readonly arch: AgentArch;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly sha256: string;
}

/** `manifest` of the two joining steps is the completed one, put in place in the moment of success; null for an agent somebody installed by hand. */
export type Step =
  | { readonly kind: 'clear-leftovers'; readonly paths: readonly string[] }
  | { readonly kind: 'open-staging'; readonly createsFolder: boolean }
  | { readonly kind: 'push-agent'; readonly image: AgentImage }
  | { readonly kind: 'verify-agent'; readonly image: AgentImage }
  | { readonly kind: 'write-manifest'; readonly manifest: Manifest }
  | { readonly kind: 'install-executable' }
  | { readonly kind: 'install-service'; readonly created: readonly string[]; readonly purge: boolean }
  | { readonly kind: 'make-invitation'; readonly label: string }
  | { readonly kind: 'join-mesh'; readonly manifest: Manifest | null }
  | { readonly kind: 'found-mesh'; readonly name: string; readonly manifest: Manifest | null }
  | { readonly kind: 'confirm-membership' }
  | { readonly kind: 'escrow-next-key'; /** On this machine. */ readonly folder: string }
  | { readonly kind: 'close-staging' };

export type StepKind = Step['kind'];
export type StepOf<Kind extends StepKind> = Extract<Step, { kind: Kind }>;

/** Facts about a host that steps need and bring about. */
export type Condition =
  'clean' | 'staging' | 'pushed' | 'verified' | 'manifest' | 'executable' | 'service' | 'invitation' | 'member' | 'confirmed' | 'escrowed' | 'closed';

/** Before and after of every kind; `join-mesh` and `found-mesh` are two ways to the same end. */
export const contracts: Readonly<Record<StepKind, { readonly needs: readonly Condition[]; readonly gives: Condition }>> = {
  'clear-leftovers': { needs: [], gives: 'clean' },
  'open-staging': { needs: ['clean'], gives: 'staging' },
  'push-agent': { needs: ['staging'], gives: 'pushed' },
  'verify-agent': { needs: ['pushed'], gives: 'verified' },
  'write-manifest': { needs: ['staging'], gives: 'manifest' },
  'install-executable': { needs: ['verified', 'manifest'], gives: 'executable' },
  'install-service': { needs: ['executable', 'manifest'], gives: 'service' },
  // As late as possible: a host that fails earlier costs no invitation.
  'make-invitation': { needs: ['service'], gives: 'invitation' },
  'join-mesh': { needs: ['staging', 'service', 'invitation'], gives: 'member' },
  'found-mesh': { needs: ['staging', 'service'], gives: 'member' },
  'confirm-membership': { needs: ['member'], gives: 'confirmed' },
  // A member already: from here on nothing takes the colonization back.
  'escrow-next-key': { needs: ['confirmed'], gives: 'escrowed' },
  'close-staging': { needs: ['confirmed', 'escrowed'], gives: 'closed' },
};
