/** Records of peers as tests find them on a disk: under the owner's signature, which is not verified here. */
import { RECORD_BYTES_MAX } from '#core/journal/limits.ts';
import { unpackObject } from '#mesh/hcth/packed-object.ts';
import { decodePeerRecord, type PeerRecord } from '#mesh/hcth/peer-record.ts';

/** What the record says; undefined where it is none. */
export function storedPeer(sealed: Uint8Array): PeerRecord | undefined {
  const object = unpackObject(sealed, RECORD_BYTES_MAX);
  return object === undefined ? undefined : decodePeerRecord(object.body);
}
