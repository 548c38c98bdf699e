/**
 * The way in, at a voter: judging applicants, invitations, a person's approval (protocol.md §2.14). Decides by the policy
 * of mesh/admission; what is decided takes effect when the ledger has it.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { MINUTE, NEVER } from '#core/time/time.ts';
import type { LedgerChange } from '#mesh/admission/entries.ts';
import type { LobbyEntry } from '#mesh/admission/lobby.ts';
import { ADMISSION_LIMITS } from '#mesh/admission/limits.ts';
import { INVITATION_RANDOM_BYTES, makeInvitation } from '#mesh/admission/invitation.ts';
import { decideClosing, decidePromotion, findSuspended, promotion } from '#mesh/admission/membership-changes.ts';
import { isNodeName, nodeNameOf } from '#mesh/admission/names.ts';
import { admission, decideAdmission } from '#mesh/admission/policy.ts';
import type { Member } from '#mesh/admission/registry.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import type { PeerIdentity, PeerVerdict } from '#mesh/session/host.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { payloadBytesMaxAt } from '#mesh/wire/limits.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { Accept, HandshakePayload } from '#mesh/wire/message.ts';
import type { Context } from '../context.ts';
import { LOBBY_RATE, type SwarmCore, turned } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { MeshState } from '../mesh-state.ts';
import { invitationView, requestView } from '../request-views.ts';
import type { AdmissionRequest, InviteOptions } from '../views.ts';
import type { AdmissionDoor } from '../rooms.ts';

/** See the header. */
export class AdmissionDesk implements AdmissionDoor {
  readonly #core: SwarmCore;
  /** Second users of invitations that were reported; each once. */
  readonly #alarms = new Set<string>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  judgeApplicant(context: Context, peer: PeerIdentity, payload: HandshakePayload): PeerVerdict {
    const mesh = this.#core.mesh;
    const { session } = context;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    if (!mesh.log.decides) return turned('QUORUM_UNREACHABLE', 'only the leader can admit');
    const tokenId = session.tokenId;
    const waiting = this.#core.lobby.entries.find((entry) => bytesEqual(entry.aid, peer.aid));
    const decision = decideAdmission(
      {
        established: peer.established,
        approach: session.mode === 1 && tokenId !== null ? { kind: 'token', tokenId } : { kind: 'request' },
        meshTag: null,
        name: waiting?.name ?? nodeNameOf(payload.name ?? ''),
        role: 'member',
        hardware: null,
      },
      { registry: mesh.registry, lobby: this.#core.lobby, now: this.#core.now, levelOf: (aid) => this.#core.levelOf(this.#core.peerOf(aid)) },
    );
    switch (decision.kind) {
      case 'refuse': {
        const alarmKey = decision.alarm === null ? '' : `${hex(decision.alarm.tokenId)}/${peer.text}`;
        if (decision.alarm !== null && !this.#alarms.has(alarmKey)) {
          if (this.#alarms.size >= LIMITS.alarmsMax) this.#alarms.clear();
          this.#alarms.add(alarmKey);
          this.#core.event('TOKEN_REUSED', 'critical', decision.alarm.text, peer.text, session.source, {
            token: hex(decision.alarm.tokenId),
            first: aidText(decision.alarm.first),
            second: aidText(decision.alarm.second),
          });
          if (decision.alarm.suspend !== null) this.#core.rooms.decisions.commit(decision.alarm.suspend);
        }
        const turnedAway = turned(decision.code, decision.why);
        return decision.retryAfterMs === null ? turnedAway : { ...turnedAway, retryAfterMs: decision.retryAfterMs };
      }
      case 'admit': {
        const change = admission(
          this.#core.crypto,
          this.#core.self.signKey,
          mesh.registry,
          decision.draft,
          this.#core.self.aid,
          Math.floor(this.#core.now.wall),
        );
        return this.#admit(context, peer, payload, change);
      }
      case 'member':
        return this.#core.rooms.history.resume(context, peer, payload.resume, mesh.welcomeFor(peer.text), null);
      case 'lobby':
        return this.#enterLobbyAsHost(context, peer);
    }
  }

