/**
 * R6 of protocol.md §2.9: before a peer is blamed for another account of the common history, this node reads its own record
 * of it again and holds it against memory and signatures. Reading is the driver's; while it does, the peer waits.
 */
import { decodePeerRecord } from '#mesh/hcth/peer-record.ts';
import { openSealedRecord } from '#mesh/hcth/sealed-record.ts';
import { findStoreFault, type StoredReading } from '#mesh/hcth/store-check.ts';
import type { PeerIdentity } from '#mesh/session/host.ts';
import type { ResumeBlock } from '#mesh/wire/message.ts';
import type { Context } from '../context.ts';
import type { SwarmCore } from '../core.ts';
import type { Peer } from '../peer.ts';
import type { RecheckDoor } from '../rooms.ts';

/** See the header. */
export class RecheckDesk implements RecheckDoor {
  readonly #core: SwarmCore;
  /** What to do with the verdict where no connection waits for it. */
  readonly #waiting = new Map<string, () => void>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  begin(context: Context, identity: PeerIdentity, block: ResumeBlock | null, probed: 'silent' | 'answers' | null): void {
    context.recheck = { peer: identity, block, probed };
    this.#core.fx.recheck(identity.text);
  }

  beginFor(peer: Peer, ifSound: () => void): void {
    this.#waiting.set(peer.text, ifSound);
    this.#core.fx.recheck(peer.text);
  }

  onRead(key: string, record: Uint8Array | null): void {
    const peer = this.#core.peers.get(key);
    if (peer === undefined) return;
    const contexts = [...this.#core.contexts.values()].filter((context) => context.recheck?.peer.text === key);
    const fault = this.#judge(peer, record, contexts[0]?.recheck?.block ?? null);
    if (fault !== undefined) this.#blameOurselves(peer, fault);
    const ifSound = this.#waiting.get(key);
    this.#waiting.delete(key);
    if (fault === undefined) ifSound?.();
    for (const context of contexts) {
      const asked = context.recheck;
      context.recheck = null;
      if (asked !== null) this.#core.rooms.history.afterRecheck(context, asked);
    }
  }

  #judge(peer: Peer, record: Uint8Array | null, block: ResumeBlock | null): string | undefined {
    const { crypto, self } = this.#core;
    const { established, received, link } = peer;
    if (established === null || received === null) return undefined;
    return findStoreFault(crypto, {
      self: self.established,
      peer: established,
      received,
      ofThisRun: link !== null,
      headAt: (sequence) => link?.receiving.headAt(sequence) ?? { kind: 'too-old' },
      stored: this.#reading(record),
      ownCheckpoints: peer.ownCheckpoints,
      peerCheckpoints: peer.peerCheckpoints,
      block,
    });
  }

  #reading(record: Uint8Array | null): StoredReading {
    if (record === null) return { kind: 'absent' };
    const body = openSealedRecord(this.#core.crypto, this.#core.self.established.signKeys, record);
    const read = body === undefined ? undefined : decodePeerRecord(body);
    return read === undefined ? { kind: 'unreadable' } : { kind: 'record', record: read };
  }

  /** The peer's account counts, as if we had never had one (R7). */
  #blameOurselves(peer: Peer, fault: string): void {
    peer.forgetPlace();
    this.#core.event(
      'RECORD_UNSOUND',
      'warning',
      `the own record of ${this.#core.nameOf(peer.text)} does not hold: ${fault}; the common history goes on where ${this.#core.nameOf(peer.text)} says, and nothing is held against it. Look at this node's card and memory`,
      peer.text,
      null,
      { fault },
    );
  }
}
