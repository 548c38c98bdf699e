/** Named bounds of admission, each with what happens at it (docs/LIMITS.md). */
import { MINUTE, type Millis } from '#core/time/time.ts';

export const ADMISSION_LIMITS = {
  /** Machines waiting for approval; the next one is told `LOBBY_FULL`. */
  lobbyWaitingMax: 16,
  /** A waiting machine that is not heard from for so long is forgotten. */
  lobbyMs: 10 * MINUTE,
  /** Frames a waiting machine may send; more is delayed, not punished. */
  lobbyFramesPerSecond: 2,
  /** Members of one mesh; further admissions are refused. */
  membersMax: 1_024,
  /** Open tokens; further ones are refused until some are used, revoked or expire. */
  tokensOpenMax: 256,
  /** Uses of one token. */
  tokenUsesMax: 64,
  /** Longest life of a token. */
  tokenMsMax: (30 * 24 * 60 * MINUTE) as Millis,
  /** Characters of a token text; longer input is not looked at. */
  tokenCharactersMax: 1_024,
  /** Identities a token may pin. */
  tokenPinsMax: 8,
  /** Founders of a genesis. */
  foundersMax: 7,
  /** Establishment events of one member in an admission entry. */
  establishmentEventsMax: 8,
  /** Characters of names of nodes and meshes. */
  nameCharactersMax: 63,
  /** Characters of reasons and labels. */
  textCharactersMax: 256,
  /** Automatic promotions out of quarantine in an `open` mesh, per hour. */
  promotionsPerHour: 1,
} as const;
