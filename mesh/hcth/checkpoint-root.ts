/**
 * What a `ckroot` or `bye` statement says (protocol.md §2.2): one root over the heads of all links at that moment, so that
 * a few bytes every ten minutes commit a node to everything it has said to everybody; and how far it had the mesh's log,
 * so that a node whose ledger lost its end knows it.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { compareBytes, u32, u64 } from '#core/bytes/bytes.ts';
import type { Position } from '#mesh/wire/message.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const EMPTY = new Uint8Array(32);

/** The head of one link, in our direction. */
export interface LinkHead {
  readonly peer: Aid;
  readonly sent: Position;
}

/** See the header. */
export interface CheckpointRoot {
  readonly root: Uint8Array;
  readonly links: number;
  /** Entries of the mesh's log that this node held. */
  readonly commit: number;
}

/** Merkle root over the heads in ascending order of the peers; 32 zero bytes for none. An odd one out rises unchanged. */
export function linkHeadsRoot(crypto: CryptoPort, heads: readonly LinkHead[]): Uint8Array {
  let level = [...heads]
    .sort((a, b) => compareBytes(a.peer, b.peer))
    .map(({ peer, sent }) => crypto.sha256(LEAF, peer, u32(sent.incarnation), sent.nonce, u64(sent.sequence), sent.head));
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const [left, right] = [level[index], level[index + 1]];
      if (left !== undefined) above.push(right === undefined ? left : crypto.sha256(NODE, left, right));
    }
    level = above;
  }
  return level[0] ?? EMPTY;
}

/** Body of the statement. */
export function encodeCheckpointRoot(content: CheckpointRoot): Uint8Array {
  return encodeFields({ v: 1, r: content.root, n: content.links, c: content.commit });
}

/** The counterpart of {@link encodeCheckpointRoot}. */
export function decodeCheckpointRoot(body: Uint8Array): CheckpointRoot | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  const content: CheckpointRoot = {
    root: fields.bytes('r', 32),
    links: fields.integer('n', 0, Number.MAX_SAFE_INTEGER),
    commit: fields.integer('c', 0, Number.MAX_SAFE_INTEGER),
  };
  return fields.sound ? content : undefined;
}
