/**
 * Waiting machines and invitations as people see them.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import type { LobbyEntry } from '#mesh/admission/lobby.ts';
import { tokenStanding, type TokenState } from '#mesh/admission/registry.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { decodeCapabilitiesAlone } from './facts-codec.ts';
import type { MeshState } from './mesh-state.ts';
import type { AdmissionRequest, Invitation } from './views.ts';

/** A waiting machine. */
export function requestView(entry: LobbyEntry): AdmissionRequest {
  return {
    fingerprint: entry.fingerprint,
    aid: aidText(entry.aid),
    name: entry.name,
    address: entry.address,
    since: Math.floor(entry.since),
    expiresAt: Math.floor(entry.expiresAt),
    capabilities: decodeCapabilitiesAlone(entry.capabilities),
  };
}

/** An invitation without its secret, and what became of it. */
export function invitationView(token: TokenState, mesh: MeshState, wall: Millis): Omit<Invitation, 'token'> {
  return {
    tokenId: token.text,
    meshId: hex(mesh.id),
    meshName: mesh.mesh.genesis.name,
    expiresAt: token.expiresAt,
    // What is left of them: 0 for one that is used up.
    uses: Math.max(0, token.uses - token.usedBy.length),
    role: token.role,
    standing: tokenStanding(token, wall),
    label: token.label,
    usedBy: token.usedBy.map(aidText),
  };
}
