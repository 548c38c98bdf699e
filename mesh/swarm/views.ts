/**
 * What the mesh shows of itself: plain data for the layers above (agent API, command line, tests). Everything here is
 * safe to print; secrets never appear (protocol.md §2.16).
 */
import type { Millis } from '#core/time/time.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { TrustAction } from '#mesh/trust/permissions.ts';

/** How a peer is seen from here; `left` and `forgotten` members are no longer listed as members. */
export type Liveness = 'up' | 'suspect' | 'down' | 'left';

/** Where this node stands in the life of a machine (design.md §4). */
export type NodeState = 'unjoined' | 'joining' | 'lobby' | 'member' | 'contested' | 'refused';

/** T0 stranger … T4 core (protocol.md §2.13). */
export type TrustLevel = 0 | 1 | 2 | 3 | 4;

/** What a node can do; announced to all members. Unknown facts are null, never guessed. */
export interface Capabilities {
  readonly agentVersion: string;
  /** `arm64`, `x64`. */
  readonly arch: string;
  readonly os: string;
  readonly kernel: string;
  /** Identifier of the hardware profile, e.g. `raspberry-pi-4b`, `generic-x86-64-mini-pc`. */
  readonly profile: string;
  /** The board's or machine's own name, e.g. `Raspberry Pi 4 Model B Rev 1.4`. */
  readonly model: string | null;
  readonly cpu: { readonly model: string | null; readonly cores: number; readonly maxMhz: number | null };
  readonly memoryBytes: number;
  readonly gpu: string | null;
  readonly storage: { readonly kind: 'sd' | 'emmc' | 'nvme' | 'ssd' | 'hdd' | 'virtual' | 'unknown'; readonly bytes: number; readonly freeBytes: number };
  /** Named skills, sorted, e.g. `code-execution`, `data-processing`, `network-io`, `ai-inference`. */
  readonly skills: readonly string[];
  /** MAC addresses of permanent interfaces, sorted, lower case with colons. */
  readonly macs: readonly string[];
}

export type ConditionKind =
  'under-voltage' | 'throttled' | 'hot' | 'storage-read-only' | 'storage-worn' | 'storage-filling' | 'memory-low' | 'clock-unsynchronised' | 'hardware-changed';

/** Something is wrong with a node now, or was. */
export interface Condition {
  readonly kind: ConditionKind;
  readonly severity: 'notice' | 'warning' | 'critical';
  /** Plain-language cause with the value, e.g. "the power supply sags below 4.63 V; use the board's own supply". */
  readonly text: string;
  readonly value: number | null;
  readonly worst: number | null;
  readonly unit: string | null;
  /** Wall clock of the reporting node. */
  readonly since: Millis;
  /** Set once it has cleared. */
  readonly until: Millis | null;
}

/** One identity on two machines. */
export interface ContestView {
  readonly aid: string;
  readonly name: string;
  readonly since: Millis;
  /** Whether this node acts on it: seen or verified here, told by a voter, or told by two members. */
  readonly believed: boolean;
  /** Names of those who saw it. */
  readonly observers: readonly string[];
  /** The incumbent first. `boot` is what `robonet identity settle --copy` takes. */
  readonly holders: readonly { readonly boot: string; readonly incarnation: number; readonly address: string | null; readonly macs: readonly string[] }[];
  readonly text: string;
}

/** An identity that may never come back. */
export interface BarredView {
  readonly aid: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly cause: 'equivocation' | 'owner';
  readonly reason: string;
  /** Digest of the proof, hexadecimal. */
  readonly evidence: string | null;
  /** Kind of the hardware secret that is barred with it. */
  readonly hardware: string | null;
  readonly at: Millis;
}

/** One member as seen from this node; the node itself is in the list too (`self: true`). */
export interface NodeView {
  /** `rn1…` (protocol.md §2.2). */
  readonly aid: string;
  /** `XXXX-XXXX-XXXX-XXXX`. */
  readonly fingerprint: string;
  readonly name: string;
  readonly self: boolean;
  readonly role: string;
  readonly voter: boolean;
  readonly leader: boolean;
  readonly liveness: Liveness;
  /** Wall clock of this node when it last heard from the peer; null for never in this run. */
  readonly lastSeen: Millis | null;
  readonly rttMs: number | null;
  /** `host:port` last used. */
  readonly address: string | null;
  readonly trust: TrustView | null;
  readonly incarnation: number | null;
  /** How often its key has been rotated, as far as known here. */
  readonly rotation: number | null;
  readonly capabilities: Capabilities | null;
  readonly conditions: readonly Condition[];
  readonly joinedAt: Millis | null;
  /** Its identity lives on two machines; null for nearly everybody. */
  readonly contest: ContestView | null;
}

/** This node's own judgement of one peer (protocol.md §2.12, §2.13, §2.16). */
export interface TrustView {
  readonly score: number;
  readonly level: TrustLevel;
  readonly standing: 'clear' | 'frozen' | 'contested' | 'convicted';
  /** Length credit ℓ in frames, time credit A in milliseconds, debt D. */
  readonly lengthCredit: number;
  readonly timeCreditMs: Millis;
  readonly debt: number;
  /** Count of breaks by class, e.g. `{ B1: 2 }`. */
  readonly breaks: Readonly<Record<string, number>>;
  readonly sent: { readonly incarnation: number; readonly sequence: number };
  readonly received: { readonly incarnation: number; readonly sequence: number };
  readonly lastCheckpointAt: Millis | null;
  /** What it may do here now, by its level and its role (protocol.md §2.13): `voter` among it where it may become one. */
  readonly may: readonly TrustAction[];
}

