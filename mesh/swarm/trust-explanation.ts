/**
 * What is answered to "why is my trust in this peer what it is": the events, sentences, and the signed export. Reads the
 * state of a peer, changes nothing.
 */
import { explainBeginning, explainResult, explainTrust, type TrustStep, trustSteps } from '#mesh/trust/explain.ts';
import { exportTrust } from '#mesh/trust/export/export-trust.ts';
import type { JsonDocument } from '#mesh/trust/export/plain-document.ts';
import type { SwarmCore } from './core.ts';
import type { Peer } from './peer.ts';
import type { KeptEvidence } from './views.ts';

/** See the header. */
export interface TrustAccount {
  /** Where the listed events begin, in a sentence. */
  readonly beginning: string;
  readonly steps: readonly TrustStep[];
  /** What the number consists of, the number, and what it permits. */
  readonly result: readonly string[];
  /** All of it as sentences. */
  readonly lines: readonly string[];
  /** What is kept on this disk about its breaks; convictions are in the export. */
  readonly evidence: readonly KeptEvidence[];
  /** Null for a peer that never proved its identity here. */
  readonly exported: JsonDocument | null;
}

/** The account of one peer. */
export function accountFor(core: SwarmCore, peer: Peer): TrustAccount {
  const { history, profile } = peer.trust;
  return {
    beginning: explainBeginning(history, profile),
    steps: trustSteps(history, profile),
    result: explainResult(history, profile),
    lines: explainTrust(history, profile),
    evidence: core.rooms.evidence.kept(peer.text),
    exported: exportOf(core, peer),
  };
}

function exportOf(core: SwarmCore, peer: Peer): JsonDocument | null {
  const { self } = core;
  if (peer.established === null) return null;
  const proof = core.rooms.evidence.bytesOf(peer.text);
  return exportTrust(core.crypto, {
    observer: {
      established: self.established,
      signKey: self.signKey,
      boot: self.bootObject,
      statement: core.rooms.statements.newest,
      checkpoints: peer.ownCheckpoints,
      position: peer.link?.sending.position ?? null,
    },
    peer: {
      established: peer.established,
      name: core.nameOf(peer.text),
      boot: peer.bootObject,
      statement: peer.statement,
      checkpoints: peer.peerCheckpoints,
      position: peer.received,
    },
    proofs: proof === undefined ? [] : [proof],
    profile: peer.trust.profile,
    history: peer.trust.history,
    at: core.now.wall,
  });
}
