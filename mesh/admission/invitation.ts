/**
 * Making an invitation: the secret text for its bearer, the public entry for the ledger, the key that the voters keep.
 * Pure: the caller draws the random bytes and proposes the entry; only when that is committed may the text be shown.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Millis } from '#core/time/time.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import type { TokenChange } from './entries.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type Registry, tokenStanding, votersOf } from './registry.ts';
import type { Role } from './roles.ts';
import { encodeToken, type Token, TOKEN_ID_BYTES, TOKEN_SECRET_BYTES, tokenPsk } from './token.ts';

/** Random bytes that an invitation takes: its number and its secret. */
export const INVITATION_RANDOM_BYTES = TOKEN_ID_BYTES + TOKEN_SECRET_BYTES;

/** What a person asks for. */
export interface InvitationOrder {
  readonly role: Role;
  readonly uses: number;
  readonly expiresInMs: Millis;
  readonly label: string | null;
  readonly hardware: string | null;
  /** `host:port` of members, best first. */
  readonly peers: readonly string[];
}

/** An invitation, or why there is none. */
export type InvitationOutcome =
  | {
      readonly kind: 'invited';
      readonly change: TokenChange;
      readonly token: Token;
      readonly text: string;
      /** For the voters' own keeping. */ readonly psk: Uint8Array;
    }
  | { readonly kind: 'refuse'; readonly code: 'NOT_PERMITTED'; readonly why: string };

/** Draw up an invitation by the voter's clock; `by` is the member at which it was asked for. */
export function makeInvitation(crypto: CryptoPort, registry: Registry, order: InvitationOrder, by: Aid, wall: Millis, random: Uint8Array): InvitationOutcome {
  assert(random.length === INVITATION_RANDOM_BYTES, `an invitation takes ${INVITATION_RANDOM_BYTES} random bytes`);
  const why = faultOf(registry, order, wall);
  if (why !== undefined) return { kind: 'refuse', code: 'NOT_PERMITTED', why };
  const tokenId = random.slice(0, TOKEN_ID_BYTES);
  const expiresAt = Math.floor(wall + order.expiresInMs);
  const { role, uses, hardware } = order;
  const token: Token = {
    meshId: registry.mesh.id,
    meshName: registry.mesh.genesis.name,
    tokenId,
    secret: random.slice(TOKEN_ID_BYTES),
    expiresAt,
    uses,
    role,
    pins: votersOf(registry)
      .slice(0, LIMITS.tokenPinsMax)
      .map(({ aid }) => aid),
    hardware,
    peers: order.peers.filter((peer) => peer.length <= LIMITS.tokenTextCharactersMax).slice(0, LIMITS.tokenPeersMax),
  };
  const label = order.label === null ? null : order.label.slice(0, LIMITS.labelCharactersMax);
  return {
    kind: 'invited',
    change: { kind: 'token', tokenId, expiresAt, uses, role, label, hardware, by },
    token,
    text: encodeToken(token),
    psk: tokenPsk(crypto, token),
  };
}

function faultOf(registry: Registry, { role, uses, expiresInMs, hardware }: InvitationOrder, wall: Millis): string | undefined {
  if (registry.admission === 'closed') return 'the mesh is closed: it admits no new machines';
  if (role === 'quarantine') return 'nobody is invited into quarantine';
  if (!Number.isInteger(uses) || uses < 1 || uses > LIMITS.tokenUsesMax) return `${uses} uses are outside 1 … ${LIMITS.tokenUsesMax}`;
  if (!(expiresInMs >= LIMITS.tokenLifeMsMin && expiresInMs <= LIMITS.tokenLifeMsMax))
    return `a validity of ${Math.round(expiresInMs / 1_000)} s is outside ${LIMITS.tokenLifeMsMin / 1_000} … ${LIMITS.tokenLifeMsMax / 1_000} s`;
  if (hardware !== null && (hardware === '' || hardware.length > LIMITS.tokenTextCharactersMax))
    return `a serial number has 1 … ${LIMITS.tokenTextCharactersMax} characters`;
  const open = [...registry.tokens.values()].filter((token) => tokenStanding(token, wall) === 'open').length;
  if (open >= LIMITS.tokensOpenMax) return `${open} invitations are open; ${LIMITS.tokensOpenMax} are allowed: revoke some with "robonet invite revoke"`;
  return undefined;
}

/** The invitation that a person means by its number in hexadecimal, or by an unambiguous beginning of at least four digits. */
export function findToken(registry: Registry, typed: string): Uint8Array | undefined {
  const wanted = typed.trim().toLowerCase();
  if (wanted.length < 4) return undefined;
  const found = [...registry.tokens.values()].filter(({ tokenId }) => hex(tokenId).startsWith(wanted));
  return found.length === 1 ? found[0]?.tokenId : undefined;
}
