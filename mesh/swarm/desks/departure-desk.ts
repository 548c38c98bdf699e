/**
 * Leaving and being forgotten (protocol.md §2.14). An identity that has left is never admitted again.
 */
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { decideClosing, decideRemoval } from '#mesh/admission/membership-changes.ts';
import { nameKey } from '#mesh/admission/names.ts';
import { aidText, fingerprintOf, parseAid, parseFingerprint } from '#mesh/hcth/identity-text.ts';
import type { Session } from '#mesh/session/session.ts';
import type { SwarmCore } from '../core.ts';
import type { MeshState } from '../mesh-state.ts';
import type { Peer } from '../peer.ts';
import type { DepartureDoor } from '../rooms.ts';

/** See the header. */
export class DepartureDesk implements DepartureDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  forget(id: number, who: string, mesh: MeshState): void {
    const member = mesh.find(who);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const decision = decideRemoval(mesh.registry, member.aid, this.#core.self.aid);
    if (decision.kind === 'refuse' || member.text === this.#core.self.text)
      return this.#core.refuse(id, 'RN-MESH-027', decision.kind === 'refuse' ? decision.why : 'use `robonet leave` for this node itself');
    const peer = this.#core.peers.get(member.text);
    const view = peer === undefined ? null : this.#core.rooms.views.nodeView(peer);
    this.#core.rooms.decisions.decide(id, decision.change, view);
  }

  close(id: number, who: string, replacedBy: string | null, mesh: MeshState): void {
    const member = mesh.find(who);
    const successor = replacedBy === null ? null : mesh.find(replacedBy);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    if (successor === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${replacedBy}"`);
    const decision = decideClosing(mesh.registry, member.aid, successor?.aid ?? null, this.#core.self.aid);
    if (decision.kind === 'refuse') return this.#core.refuse(id, 'RN-MESH-027', decision.why);
    this.#core.rooms.decisions.commit(decision.change, (failed) => {
      if (failed !== undefined) return this.#core.refuse(id, 'RN-MESH-030', failed);
      const view = this.#core.rooms.views.status().closed.find((closed) => closed.aid === member.text);
      this.#core.fx.reply({ id, kind: 'done', value: view });
    });
  }

  bar(id: number, who: string, reason: string, mesh: MeshState): void {
    const member = mesh.find(who);
    const aid = member?.aid ?? parseAid(who.trim());
    if (aid === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"; an identity that is none is named in full, rn1…`);
    const text = aidText(aid);
    const binding = this.#core.peers.get(text)?.established?.binding;
    this.#core.rooms.decisions.decide(
      id,
      {
        kind: 'bar',
        aid,
        cause: 'owner',
        evidence: this.#core.rooms.evidence.proofOf(text) ?? null,
        binding: binding?.kind === 'otp' || binding?.kind === 'tpm' ? { kind: binding.kind, digest: binding.digest } : null,
        reason: reason.slice(0, ADMISSION_LIMITS.reasonCharactersMax),
        by: this.#core.self.aid,
        certificate: null,
      },
      { aid: text, name: member?.name ?? fingerprintOf(aid), fingerprint: fingerprintOf(aid) },
    );
  }

  unbar(id: number, who: string, mesh: MeshState): void {
    const wanted = who.trim();
    const found = [...mesh.registry.removed.values()].filter(
      ({ aid, name, fingerprint, bar }) =>
        bar !== null && (nameKey(name) === nameKey(wanted) || fingerprint === parseFingerprint(wanted) || aidText(aid) === wanted),
    );
    const [barred] = found;
    if (barred === undefined || found.length > 1)
      return this.#core.refuse(
        id,
        'RN-MESH-020',
        barred === undefined ? `nobody called "${who}" is barred` : `${found.length} barred identities are called "${who}"; give a fingerprint`,
      );
    const value = { aid: aidText(barred.aid), name: barred.name, fingerprint: barred.fingerprint };
    this.#core.rooms.decisions.decide(id, { kind: 'unbar', aid: barred.aid, by: this.#core.self.aid, certificate: null }, value);
  }

  leave(id: number, mesh: MeshState): void {
    const others = mesh.registry.members.size - 1;
    if (mesh.log.isVoter(this.#core.self.text) && mesh.log.config.voters.length > 1)
      return this.#core.refuse(id, 'RN-MESH-027', 'this node has a vote; give it up first with `robonet voters remove`');
    if (mesh.log.decides) {
      if (others > 0) return this.#core.refuse(id, 'RN-MESH-027', `this node is the only voter, and ${others} other members remain`);
      return this.left(id);
    }
    const voter = this.#core.mesh?.log.leader ?? null;
    const session = voter === null ? null : (this.#core.peers.get(voter)?.session ?? null);
    if (this.#core.refused !== null || session === null || session.state !== 'open') {
      return this.leftUnrecorded(id, 'its voter was not reachable');
    }
    this.#core.leaving = id;
    const wireId = this.#core.calls.open(id, session.peer?.text ?? '', this.#core.now.mono, 10_000);
    session.send({ kind: 'req', id: wireId, key: this.#core.entropy(16), method: 'mesh.leave', timeoutMs: 10_000, body: new Uint8Array(0) });
    this.#core.touched.add(session);
  }

  /** Nobody there to write it down: we go, and the mesh may see us as down until somebody forgets us. */
  leftUnrecorded(id: number, why: string): void {
    this.#core.event(
      'LEFT_UNRECORDED',
      'warning',
      `left the mesh, but ${why}; the others may list this node until it is forgotten there`,
      this.#core.self.text,
      null,
    );
    this.left(id);
  }

  /** The voter's side of an orderly departure. */
  onLeaveCall(session: Session, peer: Peer, wireId: number): void {
    const mesh = this.#core.mesh;
    if (mesh === null || !mesh.log.decides) {
      session.send({ kind: 'err', id: wireId, code: 'QUORUM_UNREACHABLE', text: 'only a voter can record a departure' });
      return;
    }
    session.send({ kind: 'res', id: wireId, body: new Uint8Array(0) });
    session.flush(this.#core.now.mono);
    this.#core.rooms.decisions.commit({ kind: 'remove', aid: peer.aid, how: 'leave', by: peer.aid });
    this.#core.touched.add(session);
  }

  /** Everything of the mesh goes; the identity is used up, an identity is never admitted twice. */
  left(id: number): void {
    for (const { session } of [...this.#core.contexts.values()]) {
      if (session.state === 'open') session.close('LEAVE');
      else session.disconnected('this node leaves the mesh');
      this.#core.touched.add(session);
    }
    this.#core.mesh = null;
    this.#core.peers.clear();
    this.#core.stopping = true;
    this.#core.event('LEFT', 'notice', 'left the mesh; this machine goes on with a new identity', this.#core.self.text, null);
    this.#core.fx.persist({ kind: 'forget-mesh' });
    this.#core.fx.reply({ id, kind: 'done', value: null });
  }
}
