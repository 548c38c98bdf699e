/** Every bound of a connection (protocol.md §2.5, §2.13, §2.15), with what happens there; docs/LIMITS.md repeats them. */
import { DAY, MINUTE, SECOND } from '#core/time/time.ts';
import { LEVEL_PERMISSIONS } from '#mesh/trust/permissions.ts';

export const SESSION_LIMITS = {
  /** Accept to HS3, in total, not per read; then REJECT `HS_TIMEOUT`. */
  handshakeMsMax: 5 * SECOND,
  /** Payload before authentication; above: `FRAME_SIZE` before a byte of it is buffered. */
  preAuthBytesMax: 2_048,
  helloBytesMax: 256,
  /** Establishment events in one EST during a handshake; a longer log takes more of them (`RATE_LIMIT`, `HS_TIMEOUT`). */
  logPieceBytesMax: 1_800,
  /** The lobby may send this many frames per second. */
  lobbyFramesPerSecond: 2,
  /** Header after its first byte, payload after its header; or this rate. Then `SLOW_PEER`. */
  headerMsMax: 5 * SECOND,
  payloadMsMax: 10 * SECOND,
  payloadBytesPerSecondMin: 16_384,
  /** Unsent bytes to one peer: drop gossip from half of it on, hold back bulk from three quarters on, close `SLOW_CONSUMER` at all of it. */
  outboundBytesMax: 8 * 1024 * 1024,
  /** Unfinished frames of all connections together; beyond it connections are closed (`RATE_LIMIT`), strangers first, then by trust. */
  inboundBytesMax: 64 * 1024 * 1024,
  /** Messages of one turn in one frame, and their bytes. */
  batchEntriesMax: 256,
  batchBytesMax: 65_536,
  /** So many calls or bytes of one turn go out before it ends, while the peer's frame rate has room. */
  earlyEntries: 24,
  earlyBytes: 32_768,
  /** A checkpoint goes out at each slot, after so many frames or bytes, and in BYE. */
  slotMs: MINUTE,
  checkpointFrames: 1_024,
  checkpointBytes: 16 * 1024 * 1024,
  /** A direction is re-keyed after so many frames that are checkpoints, one of which goes out each slot: 15 min. */
  rekeyCheckpoints: 15,
  /** Age of a session; then BYE `RENEW` and a whole new handshake. */
  sessionMsMax: DAY,
  /** Handshakes remembered by the keys drawn for them, so that a replay is called one; the oldest is forgotten. */
  handshakesRememberedMax: 2_048,
  /** A link must have been resumed (VOID) this soon after ACCEPT. */
  resumeMsMax: 10 * SECOND,
} as const;

export const GATE_LIMITS = {
  /** Half-open connections altogether and per source; more are closed at once with `RATE_LIMIT`. */
  halfOpenMax: 64,
  halfOpenPerSourceMax: 4,
  /** The same for one machine behind several addresses, known by its hardware address. */
  halfOpenPerMachineMax: 16,
  /** Such a machine may make so many times the new connections of one source. */
  connectionsPerMachineFactor: 4,
  /** New connections per source. */
  connectionsPerMinute: 10,
  connectionBurst: 10,
  /** Full handshakes per second; half of them kept for addresses where members were last seen. */
  handshakesPerSecond: 20,
  /** Established connections altogether. */
  connectionsMax: 256,
  /** Sources remembered; the longest idle is forgotten. */
  sourcesMax: 4_096,
  /** Event lines caused by one source per second; the rest is counted. */
  logLinesPerSecond: 10,
  /** … and by all sources together. */
  logLinesPerSecondTotal: 50,
} as const;

/** What one level may send to us per second (§2.13); exceeding it is back-pressure, never a break. */
export interface LevelRate {
  readonly framesPerSecond: number;
  readonly bytesPerSecond: number;
}

/**
 * The table of §2.13. Buckets hold `RATE_BURST_SECONDS` of it, so that the heartbeats, checkpoint and gossip of a
 * newcomer's first seconds fit into two frames per second.
 */
export const LEVEL_RATES: readonly LevelRate[] = LEVEL_PERMISSIONS.map((level) => ({
  framesPerSecond: level.framesPerSecondMax,
  bytesPerSecond: level.bytesPerSecondMax,
}));

/** How many seconds' worth a bucket holds. */
export const RATE_BURST_SECONDS = 15;
