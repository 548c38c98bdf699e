/**
 * Connections as such: who may come in, whom we dial, what a hint is worth (protocol.md §2.14, §2.15). What is said over
 * them is the business of other rooms.
 */
import { hex } from '#core/bytes/bytes.ts';
import { NEVER } from '#core/time/time.ts';
import { type Address, addressText, isLocalAddress, sourceKey } from '#mesh/membership/address-policy.ts';
import type { DialTarget } from '#mesh/membership/dial-plan.ts';
import { SESSION_LIMITS } from '#mesh/session/limits.ts';
import { Session } from '#mesh/session/session.ts';
import type { HelloMode } from '#mesh/wire/message.ts';
import type { Context, Ends } from '../context.ts';
import { type SwarmCore, turned } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { chooseToShed, type Holder } from '../shed.ts';
import type { ConnectionId } from '../step.ts';
import type { ConnectionDoor } from '../rooms.ts';

/** See the header. */
export class ConnectionDesk implements ConnectionDoor {
  readonly #core: SwarmCore;
  #nextDial = -1;
  readonly #pendingDials = new Map<ConnectionId, { readonly target: DialTarget; readonly address: Address; readonly mode: HelloMode }>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** An interface came or went: every link is asked at once, everybody else is dialled anew. */
  onNetworkChanged(): void {
    const { mono } = this.#core.now;
    this.#core.dials.retryAll(mono);
    for (const context of this.#core.contexts.values()) {
      if (context.session.state !== 'open' || context.lobby !== null) continue;
      context.aliveBy = mono + LIMITS.contestMs;
      context.heard = false;
      this.#core.rooms.links.ping(context.session, null);
    }
  }

