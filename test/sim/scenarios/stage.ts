/** A simulated mesh of three for the named scenarios. */
import { KeyRegistry } from '../crypto/sim-crypto.ts';
import { found } from '../founding.ts';
import type { Machine } from '../machine.ts';
import { World } from '../world.ts';

export interface Trio {
  readonly world: World;
  readonly founder: Machine;
  readonly ada: Machine;
  readonly bob: Machine;
}

/** A founder and two members, all linked. */
export function trio(seed: string): Trio {
  const registry = new KeyRegistry();
  const world = new World({ seed, cryptoOf: () => registry.port() });
  const [founder, ada, bob] = found(world, 3).machines;
  if (founder === undefined || ada === undefined || bob === undefined) throw new Error('three machines were founded');
  return { world, founder, ada, bob };
}

/** What one machine holds against another: its breaks by class. */
export function breaksAt(judge: Machine, of: Machine): Readonly<Record<string, number>> {
  return judge.run?.swarm.status().nodes.find(({ aid }) => aid === of.lineage.text)?.trust?.breaks ?? {};
}

/** Codes of the events of a machine, in all its runs. */
export function codesOf(machine: Machine): readonly string[] {
  return machine.events.map(({ code }) => code);
}
