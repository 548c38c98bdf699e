/**
 * How the mesh of a trace comes about: founded and joined by invitation, as people do it.
 */
import { assert } from '#core/errors/assert.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import type { Invitation } from '#mesh/swarm/views.ts';
import { type Machine, seededEntropy } from './machine.ts';
import type { World } from './world.ts';

/** A mesh in which everybody has joined. */
export interface Founded {
  readonly tag: string;
  readonly machines: readonly Machine[];
}

const NAMES = ['founder', 'ada', 'bob', 'cyd', 'dan', 'eve'] as const;
/** Largest mesh of a trace. */
export const NODES_MAX = NAMES.length;

/** An identity that follows from a seed. */
export function identityFrom(seed: string): (crypto: CryptoPort) => Identity {
  return (crypto) =>
    createIdentity(crypto, seededEntropy(`${seed}/identity`)(IDENTITY_RANDOM_BYTES), {
      kind: 'none',
      digest: new Uint8Array(32),
      secret: new Uint8Array(32),
      facts: new Map(),
    }).identity;
}

/** Found a mesh and let the others join it, one after the other. */
export function found(world: World, count: number): Founded {
  const machines: Machine[] = [];
  let tag = '';
  for (const name of NAMES.slice(0, count)) {
    const machine = world.add(name, identityFrom(`${world.seed}/${name}`));
    world.start(machine);
    const founder = machines[0];
    if (founder === undefined) {
      world.command(machine, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
      tag = machine.run?.swarm.status().mesh?.tag ?? '';
    } else {
      const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
      const reply = founder.replies.get(id);
      assert(reply?.kind === 'done', `${founder.name} gives an invitation`);
      world.command(machine, { kind: 'join', options: { mode: 'token', token: (reply.value as Invitation).token, peers: [] } });
      world.input(machine, { kind: 'hint', address: founder.address, meshTag: tag, origin: 'mdns' });
    }
    machines.push(machine);
    world.run(600);
  }
  world.run(3_000);
  for (const machine of machines) assert(machine.run?.swarm.status().state === 'member', `${machine.name} has joined`);
  return { tag, machines };
}