  onReceived(id: ConnectionId, bytes: Uint8Array): void {
    const context = this.#core.contexts.get(id);
    if (context === undefined) return;
    const { session } = context;
    session.receive(bytes, this.#core.now.mono);
    this.#core.touched.add(session);
    this.#count(context);
    const wait = session.pauseMs(this.#core.now.mono);
    if (wait > 0 && !context.paused) {
      context.paused = true;
      context.pausedUntil = this.#core.now.mono + wait;
      this.#core.fx.pause(id, true);
    }
  }

  /** Unfinished frames altogether have a limit; beyond it the least trusted connections go (§2.15). */
  #count(context: Context): void {
    const core = this.#core;
    const held = context.session.state === 'closed' ? 0 : context.session.bytesHeld;
    core.inboundBytes += held - context.bytesHeld;
    context.bytesHeld = held;
    const max = core.options.inboundBytesMax ?? SESSION_LIMITS.inboundBytesMax;
    if (core.inboundBytes <= max) return;
    const holders = [...core.contexts.values()].map(({ session, lobby, bytesHeld }): Holder => {
      const peer = session.peer === null ? undefined : core.peers.get(session.peer.text);
      const isMember = session.state === 'open' && lobby === null && peer !== undefined;
      return {
        connection: session.id,
        bytesHeld,
        standing: isMember ? 'member' : lobby === null ? 'stranger' : 'lobby',
        score: isMember ? peer.trust.score : 0,
      };
    });
    for (const id of chooseToShed(holders, core.inboundBytes - max)) {
      const session = core.contexts.get(id)?.session;
      session?.refuse(turned('RATE_LIMIT', `unfinished frames of all connections together hold more than ${max} bytes; the least trusted go first`));
      if (session !== undefined) core.touched.add(session);
    }
  }

  onConnection(id: ConnectionId, ends: Ends, initiate: { readonly target: DialTarget; readonly mode: HelloMode } | null): void {
    if (this.#core.stopping) {
      this.#core.fx.close(id);
      return;
    }
    const { remote, local, mac } = ends;
    const machine = mac ?? sourceKey(remote.host);
    if (initiate === null && !this.#mayEnter(id, ends, machine)) return;
    const token = initiate?.mode === 1 ? (this.#core.joiner?.intent ?? null) : null;
    const session = new Session(
      this.#core.host,
      {
        id,
        initiator: initiate !== null,
        remote,
        mode: initiate?.mode ?? 0,
        tokenId: token?.token?.tokenId ?? null,
        psk: token?.psk ?? null,
        rates: this.#core.rates,
      },
      this.#core.now.mono,
    );
    const context: Context = {
      session,
      target: initiate?.target ?? null,
      openedAt: this.#core.now.mono,
      source: session.source,
      payload: null,
      ourBlock: null,
      lobby: null,
      counted: initiate === null ? 'half-open' : 'no',
      probe: null,
      recheck: null,
      bytesHeld: 0,
      machine,
      mac,
      local,
      relayed: null,
      pings: new Map(),
      paused: false,
      pausedUntil: NEVER,
      aliveBy: NEVER,
      heard: false,
      renewWanted: false,
      payloadBytesMaxTold: 0,
    };
    this.#core.contexts.set(id, context);
    this.#core.touched.add(session);
  }

  /** The gate comes before anything is allocated for a connection. */
  #mayEnter(id: ConnectionId, { remote, mac }: Ends, machine: string): boolean {
    const source = sourceKey(remote.host);
    const refusal = this.#core.gate.arrive({ source, machine, known: this.#core.isKnownHost(remote.host) }, this.#core.now.mono);
    if (refusal === undefined) return true;
    this.#core.strangers.turnedAway({ key: machine, mac, address: remote.host }, this.#core.now);
    this.#core.incident('RATE_LIMIT', 'warning', `a connection from ${addressText(remote)} was turned away: ${refusal}`, source, null);
    this.#core.fx.abort(id);
    return false;
  }

  onConnected(id: ConnectionId, remote: Address, local: Address | null): void {
    const dial = this.#pendingDials.get(id);
    this.#pendingDials.delete(id);
    if (dial === undefined || (dial.mode !== 0) === (this.#core.mesh !== null)) {
      this.#core.fx.close(id);
      return;
    }
    this.onConnection(id, { remote: { host: remote.host, port: dial.address.port }, local, mac: null }, { target: dial.target, mode: dial.mode });
  }

  dial(target: DialTarget, address: Address): void {
    const mode: HelloMode | null = this.#core.mesh !== null ? 0 : (this.#core.joiner?.mode ?? null);
    const lobbied = this.#core.joiner?.lobby ?? null;
    if (mode === null || (lobbied !== null && target.kind === 'hint')) {
      this.#core.dials.failed(target, this.#core.now.mono);
      return;
    }
    const id = this.#nextDial;
    this.#nextDial -= 1;
    this.#pendingDials.set(id, { target, address, mode });
    this.#core.fx.dial(id, address);
  }

  onDialFailed(id: ConnectionId, why: string): void {
    const dial = this.#pendingDials.get(id);
    this.#pendingDials.delete(id);
    if (dial === undefined) return;
    this.attemptFailed(dial.target, `redial ${why}`);
    this.#core.rooms.joining.joinFailed(dial.target, { code: 'RN-MESH-011', text: `nothing answers at ${addressText(dial.address)} (${why})` }, false);
  }

  /** A dial or a handshake to a target came to nothing. */
  attemptFailed(target: DialTarget | null, why: string): void {
    if (target === null) return;
    this.#core.dials.failed(target, this.#core.now.mono);
    if (target.kind !== 'member') return;
    const change = this.#core.liveness.probeFailed(target.id, this.#core.now.mono, why);
    if (change !== undefined) this.#core.rooms.links.onLiveness(change);
  }

  onBacklog(id: ConnectionId, bytes: number): void {
    const session = this.#core.contexts.get(id)?.session;
    if (session === undefined) return;
    session.backlog(bytes);
    this.#core.touched.add(session);
  }

  onHint(address: Address, meshTag: string | null, origin: 'mdns' | 'typed' | 'cache' | 'gossip'): void {
    if (origin !== 'typed' && !isLocalAddress(address.host)) return;
    const { mono } = this.#core.now;
    // A machine that announces no tag belongs to no mesh: there is nothing to be had from it.
    if (meshTag === null && origin === 'mdns') return;
    if (this.#core.mesh !== null) {
      if (meshTag !== null && meshTag !== hex(this.#core.mesh.tag)) return;
      if (this.#isKnownAddress(address)) return;
      this.#core.dials.addHint(address, mono);
    } else if (this.#core.joiner?.wants(meshTag) === true) {
      if (this.#core.joiner.isAmbiguous) return this.#core.rooms.joining.joinAmbiguous();
      if (this.#core.joiner.rejected.has(addressText(address))) return;
      this.#core.dials.addHint(address, mono);
    } else if (meshTag !== null) this.#core.tagsInSight.set(meshTag, { address, at: mono });
    if (meshTag === null && this.#core.mesh === null && this.#core.joiner === null) this.#core.tagsInSight.set(addressText(address), { address, at: mono });
    if (this.#core.tagsInSight.size > 512) this.#core.tagsInSight.clear();
  }

  /** Ours, or a member's: members are dialled as such, with their back-off, and not again for every sighting. */
  #isKnownAddress(address: Address): boolean {
    const own = this.#core.addresses.some((mine) => mine.host === address.host && mine.port === address.port);
    if (own) return true;
    for (const peer of this.#core.peers.values()) {
      if (this.#core.dials.addressesOf(peer.text).some((known) => known.host === address.host && known.port === address.port)) return true;
    }
    return false;
  }

  /** What was dialled has been reached, or is being reached over another connection. */
  clearTarget(context: Context, reached = true): void {
    const { target } = context;
    if (target === null) return;
    if (target.kind === 'hint') this.#core.dials.removeHint(target.key);
    else if (!reached) this.#core.dials.failed(target, this.#core.now.mono);
  }
}
