/**
 * No two starts share incarnation and nonce; and a disk that nobody has put back never gives out an incarnation twice, and
 * never a smaller one (H-8).
 */
import { hex } from '#core/bytes/bytes.ts';
import type { Machine } from '../machine.ts';
import type { MakeChecker } from './checker.ts';

export const incarnationsNeverRepeat: MakeChecker = () => {
  const given = new Set<string>();
  const newest = new Map<Machine, { readonly incarnation: number; readonly disk: Machine['disk'] }>();
  return {
    name: 'incarnations-never-repeat',
    onRun(machine, how) {
      const boot = machine.run?.start.identity.boot;
      if (boot === undefined || how === 'remembered') return undefined;
      const name = `${machine.lineage.text} ${boot.incarnation} ${hex(boot.nonce)}`;
      if (given.has(name)) return `${machine.name} began incarnation ${boot.incarnation} with a nonce that was used before`;
      given.add(name);
      const before = newest.get(machine);
      newest.set(machine, { incarnation: boot.incarnation, disk: machine.disk });
      if (before !== undefined && before.disk === machine.disk && boot.incarnation <= before.incarnation)
        return `${machine.name} began incarnation ${boot.incarnation} after ${before.incarnation}`;
      return undefined;
    },
  };
};
