/**
 * Writes the frozen vectors of snapshots: the bytes, their digest, the taker's signature, and what is refused. Run once per
 * protocol version and review the difference: a changed vector is a changed protocol.
 *
 *   node test/vectors/write-snapshot-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, hex, utf8 } from '#core/bytes/bytes.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import { encodeProposals, encodeSnapshot, signSnapshot, snapshotDigest } from '#mesh/consensus/snapshot/snapshot.ts';
import { ProposalTable } from '#mesh/consensus/raft/proposal-table.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { meshOf } from '#test/kit/meshes.ts';

const mesh = meshOf().id;
const ada = identityOf('ada');
const voters = ['ada', 'bob', 'cy'].map((name) => aidText(identityOf(name).established.aid));
const content = {
  base: { index: 1_000, term: 7, digest: bytesFor('entry 1000', 32) },
  config: { voters, learners: [{ id: aidText(identityOf('dee').established.aid), promote: true, incarnation: 3 }], quorum: null },
  proposals: encodeProposals(new ProposalTable()),
  state: utf8('the state above'),
};
const bytes = encodeSnapshot(content);
const digest = snapshotDigest(crypto, bytes);
const signature = signSnapshot(crypto, ada.signKey, mesh, digest);

const document = {
  mesh: hex(mesh),
  takerKey: hex(ada.established.signKey),
  accepted: [
    {
      index: content.base.index,
      term: content.base.term,
      base: hex(content.base.digest),
      voters,
      learners: content.config.learners,
      quorum: content.config.quorum,
      state: hex(content.state),
      bytes: hex(bytes),
      digest: hex(digest),
      signature: hex(signature),
    },
  ],
  /** `gate`: what stops it, its form or its signature. */
  refused: [
    { name: 'a byte behind the end', rule: 'C-30', gate: 'form', bytes: hex(concat(bytes, Uint8Array.of(0))) },
    { name: 'cut at the end', rule: 'C-30', gate: 'form', bytes: hex(bytes.subarray(0, bytes.length - 1)) },
    { name: 'another version', rule: 'C-30', gate: 'form', bytes: hex(bytes.with(1, 2)) },
    { name: 'no voters', rule: 'C-16', gate: 'form', bytes: hex(encodeSnapshot({ ...content, config: { voters: [], learners: [], quorum: null } })) },
    { name: 'a quorum below the majority', rule: 'C-16', gate: 'form', bytes: hex(encodeSnapshot({ ...content, config: { ...content.config, quorum: 1 } })) },
    { name: 'signed for another mesh', rule: 'C-30', gate: 'signature', signature: hex(signSnapshot(crypto, ada.signKey, bytesFor('mesh', 32), digest)) },
    { name: 'signed over another digest', rule: 'C-30', gate: 'signature', signature: hex(signSnapshot(crypto, ada.signKey, mesh, bytesFor('other', 32))) },
    { name: 'signed by somebody else', rule: 'C-30', gate: 'signature', signature: hex(signSnapshot(crypto, identityOf('eve').signKey, mesh, digest)) },
    {
      name: 'signed as a statement',
      rule: 'H-1',
      gate: 'signature',
      signature: hex(crypto.sign(ada.signKey, labelled(LABELS.statement), mesh, digest)),
    },
  ],
};
writeFileSync(join(import.meta.dirname, 'consensus', 'snapshots.json'), `${JSON.stringify(document, null, 1)}\n`);
