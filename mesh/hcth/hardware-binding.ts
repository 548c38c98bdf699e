/**
 * What binds an identity to the machine it was made on (protocol.md §2.12 "Hardware binding", §2.14). The agent's
 * hardware readers implement it; the identity file is sealed with a key derived from `secret`.
 */

export type BindingKind = 'none' | 'soft' | 'otp' | 'tpm';

export interface HardwareBinding {
  readonly kind: BindingKind;
  /** SHA-256 over the binding's public part; goes into the inception event (`hw.d`). 32 zero bytes for `none`. */
  readonly digest: Uint8Array;
  /** Input to HKDF for sealing the identity file; never leaves the process. Public knowledge for `none` and `soft`. */
  readonly secret: Uint8Array;
  /** Named facts behind the digest (serial, SoC id, card CID, MAC …), so that a mismatch can say what changed. */
  readonly facts: ReadonlyMap<string, string>;
}
