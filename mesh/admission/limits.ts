/** Named bounds of admission, each with what happens at it (docs/LIMITS.md). */
import { DAY, HOUR, MINUTE, SECOND } from '#core/time/time.ts';

export const ADMISSION_LIMITS = {
  /** Characters of a mesh's name; a longer one is refused with its length. */
  meshNameCharactersMax: 48,
  /** Characters of a node's name; longer ones are cut, the suffix that makes them unique included. */
  nodeNameCharactersMax: 63,
  /** Founders of one mesh, all of them voters; more are refused (protocol.md §3.1). */
  foundersMax: 7,
  /** Bytes of a signed genesis; it must fit into one ledger entry and into one frame to a stranger. */
  genesisBytesMax: 2_560,
  /** Bytes of a signed membership record; larger ones are refused before they are decoded. */
  recordBytesMax: 1_024,
  /** Bytes of one ledger entry's body (protocol.md §3.10, 22); larger ones are not entries. */
  entryBytesMax: 65_536,
  /** Characters of a token; a longer text is refused unread. */
  tokenCharactersMax: 2_048,
  /** Identities that a token pins; more are refused when it is made. */
  tokenPinsMax: 8,
  /** Addresses that a token carries; further ones are left out. */
  tokenPeersMax: 4,
  /** Characters of one address or hardware hint in a token. */
  tokenTextCharactersMax: 64,
  /** Uses of one token; more are refused when it is made. */
  tokenUsesMax: 1_000,
  /** How long a new invitation may be open; anything else is refused where it is asked for. */
  invitationMsMin: SECOND,
  invitationMsMax: 366 * DAY,
  /** Shortest validity of a token. */
  tokenLifeMsMin: MINUTE,
  /** Longest validity of a token. */
  tokenLifeMsMax: 30 * DAY,
  /** Tokens that are neither used up nor expired nor revoked; a further one is refused (revoke some). */
  tokensOpenMax: 256,
  /** Tokens remembered in all; the oldest closed ones are forgotten, after which their reuse is merely unknown. */
  tokensKeptMax: 1_024,
  /** Characters of a token's label; longer ones are cut. */
  labelCharactersMax: 64,
  /** Rotations that one ledger entry seals; more take further entries. */
  rotationsPerEntryMax: 8,
  /** Characters of the reason for a bar; longer ones are cut. */
  reasonCharactersMax: 160,
  /** Bytes of the approvals behind a decision; larger ones are not entries. */
  certificateBytesMax: 16_384,
  /** Machines of settled identities, by the boot event they were seen with; the oldest is forgotten. */
  settledMax: 2_048,
  /** Members of one mesh; further machines are refused. */
  membersMax: 1_024,
  /** Identities that were ever members, removed ones included; they are never forgotten, so further machines are refused. */
  identitiesMax: 8_192,
  /** Machines that wait in the lobby at once; a further one is refused (`LOBBY_FULL`). */
  lobbyEntriesMax: 16,
  /** Of those, machines behind one hardware or source address; a further one is refused (`LOBBY_FULL`), so that one host cannot fill the list. */
  lobbyPerMachineMax: 4,
  /** Strange identities of one machine from which on it is an alert. */
  strangerIdentitiesSuspect: 5,
  /** The one alert comes so long after that, and then knows most of it. */
  strangerAlertDelayMs: 5 * SECOND,
  /** Strange identities are counted together while no longer than this passes between two. */
  strangerWindowMs: 10 * MINUTE,
  /** An alert is shown in `status` for so long after the last of them. */
  strangerAlertKeptMs: DAY,
  /** Machines watched; the one with the fewest identities is forgotten. */
  strangerMachinesMax: 64,
  /** Identities and addresses remembered of one machine; further ones are not counted. */
  strangerIdentitiesMax: 256,
  strangerAddressesMax: 16,
  /** A machine that has not shown itself for so long no longer waits. */
  lobbyMsMax: 10 * MINUTE,
  /** Frames per second from a machine in the lobby; more is back-pressure. */
  lobbyFramesPerSecond: 2,
  /** A denied machine is refused at once for so long. */
  denialMs: 10 * MINUTE,
  /** Denials remembered; the oldest is forgotten. */
  denialsMax: 64,
  /** Bytes of what a waiting machine says it can do; larger statements are dropped. */
  lobbyCapabilitiesBytesMax: 3_072,
  /** Time between two promotions out of quarantine in an `open` mesh (protocol.md §2.14). */
  promotionMsMin: HOUR,
  /** Score in ten-thousandths from which a quarantined machine may be promoted. */
  promotionScoreMin: 3_000,
} as const;
