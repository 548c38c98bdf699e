/**
 * The refusal codes of protocol.md §2.16: the one list of reasons for which a connection, a frame or a request is turned
 * away. A code travels in REJECT and BYE and appears in the event stream; codes are API, texts are not.
 * Must never contain anything that depends on the peer's bytes: the texts are shown to people.
 */

const texts = {
  FRAME_MAGIC: 'the bytes are not a roboNet frame; another program may be using this port',
  FRAME_VERSION: 'the frame has a version that this agent does not speak; update the older of the two agents',
  FRAME_TYPE: 'the frame has a message type that this protocol version does not know, or that is not allowed at this point',
  FRAME_CRC: 'the frame was damaged on the way (its checksum does not fit); nobody is blamed, the link is opened again',
  FRAME_SIZE: 'the frame is larger than this peer may send in its present state',
  FRAME_FLAGS: 'reserved bits of the frame header are set',
  AEAD_FAIL: 'a frame arrived intact but was not sealed with the key of this session: somebody tampers with the path, or keys are out of step',
  SEQ: 'the peer skipped or repeated a sequence number inside an authenticated session',
  HS_TIMEOUT: 'the handshake was not completed in time',
  HS_FAIL: 'the handshake could not be verified; the two ends do not agree on keys or on what was said',
  VERSION_FLOOR: 'the two agents have no protocol version in common, or one offers less than it used before; upgrade the older agent first',
  MESH_MISMATCH: 'the peer belongs to another mesh',
  TOKEN_BAD: 'the invitation is not one of this mesh, or its secret is wrong',
  TOKEN_EXPIRED: 'the invitation has expired; make a new one with "robonet invite"',
  TOKEN_USED: 'the invitation has been used up; make a new one with "robonet invite"',
  LOBBY_FULL: 'too many machines already wait for approval; approve or deny some, or try again later',
  RATE_LIMIT: 'too many attempts from this address; try again in a minute',
  SLOW_PEER: 'the peer sent too slowly to finish a frame in time',
  SLOW_CONSUMER: 'the peer did not read what was sent to it, and the outbound queue is full',
  DUP_CONN: 'the two nodes dialled each other at once; the other connection is kept',
  IDENTITY_BAD: 'the peer could not prove the identity it claims',
  IDENTITY_STALE: 'the peer runs on state older than what it has signed before; it must restart with a newer incarnation',
  IDENTITY_CONTESTED: 'another machine with the same identity is alive; one of the two is a copy',
  IDENTITY_BARRED: 'this identity has been removed from the mesh',
  CHAIN_MISMATCH: 'the peer’s account of our shared history differs from ours',
  CHALLENGE_STALE: 'the peer answered a challenge that is too old to count',
  EQUIVOCATION: 'the peer has signed two different statements for the same place in its history',
  RMP_INVALID: 'the message is malformed',
  NOT_PERMITTED: 'the peer’s role or trust level does not permit this',
  QUORUM_UNREACHABLE: 'too few voters can be reached to decide; nothing was changed',
  APPROVAL_DENIED: 'a person has denied this request',
  STATE_DEGRADED: 'this node’s stored state is damaged; it does not decide anything until it is in step again',
} as const;

/** A reason for turning something away; stable across versions. */
export type RefusalCode = keyof typeof texts;

/** Why a BYE was sent when nothing was wrong. */
export type FarewellCode = 'SHUTDOWN' | 'LEAVE' | 'RENEW';

const farewells: Readonly<Record<FarewellCode, string>> = {
  SHUTDOWN: 'the node is stopping and will be back',
  LEAVE: 'the node leaves the mesh for good',
  RENEW: 'the session has reached its age limit and is opened again',
};

/** All codes of §2.16, in its order. */
export const refusalCodes: readonly RefusalCode[] = Object.keys(texts).filter(isRefusalCode);

/** One plain sentence, without particulars. */
export function refusalText(code: RefusalCode | FarewellCode): string {
  return isRefusalCode(code) ? texts[code] : farewells[code];
}

/** Whether a text from the wire is one of the codes. */
export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(texts, code);
}

/** Whether a text from the wire is an orderly farewell. */
export function isFarewellCode(code: string): code is FarewellCode {
  return Object.hasOwn(farewells, code);
}
