/**
 * What really happened, as only the simulator can know: which machine proved an identity to which other one in which run,
 * and where an identity signed two different heads for one place of its history. Nodes are judged against this; nothing
 * of it ever reaches them.
 */
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { type Checkpoint, decodeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { decodeRotation } from '#mesh/hcth/establishment-events.ts';
import { storedPeer } from '#test/kit/stored-peers.ts';
import { bytesEqual } from '#core/bytes/bytes.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import type { SignatureWitness } from './crypto/witness.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

const CHECKPOINT = labelled(LABELS.checkpoint);
const BINDING = labelled(LABELS.binding);
const ROTATION = labelled(LABELS.rotation);

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
  readonly name: string;
  /** Once two things have been said in it. */
  equivocation: Equivocation | null;
  readonly heads: Uint8Array[];
  readonly seenBy: Map<Machine, number>;
}

/** A copy of an identity has proved itself to somebody. */
export interface Meeting {
  readonly copy: Machine;
  /** {@link Run.mark}: a meeting does not keep a run's memory alive. */
  readonly run: symbol;
  readonly judge: Machine;
  readonly at: number;
}

export class Truth {
  readonly equivocations: Equivocation[] = [];
  /** Newest meeting by judge and copy. */
  readonly #meetings = new Map<number, Meeting>();
  readonly #bindings = new Map<string, { readonly machine: Machine; readonly run: symbol }>();
  readonly #places = new Map<string, Place>();
  /** Places of which a judge remembers something, in its present run. */
  readonly #seenBy = new Map<Machine, Set<Map<Machine, number>>>();
  /** By signature: which of the heads of which place it is for. */
  readonly #spoken = new Map<string, { readonly place: Place; readonly head: number }>();
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
        if (is(label, BINDING)) this.#onBindingSigned(index, signature);
        else if (is(label, CHECKPOINT)) this.#onCheckpointSigned(body, signature);
        else if (is(label, ROTATION)) this.#onRotationSigned(body, signature);
      },
      verified: (parts, signature) => {
        const [label] = parts;
        const judge = this.#world?.machines[index];
        if (label === undefined || judge === undefined) return;
        if (is(label, BINDING)) this.#onBindingVerified(judge, signature);
        else if (is(label, CHECKPOINT) || is(label, ROTATION)) this.#see(judge, signature);
      },
    };
  }

  /** Newest proof of a copy to a judge, in the copy's present run. */
  meeting(judge: Machine, copy: Machine): Meeting | undefined {
    const meeting = this.#meetings.get(judge.index * 256 + copy.index);
    return meeting !== undefined && meeting.run === copy.run?.mark ? meeting : undefined;
  }

  /** Whether an identity has said two things in one place, anywhere. */
  equivocated(aid: string): boolean {
    return this.equivocations.some((equivocation) => equivocation.aid === aid);
  }

  /** A judge begins a run: it remembers of others what stands on its disk, and nothing else. */
  onRun(judge: Machine, how: 'started' | 'remembered'): void {
    if (how === 'remembered') return;
    for (const seen of this.#seenBy.get(judge) ?? []) seen.delete(judge);
    this.#seenBy.delete(judge);
    for (const record of judge.run?.start.image.peers.values() ?? []) {
      for (const object of storedPeer(record)?.peerCheckpoints ?? []) {
        this.#see(judge, object.sig);
      }
    }
  }

  #onBindingSigned(index: number, signature: Uint8Array): void {
    const machine = this.#world?.machines[index];
    if (machine?.run != null) this.#bindings.set(keyOf(signature), { machine, run: machine.run.mark });
  }

  #onBindingVerified(judge: Machine, signature: Uint8Array): void {
    const proof = this.#bindings.get(keyOf(signature));
    if (proof === undefined) return;
    this.#meetings.set(judge.index * 256 + proof.machine.index, { copy: proof.machine, run: proof.run, judge, at: this.#world?.now ?? 0 });
  }

  #onCheckpointSigned(body: Uint8Array, signature: Uint8Array): void {
    this.checkpointsSigned += 1;
    const checkpoint = decodeCheckpoint(body);
    // The genesis depends on what both ends agree on later: two heads of frame 0 say nothing.
    if (checkpoint === undefined || checkpoint.sequence === 0) return;
    this.#say(placeOf(checkpoint), aidText(checkpoint.from), `frame ${checkpoint.sequence}`, checkpoint.head, signature);
  }

  /** Two rotations with one number are two things in one place as well (H-7). What the old key signs is no event. */
  #onRotationSigned(body: Uint8Array, signature: Uint8Array): void {
    const rotation = decodeRotation(body);
    if (rotation === undefined) return;
    const aid = aidText(rotation.aid);
    this.#say(`rotation/${aid}/${rotation.number}`, aid, `rotation ${rotation.number}`, body.slice(), signature);
  }

  #say(key: string, aid: string, name: string, head: Uint8Array, signature: Uint8Array): void {
    let place = this.#places.get(key);
    if (place === undefined) {
      place = { aid, name, equivocation: null, heads: [], seenBy: new Map() };
      this.#places.set(key, place);
    }
    const known = place.heads.findIndex((other) => bytesEqual(other, head));
    this.#spoken.set(keyOf(signature), { place, head: known < 0 ? place.heads.length : known });
    if (known >= 0) return;
    place.heads.push(head);
    if (place.heads.length !== 2) return;
    place.equivocation = { aid, place: name, heads: place.heads, caughtBy: new Map() };
    this.equivocations.push(place.equivocation);
  }

  #see(judge: Machine, signature: Uint8Array): void {
    const spoken = this.#spoken.get(keyOf(signature));
    if (spoken === undefined) return;
    const { place, head } = spoken;
    const before = place.seenBy.get(judge) ?? 0;
    const seen = before | (1 << head);
    if (seen === before) return;
    place.seenBy.set(judge, seen);
    const places = this.#seenBy.get(judge) ?? new Set();
    this.#seenBy.set(judge, places.add(place.seenBy));
    if ((seen & (seen - 1)) !== 0 && place.equivocation?.caughtBy.has(judge) === false) place.equivocation.caughtBy.set(judge, this.#world?.now ?? 0);
  }
}

function placeOf({ from, to, incarnation, nonce, sequence }: Checkpoint): string {
  return `${keyOf(from)}${keyOf(to)}${keyOf(nonce)}${incarnation}/${sequence}`;
}

function is(label: Uint8Array, wanted: Uint8Array): boolean {
  return label === wanted || bytesEqual(label, wanted);
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
