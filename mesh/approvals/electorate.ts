/** Who may approve, as the log says at one of its entries: what approvals need of the registry and of the configuration. */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';

/** One voter. */
export interface VoterStanding {
  readonly aid: Aid;
  /** The key in force. */
  readonly signKey: Uint8Array;
  /** Mesh score in ten-thousandths as the log has it; null where the log has none. */
  readonly score: number | null;
}

/** See the header. The same on every node that has applied the same entries. */
export interface Electorate {
  readonly meshId: Uint8Array;
  /** Current voters, without those that are barred or removed. Their number is N. */
  readonly voters: readonly VoterStanding[];
  readonly memberCount: number;
  /** The key in force of a member that is not suspended; undefined for everybody else. */
  readonly keyOf: (aid: Aid) => Uint8Array | undefined;
  /** θ_eff in ten-thousandths (protocol.md §2.13): who has a lower score does not approve. */
  readonly scoreMin: number;
}

/** The voter of this identity. */
export function voterOf(electorate: Electorate, aid: Aid): VoterStanding | undefined {
  return electorate.voters.find((voter) => bytesEqual(voter.aid, aid));
}
