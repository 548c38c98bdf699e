/**
 * What a checker is: one thing that must hold, looked for while everything is being hurt, or waited for once all is whole
 * again. Checkers see the world and the truth about it; nodes see neither.
 */
import type { StatusView } from '#mesh/swarm/views.ts';
import type { Machine } from '../machine.ts';
import type { TraceOptions } from '../options.ts';
import type { Truth } from '../truth.ts';
import type { World } from '../world.ts';

/** What checkers look at. */
export interface Scene {
  readonly world: World;
  readonly truth: Truth;
  readonly options: TraceOptions;
}

/** One invariant. Each hook answers with what is wrong. */
export interface Checker {
  readonly name: string;
  /** A machine began a run. */
  onRun?(machine: Machine, how: 'started' | 'remembered'): string | undefined;
  /** Something that a machine shows may have changed. */
  onView?(machine: Machine, view: StatusView): string | undefined;
  /** After the healing: what is still missing. Asked again until nothing is, within a bound. */
  pending?(): string | undefined;
}

/** Makes a checker for one trace. */
export type MakeChecker = (scene: Scene) => Checker;

/** Whether nobody has tampered with any machine of this identity. */
export function isHonest(scene: Scene, aid: string): boolean {
  const lineage = scene.world.lineages.find((candidate) => candidate.text === aid);
  return lineage !== undefined && !lineage.restored && !lineage.cloned && !lineage.forked;
}

/** Whether this machine's key was replaced on another disk: whoever hears of that refuses it, for good. */
export function hasOldKey(machine: Machine): boolean {
  return machine.identity.established.rotations < machine.lineage.rotations;
}

/** Machines that run and whose memory nobody has tampered with. */
export function honestMachines(scene: Scene): readonly Machine[] {
  return scene.world.machines.filter((machine) => machine.run !== null && isHonest(scene, machine.lineage.text));
}
