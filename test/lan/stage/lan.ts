/**
 * One virtual LAN per use-case file: built before its tests, removed after them, its hosts' logs shown when one fails.
 */
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { HostOptions } from '../lab/lab.ts';
import { Lab } from '../lab/lab.ts';
import type { Host } from '../lab/host/host.ts';

/** The LAN of a test file; usable from the first hook on. */
export interface Lan {
  readonly lab: Lab;
  /** A host by name. */
  host(name: string): Host;
  /** For `waitFor`: the logs of all hosts. */
  readonly evidence: () => Promise<string>;
}

/** Declares the LAN of this test file; `hosts` are switched on together, then `prepare` runs. */
export function useLan(hosts: () => readonly HostOptions[], prepare: (lan: Lan) => Promise<void> = async () => undefined): Lan {
  let current: Lab | undefined;
  const lan: Lan = {
    get lab() {
      if (current === undefined) throw new Error('the LAN is not up yet');
      return current;
    },
    host: (name) => {
      const found = lan.lab.hosts.find((host) => host.name === name);
      if (found === undefined) throw new Error(`no host ${name} on this LAN`);
      return found;
    },
    evidence: () => lan.lab.evidence(),
  };
  beforeAll(async () => {
    current = await Lab.up();
    await current.addHosts(hosts());
    await prepare(lan);
  });
  afterEach(async (context) => {
    if (context.task.result?.state === 'fail') process.stderr.write(`\n${await lan.evidence()}\n`);
  });
  afterAll(async () => current?.down());
  return lan;
}
