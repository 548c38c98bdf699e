/**
 * Open links: their beginning and end, liveness, and which room a message belongs to.
 */
import { decodeLogMessage } from '#mesh/consensus/entry-codec.ts';
import { decodeConsensusMessage } from '#mesh/consensus/wire/message-codec.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import type { LivenessChange } from '#mesh/membership/liveness.ts';
import type { Ending } from '#mesh/session/host.ts';
import { slotOf } from '#mesh/session/link.ts';
import type { Session } from '#mesh/session/session.ts';
import { type Accept, GOSSIP_TOPIC, type SessionMessage } from '#mesh/wire/message.ts';
import { isFarewellCode, type RefusalCode } from '#mesh/wire/refusal.ts';
import type { Context } from '../context.ts';
import { type SwarmCore, turned } from '../core.ts';
import type { Peer } from '../peer.ts';
import type { LinkDoor } from '../rooms.ts';

/** See the header. */
export class LinkDesk implements LinkDoor {
  readonly #core: SwarmCore;
  #nextPing = 1;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  onOpen(session: Session, accept: Accept): void {
    const context = this.#core.contextOf(session);
    // Our own dials never stood at the gate; only what came in is counted there.
    if (context.counted === 'half-open') {
      this.#core.gate.opened(context);
      context.counted = 'open';
    }
    const identity = session.peer;
    const link = session.link;
    if (identity === null || link === null) return;
    if (context.lobby !== null) return this.#core.rooms.lobby.onLobbyOpen(context, identity);
    // It may have been removed while the two acceptances crossed.
    if (this.#core.mesh?.member(identity.text) === undefined) {
      session.refuse(turned('IDENTITY_BARRED', 'it is not a member any more'));
      return;
    }
    const peer = this.#core.peerOf(identity.aid);
    // Two connections may have been judged before either opened (an acceptance can arrive late). The positions of the
    // older judgement are out of date: to go on from them would sign a second thing in a place already used.
    if (peer.judged !== session) {
      session.disconnected('a newer connection of the same peer was judged meanwhile');
      this.#core.fx.close(session.id);
      return;
    }
    const former = peer.session;
    peer.session = session;
    peer.opened(link);
    if (former !== null && former !== session && former.state !== 'closed') {
      former.disconnected('replaced by a newer connection');
      this.#core.fx.close(former.id);
      this.#core.touched.add(former);
    }
    peer.advanceTrust(this.#core.now.mono);
    peer.meter.setLinked(true);
    this.#core.spoken = true;
    this.#core.rooms.identities.onJudged(null, []);
    this.#core.applyLevel(peer);
    this.#core.dials.linked(peer.text);
    if (session.initiator) this.#core.dials.addressOf(peer.text, session.remote, this.#core.now.mono);
    this.#core.dials.linked(peer.text);
    this.#core.rooms.connections.clearTarget(context);
    this.#core.rooms.members.storePeerCache();
    const change = this.#core.liveness.linkUp(peer.text, this.#core.now.mono);
    if (change !== undefined) this.onLiveness(change);
    peer.heardWall = this.#core.now.wall;
    peer.changed = true;
    this.#core.rooms.members.firstRecord(peer);
    this.#core.rooms.members.wakeFlush();
    this.#core.rooms.past.onLinkOpen(peer, session);
    this.ping(session, null);
    this.#core.rooms.gossip.tellFacts(session);
    this.#core.rooms.statements.onLinkOpen(peer, session);
    this.#core.rooms.evidence.tell(session);
    this.#core.rooms.contests.tell(session);
    const commit = context.payload?.ledger.commit ?? 0;
    if (this.#core.mesh !== null) this.#core.rooms.ledger.onLog(this.#core.mesh.log.step({ kind: 'linked', peer: peer.text, commit }, this.#core.now));
    void accept;
  }

  onFrame(session: Session, bytes: number): void {
    void bytes;
    const peer = session.peer === null ? undefined : this.#core.peers.get(session.peer.text);
    if (peer === undefined || peer.session !== session) return;
    peer.heardWall = this.#core.now.wall;
    peer.meter.onFrames(1);
    const context = this.#core.contexts.get(session.id);
    if (context !== undefined) context.heard = true;
    const change = this.#core.liveness.heard(peer.text, this.#core.now.mono);
    if (change !== undefined) this.onLiveness(change);
  }

  onMessage(session: Session, message: SessionMessage): void {
    const context = this.#core.contexts.get(session.id);
    const identity = session.peer;
    if (context === undefined || identity === null) return;
    if (context.lobby !== null) return this.#core.rooms.lobby.onLobbyMessage(context, identity, message);
    const peer = this.#core.peers.get(identity.text);
    if (peer === undefined) return;
    const explains = message.kind === 'gossip' && message.topic === GOSSIP_TOPIC.STATEMENT;
    if (peer.unexplained !== null && !explains) this.#core.rooms.past.holdAgainst(peer);
    switch (message.kind) {
      case 'res': {
        const request = this.#core.calls.settle(message.id, peer.text);
        if (request === this.#core.leaving && request !== undefined) this.#core.rooms.departures.left(request);
        else if (request !== undefined && !this.#core.rooms.decisions.onForwardedAnswer(request, message.body))
          this.#core.fx.reply({ id: request, kind: 'done', value: message.body });
        return;
      }
      case 'req':
        return this.#core.rooms.calls.onCall(session, peer, message);
      case 'err': {
        const request = this.#core.calls.settle(message.id, peer.text);
        if (request !== undefined && !this.#core.rooms.decisions.onForwardedRefusal(request, message.code, message.text))
          this.#core.refuse(request, message.code === 'NOT_PERMITTED' ? 'RN-MESH-030' : 'RN-MESH-022', `${this.#core.nameOf(peer.text)}: ${message.text}`);
        return;
      }
      case 'cancel':
        return this.#core.calls.cancel(peer.text, message.id);
      case 'ping':
        if (session.link !== null) session.link.echo = message.challenge.slice();
        session.send({ kind: 'pong', id: message.id, challenge: message.challenge });
        return;
      case 'pong':
        return this.#onPong(context, peer, message.id);
      case 'ckpt':
        return this.#core.rooms.history.onCheckpoint(session, peer, message.checkpoint);
      case 'bye':
        if (message.checkpoint !== null) this.#core.rooms.history.onCheckpoint(session, peer, message.checkpoint);
        return;
      case 'raft': {
        const decoded = decodeLogMessage(message.body) ?? decodeConsensusMessage(message.body);
        if (decoded === undefined) return this.misbehaved(session, 'RMP_INVALID', 'a ledger message does not decode');
        // Which of two machines votes, nobody can say (§3.3 rule 13); what was signed may still be told.
        const isDisputed = this.#core.rooms.contests.view(peer.text) !== null && decoded.kind !== 'fetch' && decoded.kind !== 'append';
        if (this.#core.mesh !== null && !isDisputed)
          this.#core.rooms.ledger.onLog(
            this.#core.mesh.log.step({ kind: 'receive', from: peer.text, message: decoded, bytesMax: this.#core.messageBytesMax(session) }, this.#core.now),
          );
        return;
      }
      case 'gossip':
        return this.#core.rooms.gossip.onGossip(peer, message.topic, message.body, message.origin);
      case 'evidence':
        // Our own signatures, shown to us inside a session: what a refusal would show (§2.9).
        return this.#core.rooms.history.onEvidenceTold(
          identity,
          message.items.map(({ object }) => ({ body: object.body.slice(), sig: object.sig.slice() })),
        );
      case 'est-fetch':
        return this.#core.rooms.identities.onEstFetch(session, message);
      case 'est':
        return this.#core.rooms.identities.onEst(session, peer, message);
      case 'sentinel':
      case 'void':
        return;
      case 'bulk-offer':
        session.send({ kind: 'bulk-ack', id: message.id, state: 'refused', next: 0 });
        return;
      case 'bulk-chunk':
      case 'bulk-ack':
      case 'admit-req':
      case 'admit-status':
      case 'welcome':
        return;
    }
  }

  onViolation(session: Session, code: RefusalCode, why: string): void {
    const peer = session.peer === null ? undefined : this.#core.peers.get(session.peer.text);
    if (peer === undefined || !session.recorded) return;
    this.#core.rooms.history.break(peer, 'PV', why);
    this.#core.event(code, 'warning', `${this.#core.nameOf(peer.text)} broke the protocol: ${why}`, peer.text, session.source, { class: 'PV' });
  }

  onTooLarge(session: Session, bytes: number, bytesMax: number): void {
    const who = session.peer === null ? 'a peer' : this.#core.nameOf(session.peer.text);
    this.#core.incident(
      'FRAME_SIZE',
      'notice',
      `a message of ${bytes} bytes to ${who} was not sent; it accepts ${bytesMax}`,
      session.source,
      session.peer?.text ?? null,
    );
  }

  onEnded(session: Session, ending: Ending): void {
    const context = this.#core.contexts.get(session.id);
    if (context === undefined) return;
    this.#core.contexts.delete(session.id);
    this.#core.touched.add(session);
    this.#core.inboundBytes -= context.bytesHeld;
    if (context.counted === 'half-open') this.#core.gate.abandoned(context);
    if (context.counted === 'open') this.#core.gate.closed();
    for (const { command } of context.pings.values()) if (command !== null) this.#core.refuse(command, 'RN-MESH-023', 'the link broke before the answer came');
    const peer = session.peer === null ? undefined : this.#core.peers.get(session.peer.text);
    if (peer?.session === session) return this.#onLinkEnded(peer, session, ending);
    if (context.lobby === 'host' && session.peer !== null && this.#core.lobbySessions.get(session.peer.text) === session)
      this.#core.lobbySessions.delete(session.peer.text);
    this.#onOpeningEnded(context, ending);
  }

  #onLinkEnded(peer: Peer, session: Session, ending: Ending): void {
    const { mono } = this.#core.now;
    this.#core.rooms.past.holdAgainst(peer);
    peer.session = null;
    peer.advanceTrust(mono);
    peer.meter.setLinked(false);
    peer.changed = true;
    const own = session.recorded ? session.link?.ownCheckpoint : null;
    if (own != null && peer.ownCheckpoints.at(-1) !== own) peer.keepOwnCheckpoint(own);
    for (const request of this.#core.calls.drop(peer.text)) {
      if (request === this.#core.leaving) return this.#core.rooms.departures.leftUnrecorded(request, 'the link to the voter broke before it confirmed');
      const words = `the link to ${this.#core.nameOf(peer.text)} broke before the answer came`;
      if (!this.#core.rooms.decisions.onForwardedRefusal(request, 'RN-MESH-023', words)) this.#core.refuse(request, 'RN-MESH-023', words);
    }
    if (this.#core.mesh !== null) this.#core.rooms.ledger.onLog(this.#core.mesh.log.step({ kind: 'unlinked', peer: peer.text }, this.#core.now));
    const farewell = ending.by === 'peer' && ending.code !== null && isFarewellCode(ending.code) ? ending.code : null;
    if (farewell === 'SHUTDOWN' || farewell === 'LEAVE') {
      const change = this.#core.liveness.farewell(peer.text, mono, farewell === 'LEAVE');
      if (change !== undefined) this.onLiveness(change);
      this.#core.dials.resting(peer.text, mono);
    } else if (ending.by === 'network' || ending.code === 'RENEW') {
      this.#core.liveness.linkBroken(peer.text, mono);
      this.#core.dials.broken(peer.text, mono);
    } else {
      this.#core.liveness.linkBroken(peer.text, mono);
      this.#core.dials.resting(peer.text, mono);
      if (ending.code !== null && !isFarewellCode(ending.code))
        this.#core.incident(
          ending.code,
          'warning',
          `the link to ${this.#core.nameOf(peer.text)} was closed ${ending.by === 'us' ? 'here' : 'there'}: ${ending.why}`,
          session.source,
          peer.text,
        );
    }
    this.#core.rooms.members.wakeFlush();
    // Who waited for this session's answer need not wait any longer.
    for (const other of [...this.#core.contexts.values()]) if (other.probe?.peer.text === peer.text) this.#core.rooms.history.probeOver(other, 'silent');
  }

  #onOpeningEnded(context: Context, ending: Ending): void {
    const { session, target } = context;
    const code = ending.code !== null && !isFarewellCode(ending.code) ? ending.code : null;
    // A contest is told once, with all that is known of it, where it is seen.
    if (code !== null && !(code === 'IDENTITY_CONTESTED' && ending.by === 'us'))
      this.#core.incident(
        code,
        code === 'DUP_CONN' ? 'info' : 'warning',
        `${session.initiator ? 'the dial to' : 'a connection from'} ${addressText(session.remote)} was refused ${ending.by === 'us' ? 'here' : 'there'}: ${ending.why}`,
        session.source,
        session.peer?.text ?? null,
      );
    if (ending.reject !== undefined && session.peer !== null && ending.reject.sealed)
      this.#core.rooms.history.onEvidence(session.peer, ending.reject.code, ending.reject.evidence);
    if (code === 'DUP_CONN') {
      if (target !== null) this.#core.rooms.connections.clearTarget(context, false);
      return;
    }
    if (context.lobby === 'guest' && this.#core.joiner !== null) this.#core.joiner.lobby = null;
    this.#core.rooms.connections.attemptFailed(target, code ?? ending.why);
    if (session.initiator && target !== null) this.#core.rooms.joining.joinAttemptEnded(context, target, ending, code);
  }

  ping(session: Session, command: number | null): number | null {
    const { link } = session;
    const context = this.#core.contexts.get(session.id);
    if (link === null || context === undefined) return null;
    const slot = slotOf(this.#core.now.mono);
    if (link.challenges.isDue(slot)) link.challenges.issue(slot, this.#core.entropy(16));
    const id = this.#nextPing;
    this.#nextPing += 1;
    if (context.pings.size > 64) {
      for (const { command: asked } of context.pings.values())
        if (asked !== null) this.#core.refuse(asked, 'RN-MESH-021', `${this.#core.nameOf(session.peer?.text ?? '')} answers no ping`);
      context.pings.clear();
    }
    context.pings.set(id, { at: this.#core.now.mono, command });
    session.send({ kind: 'ping', id, challenge: link.challenges.newest ?? new Uint8Array(16) });
    this.#core.touched.add(session);
    return id;
  }

  #onPong(context: Context, peer: Peer, id: number): void {
    const ping = context.pings.get(id);
    if (ping === undefined) return;
    context.pings.delete(id);
    const rttMs = this.#core.now.mono - ping.at;
    this.#core.liveness.roundTrip(peer.text, rttMs);
    if (ping.command !== null) this.#core.fx.reply({ id: ping.command, kind: 'done', value: { rttMs } });
    // An answer to an older question may have been on its way since before the peer lost its power: it proves no life.
    for (const other of [...this.#core.contexts.values()])
      if (other.probe?.peer.text === peer.text && other.probe.question === id) this.#core.rooms.history.probeOver(other, 'answers');
  }

  misbehaved(session: Session, code: RefusalCode, why: string): void {
    this.onViolation(session, code, why);
    session.refuse(turned(code, why));
    this.#core.touched.add(session);
  }

  onLiveness(change: LivenessChange): void {
    // A departure is one event, and the ledger tells it (MEMBER_LEFT); a warning beside it would cry wolf.
    if (change.to === 'left' || this.#core.mesh?.member(change.id) === undefined) return;
    const code = change.to === 'up' ? 'MEMBER_UP' : change.to === 'suspect' ? 'MEMBER_SUSPECT' : 'MEMBER_DOWN';
    const severity = change.to === 'up' ? 'info' : change.to === 'suspect' ? 'notice' : 'warning';
    this.#core.event(code, severity, `${this.#core.nameOf(change.id)} is ${change.to}: ${change.why}`, change.id, null, { from: change.from });
  }
}
