/**
 * Writes the frozen vectors of equivocation proofs. Run once per protocol version and review the difference.
 *
 *   node test/vectors/write-proof-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '#core/bytes/bytes.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { encodeProof, proofDigest } from '#mesh/hcth/proof.ts';
import { crypto } from '#test/kit/identities.ts';
import { proofCases } from '#test/kit/proofs.ts';

const vectors = proofCases().map(({ name, proof, place, why }) => ({
  name,
  rule: 'H-37',
  hex: hex(proof instanceof Uint8Array ? proof : encodeProof(proof)),
  ...(proof instanceof Uint8Array || why !== undefined ? {} : { aid: aidText(proof.aid), digest: hex(proofDigest(crypto, proof)), place }),
  ...(why === undefined ? {} : { error: why }),
}));
writeFileSync(join(import.meta.dirname, 'hcth/proofs.json'), `${JSON.stringify({ vectors }, null, 1)}\n`);
