/** Frames as a stranger writes them by hand, and what came back: for tests of the first bytes of a connection. */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { FrameReader } from '#mesh/wire/frame-reader.ts';
import { encodeFrame } from '#mesh/wire/header.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { Hello } from '#mesh/wire/message.ts';

/** The body of a HELLO that is right, but for the changes. */
export function helloBody(changes: Partial<Hello> = {}): Uint8Array {
  return encodeMessage({
    kind: 'hello',
    answer: false,
    versions: [1],
    meshTag: new Uint8Array(8),
    mode: 2,
    tokenId: null,
    features: 0,
    random: new Uint8Array(16),
    ...changes,
  });
}

/** One frame in the clear. */
export function strangeFrame(crypto: CryptoPort, type: number, payload: Uint8Array, changes: { flags?: number; sequence?: number } = {}): Uint8Array {
  return encodeFrame(crypto, { type, flags: changes.flags ?? 0, channel: 0, sequence: changes.sequence ?? 0 }, payload);
}

/** The code of the REJECT among what came back. */
export function rejectedWith(crypto: CryptoPort, received: readonly Uint8Array[]): string | undefined {
  const reader = new FrameReader(crypto, 4_096);
  for (const bytes of received) {
    reader.push(bytes);
    for (let next = reader.next(); next?.kind === 'frame'; next = reader.next()) {
      if (next.type !== MESSAGE_TYPE.REJECT) continue;
      const decoded = decodeMessage(next.type, next.payload);
      if (decoded.kind === 'ok' && decoded.message.kind === 'reject') return decoded.message.code;
    }
  }
  return undefined;
}