  /** The applicant waits in its handshake until the mesh has decided; where this node decides alone, that is at once. */
  #admit(context: Context, peer: PeerIdentity, payload: HandshakePayload, change: LedgerChange): PeerVerdict {
    const { session } = context;
    let verdict: PeerVerdict = { kind: 'wait' };
    let isLate = false;
    this.#core.rooms.decisions.commit(change, (failed) => {
      const { mesh } = this.#core;
      if (failed !== undefined || mesh === null)
        verdict = turned(failed?.startsWith('read-only') === true ? 'QUORUM_UNREACHABLE' : 'NOT_PERMITTED', failed ?? 'this node has left');
      else verdict = this.#core.rooms.history.resume(context, peer, payload.resume, mesh.welcomeFor(peer.text), null);
      if (!isLate || session.state === 'closed') return;
      session.decide(verdict, this.#core.now.mono);
      this.#core.touched.add(session);
    });
    isLate = true;
    return verdict;
  }

  #enterLobbyAsHost(context: Context, peer: PeerIdentity): PeerVerdict {
    const mesh = this.#core.mesh;
    const { session } = context;
    if (mesh === null) return turned('MESH_MISMATCH', 'this node is in no mesh');
    const known = this.#core.lobby.entries.find((entry) => bytesEqual(entry.aid, peer.aid));
    const told = context.payload?.name ?? '';
    const sameMachine = known === undefined ? this.#core.lobby.entries.filter(({ machine }) => machine === context.machine).length : 0;
    if (sameMachine >= ADMISSION_LIMITS.lobbyPerMachineMax)
      return turned('LOBBY_FULL', `${sameMachine} identities of the machine ${context.machine} already wait`);
    const request = {
      aid: peer.aid,
      name: known?.name ?? (isNodeName(told) ? told : nodeNameOf(told)),
      role: 'member' as const,
      address: addressText(session.remote),
      machine: context.machine,
      capabilities: known?.capabilities ?? new Uint8Array(0),
    };
    const standing = this.#core.lobby.enter(request, this.#core.now);
    if (standing.kind === 'full') return { ...turned('LOBBY_FULL', 'too many machines already wait'), retryAfterMs: standing.retryAfterMs };
    context.lobby = 'host';
    // One connection per identity, here too: the newest counts, the one before may be dead without our knowing.
    const former = this.#core.lobbySessions.get(peer.text);
    this.#core.lobbySessions.set(peer.text, session);
    if (former !== undefined) {
      former.refuse(turned('DUP_CONN', 'it waits over a newer connection'));
      this.#core.touched.add(former);
    }
    const accept: Accept = {
      kind: 'accept',
      meshId: mesh.id,
      level: 0,
      role: 'lobby',
      verdict: 'first-contact',
      resume: null,
      limits: { payloadBytesMax: payloadBytesMaxAt(0), ...LOBBY_RATE },
      proof: mesh.mesh.bytes,
    };
    return { kind: 'accept', accept, link: this.#core.rooms.lobby.lobbyLink(peer) };
  }

  /** The machine that waits has become a member: tell it, if it is there. */
  welcomeIfWaiting(member: Member): void {
    const session = this.#core.lobbySessions.get(member.text);
    this.#core.lobby.remove(member.aid);
    this.#core.lobbySessions.delete(member.text);
    const bytes = this.#core.mesh?.welcomeFor(member.text) ?? null;
    this.#core.rooms.gossip.gossipRequests();
    if (session === undefined || bytes === null) return;
    const decoded = decodeMessage(MESSAGE_TYPE.WELCOME, bytes);
    if (decoded.kind === 'ok' && decoded.message.kind === 'welcome') session.send(decoded.message);
    this.#core.touched.add(session);
  }

  /** In an open mesh the best of the quarantined rises, at most one per hour (§2.14). */
  maybePromote(): void {
    const mesh = this.#core.mesh;
    this.#core.promoteAt = NEVER;
    if (mesh === null) return;
    this.#core.promoteAt = this.#core.now.mono + MINUTE;
    if (!mesh.log.decides) return;
    this.#dropExpiredPsks(mesh);
    if (mesh.registry.admission !== 'open') return;
    const candidates = [...mesh.registry.members.values()].flatMap((member) => {
      const peer = this.#core.peers.get(member.text);
      return member.role === 'quarantine' && peer !== undefined ? [{ aid: member.aid, score: peer.trust.score }] : [];
    });
    const decision = decidePromotion(mesh.registry, candidates, Math.floor(this.#core.now.wall));
    if (decision.kind === 'promote')
      this.#core.rooms.decisions.commit(
        promotion(this.#core.crypto, this.#core.self.signKey, mesh.registry, decision.member, this.#core.self.aid, Math.floor(this.#core.now.wall)),
      );
  }

  /** The key of an invitation is gone at the latest a minute after it has expired (docs/adr/0008). */
  #dropExpiredPsks(mesh: MeshState): void {
    const before = this.#core.psks.size;
    for (const text of this.#core.psks.keys()) {
      const token = mesh.registry.tokens.get(text);
      if (token === undefined || this.#core.now.wall >= token.expiresAt) this.#core.psks.delete(text);
    }
    if (this.#core.psks.size !== before) this.#storePsks();
  }

  forgetPsk(text: string): void {
    if (this.#core.psks.delete(text)) this.#storePsks();
  }

  #storePsks(): void {
    const entries = [...this.#core.psks].map(([text, psk]) => [text, psk] as const);
    this.#core.fx.persist({
      kind: 'document',
      name: 'token-secrets',
      record: entries.length === 0 ? null : encodeRmp(entries.map(([text, psk]) => [text, psk])),
    });
  }

  invite(id: number, options: InviteOptions, mesh: MeshState): void {
    const peers = this.#core.addresses.map(addressText);
    const order = { role: options.role, uses: options.uses, expiresInMs: options.expiresInMs, label: options.label, hardware: null, peers };
    const outcome = makeInvitation(
      this.#core.crypto,
      mesh.registry,
      order,
      this.#core.self.aid,
      this.#core.now.wall,
      this.#core.entropy(INVITATION_RANDOM_BYTES),
    );
    if (outcome.kind === 'refuse') return this.#core.refuse(id, 'RN-MESH-028', outcome.why);
    this.#core.rooms.decisions.commit(outcome.change, (failed) => {
      if (failed !== undefined) return this.#core.refuse(id, 'RN-MESH-030', failed);
      const tokenId = hex(outcome.token.tokenId);
      this.#core.psks.set(tokenId, outcome.psk);
      this.#storePsks();
      const token = mesh.registry.tokens.get(tokenId);
      if (token === undefined) return this.#core.refuse(id, 'RN-MESH-030', 'the invitation was decided, and is gone from the ledger already; make another one');
      this.#core.fx.reply({ id, kind: 'done', value: { token: outcome.text, ...invitationView(token, mesh, this.#core.now.wall) } });
    });
  }

  approve(id: number, typed: string, replaces: string | null, mesh: MeshState): void {
    const old = replaces === null ? null : mesh.find(replaces);
    if (old === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${replaces}"`);
    const closable = old === null ? null : decideClosing(mesh.registry, old.aid, null, this.#core.self.aid);
    if (closable?.kind === 'refuse') return this.#core.refuse(id, 'RN-MESH-027', closable.why);
    const suspended = findSuspended(mesh.registry, typed);
    if (suspended !== undefined && old !== null)
      return this.#core.refuse(id, 'RN-MESH-027', `${suspended.name} is a member already; close the other one with \`robonet node close\``);
    if (suspended !== undefined) {
      const request = {
        fingerprint: suspended.fingerprint,
        aid: suspended.text,
        name: suspended.name,
        address: '',
        since: suspended.suspended?.since ?? 0,
        expiresAt: 0,
        capabilities: null,
      };
      return this.#core.rooms.decisions.decide(id, { kind: 'confirm', aid: suspended.aid, by: this.#core.self.aid }, request);
    }
    const decision = this.#core.lobby.approve(typed, this.#core.self.aid, this.#core.now);
    if (decision.kind === 'incomplete') return this.#core.refuse(id, 'RN-MESH-026', decision.why);
    if (decision.kind === 'mismatch') {
      this.#core.event('APPROVAL_MISMATCH', 'warning', `somebody approved ${decision.fingerprint}, but no waiting machine has this fingerprint`, null, null, {
        fingerprint: decision.fingerprint,
        waiting: decision.waiting,
      });
      return this.#core.refuse(id, 'RN-MESH-018', decision.why);
    }
    const { entry } = decision;
    const established = this.#core.lobbySessions.get(aidText(entry.aid))?.peer?.established;
    if (old === null) return this.#letIn(id, entry, established);
    // First, so that the newcomer may have its name.
    this.#core.rooms.decisions.commit({ kind: 'close', aid: old.aid, successor: entry.aid, by: this.#core.self.aid }, (failed) => {
      if (failed !== undefined) return this.#core.refuse(id, 'RN-MESH-030', failed);
      this.#letIn(id, entry, established);
    });
  }

  #letIn(id: number, entry: LobbyEntry, established: Established | undefined): void {
    const { mesh } = this.#core;
    if (mesh === null) return;
    const view = requestView(entry);
    this.#core.event('ADMIT_APPROVED', 'notice', `${entry.name} (${entry.fingerprint}) was approved`, aidText(entry.aid), entry.address);
    // A machine that has gone meanwhile is admitted when it comes back: the lobby remembers the approval.
    if (established === undefined) return this.#core.fx.reply({ id, kind: 'done', value: view });
    const draft = {
      aid: entry.aid,
      establishment: established.head,
      role: entry.role,
      name: entry.name,
      way: { kind: 'approval' as const, by: this.#core.self.aid },
    };
    this.#core.rooms.decisions.decide(
      id,
      admission(this.#core.crypto, this.#core.self.signKey, mesh.registry, draft, this.#core.self.aid, Math.floor(this.#core.now.wall)),
      view,
    );
  }

  deny(id: number, typed: string, reason: string): void {
    const decision = this.#core.lobby.deny(typed, reason, this.#core.now);
    if (decision.kind === 'incomplete') return this.#core.refuse(id, 'RN-MESH-026', decision.why);
    if (decision.kind === 'mismatch') return this.#core.refuse(id, 'RN-MESH-018', decision.why);
    const { entry } = decision;
    const text = aidText(entry.aid);
    this.#core.event('APPROVAL_DENIED', 'notice', `${entry.name} (${entry.fingerprint}) was denied: ${reason}`, text, entry.address);
    const session = this.#core.lobbySessions.get(text);
    this.#core.lobbySessions.delete(text);
    if (session !== undefined) {
      session.send({ kind: 'admit-status', state: 'denied', remainingMs: null, reason: reason.slice(0, 256) });
      session.flush(this.#core.now.mono);
      session.refuse(turned('APPROVAL_DENIED', reason));
      this.#core.touched.add(session);
    }
    this.#core.rooms.gossip.gossipRequests();
    this.#core.fx.reply({ id, kind: 'done', value: requestView(entry) });
  }

  requests(): readonly AdmissionRequest[] {
    return this.#core.mesh?.log.decides === true
      ? this.#core.lobby.entries.filter((entry) => entry.approvedBy === null).map(requestView)
      : this.#core.remoteRequests;
  }
}
