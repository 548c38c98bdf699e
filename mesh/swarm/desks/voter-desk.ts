/**
 * Who votes: giving and taking votes, and what the servers of the log find out about each other.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { effectiveRole } from '#mesh/admission/registry.ts';
import { CONFIG_LIMITS } from '#mesh/consensus/config/limits.ts';
import type { ConsensusEvent } from '#mesh/consensus/raft/inputs.ts';
import type { SwarmCore } from '../core.ts';
import type { MeshState } from '../mesh-state.ts';
import type { VoterDoor } from '../rooms.ts';

/** See the header. */
export class VoterDesk implements VoterDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** First everybody learns its keys, then it gets the log; the leader promotes it once it has caught up (C-17). */
  add(id: number, who: string, mesh: MeshState): void {
    const member = mesh.find(who);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const refuse = (why: string): void => this.#core.refuse(id, 'RN-MESH-027', why);
    const { config } = mesh.log;
    if (mesh.log.isVoter(member.text)) return refuse(`${member.name} is a voter already`);
    if (config.voters.length >= CONFIG_LIMITS.votersMax)
      return refuse(`the mesh has ${config.voters.length} voters; it can have 1 to ${CONFIG_LIMITS.votersMax}`);
    if (effectiveRole(member) === 'quarantine' || member.role === 'observer') return refuse(`${member.name} is ${effectiveRole(member)}, which never votes`);
    const established = member.text === this.#core.self.text ? this.#core.self.established : this.#core.peers.get(member.text)?.established;
    if (established == null || this.#core.liveness.state(member.text) !== 'up')
      return refuse(`${member.name} cannot be reached now; a voter that is away only takes away`);
    const value = { aid: member.text, name: member.name, fingerprint: member.fingerprint };
    const learn = (failed: string | undefined): void => {
      if (failed !== undefined) return this.#core.refuse(id, 'RN-MESH-030', failed);
      this.#core.rooms.decisions.change({ kind: 'add-learner', id: member.text, promote: true }, (why) => {
        if (why !== undefined) return this.#core.refuse(id, 'RN-MESH-030', why);
        this.#core.fx.reply({ id, kind: 'done', value });
      });
    };
    const known = mesh.registry.voterLogs.get(member.text);
    if (known !== undefined && bytesEqual(known.head, established.head)) return learn(undefined);
    this.#core.rooms.decisions.commit({ kind: 'voter', aid: member.aid, events: established.events }, learn);
  }

  remove(id: number, who: string, mesh: MeshState): void {
    const member = mesh.find(who);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const { voters } = mesh.log.config;
    if (!mesh.log.isServer(member.text)) return this.#core.refuse(id, 'RN-MESH-027', `${member.name} has no vote`);
    if (voters.length === 1 && voters[0] === member.text)
      return this.#core.refuse(id, 'RN-MESH-027', `${member.name} is the only voter: without it nothing could be decided any more`);
    const value = { aid: member.text, name: member.name, fingerprint: member.fingerprint };
    this.#core.rooms.decisions.change({ kind: 'remove', id: member.text }, (failed) => {
      if (failed !== undefined) return this.#core.refuse(id, 'RN-MESH-030', failed);
      this.#core.fx.reply({ id, kind: 'done', value });
    });
  }

  onEvent(event: ConsensusEvent): void {
    const name = (text: string): string => this.#core.nameOf(text);
    switch (event.kind) {
      case 'leader-changed': {
        const { leader, term } = event;
        // A mesh of one elects nobody worth telling of.
        if (leader === null || this.#core.mesh?.log.config.voters.length === 1) return;
        if (leader === this.#core.self.text) this.#core.rooms.evidence.barConvicted();
        return this.#core.event('LEADER_CHANGED', 'notice', `${name(leader)} leads term ${term}`, leader, null, { term });
      }
      case 'stepped-down':
        return this.#core.event('LEADER_STEPPED_DOWN', 'notice', `this node no longer leads term ${event.term}: ${event.why}`, this.#core.self.text, null, {
          term: event.term,
        });
      case 'configuration': {
        const names = event.voters.map(name).join(', ');
        return this.#core.event('VOTERS_CHANGED', 'notice', `voters are ${names}; ${event.quorum} of ${event.voters.length} must agree`, null, null, {
          voters: event.voters.length,
          quorum: event.quorum,
        });
      }
      case 'change-waits':
        return this.#core.event('VOTERS_WAIT', 'warning', `${name(event.id)}: ${event.why}`, event.id, null);
      case 'damaged':
        return this.#core.event(
          'VOTER_DAMAGED',
          'critical',
          `this node lost what it had promised to keep, and does not vote until the mesh has seen to it: ${event.why}`,
          this.#core.self.text,
          null,
        );
      case 'restored':
        return this.#core.event(
          'VOTER_RESTORED',
          'notice',
          'the mesh has given this node the log anew; it votes again once it has caught up',
          this.#core.self.text,
          null,
        );
      case 'discarded':
        return this.#core.event(
          'LEDGER_DISCARDED',
          'warning',
          `entries ${event.from} to ${event.through} were never committed and are gone: another leader has decided otherwise`,
          null,
          null,
          {
            from: event.from,
            through: event.through,
          },
        );
      case 'voted-twice':
        return this.#core.event('VOTED_TWICE', 'critical', `${name(event.voter)} has signed two votes in term ${event.votes[0].term}`, event.voter, null, {
          term: event.votes[0].term,
        });
      case 'peer-misbehaved':
        return this.#core.incident('CONSENSUS_REFUSED', 'warning', `${name(event.from)}: ${event.why}; nothing was changed by it`, event.from, event.from);
      case 'lease-voided':
      case 'recovered':
      case 'release-reserve':
      case 'snapshot-installed':
      case 'snapshot-refused':
      case 'snapshot-taken':
      case 'state-diverged':
      case 'transfer-ended':
        return;
    }
  }
}
