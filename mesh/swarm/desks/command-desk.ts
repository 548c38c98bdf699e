/**
 * What a person or a program asks of this node, handed to the room that can do it. Every command gets one answer.
 */
import type { SwarmCore } from '../core.ts';
import type { MeshState } from '../mesh-state.ts';
import { invitationView } from '../request-views.ts';
import { isGoverned } from '../forwarded-command.ts';
import type { Command } from '../step.ts';
import { accountFor } from '../trust-explanation.ts';
import type { CommandDoor } from '../rooms.ts';

/** See the header. */
export class CommandDesk implements CommandDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  onCommand(id: number, command: Command): void {
    switch (command.kind) {
      case 'found':
        return this.#core.rooms.ledger.found(id, command.options);
      case 'join':
        if (this.#core.mesh !== null) return this.#core.refuse(id, 'RN-MESH-004', `this node belongs to the mesh "${this.#core.mesh.mesh.genesis.name}"`);
        return this.#core.rooms.joining.startJoin(id, command.options);
      case 'ping': {
        const session = this.#core.findPeer(command.who)?.session ?? null;
        if (this.#core.findPeer(command.who) === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${command.who}"`);
        if (session === null) return this.#core.refuse(id, 'RN-MESH-023', `there is no link to ${command.who}`);
        this.#core.rooms.links.ping(session, id);
        return;
      }
      default: {
        const mesh = this.#core.mesh;
        if (mesh === null) {
          // Giving up an attempt to join is a way of leaving, too.
          if (command.kind === 'leave' && this.#core.joiner !== null) {
            this.#core.rooms.joining.endJoin({ code: 'RN-MESH-032', text: 'the attempt to join was given up' });
            return this.#core.fx.reply({ id, kind: 'done', value: null });
          }
          return this.#core.refuse(id, 'RN-MESH-005', 'this node belongs to no mesh');
        }
        // A command that was forwarded here is not forwarded again: leadership may have gone in a circle.
        if (isGoverned(command) && !mesh.log.decides && id >= 0) return this.#core.rooms.decisions.forward(id, command, mesh);
        return this.#onMemberCommand(id, command, mesh);
      }
    }
  }

  #onMemberCommand(id: number, command: Exclude<Command, { kind: 'found' | 'join' | 'ping' }>, mesh: MeshState): void {
    switch (command.kind) {
      case 'leave':
        return this.#core.rooms.departures.leave(id, mesh);
      case 'invite':
        return this.#core.rooms.admission.invite(id, command.options, mesh);
      case 'invitations':
        return this.#core.fx.reply({
          id,
          kind: 'done',
          value: [...mesh.registry.tokens.values()].map((token) => invitationView(token, mesh, this.#core.now.wall)),
        });
      case 'revoke-invitation': {
        const token = mesh.registry.tokens.get(command.tokenId.toLowerCase());
        if (token === undefined) return this.#core.refuse(id, 'RN-MESH-033', `no invitation has the id "${command.tokenId}"`);
        return this.#core.rooms.decisions.decide(id, { kind: 'token-revoke', tokenId: token.tokenId, by: this.#core.self.aid }, null);
      }
      case 'approve':
        return this.#core.rooms.admission.approve(id, command.fingerprint, command.replaces ?? null, mesh);
      case 'deny':
        return this.#core.rooms.admission.deny(id, command.fingerprint, command.reason);
      case 'forget':
        return this.#core.rooms.departures.forget(id, command.who, mesh);
      case 'close':
        return this.#core.rooms.departures.close(id, command.who, command.replacedBy, mesh);
      case 'identity-document':
        return this.#core.rooms.identities.document(id, command.who, mesh);
      case 'bar':
        return this.#core.rooms.departures.bar(id, command.who, command.reason, mesh);
      case 'unbar':
        return this.#core.rooms.departures.unbar(id, command.who, mesh);
      case 'settle':
        return this.#core.rooms.contests.settle(id, command.who, command.copy, mesh);
      case 'add-voter':
        return this.#core.rooms.voters.add(id, command.who, mesh);
      case 'remove-voter':
        return this.#core.rooms.voters.remove(id, command.who, mesh);
      case 'explain-trust': {
        const peer = this.#core.findPeer(command.who);
        if (peer === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no other member is called "${command.who}"`);
        peer.advanceTrust(this.#core.now.mono);
        return this.#core.fx.reply({ id, kind: 'done', value: { peer: this.#core.rooms.views.nodeView(peer), ...accountFor(this.#core, peer) } });
      }
    }
  }
}
