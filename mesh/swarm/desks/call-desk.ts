/**
 * Calls between members (REQ, RES, ERR, CANCEL). The hot path of the node: one look-up, one encoding, no timer per call.
 */
import type { Millis } from '#core/time/time.ts';
import type { Session } from '#mesh/session/session.ts';
import { permits } from '#mesh/trust/permissions.ts';
import type { SessionMessage } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { Peer } from '../peer.ts';
import type { CallResult } from '../step.ts';
import type { CallDoor } from '../rooms.ts';
import { COMMAND_VERB } from './decision-desk.ts';

/** What every member may ask of a voter, whatever its level. */
const SELF_REQUEST_VERBS = new Set(['mesh.leave', COMMAND_VERB]);

/** See the header. */
export class CallDesk implements CallDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  onRequest(id: number, who: string, verb: string, body: Uint8Array, timeoutMs: Millis): void {
    const peer = this.#core.peers.get(who) ?? this.#core.findPeer(who);
    if (peer === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const { session } = peer;
    if (session === null || session.state !== 'open') return this.#core.refuse(id, 'RN-MESH-023', `there is no link to ${this.#core.nameOf(peer.text)}`);
    if (body.length > this.#core.messageBytesMax(session))
      return this.#core.refuse(
        id,
        'RN-MESH-025',
        `${body.length} bytes; ${this.#core.nameOf(peer.text)} accepts ${this.#core.messageBytesMax(session)} in one message`,
      );
    const wireId = this.#core.calls.open(id, peer.text, this.#core.now.mono, timeoutMs);
    session.send({ kind: 'req', id: wireId, key: null, method: verb, timeoutMs: Math.ceil(timeoutMs), body });
    this.#leave(session);
  }

  onCall(session: Session, peer: Peer, message: Extract<SessionMessage, { kind: 'req' }>): void {
    if (!this.#mayCall(peer, message.method)) {
      session.send({
        kind: 'err',
        id: message.id,
        code: 'NOT_PERMITTED',
        text: `${message.method} needs trust level T2 here, this node is at T${this.#core.levelOf(peer)}`,
      });
      return;
    }
    if (message.method === 'mesh.leave') return this.#core.rooms.departures.onLeaveCall(session, peer, message.id);
    if (message.method === COMMAND_VERB) return this.#core.rooms.decisions.onCommandCall(session, peer, message.id, message.body);
    const call = this.#core.calls.serve({ connection: session.id, peer: peer.text, wireId: message.id, key: null });
    if (call === undefined) session.send({ kind: 'err', id: message.id, code: 'BUSY', text: `${LIMITS.servingMax} calls are under way here` });
    else this.#core.fx.call({ call, from: peer.text, verb: message.method, body: message.body });
  }

  #mayCall(peer: Peer, verb: string): boolean {
    return (
      permits(this.#core.levelOf(peer), 'call-standard') ||
      SELF_REQUEST_VERBS.has(verb) ||
      (verb.endsWith('?') && permits(this.#core.levelOf(peer), 'call-read-only'))
    );
  }

  onRespond(call: number, result: CallResult): void {
    const serving = this.#core.calls.served(call);
    const session = serving === undefined ? undefined : this.#core.contexts.get(serving.connection)?.session;
    if (serving === undefined || session === undefined) return;
    if (result.kind === 'ok') session.send({ kind: 'res', id: serving.wireId, body: result.body });
    else session.send({ kind: 'err', id: serving.wireId, code: result.code.slice(0, 64), text: result.text.slice(0, 500) });
    this.#leave(session);
  }

  /** Nothing to collect from the session now, unless enough waits already: the flush at the end of the turn takes what it has made. */
  #leave(session: Session): void {
    if (session.flushEarly(this.#core.now.mono)) this.#core.touched.add(session);
    else this.#core.fx.flushWanted = true;
  }
}