/** A piece of the evidence store that convicts nobody: both halves, as far as this node has them. */
export interface KeptEvidence {
  /** File in the folder `evidence`. */
  readonly name: string;
  readonly class: BreakClass;
  readonly why: string;
  /** Signed objects in hexadecimal. */
  readonly objects: readonly { readonly body: string; readonly sig: string }[];
}

/** A machine waiting in the lobby for a person's approval. */
export interface AdmissionRequest {
  /** What a person types after comparing it with the machine's own screen. */
  readonly fingerprint: string;
  readonly aid: string;
  readonly name: string;
  readonly address: string;
  readonly since: Millis;
  readonly expiresAt: Millis;
  readonly capabilities: Capabilities | null;
}

export interface MeshView {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** First 16 of them; what mDNS and HELLO carry. */
  readonly tag: string;
  readonly name: string;
  readonly admission: AdmissionMode;
  readonly trustProfile: TrustProfile;
  readonly quorum: number;
  readonly voters: number;
  readonly leader: string | null;
  readonly term: number;
  readonly commitIndex: number;
  readonly foundedAt: Millis;
}

export type AdmissionMode = 'closed' | 'approve' | 'token' | 'open';
export type TrustProfile = 'lab' | 'home' | 'fleet';

/** Everything `robonet status` needs, in one consistent snapshot. */
export interface StatusView {
  readonly state: NodeState;
  /** Why this node is not (yet) a member, or what it waits for; null for a healthy member. */
  readonly stateReason: string | null;
  readonly self: NodeView;
  readonly startReason: string;
  readonly degraded: readonly string[];
  readonly mesh: MeshView | null;
  readonly nodes: readonly NodeView[];
  readonly requests: readonly AdmissionRequest[];
  /** Identities that were closed, the newest first; never members again. */
  readonly closed: readonly ClosedView[];
  /** Machines that came with one strange identity after another, each once. */
  readonly strangers: readonly StrangerView[];
  readonly barred: readonly BarredView[];
}

/** An identity that will never be used again, because its keys are gone. */
export interface ClosedView {
  readonly aid: string;
  readonly fingerprint: string;
  readonly name: string;
  /** Wall clock of the voter. */
  readonly closedAt: Millis;
  /** Who has taken its place; null for nobody. */
  readonly successor: { readonly aid: string; readonly fingerprint: string; readonly name: string | null } | null;
}

/** A line of the event stream: stable code, then particulars (protocol.md §2.16). */
export interface EventRecord {
  /** Wall clock, milliseconds. */
  readonly at: Millis;
  /** A refusal code of §2.16 or an event code of docs/OPERATING.md, in capitals with underscores. */
  readonly code: string;
  readonly severity: 'info' | 'notice' | 'warning' | 'critical';
  readonly text: string;
  /** Text form of the identity concerned, when authenticated. */
  readonly aid: string | null;
  /** Network address the cause came from, when it came from the network. */
  readonly source: string | null;
  readonly data: Readonly<Record<string, string | number | boolean | null>>;
}

/** One machine that has shown many strange identities; times are this node's wall clock. */
export interface StrangerView {
  /** Hardware address from this node's neighbour table; null where it is not known. */
  readonly mac: string | null;
  readonly addresses: readonly string[];
  readonly identities: number;
  /** Attempts from there that were refused. */
  readonly turnedAway: number;
  readonly firstAt: Millis;
  readonly lastAt: Millis;
}

/** Options of `robonet init`. */
export interface FoundOptions {
  readonly name: string;
  readonly admission: AdmissionMode;
  readonly trustProfile: TrustProfile;
}

/** Options of `robonet invite`. */
export interface InviteOptions {
  readonly role: 'member' | 'voter' | 'observer';
  readonly uses: number;
  readonly expiresInMs: Millis;
  /** Shown in lists; e.g. the host it was made for. */
  readonly label: string | null;
}

export interface Invitation {
  /** `rnj1.…`; a secret: print it only where asked for, never log it. */
  readonly token: string;
  readonly tokenId: string;
  readonly meshId: string;
  readonly meshName: string;
  readonly expiresAt: Millis;
  /** What is left of them. */
  readonly uses: number;
  readonly role: string;
  readonly standing: 'open' | 'used' | 'revoked' | 'expired';
  /** The note it was made with. */
  readonly label: string | null;
  /** Text form of the identities that used it. */
  readonly usedBy: readonly string[];
}

/** How this node gets into a mesh. */
export type JoinOptions =
  | { readonly mode: 'token'; readonly token: string; readonly peers: readonly string[] }
  | {
      readonly mode: 'request';
      /** Mesh name, tag or id; null takes the only mesh in sight and refuses when there are several. */
      readonly mesh: string | null;
      /** Fingerprint of a member the person has seen on that member's own screen; null is trust on first use. */
      readonly expect: string | null;
      readonly peers: readonly string[];
    };
