/**
 * The local API between the command line and the agent: HTTP over a UNIX socket, `POST /v1/<method>` with a JSON body,
 * `GET /v1/events` as NDJSON. Types only, so that the command line stays small; the server checks bodies in schemas.ts.
 */
import type { DoctorReport } from '#agent/doctor/report.ts';
import type { RaftView, SandboxView } from '#agent/status/self-report.ts';
import type { NextKeyWhere } from '#mesh/driver/identity-keeper.ts';
import type { NamedIdentity, TrustExplanation } from '#mesh/driver/mesh-node.ts';
import type { IdentityDocument } from '#mesh/hcth/identity-document.ts';
import type { NextKeyPlace } from '#mesh/hcth/identity-file.ts';
import type {
  AdmissionRequest,
  ClosedView,
  EventRecord,
  FoundOptions,
  Invitation,
  InviteOptions,
  JoinOptions,
  NodeView,
  StatusView,
} from '#mesh/swarm/views.ts';

/** Version of this protocol; in every document as `v`. */
export const API_VERSION = 1;

/** What is true of the agent process itself. */
export interface AgentView {
  readonly version: string;
  readonly build: string;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly port: number;
  readonly stateDirectory: string;
  readonly configuration: string | null;
  readonly interfaces: readonly { readonly name: string; readonly used: boolean; readonly text: string }[];
  readonly rssBytes: number;
}

/** Something a person should do something about. */
export interface Problem {
  readonly code: string;
  readonly severity: 'notice' | 'warning' | 'critical';
  readonly text: string;
  readonly next: string;
}

/** What `robonet status --json` shows (protocol.md §2.16). */
export type StatusAnswer = StatusView & {
  /** Null without a mesh. */
  readonly raft: RaftView | null;
  readonly sandbox: SandboxView;
  readonly agent: AgentView;
  readonly problems: readonly Problem[];
};

/** This node's own identity, safe to print. */
export interface IdentityView {
  readonly aid: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly binding: { readonly kind: string; readonly reason: string; readonly facts: Readonly<Record<string, string>> };
  readonly incarnation: number | null;
  /** Rotations of its key so far. */
  readonly rotation: number;
  readonly nextKey: NextKeyWhere;
  /** Closed identities whose place this node has taken. */
  readonly replaces: readonly ClosedView[];
}

/** What `rotate` takes: texts as they were read from files, so that the agent judges them. */
export interface RotateRequest {
  /** `rnk1.…`; null for the key on the device. */
  readonly nextKey: string | null;
  readonly recovery: boolean;
  /** An identity document as JSON; null for this device's own identity. */
  readonly document: string | null;
  readonly dryRun: boolean;
}

type Nothing = Readonly<Record<string, never>>;

/** Every method with what it takes and gives. */
export interface ApiMethods {
  status: { readonly request: Nothing; readonly response: StatusAnswer };
  init: { readonly request: FoundOptions; readonly response: StatusAnswer };
  join: { readonly request: JoinOptions; readonly response: StatusAnswer };
  leave: { readonly request: Nothing; readonly response: StatusAnswer };
  invite: { readonly request: InviteOptions; readonly response: Invitation };
  invitations: { readonly request: Nothing; readonly response: readonly Omit<Invitation, 'token'>[] };
  'revoke-invitation': { readonly request: { readonly tokenId: string }; readonly response: Nothing };
  approve: { readonly request: { readonly fingerprint: string; readonly replaces?: string | undefined }; readonly response: AdmissionRequest };
  deny: { readonly request: { readonly fingerprint: string; readonly reason: string }; readonly response: AdmissionRequest };
  forget: { readonly request: { readonly node: string }; readonly response: NodeView };
  close: { readonly request: { readonly node: string; readonly replacedBy: string | null }; readonly response: ClosedView };
  rotate: { readonly request: RotateRequest; readonly response: { readonly rotation: number; readonly aid: string } };
  'identity-document': { readonly request: { readonly node: string | null }; readonly response: IdentityDocument };
  /** A secret: the document with the next key. */
  'export-next-key': { readonly request: Nothing; readonly response: IdentityDocument };
  'forget-next-key': { readonly request: { readonly digest: string; readonly how: NextKeyPlace['how']; readonly place: string }; readonly response: Nothing };
  bar: { readonly request: { readonly node: string; readonly reason: string }; readonly response: NamedIdentity };
  'add-voter': { readonly request: { readonly node: string }; readonly response: NamedIdentity };
  'remove-voter': { readonly request: { readonly node: string }; readonly response: NamedIdentity };
  unbar: { readonly request: { readonly node: string }; readonly response: NamedIdentity };
  settle: { readonly request: { readonly node: string; readonly copy: string | null }; readonly response: Nothing };
  trust: { readonly request: { readonly node: string }; readonly response: TrustExplanation };
  identity: { readonly request: Nothing; readonly response: IdentityView };
  events: { readonly request: { readonly limit: number }; readonly response: readonly EventRecord[] };
  ping: { readonly request: { readonly node: string }; readonly response: { readonly rttMs: number } };
  doctor: { readonly request: { readonly peers: readonly string[] }; readonly response: DoctorReport };
}

export type ApiMethod = keyof ApiMethods;
