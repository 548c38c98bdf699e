/**
 * A cryptographic port that tells what is signed and what is successfully verified through it. Frames are sealed, so this
 * is how the simulator itself knows who has said what, and who has seen it, whatever the nodes make of it.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';

/** Who is told. The first part is the label that says what the bytes are for (mesh/hcth/labels.ts). */
export interface SignatureWitness {
  readonly signed: (parts: readonly Uint8Array[], signature: Uint8Array) => void;
  readonly verified: (parts: readonly Uint8Array[], signature: Uint8Array) => void;
}

/** The port, watched. */
export function witnessed(port: CryptoPort, witness: SignatureWitness): CryptoPort {
  return {
    ...port,
    sign(key, ...parts) {
      const signature = port.sign(key, ...parts);
      witness.signed(parts, signature);
      return signature;
    },
    verify(publicKey, signature, ...parts) {
      const good = port.verify(publicKey, signature, ...parts);
      if (good) witness.verified(parts, signature);
      return good;
    },
  };
}
