/**
 * What really happened, as only the simulator can know: which machine proved an identity to which other one in which run,
 * and where an identity signed two different heads for one place of its history. Nodes are judged against this; nothing
 * of it ever reaches them.
 */
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { type Checkpoint, decodeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { decodePeerRecord } from '#mesh/hcth/peer-record.ts';
import { bytesEqual } from '#core/bytes/bytes.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import type { SignatureWitness } from './crypto/witness.ts';
import type { Machine, Run } from './machine.ts';
import type { World } from './world.ts';

const CHECKPOINT = labelled(LABELS.checkpoint);
const BINDING = labelled(LABELS.binding);

/** A place of a history at which two different things were signed. */
export interface Equivocation {
  /** Text form of the identity. */
  readonly aid: string;
  readonly place: string;
  /** Heads in the order of their signing, and who has verified which of them. */
  readonly heads: Uint8Array[];
  /** Judges that verified more than one of them, and when they verified the last. */
  readonly caughtBy: Map<Machine, number>;
}

interface Place {
  readonly aid: string;
  readonly heads: Uint8Array[];
  readonly seenBy: Map<Machine, number>;
}

/** A copy of an identity has proved itself to somebody. */
export interface Meeting {
  readonly copy: Machine;
  readonly run: Run;
  readonly judge: Machine;
  readonly at: number;
}

export class Truth {
  readonly equivocations = new Map<string, Equivocation>();
  /** Newest meeting by judge and copy. */
  readonly #meetings = new Map<number, Meeting>();
  readonly #bindings = new Map<string, { readonly machine: Machine; readonly run: Run }>();
  readonly #places = new Map<string, Place>();
  /** Places of which a judge remembers something, in its present run. */
  readonly #seenBy = new Map<Machine, Set<Map<Machine, number>>>();
  readonly #decoded = new Map<string, Checkpoint | undefined>();
  #world: World | null = null;
  checkpointsSigned = 0;

  /** The world is made after its witnesses. */
  watch(world: World): void {
    this.#world = world;
    world.onlookers.push(this);
  }

  /** The witness of one machine. */
  witness(index: number): SignatureWitness {
    return {
      signed: (parts, signature) => {
        const [label, body] = parts;
        if (label === undefined || body === undefined) return;
        if (bytesEqual(label, BINDING)) this.#onBindingSigned(index, signature);
        else if (bytesEqual(label, CHECKPOINT)) this.#onCheckpointSigned(body, signature);
      },
      verified: (parts, signature) => {
        const [label, body] = parts;
        if (label === undefined || body === undefined) return;
        if (bytesEqual(label, BINDING)) this.#onBindingVerified(index, signature);
        else if (bytesEqual(label, CHECKPOINT)) this.#onCheckpointVerified(index, body, signature);
      },
    };
  }

  /** Newest proof of a copy to a judge, in the copy's present run. */
  meeting(judge: Machine, copy: Machine): Meeting | undefined {
    const meeting = this.#meetings.get(judge.index * 256 + copy.index);
    return meeting !== undefined && meeting.run === copy.run ? meeting : undefined;
  }

  /** Whether an identity has said two things in one place, anywhere. */
  equivocated(aid: string): boolean {
    for (const equivocation of this.equivocations.values()) if (equivocation.aid === aid) return true;
    return false;
  }

  /** A judge begins a run: it remembers of others what stands on its disk, and nothing else. */
  onRun(judge: Machine, how: 'started' | 'remembered'): void {
    if (how === 'remembered') return;
    for (const seen of this.#seenBy.get(judge) ?? []) seen.delete(judge);
    this.#seenBy.delete(judge);
    for (const record of judge.run?.start.image.peers.values() ?? []) {
      for (const object of decodePeerRecord(record)?.peerCheckpoints ?? []) {
        const checkpoint = decodeCheckpoint(object.body);
        if (checkpoint !== undefined) this.#see(judge, checkpoint);
      }
    }
  }

  #onBindingSigned(index: number, signature: Uint8Array): void {
    const machine = this.#world?.machines[index];
    if (machine?.run != null) this.#bindings.set(keyOf(signature), { machine, run: machine.run });
  }

  #onBindingVerified(index: number, signature: Uint8Array): void {
    const judge = this.#world?.machines[index];
    const proof = this.#bindings.get(keyOf(signature));
    if (judge === undefined || proof === undefined) return;
    this.#meetings.set(judge.index * 256 + proof.machine.index, { copy: proof.machine, run: proof.run, judge, at: this.#world?.now ?? 0 });
  }

  #onCheckpointSigned(body: Uint8Array, signature: Uint8Array): void {
    this.checkpointsSigned += 1;
    const checkpoint = decodeCheckpoint(body);
    this.#decoded.set(keyOf(signature), checkpoint);
    // The genesis depends on what both ends agree on later: two heads of frame 0 say nothing.
    if (checkpoint === undefined || checkpoint.sequence === 0) return;
    const key = placeOf(checkpoint);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { aid: aidText(checkpoint.from), heads: [], seenBy: new Map() };
      this.#places.set(key, place);
    }
    if (place.heads.some((head) => bytesEqual(head, checkpoint.head))) return;
    place.heads.push(checkpoint.head);
    if (place.heads.length === 2)
      this.equivocations.set(key, { aid: place.aid, place: `frame ${checkpoint.sequence}`, heads: place.heads, caughtBy: new Map() });
  }

  #onCheckpointVerified(index: number, body: Uint8Array, signature: Uint8Array): void {
    const judge = this.#world?.machines[index];
    const checkpoint = this.#decoded.get(keyOf(signature)) ?? decodeCheckpoint(body);
    if (judge !== undefined && checkpoint !== undefined) this.#see(judge, checkpoint);
  }

  #see(judge: Machine, checkpoint: Checkpoint): void {
    const key = placeOf(checkpoint);
    const place = this.#places.get(key);
    if (place === undefined) return;
    const head = place.heads.findIndex((known) => bytesEqual(known, checkpoint.head));
    const seen = (place.seenBy.get(judge) ?? 0) | (1 << head);
    place.seenBy.set(judge, seen);
    this.#seenBy.set(judge, (this.#seenBy.get(judge) ?? new Set<Map<Machine, number>>()).add(place.seenBy));
    if ((seen & (seen - 1)) !== 0) {
      const { caughtBy } = this.equivocations.get(key) ?? { caughtBy: new Map<Machine, number>() };
      if (!caughtBy.has(judge)) caughtBy.set(judge, this.#world?.now ?? 0);
    }
  }
}

function placeOf({ from, to, incarnation, nonce, sequence }: Checkpoint): string {
  return `${keyOf(from)}${keyOf(to)}${keyOf(nonce)}${incarnation}/${sequence}`;
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
