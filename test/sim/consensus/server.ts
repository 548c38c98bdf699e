/**
 * One simulated server: a real machine (mesh/consensus/raft) with a disk, a clock that runs at its own rate and stands
 * still while the server sleeps, and the settings that the log folds into.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import type { Configuration } from '#mesh/consensus/config/configuration.ts';
import type { Timing } from '#mesh/consensus/config/timing.ts';
import type { ConsensusInput } from '#mesh/consensus/raft/inputs.ts';
import { RAFT_LIMITS } from '#mesh/consensus/raft/limits.ts';
import { ConsensusMachine, type ConsensusView } from '#mesh/consensus/raft/machine.ts';
import type { ConsensusOptions } from '#mesh/consensus/raft/node.ts';
import { encodeVote, openVote } from '#mesh/consensus/votes/signed-vote.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { makeStatement, type StatementTip } from '#mesh/hcth/statement-log.ts';
import { ServerDisk } from './disk.ts';
import { Settings } from './settings.ts';

/** Wall clock at time zero of the world. */
const WALL_START: Millis = 1_700_000_000_000;

/** Limits of the machine in this world: small, so that snapshots, windows and bounds are reached within a trace. */
export const SMALL_LIMITS: ConsensusOptions['limits'] = {
  ...RAFT_LIMITS,
  appendBytesMax: 2_048,
  uncommittedEntriesMax: 48,
  keptEntriesMax: 10,
  captureEntries: 25,
  proofEntriesMax: 40,
  snapshotPieceBytes: 700,
};

/** What all servers of a world share. */
export interface Mesh {
  readonly crypto: CryptoPort;
  readonly id: Uint8Array;
  readonly timing: Timing;
  readonly founded: Configuration;
  readonly limits: ConsensusOptions['limits'];
  /** Public keys by text form of the AID. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** An identity that may become a server. */
export interface Persona {
  readonly number: number;
  readonly id: string;
  readonly aid: Uint8Array;
  readonly signKey: SignKey;
}

export function makePersona(crypto: CryptoPort, number: number): Persona {
  const aid = crypto.sha256(utf8(`server ${number}`));
  return { number, aid, id: aidText(aid), signKey: crypto.signKey(crypto.sha256(utf8(`key ${number}`))) };
}

/** See the header. */
export class Server {
  readonly persona: Persona;
  readonly disk = new ServerDisk();
  readonly rate: number;
  machine: ConsensusMachine | null = null;
  /** What the machine showed after its last step. */
  view: ConsensusView | null = null;
  settings = new Settings();
  incarnation = 0;
  isAsleep = false;
  /** What arrived while it slept; the kernel keeps it. */
  readonly inbox: ConsensusInput[] = [];
  /** The disk will forget its next vote, after it has confirmed it. */
  forgetsVote = false;
  /** Distinguishes what is meant for this run from what is meant for an earlier one. */
  run = 0;
  /** Time of the world at which the tick that is wanted is due; NEVER for none. */
  tickAt: Millis = NEVER;
  /** When the disk will be done with what it was given. */
  diskBusyUntil: Millis = 0;
  /** How long a confirmation takes, at most. */
  fsyncMs: Millis = 2;
  #mono: Millis;
  #at: Millis = 0;
  #wallAhead: Millis = 0;

  constructor(persona: Persona, rate: number, mono: Millis) {
    this.persona = persona;
    this.rate = rate;
    this.#mono = mono;
  }

  get isUp(): boolean {
    return this.machine !== null && !this.isAsleep;
  }

  /** What its clocks show. */
  clock(now: Millis): Instant {
    if (!this.isAsleep) this.#mono += (now - this.#at) * this.rate;
    this.#at = now;
    return { mono: this.#mono, wall: WALL_START + now + this.#wallAhead };
  }

  /** Somebody sets the wall clock. */
  setWall(by: Millis): void {
    this.#wallAhead += by;
  }

  /** Time of the world at which the monotonic clock shows so much. */
  worldTime(mono: Millis): Millis {
    return mono === NEVER ? NEVER : this.#at + Math.max(0, mono - this.#mono) / this.rate;
  }

  /** Begin a run from the disk. */
  boot(mesh: Mesh, now: Millis, chance: number): void {
    this.incarnation += 1;
    this.run += 1;
    this.isAsleep = false;
    this.diskBusyUntil = now;
    this.settings = new Settings();
    const { persona, incarnation } = this;
    const { crypto, keys } = mesh;
    const scope = { aid: persona.aid, incarnation, nonce: new Uint8Array(16).fill(incarnation & 255) };
    let tip: StatementTip = { number: 0, digest: crypto.sha256(persona.aid, Uint8Array.of(incarnation & 255)) };
    const options: ConsensusOptions = {
      crypto,
      mesh: mesh.id,
      self: { id: persona.id, aid: persona.aid, incarnation, signKey: persona.signKey },
      keyOf: (signer) => keys.get(typeof signer === 'string' ? signer : aidText(signer)),
      votes: {
        sign: (vote) => {
          const made = makeStatement(crypto, persona.signKey, scope, tip, { kind: 'vote', body: encodeVote(mesh.id, vote) });
          ({ tip } = made);
          return made.object;
        },
        open: (voter, object) => {
          const key = keys.get(voter);
          return key === undefined ? undefined : openVote(crypto, mesh.id, key, voter, object);
        },
      },
      timing: mesh.timing,
      limits: mesh.limits,
      founded: mesh.founded,
      stored: this.disk.stored(),
    };
    this.machine = new ConsensusMachine(options, { ...this.clock(now), chance });
  }

  /** Without power. */
  halt(): void {
    this.inbox.length = 0;
    this.machine = null;
    this.view = null;
    this.isAsleep = false;
    this.run += 1;
    this.tickAt = NEVER;
  }
}
