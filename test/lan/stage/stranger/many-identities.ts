/**
 * One machine, many identities: each is the product's own node with a fresh key, and asks to join like anybody. Arguments:
 * folder for their state, a member's address, how many, the machine's faces. Prints a line for each that asks.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { noBinding } from '#agent/hardware/binding/soft-binding.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import { createTcpTransport } from '#mesh/transport/tcp.ts';

const [folder = '', peer = '', count = '', ...faces] = process.argv.slice(2);
const BETWEEN_MS = 100;

for (let index = 0; index < Number(count); index++) {
  const from = faces[index % faces.length];
  const node = createMeshNode({
    stateDirectory: join(folder, `ghost-${index}`),
    name: `ghost-${index}`,
    port: 0,
    listenHosts: ['127.0.0.1'],
    binding: noBinding,
    transport: createTcpTransport(from === undefined ? {} : { from }),
  });
  await node.start();
  // Most are refused, and go on asking; that is what they are here for.
  node.join({ mode: 'request', mesh: null, expect: null, peers: [peer] }).catch(() => undefined);
  process.stdout.write(`asked ${index + 1}\n`);
  await delay(BETWEEN_MS);
}
await new Promise<never>(() => {
  setInterval(() => undefined, 60_000);
});
