/**
 * Every message of version 1 as typed data (protocol.md §2.4–§2.9). Machines see only these, never bytes: a value of one
 * of these types has passed all checks of form and size, and nothing else. Whether what it says is true (signatures,
 * sequence, permission) is for the layers above. Byte strings are views into the received record; do not write to them.
 */
import type { FarewellCode, RefusalCode } from './refusal.ts';

/** A signed object as it travels: verify the bytes first, decode `body` only then (§2.1). `sig` has 64 bytes. */
export interface SignedBytes {
  readonly body: Uint8Array;
  readonly sig: Uint8Array;
}

/** How the initiator wants in: 0 as a member, 1 with a token, 2 by a person's approval (§2.4). */
export type HelloMode = 0 | 1 | 2;

/** First frame in each direction, in plaintext; both are part of the handshake's prologue. */
export interface Hello {
  readonly kind: 'hello';
  /** False: the initiator's, with all versions it speaks. True: the responder's, with exactly the one chosen. */
  readonly answer: boolean;
  readonly versions: readonly number[];
  /** First 8 bytes of the mesh id; all zero for "whichever mesh you are in" (mode 2 only). */
  readonly meshTag: Uint8Array;
  readonly mode: HelloMode;
  /** 8 bytes, in mode 1 only. */
  readonly tokenId: Uint8Array | null;
  /** Feature bits; all zero in version 1, unknown bits are ignored. */
  readonly features: number;
  /** 16 bytes. */
  readonly random: Uint8Array;
}

/** A place in one direction of a link's history (§2.8). `nonce` 16 bytes, `head` 32 bytes. */
export interface Position {
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  readonly sequence: number;
  readonly head: Uint8Array;
}

/** What both sides compare before a link continues (§2.9). */
export interface ResumeBlock {
  /** My newest checkpoint to you, signed by me. */
  readonly ownCheckpoint: SignedBytes | null;
  /** Your newest checkpoint that I hold, signed by you. */
  readonly peerCheckpoint: SignedBytes | null;
  /** Where my sending stands. */
  readonly sent: Position;
  /** How far I have received from you; null when I know nothing of you. */
  readonly received: Position | null;
}

/** The establishment log inside a handshake payload: inline when short, else a digest of its newest event. */
export type EstablishmentPart =
  { readonly kind: 'events'; readonly events: readonly SignedBytes[] } | { readonly kind: 'digest'; readonly digest: Uint8Array; readonly count: number };

/** Encrypted payload of HS2 and HS3 (§2.4). */
export interface HandshakePayload {
  readonly kind: 'handshake-payload';
  readonly establishment: EstablishmentPart;
  readonly boot: SignedBytes;
  /** Ed25519("HCTH1:bind" 00 ‖ role ‖ h); 64 bytes. */
  readonly binding: Uint8Array;
  readonly resume: ResumeBlock | null;
  readonly ledger: { readonly term: number; readonly commit: number };
  /** Proof of hardware binding, opaque here. */
  readonly hardwareQuote: Uint8Array | null;
  /** Membership record, opaque here: a member whose ledger is behind can still verify this one. */
  readonly record: Uint8Array | null;
  /** What the sender's host is called, for whoever admits it; a member has its name from the ledger. */
  readonly name?: string;
  /** Where the sender sees the receiver: the address it dialled, or the one it was dialled from. Absent from who does not say. */
  readonly seenAt?: string;
}

/** What the receiver of a resume block decided (§2.9). */
export type ResumeVerdict = 'first-contact' | 'continue' | 'restart' | 'fast-forward';

/** Ends the handshake: you are in, as this, within these limits. */
export interface Accept {
  readonly kind: 'accept';
  /** 32 bytes; null when this side is not (yet) in a mesh. */
  readonly meshId: Uint8Array | null;
  readonly level: 0 | 1 | 2 | 3 | 4;
  /** `member`, `voter`, `observer`, `lobby`, … */
  readonly role: string;
  readonly verdict: ResumeVerdict;
  /** The responder's only: it learns who the initiator is too late for its handshake payload. */
  readonly resume: ResumeBlock | null;
  readonly limits: { readonly payloadBytesMax: number; readonly framesPerSecond: number; readonly bytesPerSecond: number };
  /** Genesis and signed membership record for a joiner; opaque here. */
  readonly proof: Uint8Array | null;
}

/** Ends the attempt. */
export interface Reject {
  readonly kind: 'reject';
  readonly code: RefusalCode;
  /** The receiver's own signatures that show why (§2.9, R2). */
  readonly evidence: readonly SignedBytes[];
  /** Earliest useful next attempt; null for "this will not change by waiting". */
  readonly retryAfterMs: number | null;
}

/** Ends a session; carries a last checkpoint where there is one. */
export interface Bye {
  readonly kind: 'bye';
  readonly code: RefusalCode | FarewellCode;
  readonly checkpoint: SignedBytes | null;
}

/** Are you there? Also issues the challenge that the next checkpoint must echo. `challenge` has 16 bytes. */
export interface Ping {
  readonly kind: 'ping';
  readonly id: number;
  readonly challenge: Uint8Array;
}

/** Answer to a PING: its number and challenge. */
export interface Pong {
  readonly kind: 'pong';
  readonly id: number;
  readonly challenge: Uint8Array;
}

