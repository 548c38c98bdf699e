/**
 * A member gone bad: joins like anybody with a token from standard input, and then breaks, once per order, a rule that
 * only an authenticated peer can break. It is the product's own node with one tool bent: the frames it seals. Arguments:
 * state directory, address of a member. Orders come as further lines of standard input: `sequence`, `malformed`.
 */
import { createInterface } from 'node:readline';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import { SealedChannel } from '#mesh/session/sealed-channel.ts';
import { noBinding } from '#agent/hardware/binding/soft-binding.ts';

/** Frames of the opening (HELLO … BYE) are left alone: the identity is to be proved before it is abused. */
const FIRST_CHAINED_TYPE = 0x10;
/** How far the sequence jumps. */
const SKIPPED = 5;

const [stateDirectory = '', peer = ''] = process.argv.slice(2);
const orders = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let order: string | undefined;

const honestSeal = SealedChannel.prototype.seal;
SealedChannel.prototype.seal = function (crypto, fields, plaintext) {
  if (order === undefined || fields.type < FIRST_CHAINED_TYPE) return honestSeal.call(this, crypto, fields, plaintext);
  const given = order;
  order = undefined;
  process.stdout.write(`sent ${given}\n`);
  return given === 'sequence'
    ? honestSeal.call(this, crypto, { ...fields, sequence: fields.sequence + SKIPPED }, plaintext)
    : honestSeal.call(this, crypto, fields, new Uint8Array(plaintext.length).fill(0xc1));
};

const token = String((await orders.next()).value);
const node = createMeshNode({ stateDirectory, name: 'traitor', port: 7411, binding: noBinding });
await node.start();
await node.join({ mode: 'token', token, peers: [peer] });
process.stdout.write(`joined ${node.status().self.aid}\n`);
for (;;) {
  const next = await orders.next();
  if (next.done === true) break;
  order = next.value;
}
