/**
 * A recording of one machine's disk, and what was promised to whom at which point of it: what a power cut afterwards must
 * not take back. Signatures are watched at the crypto port, so that an incarnation counts as used the moment it signs.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { decodeBoot } from '#mesh/hcth/boot-event.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { RecordingDisk } from '#test/power-cut/recording-disk.ts';

/** A promise, or the end of one. */
export type Pledge =
  | { readonly kind: 'identity'; readonly aid: string }
  | { readonly kind: 'signed'; readonly aid: string; readonly incarnation: number }
  | { readonly kind: 'member'; readonly mesh: string }
  | { readonly kind: 'committed'; readonly index: number }
  /** Others know of this rotation. */
  | { readonly kind: 'rotation'; readonly number: number }
  /** The key for this rotation is no longer on the device. */
  | { readonly kind: 'key-away'; readonly rotation: number }
  /** The newest record of a peer, all its bytes the number of its round. */
  | { readonly kind: 'record'; readonly key: string; readonly round: number }
  /** From here on the old identity and membership may go. */
  | { readonly kind: 'leaving'; readonly aid: string }
  | { readonly kind: 'left'; readonly aid: string };

/** See the header. */
export class Recording {
  readonly name: string;
  readonly folder: string;
  readonly disk = new RecordingDisk();
  readonly crypto: CryptoPort;
  readonly pledges: { readonly at: number; readonly pledge: Pledge }[] = [];

  constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
    const real = createNodeCrypto();
    this.crypto = {
      ...real,
      sign: (key, ...parts) => {
        const boot = isBootLabel(parts[0]) && parts[1] !== undefined ? decodeBoot(parts[1]) : undefined;
        if (boot !== undefined) this.pledge({ kind: 'signed', aid: aidText(boot.aid), incarnation: boot.incarnation });
        return real.sign(key, ...parts);
      },
    };
  }

  /** From this point of the recording on, this holds. */
  pledge(pledge: Pledge): void {
    this.pledges.push({ at: this.disk.operations.length, pledge });
  }
}

const BOOT = utf8(LABELS.boot);

function isBootLabel(part: Uint8Array | undefined): boolean {
  return part?.length === BOOT.length + 1 && BOOT.every((byte, index) => part[index] === byte);
}
