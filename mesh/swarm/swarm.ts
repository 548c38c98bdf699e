/**
 * One node: the machines composed. Pure: inputs and the present go in, effects come out (step.ts); the driver or the
 * simulator performs them in the one right order. This file is the clockwork; the rooms do the work.
 */
import { type Instant, type Millis, MINUTE, NEVER } from '#core/time/time.ts';
import type { StrangerGroup } from '#mesh/admission/stranger-watch.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import type { LocalIdentity } from '#mesh/session/host.ts';
import { SwarmCore, type SwarmOptions } from './core.ts';
import type { SwarmEffects, SwarmInput } from './step.ts';
import type { StatusView } from './views.ts';
import { NodeHost } from './session-host.ts';
import { AdmissionDesk } from './desks/admission-desk.ts';
import { CallDesk } from './desks/call-desk.ts';
import { CommandDesk } from './desks/command-desk.ts';
import { ConnectionDesk } from './desks/connection-desk.ts';
import { ContestDesk } from './desks/contest-desk.ts';
import { DepartureDesk } from './desks/departure-desk.ts';
import { DecisionDesk } from './desks/decision-desk.ts';
import { EvidenceDesk } from './desks/evidence-desk.ts';
import { ForkDesk } from './desks/fork-desk.ts';
import { GossipDesk } from './desks/gossip-desk.ts';
import { IdentityDesk } from './desks/identity-desk.ts';
import { HandshakeDesk } from './desks/handshake-desk.ts';
import { HistoryDesk } from './desks/history-desk.ts';
import { JoiningDesk } from './desks/joining-desk.ts';
import { LedgerDesk } from './desks/ledger-desk.ts';
import { LinkDesk } from './desks/link-desk.ts';
import { LobbyDesk } from './desks/lobby-desk.ts';
import { MemberDesk } from './desks/member-desk.ts';
import { RecheckDesk } from './desks/recheck-desk.ts';
import { PastDesk } from './desks/past-desk.ts';
import { StatementDesk } from './desks/statement-desk.ts';
import { ViewDesk } from './desks/view-desk.ts';
import { VoterDesk } from './desks/voter-desk.ts';

/** See the header. */
export class Swarm {
  readonly #core: SwarmCore;

  constructor(options: SwarmOptions, now: Instant) {
    const core = new SwarmCore(options, now);
    this.#core = core;
    core.furnish(
      {
        connections: new ConnectionDesk(core),
        handshakes: new HandshakeDesk(core),
        history: new HistoryDesk(core),
        identities: new IdentityDesk(core),
        evidence: new EvidenceDesk(core),
        contests: new ContestDesk(core),
        links: new LinkDesk(core),
        calls: new CallDesk(core),
        gossip: new GossipDesk(core),
        statements: new StatementDesk(core),
        past: new PastDesk(core),
        rechecks: new RecheckDesk(core),
        admission: new AdmissionDesk(core),
        lobby: new LobbyDesk(core),
        joining: new JoiningDesk(core),
        ledger: new LedgerDesk(core),
        forks: new ForkDesk(core),
        decisions: new DecisionDesk(core),
        voters: new VoterDesk(core),
        departures: new DepartureDesk(core),
        members: new MemberDesk(core),
        views: new ViewDesk(core),
        commands: new CommandDesk(core),
      },
      new NodeHost(core),
    );
    core.rooms.past.load();
    core.rooms.members.load(now);
    if (core.mesh !== null && !core.rooms.past.listening) core.rooms.ledger.onLog(core.mesh.log.start(now));
  }

  /** Who this node is, in this run. */
  get self(): LocalIdentity {
    return this.#core.self;
  }

  /** Everything `robonet status` needs. */
  status(): StatusView {
    return this.#core.rooms.views.status();
  }

  /** Why this node must not rotate its key now; undefined when it may. */
  rotationFault(): string | undefined {
    return this.#core.rooms.identities.rotationFault();
  }

