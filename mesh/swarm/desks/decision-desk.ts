/**
 * Getting something decided: proposing it to the log and waiting for what becomes of it, here where this node leads, at the
 * leader where another one does. A decision is answered when it is applied, refused, or not known after a while.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { isFaultCode } from '#core/errors/fault.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { decideSeal } from '#mesh/admission/seal-rotations.ts';
import type { ConfigChange } from '#mesh/consensus/config/change.ts';
import type { LogEntry, ProposalKey } from '#mesh/consensus/log.ts';
import type { Answer } from '#mesh/consensus/raft/inputs.ts';
import type { Session } from '#mesh/session/session.ts';
import { permits } from '#mesh/trust/permissions.ts';
import type { SwarmCore } from '../core.ts';
import { encodeAnswer, encodeForwarded, type GovernedCommand, readAnswer, readForwarded } from '../forwarded-command.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { MeshState } from '../mesh-state.ts';
import type { Peer } from '../peer.ts';
import type { DecisionDoor } from '../rooms.ts';
import type { Reply } from '../step.ts';

/** The verb under which a member asks the leader to carry out a command of its operator. */
export const COMMAND_VERB = 'mesh.command';

interface Waiting {
  readonly done: (failed: string | undefined) => void;
  readonly until: Millis;
}

/** See the header. */
export class DecisionDesk implements DecisionDoor {
  readonly #core: SwarmCore;
  #request = 0;
  readonly #waiting = new Map<string, Waiting>();
  /** Calls to the leader that carry a command, by our number of the command. */
  readonly #forwarded = new Map<number, { readonly leader: string; readonly wireId: number }>();
  /** Commands carried out here for other members, by the number they run under: negative, no runner has such. */
  readonly #serving = new Map<number, { readonly connection: number; readonly wireId: number }>();
  #served = 0;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  nextKey(): ProposalKey {
    this.#request += 1;
    return { aid: this.#core.self.aid, incarnation: this.#core.self.boot.incarnation, request: this.#request };
  }

  commit(change: LedgerChange, done: (failed: string | undefined) => void = () => undefined): void {
    const { mesh } = this.#core;
    const fault = mesh === null ? 'this node belongs to no mesh' : this.#fault(mesh, change);
    if (mesh === null || fault !== undefined) return done(fault);
    // Our own rotation first: others verify what we sign by the key that it brings in.
    const seal = change.kind === 'rotate' ? undefined : decideSeal(mesh.registry, this.#core.self.established);
    if (seal !== undefined) this.commit(seal);
    const { kind, body } = encodeChange(change);
    const key = this.#awaited(done);
    this.#core.rooms.ledger.onLog(mesh.log.propose({ key, kind, body }, this.#core.now));
  }

  change(change: ConfigChange, done: (failed: string | undefined) => void): void {
    const { mesh } = this.#core;
    const fault = mesh === null ? 'this node belongs to no mesh' : this.#fault(mesh, null);
    if (mesh === null || fault !== undefined) return done(fault);
    const key = this.#awaited(done);
    this.#core.rooms.ledger.onLog(mesh.log.change(key, change, this.#core.now));
  }

  #awaited(done: Waiting['done']): ProposalKey {
    const key = this.nextKey();
    this.#waiting.set(keyText(key), { done, until: this.#core.now.mono + LIMITS.decisionMsMax });
    return key;
  }

