/**
 * The commands that nobody carries out by himself (protocol.md §3.6), as data: what each can do, and what it takes. Which
 * of them a release can also carry out is its nodes' business; a command that stands here is governed wherever it is built.
 */

/** What goes wrong when it was the wrong command: a service is away, somebody is out, the rules have changed, data or secrets are gone. */
export type Risk = 'service' | 'membership' | 'policy' | 'irreversible';

/** One command. */
export interface Operation {
  readonly name: OperationName;
  /** For people: "… on kitchen, cellar". */
  readonly what: string;
  readonly risk: Risk;
  /** At least one of the approvals must be a person's. */
  readonly person: boolean;
  /** It names machines. */
  readonly targets: 'some' | 'none';
  /** It takes something away from its targets, which therefore have no say in it. */
  readonly against: boolean;
  /** Targets act one after the other, or the log itself carries it out when it is certified. */
  readonly runs: 'in-turn' | 'by-log';
}

const NAMES = [
  'agent-restart', 'reboot', 'shutdown', 'wipe', 'agent-push', 'member-remove', 'member-bar', 'member-unbar', 'quorum-set', 'policy-set',
  'profile-set', 'tier-raise', 'author-pin', 'token-voter', 'secret-export', 'federation-create', 'federation-delete', 'disaster-recovery',
] as const; // prettier-ignore

/** The name of a command in requests. */
export type OperationName = (typeof NAMES)[number];

const onNodes = { targets: 'some', against: false, runs: 'in-turn', person: false } as const;
const inLog = { targets: 'none', against: false, runs: 'by-log', person: false } as const;

/** See the header. */
export const OPERATIONS: readonly Operation[] = [
  { name: 'agent-restart', what: 'restart the agents', risk: 'service', ...onNodes },
  { name: 'reboot', what: 'reboot the machines', risk: 'service', ...onNodes },
  { name: 'shutdown', what: 'shut the machines down', risk: 'service', ...onNodes, person: true },
  { name: 'wipe', what: 'wipe the machines', risk: 'irreversible', ...onNodes, person: true },
  { name: 'agent-push', what: 'install another agent', risk: 'service', ...onNodes },
  { name: 'member-remove', what: 'remove members', risk: 'membership', ...inLog, targets: 'some', against: true },
  { name: 'member-bar', what: 'bar members for good', risk: 'membership', ...inLog, targets: 'some', against: true, person: true },
  { name: 'member-unbar', what: 'lift the bar on members', risk: 'membership', ...inLog, targets: 'some', person: true },
  { name: 'quorum-set', what: 'change how many must approve a command', risk: 'policy', ...inLog },
  { name: 'policy-set', what: 'change the policy', risk: 'policy', ...inLog },
  { name: 'profile-set', what: 'change how fast trust grows', risk: 'policy', ...inLog },
  { name: 'tier-raise', what: 'give a plugin more rights', risk: 'policy', ...inLog, person: true },
  { name: 'author-pin', what: 'trust the author of a plugin', risk: 'policy', ...inLog, person: true },
  { name: 'token-voter', what: 'invite a voter', risk: 'membership', ...inLog, person: true },
  { name: 'secret-export', what: 'hand out secrets', risk: 'irreversible', ...inLog, person: true },
  { name: 'federation-create', what: 'federate with another mesh', risk: 'policy', ...inLog, person: true },
  { name: 'federation-delete', what: 'end a federation', risk: 'policy', ...inLog, person: true },
  { name: 'disaster-recovery', what: 'found the mesh again without its majority', risk: 'irreversible', ...inLog, person: true },
];

const BY_NAME: ReadonlyMap<string, Operation> = new Map(OPERATIONS.map((operation) => [operation.name, operation]));

/** The command of this name. */
export function operationOf(name: string): Operation | undefined {
  return BY_NAME.get(name);
}
