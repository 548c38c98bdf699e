/**
 * What really happened in a simulated mesh, by its own bookkeeping: who asked what, who said what, what stood in the log
 * when. It shares no code with what is judged but the bytes, and says where something ran that must not have.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { Order } from '#mesh/approvals/request.ts';

/** A voter's true word on a digest. */
export interface TrueWord {
  readonly approves: boolean;
  readonly person: boolean;
  /** Which of the voter's keys signed it. */
  readonly key: number;
}

/** Who could speak at an index of the log. */
export interface TrueElectorate {
  /** By name: the number of the key in force. */
  readonly voters: ReadonlyMap<string, number>;
  readonly liars: ReadonlySet<string>;
}

/** What was asked, by digest. */
export interface TrueRequest {
  readonly id: string;
  readonly order: string;
  readonly targets: readonly string[];
  readonly against: boolean;
  readonly initiator: string;
  readonly host: string;
  readonly notAfterIndex: number;
  /** For a change of a quorum. */
  readonly setting: { readonly operation: string; readonly quorum: number | null } | null;
  readonly operation: string;
}

/** A certificate that a node believes, and where. */
export interface Belief {
  readonly digest: string;
  readonly order: Order;
  readonly requestIndex: number;
  readonly index: number;
  /** Entries made by a leader that tells the time as it likes. */
  readonly timeIsTrue: boolean;
  readonly tookMs: number;
  readonly electorate: TrueElectorate;
  /** Quorums that the log had set before it. */
  readonly quorums: ReadonlyMap<string, number>;
}

const VALIDITY_MS = 600_000;

/** See the header. */
export class Truth {
  readonly requests = new Map<string, TrueRequest>();
  /** Digest, then voter. */
  readonly words = new Map<string, Map<string, TrueWord>>();
  /** Indices at which a person's true veto stood in the log, by digest. */
  readonly vetoes = new Map<string, readonly number[]>();
  /** `node digest-id` of everything that ran. */
  readonly #ran = new Set<string>();

  say(digest: string, voter: string, word: TrueWord): void {
    const words = this.words.get(digest) ?? new Map<string, TrueWord>();
    this.words.set(digest, words.set(voter, word));
  }

  /** Why nobody may believe that this is approved. */
  fault({ digest, order, requestIndex, index, timeIsTrue, tookMs, electorate, quorums }: Belief): string | undefined {
    const asked = this.requests.get(digest);
    if (asked === undefined) return 'nobody asked for it';
    if (asked.order !== orderText(order)) return 'it is not what was asked';
    if (index > asked.notAfterIndex || index <= requestIndex) return 'its place in the log is out of time';
    if (timeIsTrue && tookMs > VALIDITY_MS) return `it was approved after ${tookMs} ms`;
    if (this.vetoes.get(digest)?.some((at) => at > requestIndex && at < index) === true) return 'a person had vetoed it';
    const parties = new Set<string>();
    for (const [voter, key] of electorate.voters) {
      const word = this.words.get(digest)?.get(voter);
      const agrees = electorate.liars.has(voter) || (word !== undefined && word.approves && word.key === key);
      if (agrees && !(asked.against && asked.targets.includes(voter))) parties.add(voter === asked.host ? asked.initiator : voter);
    }
    const needed = this.#needed(asked, electorate.voters.size, quorums);
    return parties.size < needed ? `${parties.size} of ${needed} agreed` : undefined;
  }

  /** A target acts; what is wrong with that. */
  run(node: string, digest: string, failed: ReadonlySet<string>): string | undefined {
    const asked = this.requests.get(digest);
    if (asked === undefined) return 'nobody asked for it';
    const key = `${node} ${asked.id}`;
    if (this.#ran.has(key)) return 'it runs twice';
    this.#ran.add(key);
    const before = asked.targets.slice(0, asked.targets.indexOf(node));
    const early = before.find((other) => !this.#ran.has(`${other} ${asked.id}`) && !failed.has(other));
    return early === undefined ? undefined : `it runs before ${early}`;
  }

  #needed(asked: TrueRequest, voters: number, quorums: ReadonlyMap<string, number>): number {
    if (voters < 2) return Number.POSITIVE_INFINITY;
    const majority = Math.floor(voters / 2) + 1;
    const of = (operation: string): number => {
      const set = quorums.get(operation);
      return set === undefined ? Math.floor((voters + (voters > 3 ? 1 : 0)) / 2) + 1 : Math.min(voters, Math.max(majority, set));
    };
    const own = of(asked.operation);
    return asked.setting === null ? own : Math.max(own, of(asked.setting.operation), Math.min(voters, asked.setting.quorum ?? 0));
  }
}

/** All of an order as text. */
export function orderText({ operation, args, targets }: Order): string {
  return `${operation} ${hex(args)} ${targets.map(hex).join(' ')}`;
}
