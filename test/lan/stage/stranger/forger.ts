/**
 * Whoever holds an old key and tries to rotate it to a key of its own: the product's own node on a copied state folder,
 * with one tool bent. In its handshakes it shows a rotation that it signed with the stolen key and with a key that the
 * identity never committed to. Arguments: the copied state folder, address of a member.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createNodeCrypto, systemEntropy } from '#core/node/crypto.ts';
import { noBinding } from '#agent/hardware/binding/soft-binding.ts';
import { Handshake } from '#mesh/channel/handshake.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import { decodeBoot, makeBoot } from '#mesh/hcth/boot-event.ts';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { signBinding } from '#mesh/hcth/handshake-payload.ts';
import { openIdentity } from '#mesh/hcth/identity-file.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { objectDigest } from '#mesh/hcth/signed-object.ts';
import { decodeHandshakePayload, encodeHandshakePayload } from '#mesh/wire/codec/handshake-payload.ts';

const [stateDirectory = '', peer = ''] = process.argv.slice(2);
const crypto = createNodeCrypto();
const opened = openIdentity(crypto, readFileSync(join(stateDirectory, 'identity')), noBinding);
if (opened.kind !== 'ok') throw new Error('the copied identity does not open');
const { established, signKey, staticKey } = opened.identity;

const forgedKey = crypto.signKey(systemEntropy(32));
const forgedRotation = makeRotation(crypto, forgedKey, signKey, {
  aid: established.aid,
  number: established.rotations + 1,
  previous: established.head,
  staticKey: staticKey.publicKey,
  nextDigest: systemEntropy(32),
});
const forgedHead = objectDigest(crypto, LABELS.rotation, forgedRotation.body);

const honestWrite = Handshake.prototype.write;
Handshake.prototype.write = function (payload) {
  if (typeof payload !== 'function') return honestWrite.call(this, payload);
  return honestWrite.call(this, (hash: Uint8Array) => {
    const honest = decodeHandshakePayload(payload(hash));
    if (honest.kind !== 'ok') throw new Error('our own payload does not decode');
    const boot = decodeBoot(honest.message.boot.body);
    if (boot === undefined) throw new Error('our own boot event does not decode');
    process.stdout.write('showed a forged rotation\n');
    return encodeHandshakePayload({
      ...honest.message,
      establishment: { kind: 'events', events: [...established.events, forgedRotation] },
      boot: makeBoot(crypto, forgedKey, { ...boot, establishmentHead: forgedHead }),
      binding: signBinding(crypto, forgedKey, 'initiator', hash),
      // Room in the frame for the events.
      resume: null,
    });
  });
};

const node = createMeshNode({ stateDirectory, name: 'forger', port: 0, binding: noBinding, peers: [peer] });
await node.start();
process.stdout.write(`is ${node.status().self.aid}\n`);
