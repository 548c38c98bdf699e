/** What this node is in the mesh's consensus, and what it could run a plugin in (protocol.md §2.16). Pure. */
import type { StatusView } from '#mesh/swarm/views.ts';

/** The part of this node in the mesh's log. */
export interface RaftView {
  /** `learner`: follows the log without a vote. */
  readonly role: 'leader' | 'follower' | 'learner';
  readonly term: number;
  readonly commitIndex: number;
  /** When the leader's lease ends, by this node's wall clock; null where no lease is in use. A mesh with one voter needs none. */
  readonly lease: number | null;
}

/** Walls between a plugin and this machine (protocol.md §5). */
export interface SandboxView {
  readonly available: boolean;
  /** Names of the walls that work here. */
  readonly walls: readonly string[];
  /** Why there is none; null where there is one. */
  readonly reason: string | null;
}

/** This release runs no plugins, and says so rather than leave the question open. */
export const SANDBOX: SandboxView = { available: false, walls: [], reason: 'this release runs no plugins' };

/** Null for a node that belongs to no mesh. */
export function raftOf({ mesh, self }: Pick<StatusView, 'mesh' | 'self'>): RaftView | null {
  if (mesh === null) return null;
  const role = self.leader ? 'leader' : self.voter ? 'follower' : 'learner';
  return { role, term: mesh.term, commitIndex: mesh.commitIndex, lease: null };
}
