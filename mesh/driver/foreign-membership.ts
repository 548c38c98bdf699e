/**
 * A power cut between two files can leave the membership of an identity that is no longer there. It must not be taken for
 * our own: the mesh knows somebody else under it. Says only whose it is; what cannot be read is nobody's business here.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { verifyGenesis } from '#mesh/admission/genesis.ts';
import { recordOwner } from '#mesh/admission/membership-record.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';

/** The member that a stored membership speaks of, where that is somebody else than `self`. */
export function foreignMembership(crypto: CryptoPort, self: Aid, document: Uint8Array | null): Aid | undefined {
  const decoded = document === null ? undefined : decodeMessage(MESSAGE_TYPE.WELCOME, document);
  if (decoded?.kind !== 'ok' || decoded.message.kind !== 'welcome') return undefined;
  const { message } = decoded;
  const verdict = verifyGenesis(crypto, message.genesis, message.meshId);
  if (verdict.kind === 'bad') return undefined;
  const { mesh } = verdict;
  if (mesh.founders.some(({ aid }) => bytesEqual(aid, self))) return undefined;
  if (message.record.length === 0) return mesh.founders[0]?.aid;
  // Whoever signed it: the voter may have rotated since, and the file is our own.
  const owner = recordOwner(message.record);
  return owner === undefined || bytesEqual(owner, self) ? undefined : owner;
}
