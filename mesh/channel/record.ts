/**
 * Records: frames sealed by a session's cipher (protocol.md §2.5). The first 20 header bytes are authenticated with the
 * payload; the checksum covers the wire bytes and is there for accidents only.
 */
import { assert } from '#core/errors/assert.ts';
import { type Refused, refused } from '#mesh/wire/decoded.ts';
import { type Checksum, type Frame, type FrameFields, writeChecksum, writeHeader } from '#mesh/wire/header.ts';
import { HEADER_BYTES, HEADER_BYTES_COVERED, TAG_BYTES } from '#mesh/wire/limits.ts';
import { FLAG } from '#mesh/wire/message-type.ts';
import type { CipherState } from './cipher-state.ts';

/** An opened record. */
export type Opened = { readonly kind: 'ok'; readonly plaintext: Uint8Array } | Refused;

/**
 * Seal a plaintext into a complete frame. The result's first 20 bytes are what the link chain hashes with the plaintext.
 */
export function sealRecord(checksum: Checksum, cipher: CipherState, fields: FrameFields, plaintext: Uint8Array): Uint8Array {
  assert((fields.flags & FLAG.ENC) !== 0, 'records carry the flag ENC');
  const covered = new Uint8Array(HEADER_BYTES_COVERED);
  writeHeader(covered, fields, plaintext.length + TAG_BYTES);
  const frame = cipher.seal(covered, plaintext, HEADER_BYTES);
  frame.set(covered);
  writeChecksum(checksum, frame);
  return frame;
}

/** Open a received frame. A failure is a link alarm and never held against the peer (§2.5). */
export function openRecord(cipher: CipherState, frame: Frame): Opened {
  if ((frame.flags & FLAG.ENC) === 0) return refused('AEAD_FAIL', 'a frame inside the session was not sealed');
  const plaintext = cipher.open(frame.covered, frame.payload);
  return plaintext === undefined ? refused('AEAD_FAIL', `record ${String(cipher.records)} does not open with the session's key`) : { kind: 'ok', plaintext };
}
