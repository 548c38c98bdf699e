/**
 * What the node shows of itself and the others (views.ts); reads, never changes.
 */
import { hex } from '#core/bytes/bytes.ts';
import { effectiveRole, type Member, type RemovedIdentity } from '#mesh/admission/registry.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import { LEVEL_PERMISSIONS } from '#mesh/trust/permissions.ts';
import { scoreNumber } from '#mesh/trust/score.ts';
import type { SwarmCore } from '../core.ts';
import type { MeshState } from '../mesh-state.ts';
import type { Peer } from '../peer.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { BarredView, ClosedView, MeshView, NodeState, NodeView, StatusView, TrustView } from '../views.ts';
import type { ViewDoor } from '../rooms.ts';

/** See the header. */
export class ViewDesk implements ViewDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** Everything `robonet status` needs. */
  status(): StatusView {
    const mesh = this.#core.mesh;
    const self = this.#selfView();
    const nodes = mesh === null ? [self] : mesh.members().map((member) => (member.text === this.#core.self.text ? self : this.#memberView(member)));
    const { state, reason } = this.#state();
    return {
      state,
      stateReason: reason,
      self,
      startReason: this.#core.options.startReason,
      degraded: this.#core.degraded,
      mesh: mesh === null ? null : meshView(mesh),
      nodes,
      requests: this.#core.rooms.admission.requests(),
      closed: mesh === null ? [] : closedViews(mesh),
      strangers: this.#core.strangers.alerts,
      barred: mesh === null ? [] : [...mesh.registry.removed.values()].flatMap((removed) => barredView(removed) ?? []),
    };
  }

  #state(): { readonly state: NodeState; readonly reason: string | null } {
    // A refusal is final; who is contested still waits for a word.
    if (this.#core.mesh !== null && this.#core.refused !== null) return { state: 'refused', reason: this.#core.refused };
    if (this.#core.contested !== null) return { state: 'contested', reason: this.#core.contested };
    if (this.#core.mesh !== null) return { state: 'member', reason: null };
    const joiner = this.#core.joiner;
    if (joiner === null)
      return this.#core.refused === null ? { state: 'unjoined', reason: 'this node belongs to no mesh' } : { state: 'refused', reason: this.#core.refused };
    const lobby = this.#core.lobbyMesh;
    if (joiner.lobby !== null && lobby !== null) {
      const trust = lobby.firstUse ? `; trust on first use: compare ${lobby.member} with the member's own screen` : '';
      return { state: 'lobby', reason: `waits for approval by the mesh "${lobby.name}" at the member ${lobby.member}${trust}` };
    }
    return { state: 'joining', reason: joiner.refusal?.text ?? 'looks for a member of the mesh' };
  }

  #selfView(): NodeView {
    const member = this.#core.mesh?.member(this.#core.self.text);
    return {
      aid: this.#core.self.text,
      fingerprint: fingerprintOf(this.#core.self.aid),
      name: member?.name ?? this.#core.facts.name,
      self: true,
      role: member?.role ?? 'none',
      voter: member?.voter ?? false,
      leader: this.#core.mesh?.log.leader === this.#core.self.text,
      liveness: 'up',
      lastSeen: this.#core.now.wall,
      rttMs: null,
      address: this.#core.addresses[0] === undefined ? null : addressText(this.#core.addresses[0]),
      trust: null,
      incarnation: this.#core.self.boot.incarnation,
      rotation: this.#core.self.established.rotations,
      capabilities: this.#core.facts.capabilities,
      conditions: this.#core.facts.conditions,
      joinedAt: member?.admittedAt ?? null,
      contest: this.#core.rooms.contests.view(this.#core.self.text),
    };
  }

  #memberView(member: Member): NodeView {
    const peer = this.#core.peers.get(member.text);
    return peer === undefined ? this.nodeView(this.#core.peerOf(member.aid)) : this.nodeView(peer);
  }

  nodeView(peer: Peer): NodeView {
    const member = this.#core.mesh?.member(peer.text);
    const address = peer.session?.initiator === true ? peer.session.remote : this.#core.dials.addressesOf(peer.text)[0];
    return {
      aid: peer.text,
      fingerprint: fingerprintOf(peer.aid),
      name: this.#core.nameOf(peer.text),
      self: false,
      role: member === undefined ? 'none' : effectiveRole(member),
      voter: member?.voter ?? false,
      leader: this.#core.mesh?.log.leader === peer.text,
      liveness: this.#core.liveness.state(peer.text),
      lastSeen: peer.heardWall,
      rttMs: this.#core.liveness.rtt(peer.text),
      address: address === undefined ? null : addressText(address),
      trust: this.#trustView(peer),
      incarnation: peer.boot?.incarnation ?? null,
      rotation: peer.established?.rotations ?? null,
      capabilities: peer.capabilities,
      conditions: peer.conditions,
      joinedAt: member?.admittedAt ?? null,
      contest: this.#core.rooms.contests.view(peer.text),
    };
  }

  #trustView(peer: Peer): TrustView {
    const reading = peer.trust.reading();
    const received = peer.received;
    const sent = peer.link?.sending;
    return {
      score: scoreNumber(reading.score),
      level: reading.level,
      standing: reading.standing,
      lengthCredit: reading.lengthCredit,
      timeCreditMs: reading.timeCreditMs,
      debt: reading.debt,
      breaks: countsOf(reading.breaks),
      sent: { incarnation: this.#core.self.boot.incarnation, sequence: sent?.sequence ?? 0 },
      received: { incarnation: received?.incarnation ?? 0, sequence: received?.sequence ?? 0 },
      lastCheckpointAt: peer.lastCheckpointAt,
      may: LEVEL_PERMISSIONS[this.#core.levelOf(peer)].actions,
    };
  }
}

function barredView({ aid, fingerprint, name, at, bar }: RemovedIdentity): BarredView | undefined {
  if (bar === null) return undefined;
  return {
    aid: aidText(aid),
    fingerprint,
    name,
    cause: bar.cause,
    reason: bar.reason,
    evidence: bar.evidence === null ? null : hex(bar.evidence),
    hardware: bar.binding?.kind ?? null,
    at,
  };
}

function countsOf(breaks: Readonly<Partial<Record<BreakClass, number>>>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [breakClass, count] of Object.entries(breaks)) if (count > 0) counts[breakClass] = count;
  return counts;
}

function closedViews(mesh: MeshState): readonly ClosedView[] {
  const closed = [...mesh.registry.removed.values()].filter((removed) => removed.how === 'close').slice(-LIMITS.closedShownMax);
  return closed.reverse().map(({ aid, fingerprint, name, at, successor }) => ({
    aid: aidText(aid),
    fingerprint,
    name,
    closedAt: at,
    successor:
      successor === null
        ? null
        : {
            aid: aidText(successor),
            fingerprint: fingerprintOf(successor),
            name: mesh.member(aidText(successor))?.name ?? mesh.removal(aidText(successor))?.name ?? null,
          },
  }));
}

function meshView(mesh: MeshState): MeshView {
  const { genesis } = mesh.mesh;
  return {
    id: hex(mesh.id),
    tag: hex(mesh.tag),
    name: genesis.name,
    admission: mesh.registry.admission,
    trustProfile: genesis.trustProfile,
    quorum: mesh.log.quorum,
    voters: [...mesh.registry.members.values()].filter((member) => member.voter).length,
    leader: mesh.log.leader === null ? null : (mesh.member(mesh.log.leader)?.name ?? mesh.log.leader),
    term: mesh.log.term,
    commitIndex: mesh.log.commitIndex,
    foundedAt: genesis.foundedAt,
  };
}
