import { expect, it } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { decodeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { Outlaw } from './outlaw-for-tests.ts';
import type { Invitation } from './views.ts';
import { World } from './world.ts';

const crypto = createNodeCrypto();

it('H-24: a peer that opens two connections at once does not get two different heads signed for one frame', () => {
  const world = new World(crypto, 'two at once');
  const founder = world.add('founder');
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
  const reply = founder.replies.get(world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } }));
  const member = world.add('member');
  const { token } = (reply?.kind === 'done' ? reply.value : null) as Invitation;
  world.command(member, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(member, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => member.swarm!.status().state === 'member', 5_000);
  world.kill(member);
  // A new run of the founder: it has sent nothing to the member yet.
  world.kill(founder);
  world.start(founder);
  world.run(100);
  const meshTag = fromHex(founder.swarm!.status().mesh!.tag)!;
  const outlaws = [7, 8].map((incarnation) => new Outlaw(world, founder, { identity: member.identity, meshTag, incarnation, holdAccept: true }).run(20));
  for (const outlaw of outlaws) outlaw.proceed().run(20);
  world.run(61_000);
  for (const outlaw of outlaws) outlaw.run(20);
  const signed = outlaws.map((outlaw) => outlaw.messages.flatMap((message) => (message.kind === 'ckpt' ? [decodeCheckpoint(message.checkpoint.body)!] : [])));
  expect(outlaws.map((outlaw) => outlaw.accepted?.verdict)).toEqual(['restart', 'restart']);
  expect(signed.flat().length).toBeGreaterThan(0);
  const heads = new Map<string, Set<string>>();
  for (const { nonce, sequence, head } of signed.flat()) {
    const place = `${hex(nonce)} ${sequence}`;
    heads.set(place, (heads.get(place) ?? new Set<string>()).add(hex(head)));
  }
  expect([...heads.values()].filter((several) => several.size > 1)).toEqual([]);
  expect(outlaws.map((outlaw) => outlaw.isClosed)).toContain(true);
});