/** A signed checkpoint; its body belongs to mesh/hcth. */
export interface Ckpt {
  readonly kind: 'ckpt';
  readonly checkpoint: SignedBytes;
}

/** "What I sent after `from` up to `to` is lost; the chain goes on from `head`" (§2.8). `head` has 32 bytes. */
export interface Void {
  readonly kind: 'void';
  readonly from: number;
  readonly to: number;
  readonly head: Uint8Array;
}

/** Which label a piece of evidence was signed under. */
export type EvidenceKind = 'icp' | 'rot' | 'boot' | 'stm' | 'ck';

/** The receiver's own signatures, shown to it (§2.9 self-report rule), or a proof of equivocation. */
export interface Evidence {
  readonly kind: 'evidence';
  readonly items: readonly { readonly of: EvidenceKind; readonly object: SignedBytes }[];
}

/** Asks for establishment events of an identity, from an index on. `aid` has 32 bytes. */
export interface EstFetch {
  readonly kind: 'est-fetch';
  readonly aid: Uint8Array;
  readonly from: number;
}

/** Establishment events of an identity. */
export interface Est {
  readonly kind: 'est';
  readonly aid: Uint8Array;
  readonly from: number;
  readonly events: readonly SignedBytes[];
}

/** Ledger replication; the body belongs to mesh/consensus. */
export interface Raft {
  readonly kind: 'raft';
  readonly body: Uint8Array;
}

/** What a gossip body is about; the numbers are the protocol. */
export const GOSSIP_TOPIC = { MEMBERSHIP: 1, STATEMENT: 2, PROOF: 3, CAPABILITIES: 4, CONDITIONS: 5, ADDRESSES: 6, CONTEST: 7, PRESENCE: 8 } as const;

/** News about `origin` (32 bytes); of two bodies on one topic the larger serial is newer. Unknown topics are dropped, not refused. */
export interface Gossip {
  readonly kind: 'gossip';
  readonly topic: number;
  readonly origin: Uint8Array;
  readonly serial: number;
  readonly body: Uint8Array;
}

/** A call. Delivery is at most once, so calls that change something carry an idempotency key (16 bytes). */
export interface Req {
  readonly kind: 'req';
  readonly id: number;
  readonly key: Uint8Array | null;
  readonly method: string;
  /** How long the caller waits; 0 for "as long as the link lives". */
  readonly timeoutMs: number;
  readonly body: Uint8Array;
}

/** The result of a call. */
export interface Res {
  readonly kind: 'res';
  readonly id: number;
  readonly body: Uint8Array;
}

/** A call failed: a stable code and a sentence. */
export interface Err {
  readonly kind: 'err';
  readonly id: number;
  readonly code: string;
  readonly text: string;
}

/** The caller no longer waits. */
export interface Cancel {
  readonly kind: 'cancel';
  readonly id: number;
}

/** A transfer described before it starts: one 32-byte SHA-256 digest per chunk, in order. */
export interface BulkOffer {
  readonly kind: 'bulk-offer';
  readonly id: number;
  /** What it is for, e.g. `file`. */
  readonly purpose: string;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly digests: Uint8Array;
}

/** One chunk. */
export interface BulkChunk {
  readonly kind: 'bulk-chunk';
  readonly id: number;
  readonly index: number;
  readonly data: Uint8Array;
}

/** What the receiver of a transfer wants: the next chunk index, nothing more, or to stop. */
export interface BulkAck {
  readonly kind: 'bulk-ack';
  readonly id: number;
  readonly state: 'want' | 'done' | 'refused';
  readonly next: number;
}

/** From the lobby: who I am, for the person who decides. `capabilities` is opaque here. */
export interface AdmitReq {
  readonly kind: 'admit-req';
  readonly name: string;
  readonly role: string;
  readonly capabilities: Uint8Array;
}

/** To the lobby: where the request stands. */
export interface AdmitStatus {
  readonly kind: 'admit-status';
  readonly state: 'waiting' | 'approved' | 'denied' | 'expired';
  /** Time left before the request lapses; null where it does not apply. */
  readonly remainingMs: number | null;
  readonly reason: string | null;
}

/** You are a member: the mesh's genesis and the committed record that admits you; both belong to mesh/admission. */
export interface Welcome {
  readonly kind: 'welcome';
  readonly meshId: Uint8Array;
  readonly role: string;
  readonly genesis: Uint8Array;
  readonly record: Uint8Array;
}

/** Sentinel reports; opaque here. */
export interface Sentinel {
  readonly kind: 'sentinel';
  readonly body: Uint8Array;
}

/** Messages that open a connection; their frames are not chained. */
export type OpeningMessage = Hello | Accept | Reject;

/** Messages inside a session. */
export type SessionMessage =
  | Bye
  | Ping
  | Pong
  | Ckpt
  | Void
  | Evidence
  | EstFetch
  | Est
  | Raft
  | Gossip
  | Req
  | Res
  | Err
  | Cancel
  | BulkOffer
  | BulkChunk
  | BulkAck
  | AdmitReq
  | AdmitStatus
  | Welcome
  | Sentinel;

/** Everything with a codec of its own (HS1–HS3 carry Noise messages, whose payload is {@link HandshakePayload}). */
export type Message = OpeningMessage | SessionMessage;