  /** Advance by one input. */
  step(input: SwarmInput, now: Instant): SwarmEffects {
    this.#core.now = now;
    switch (input.kind) {
      case 'received':
        this.#core.rooms.connections.onReceived(input.connection, input.bytes);
        break;
      case 'request':
        this.#core.rooms.calls.onRequest(input.id, input.who, input.verb, input.body, input.timeoutMs);
        break;
      case 'respond':
        this.#core.rooms.calls.onRespond(input.call, input.result);
        break;
      case 'flush':
        for (const { session } of this.#core.contexts.values()) {
          if (!session.hasUnflushed) continue;
          session.flush(now.mono);
          this.#core.touched.add(session);
        }
        break;
      case 'tick':
        this.#onTick();
        break;
      case 'accepted':
        this.#core.rooms.connections.onConnection(input.connection, { remote: input.remote, local: input.local ?? null, mac: input.mac ?? null }, null);
        break;
      case 'connected':
        this.#core.rooms.connections.onConnected(input.connection, input.remote, input.local ?? null);
        break;
      case 'dial-failed':
        this.#core.rooms.connections.onDialFailed(input.connection, input.why);
        break;
      case 'closed':
        this.#core.contexts.get(input.connection)?.session.disconnected(input.why);
        break;
      case 'backlog':
        this.#core.rooms.connections.onBacklog(input.connection, input.bytes);
        break;
      case 'command':
        this.#core.rooms.commands.onCommand(input.id, input.command);
        break;
      case 'announce-self':
        this.#core.facts = input.facts;
        this.#core.rooms.gossip.maybeRename(this.#core.self.aid, input.facts.name);
        this.#core.rooms.gossip.gossipFacts();
        break;
      case 'hint':
        this.#core.rooms.connections.onHint(input.address, input.meshTag, input.origin);
        break;
      case 'listening':
        this.#core.addresses = input.addresses;
        this.#core.rooms.gossip.gossipFacts();
        break;
      case 'network-changed':
        this.#core.rooms.connections.onNetworkChanged();
        break;
      case 'neighbour':
        this.#core.rooms.contests.onNeighbour(input.host, input.mac);
        break;
      case 'stored-record':
        this.#core.rooms.rechecks.onRead(input.key, input.record);
        break;
      case 'stalled':
        this.#core.liveness.stalled(input.lagMs);
        break;
      case 'rotated':
        this.#core.rooms.identities.announce(input.event, input.number);
        break;
      case 'stop':
        this.#core.stopping = true;
        this.#core.rooms.statements.farewell();
        for (const { session } of [...this.#core.contexts.values()]) {
          if (session.state === 'open') session.close('SHUTDOWN');
          else session.disconnected('this node stops');
          this.#core.touched.add(session);
        }
        this.#core.rooms.members.flushPeers(true);
        break;
    }
    for (const reply of this.#core.fx.served.splice(0)) this.#core.rooms.decisions.onServed(reply);
    this.#collect();
    return this.#core.fx.take();
  }

  /** When `tick` is next needed. */
  get wakeAt(): Millis {
    let earliest = Math.min(this.#core.liveness.wakeAt(), this.#core.calls.wakeAt(), this.#core.factsAt, this.#core.flushPeersAt, this.#core.promoteAt);
    earliest = Math.min(earliest, this.#core.rooms.identities.wakeAt);
    earliest = Math.min(earliest, this.#core.strangers.wakeAt);
    earliest = Math.min(earliest, this.#core.rooms.statements.wakeAt, this.#core.rooms.decisions.wakeAt, this.#core.rooms.forks.wakeAt);
    if (this.#core.mesh !== null) earliest = Math.min(earliest, this.#core.mesh.log.wakeAt);
    if (this.#core.mayDial) earliest = Math.min(earliest, this.#core.dials.wakeAt());
    if (this.#core.joiner?.command != null) earliest = Math.min(earliest, this.#core.joiner.until);
    if (this.#core.awaitsLedger !== null) earliest = Math.min(earliest, this.#core.awaitsLedger.until);
    for (const context of this.#core.contexts.values()) {
      earliest = Math.min(earliest, context.session.wakeAt());
      earliest = Math.min(earliest, context.aliveBy);
      if (context.probe !== null) earliest = Math.min(earliest, context.probe.until);
      if (context.paused) earliest = Math.min(earliest, context.pausedUntil);
    }
    for (const peer of this.#core.peers.values()) earliest = Math.min(earliest, peer.meter.wakeAt);
    if (this.#core.lobby.entries.length > 0) earliest = Math.min(earliest, this.#core.lobby.wakeAt, this.#core.now.mono + MINUTE);
    return earliest;
  }

  #onTick(): void {
    const { mono } = this.#core.now;
    for (const context of [...this.#core.contexts.values()]) {
      const { session } = context;
      session.tick(mono);
      this.#core.touched.add(session);
      if (context.probe !== null && mono >= context.probe.until) this.#core.rooms.history.probeOver(context, 'silent');
      if (context.renewWanted && session.peer !== null && this.#core.calls.isIdle(session.peer.text)) {
        context.renewWanted = false;
        session.close('RENEW');
      }
      if (mono >= context.aliveBy) {
        context.aliveBy = NEVER;
        if (!context.heard) this.#core.giveUp(session, 'nothing was heard after a change of the network');
      }
      if (context.paused && mono >= context.pausedUntil) {
        context.paused = false;
        this.#core.fx.pause(session.id, false);
      }
    }
    const { changes, pings } = this.#core.liveness.tick(mono);
    for (const change of changes) this.#core.rooms.links.onLiveness(change);
    for (const id of pings) {
      const session = this.#core.peers.get(id)?.session;
      if (session != null) this.#core.rooms.links.ping(session, null);
    }
    for (const peer of this.#core.peers.values()) if (mono >= peer.meter.wakeAt && peer.advanceTrust(mono)) this.#core.levelChanged(peer);
    for (const context of this.#core.contexts.values())
      if (context.lobby === 'host' && context.session.peer !== null) this.#core.lobby.renew(context.session.peer.aid, this.#core.now);
    for (const entry of this.#core.lobby.expire(this.#core.now)) {
      this.#core.event('ADMIT_EXPIRED', 'notice', `${entry.name} (${entry.fingerprint}) no longer waits`, aidText(entry.aid), entry.address);
      this.#core.rooms.gossip.gossipRequests();
    }
    for (const call of this.#core.calls.sweep(mono)) {
      this.#core.peers.get(call.peer)?.session?.send({ kind: 'cancel', id: call.wireId });
      const words = `${this.#core.nameOf(call.peer)} did not answer within ${Math.round(call.waitedMs)} ms`;
      if (!this.#core.rooms.decisions.onForwardedRefusal(call.request, 'RN-MESH-021', words)) this.#core.refuse(call.request, 'RN-MESH-021', words);
    }
    for (const group of this.#core.strangers.tick(this.#core.now)) this.#onStrangers(group);
    if (mono >= this.#core.factsAt) this.#core.rooms.gossip.gossipFacts();
    if (mono >= this.#core.promoteAt) this.#core.rooms.admission.maybePromote();
    if (mono >= this.#core.rooms.identities.wakeAt) this.#core.rooms.identities.tick();
    this.#core.rooms.statements.tick();
    this.#core.rooms.decisions.tick();
    this.#core.rooms.forks.tick();
    if (this.#core.mesh !== null && !this.#core.rooms.past.listening) this.#core.rooms.ledger.onLog(this.#core.mesh.log.tick(this.#core.now));
    if (mono >= this.#core.flushPeersAt) this.#core.rooms.members.flushPeers(false);
    this.#core.rooms.joining.joinerTick();
    this.#core.rooms.joining.maybeAnswerJoin();
    if (this.#core.mayDial) for (const dial of this.#core.dials.due(mono)) this.#core.rooms.connections.dial(dial.target, dial.address);
  }

  /** One alert for all that one machine tries (§6, A11). */
  #onStrangers(group: StrangerGroup): void {
    const { mac, addresses, identities, turnedAway, firstAt, lastAt } = group;
    const from = mac === null ? `the address ${addresses.join(', ')}` : `one machine (${mac}; ${addresses.join(', ')})`;
    this.#core.event(
      'SYBIL_SUSPECTED',
      'critical',
      `${identities} strange identities asked to join from ${from}; ${turnedAway} attempts were turned away. None has any right here; approve none whose fingerprint you have not read from its own screen`,
      null,
      addresses[0] ?? null,
      { mac, identities, turnedAway, firstAt: Math.floor(firstAt), lastAt: Math.floor(lastAt), addresses: addresses.join(' ') },
    );
  }

  /** Move what the touched sessions produced into the effects. */
  #collect(): void {
    if (this.#core.touched.size === 0) return;
    for (const session of this.#core.touched) {
      const out = session.takeOutput();
      for (const bytes of out.bytes) this.#core.fx.send(session.id, bytes);
      if (out.close) this.#core.fx.close(session.id);
      if (session.hasUnflushed) this.#core.fx.flushWanted = true;
      const peer = session.peer === null ? undefined : this.#core.peers.get(session.peer.text);
      const own = session.recorded ? session.link?.ownCheckpoint : null;
      if (peer !== undefined && own != null && peer.ownCheckpoints.at(-1) !== own) peer.keepOwnCheckpoint(own);
    }
    this.#core.touched.clear();
  }
}
