/**
 * The local API between the command line and the agent: HTTP over a UNIX socket, `POST /v1/<method>` with a JSON body,
 * `GET /v1/events` as NDJSON. Types only, so that the command line stays small; the server checks bodies in schemas.ts.
 */
import type { DoctorReport } from '#agent/doctor/report.ts';
import type { RaftView, SandboxView } from '#agent/status/self-report.ts';
import type { TrustExplanation } from '#mesh/driver/mesh-node.ts';
import type { AdmissionRequest, EventRecord, FoundOptions, Invitation, InviteOptions, JoinOptions, NodeView, StatusView } from '#mesh/swarm/views.ts';

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
  approve: { readonly request: { readonly fingerprint: string }; readonly response: AdmissionRequest };
  deny: { readonly request: { readonly fingerprint: string; readonly reason: string }; readonly response: AdmissionRequest };
  forget: { readonly request: { readonly node: string }; readonly response: NodeView };
  trust: { readonly request: { readonly node: string }; readonly response: TrustExplanation };
  identity: { readonly request: Nothing; readonly response: IdentityView };
  events: { readonly request: { readonly limit: number }; readonly response: readonly EventRecord[] };
  ping: { readonly request: { readonly node: string }; readonly response: { readonly rttMs: number } };
  doctor: { readonly request: { readonly peers: readonly string[] }; readonly response: DoctorReport };
}

export type ApiMethod = keyof ApiMethods;