  #fault(mesh: MeshState, change: LedgerChange | null): string | undefined {
    if (!mesh.log.decides) return this.noLeaderWords(mesh);
    const { superseded } = this.#core.rooms.identities;
    if (superseded !== null) return superseded;
    const behind = this.#behind(mesh);
    if (behind !== undefined) return behind;
    // Which machine is the original is for the owner alone to say, and the owner says it at the one that is to stay (§2.11).
    const ownCase = change?.kind === 'settle' && bytesEqual(change.aid, this.#core.self.aid);
    if (this.#core.contested !== null && !ownCase && change?.kind !== 'rotate') return `the identity of this voter is contested: ${this.#core.contested}`;
    if (this.#waiting.size >= LIMITS.decisionsMax) return `${this.#waiting.size} decisions wait for a quorum already`;
    return undefined;
  }

  /**
   * An only voter whose ledger lost its end (a restored card) must not decide before those who hold the end had time to give
   * it back: it would sign a second entry at one index. For a while only, so that a liar cannot keep it from deciding. Of
   * several voters each asks the others by itself (C-20, C-22).
   */
  #behind(mesh: MeshState): string | undefined {
    if (mesh.log.config.voters.length > 1) return undefined;
    const { mono } = this.#core.now;
    if (mesh.log.commitIndex === 0) return 'this voter has no ledger yet; the other members give it back when they are reached';
    if (this.#core.degraded.length > 0 && mono < this.#core.startedAt + LIMITS.catchUpMs)
      return 'this voter starts with damaged state and asks the others first; try again in some seconds';
    for (const { session, payload } of this.#core.contexts.values()) {
      const told = payload?.ledger.commit ?? 0;
      const fresh = mono < session.openedAt + LIMITS.catchUpMs;
      if (session.state === 'open' && fresh && told > mesh.log.commitIndex)
        return `this voter fetches ${told - mesh.log.commitIndex} entries that others hold; try again in some seconds`;
    }
    return undefined;
  }

  /** Why nothing can be decided here: how many voters can be reached, and how many it takes. */
  noLeaderWords(mesh: MeshState): string {
    const { voters } = mesh.log.config;
    const up = voters.filter((text) => text === this.#core.self.text || this.#core.liveness.state(text) === 'up').length;
    if (up < mesh.log.quorum) return `read-only: ${up} of ${voters.length}, need ${mesh.log.quorum}`;
    const { leader } = mesh.log;
    return leader === null || leader === this.#core.self.text
      ? 'no leader is elected at the moment; try again in some seconds'
      : `only ${this.#core.nameOf(leader)} can decide`;
  }

  // ---- what became of it -----------------------------------------------------------------------------------------------

  onCommitted({ key }: LogEntry, refused: string | undefined): void {
    if (bytesEqual(key.aid, this.#core.self.aid)) this.#settle(key, refused);
  }

  onAnswer(answer: Answer): void {
    switch (answer.kind) {
      case 'settled':
        return this.#settle(answer.key, undefined);
      case 'refused': {
        const { mesh } = this.#core;
        const { code, why } = answer.refusal;
        return this.#settle(answer.key, code === 'not-leader' && mesh !== null ? this.noLeaderWords(mesh) : why);
      }
      // It may be committed yet, by the next leader: that is waited for.
      case 'unknown':
      case 'readable':
      case 'unreadable':
    }
  }

  #settle(key: ProposalKey, failed: string | undefined): void {
    const text = keyText(key);
    const waiting = this.#waiting.get(text);
    this.#waiting.delete(text);
    waiting?.done(failed);
  }

  get wakeAt(): Millis {
    let earliest = NEVER;
    for (const { until } of this.#waiting.values()) earliest = Math.min(earliest, until);
    return earliest;
  }

  tick(): void {
    const { mesh, now } = this.#core;
    for (const [text, { until, done }] of [...this.#waiting]) {
      if (now.mono < until) continue;
      this.#waiting.delete(text);
      const words = mesh === null ? '' : this.noLeaderWords(mesh);
      done(`whether it was decided is not known after ${LIMITS.decisionMsMax / 1_000} s (${words}); look before you try again`);
    }
  }

  /** Commit and answer. */
  decide(id: number, change: LedgerChange, value: unknown): void {
    this.commit(change, (failed) => {
      if (failed !== undefined) this.#core.refuse(id, 'RN-MESH-030', failed);
      else this.#core.fx.reply({ id, kind: 'done', value });
    });
  }

  // ---- at the leader, from any node ------------------------------------------------------------------------------------

  /** Have the leader carry it out; whether somebody else does. */
  forward(id: number, command: GovernedCommand, mesh: MeshState): void {
    const { leader } = mesh.log;
    const peer = leader === null ? undefined : this.#core.peers.get(leader);
    const session = peer?.session;
    if (peer === undefined || session == null || session.state !== 'open') return this.#core.refuse(id, 'RN-MESH-019', this.#unreachableWords(mesh));
    // Only the leader hears of it twice where a link breaks in between, and then nobody knows: the operator looks.
    const wireId = this.#core.calls.open(id, peer.text, this.#core.now.mono, LIMITS.decisionMsMax + 2_000);
    this.#forwarded.set(id, { leader: peer.text, wireId });
    session.send({
      kind: 'req',
      id: wireId,
      key: this.#core.entropy(16),
      method: COMMAND_VERB,
      timeoutMs: LIMITS.decisionMsMax,
      body: encodeForwarded(command),
    });
    this.#core.touched.add(session);
  }

  #unreachableWords(mesh: MeshState): string {
    const words = this.noLeaderWords(mesh);
    const { leader } = mesh.log;
    return leader !== null && !words.startsWith('read-only') ? `only ${this.#core.nameOf(leader)} can decide that, and it is not reachable` : words;
  }

  onLeaderHeard(): void {
    const leader = this.#core.mesh?.log.leader ?? null;
    if (leader === null) return;
    for (const [id, asked] of [...this.#forwarded]) {
      if (asked.leader === leader) continue;
      this.#forwarded.delete(id);
      if (this.#core.calls.settle(asked.wireId, asked.leader) === undefined) continue;
      const words = `${this.#core.nameOf(asked.leader)} leads no longer, and whether it carried the command out is not known; look before you try again`;
      this.#core.refuse(id, 'RN-MESH-030', words);
    }
  }

  /** An answer to a call of ours: whether it was to a command, and then it is passed on. */
  onForwardedAnswer(id: number, body: Uint8Array): boolean {
    if (!this.#forwarded.delete(id)) return false;
    const answer = readAnswer(body);
    if (answer === undefined) this.#core.refuse(id, 'RN-MESH-022', 'the leader answered something that is not understood; look before you try again');
    else this.#core.fx.reply({ id, kind: 'done', value: answer.value });
    return true;
  }

  /** The leader refused: with its own code. */
  onForwardedRefusal(id: number, code: string, text: string): boolean {
    if (!this.#forwarded.delete(id)) return false;
    this.#core.refuse(id, isFaultCode(code) ? code : 'RN-MESH-030', text);
    return true;
  }

  /** A member asks for a decision here. */
  onCommandCall(session: Session, peer: Peer, wireId: number, body: Uint8Array): void {
    const refuse = (code: string, text: string): void => {
      session.send({ kind: 'err', id: wireId, code, text: text.slice(0, 500) });
      this.#core.touched.add(session);
    };
    const { mesh } = this.#core;
    if (mesh === null || !mesh.log.decides) return refuse('RN-MESH-030', mesh === null ? 'this node belongs to no mesh' : this.noLeaderWords(mesh));
    if (!permits(this.#core.levelOf(peer), 'request-high-risk'))
      return refuse(
        'RN-MESH-030',
        `commands of ${this.#core.nameOf(peer.text)} are carried out from trust level T2 on, it is at T${this.#core.levelOf(peer)} here; run it at a voter`,
      );
    const command = readForwarded(body);
    if (command === undefined) return refuse('RN-MESH-030', 'the command is not understood here; are both of one version?');
    this.#served += 1;
    const id = -this.#served;
    this.#serving.set(id, { connection: session.id, wireId });
    this.#core.event('COMMAND_FORWARDED', 'notice', `${this.#core.nameOf(peer.text)} asks for: ${command.kind}`, peer.text, session.source, {
      command: command.kind,
    });
    this.#core.rooms.commands.onCommand(id, command);
  }

  /** A command that ran here for another member is answered. */
  onServed(reply: Reply): void {
    const call = this.#serving.get(reply.id);
    this.#serving.delete(reply.id);
    const session = call === undefined ? undefined : this.#core.contexts.get(call.connection)?.session;
    if (call === undefined || session === undefined) return;
    if (reply.kind === 'done') session.send({ kind: 'res', id: call.wireId, body: encodeAnswer(reply.value) });
    else session.send({ kind: 'err', id: call.wireId, code: reply.refusal.code, text: reply.refusal.text.slice(0, 500) });
    this.#core.touched.add(session);
  }
}

function keyText({ aid, incarnation, request }: ProposalKey): string {
  return `${hex(aid)}/${incarnation}/${request}`;
}
