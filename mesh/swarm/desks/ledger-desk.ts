/**
 * The node's side of the mesh's log: proposing, replicating, and what each decision means for this node.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { MINUTE } from '#core/time/time.ts';
import type { EntryEffect } from '#mesh/admission/apply-entry.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { GENESIS_RANDOM_BYTES, makeGenesis, type Mesh, verifyGenesis } from '#mesh/admission/genesis.ts';
import { type Member, type RemovedIdentity, removalWords } from '#mesh/admission/registry.ts';
import { decideSeal } from '#mesh/admission/seal-rotations.ts';
import { VoterLog } from '#mesh/admission/voter-log.ts';
import { encodeLogMessage, packEntry, sealEntry, unpackEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { LogFault, LogOutput, SealedEntry } from '#mesh/consensus/log.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';
import type { Welcome } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { MeshState } from '../mesh-state.ts';
import type { FoundOptions } from '../views.ts';
import type { LedgerDoor } from '../rooms.ts';

/** See the header. */
export class LedgerDesk implements LedgerDoor {
  readonly #core: SwarmCore;
  #request = 0;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** Commit a decision at the voter; the reason where it was not taken. */
  commit(change: LedgerChange): string | undefined {
    const mesh = this.#core.mesh;
    if (mesh === null) return 'this node belongs to no mesh';
    const behind = this.#behind(mesh);
    if (behind !== undefined) return behind;
    // Which machine is the original is for the owner alone to say, and the owner says it at the one that is to stay (§2.11).
    const ownCase = change.kind === 'settle' && bytesEqual(change.aid, this.#core.self.aid);
    if (this.#core.contested !== null && !ownCase && change.kind !== 'rotate') return `the identity of this voter is contested: ${this.#core.contested}`;
    // Our own rotation first: others verify what we sign by the key that it brings in.
    const seal = change.kind === 'rotate' ? undefined : decideSeal(mesh.registry, this.#core.self.established);
    if (seal !== undefined) this.commit(seal);
    const { kind, body } = encodeChange(change);
    this.#request += 1;
    const key = { aid: this.#core.self.aid, incarnation: this.#core.self.boot.incarnation, request: this.#request };
    const { outcome, output } = mesh.log.propose({ key, kind, body }, Math.floor(this.#core.now.wall));
    if (outcome.kind === 'not-leader') return `only ${outcome.leader === null ? 'the voter' : this.#core.nameOf(outcome.leader)} can decide`;
    if (outcome.kind === 'too-large') return `the decision has ${outcome.bytes} bytes`;
    return this.onLog(output);
  }

  /**
   * A voter whose ledger lost its end (a restored card) must not decide before those who hold the end had time to give it
   * back: it would sign a second entry at one index. For a while only, so that a liar cannot keep it from deciding.
   */
  #behind(mesh: MeshState): string | undefined {
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

  /** Persist, replicate, apply. Returns why the last entry was not taken by the registry, if it was not. */
  onLog(output: LogOutput): string | undefined {
    const mesh = this.#core.mesh;
    if (mesh === null) return undefined;
    for (const sealed of output.persist) this.#core.fx.persist({ kind: 'ledger', record: packEntry(sealed) });
    for (const { to, message } of output.send) {
      const session = this.#core.peers.get(to)?.session;
      if (session == null) continue;
      session.send({ kind: 'raft', body: encodeLogMessage(message) });
      this.#core.touched.add(session);
    }
    for (const fault of output.faults) this.#onFault(fault, mesh);
    let refused: string | undefined;
    for (const sealed of output.committed) {
      const effect = mesh.apply(sealed);
      refused = effect.kind === 'void' ? effect.why : undefined;
      this.#onDecision(sealed.entry.index, effect);
    }
    this.#core.rooms.joining.maybeAnswerJoin();
    return refused;
  }

  /**
   * Two histories under the voter's signature are the voter's doing, as where its card was copied. A member that passes one
   * of them on has done what it should, and is not blamed; the two members keep their link, each with its own history.
   */
  #onFault({ from, why, voters, unproved }: LogFault, mesh: MeshState): void {
    const session = this.#core.peers.get(from)?.session;
    if (session == null) return;
    const isVoters = voters || (unproved !== undefined && this.#fitsNewerKey(unproved));
    if (!isVoters || mesh.isVoter(from)) return this.#core.rooms.links.misbehaved(session, 'CHAIN_MISMATCH', why);
    this.#core.incident(
      'LEDGER_FORKED',
      'critical',
      `${this.#core.nameOf(from)} holds another history of the mesh than this node: ${why}`,
      session.source,
      from,
    );
  }

  /** The voter may have proved a rotation to us that our ledger does not hold: what its newer key signed is no forgery. */
  #fitsNewerKey(sealed: SealedEntry): boolean {
    const keys = this.#core.peers.get(aidText(sealed.entry.voter))?.established?.signKeys ?? [];
    return this.#core.mesh?.isVoter(aidText(sealed.entry.voter)) === true && keys.some((key) => verifyEntry(this.#core.crypto, key, sealed));
  }

  #onDecision(index: number, effect: EntryEffect): void {
    switch (effect.kind) {
      case 'invited':
        return this.#core.event(
          'TOKEN_ISSUED',
          'info',
          `invitation ${effect.token.text} for ${effect.token.label ?? 'whoever holds it'}: ${effect.token.uses} use${effect.token.uses === 1 ? '' : 's'}`,
          null,
          null,
          { tokenId: effect.token.text },
        );
      case 'token-revoked':
        this.#core.rooms.admission.forgetPsk(effect.token.text);
        return this.#core.event('TOKEN_REVOKED', 'notice', `invitation ${effect.token.text} is revoked`, null, null, { tokenId: effect.token.text });
      case 'admitted':
      case 'promoted':
      case 'suspended':
      case 'confirmed':
      case 'renamed':
        return this.#onMemberChanged(effect.kind, effect.member);
      case 'rotated':
        return this.#core.rooms.identities.onSealed(effect.member, effect.events);
      case 'removed': {
        const { member, removed } = effect;
        this.#core.event(
          removed.how === 'close' ? 'IDENTITY_CLOSED' : 'MEMBER_LEFT',
          'notice',
          `${member.name} (${member.fingerprint}) ${removalWords(removed)}`,
          member.text,
          null,
          { how: removed.how, successor: removed.successor === null ? null : aidText(removed.successor) },
        );
        if (member.text !== this.#core.self.text) return this.#core.rooms.members.unwatch(member.text, removed.how === 'leave' ? 'leave' : 'forget');
        if (removed.how !== 'leave') this.#core.refused = `this node ${removalWords(removed)}`;
        return;
      }
      case 'barred':
        return this.#onBarred(effect.member, effect.removed);
      case 'unbarred':
        this.#core.event(
          'IDENTITY_UNBARRED',
          'notice',
          `${effect.removed.name} (${effect.removed.fingerprint}) may come back; it begins at trust 0`,
          aidText(effect.removed.aid),
          null,
        );
        if (effect.member !== null) this.#core.rooms.members.watch(effect.member.aid);
        if (effect.member?.text === this.#core.self.text) this.#core.refused = null;
        return;
      case 'settled':
        return this.#core.rooms.contests.onSettled(effect.member, effect.machines);
      case 'void':
        // The genesis is what a registry begins with; it has nothing to add.
        if (index === 1) return;
        return this.#core.event('LEDGER_IGNORED', 'warning', `ledger entry ${index} (${effect.change}) changes nothing: ${effect.why}`, null, null);
      case 'setting':
      case 'foreign':
        return;
    }
  }

  #onBarred(member: Member | null, removed: RemovedIdentity): void {
    const text = aidText(removed.aid);
    const { bar } = removed;
    const hardware = bar?.binding == null ? '' : `; its machine is barred with it (${bar.binding.kind})`;
    this.#core.event('IDENTITY_BARRED', 'critical', `${removed.name} (${removed.fingerprint}) ${removalWords(removed)}${hardware}`, text, null, {
      cause: bar?.cause ?? null,
      proof: bar?.evidence == null ? null : hex(bar.evidence),
    });
    if (text === this.#core.self.text) this.#core.refused = `this node is barred from the mesh: ${bar?.reason ?? ''}`;
    else if (member !== null) this.#core.rooms.members.unwatch(member.text, 'bar');
  }

  #onMemberChanged(how: 'admitted' | 'promoted' | 'suspended' | 'confirmed' | 'renamed', member: Member): void {
    if (how === 'admitted' && member.way.kind !== 'genesis') {
      this.#core.event('MEMBER_JOINED', 'notice', `${member.name} (${member.fingerprint}) is a member now`, member.text, null, {
        role: member.role,
        way: member.way.kind,
      });
      this.#core.rooms.members.watch(member.aid);
      this.#core.rooms.admission.welcomeIfWaiting(member);
    }
    if (how === 'suspended')
      this.#core.event(
        'MEMBER_SUSPENDED',
        'critical',
        `${member.name} (${member.fingerprint}) may do nothing until an operator confirms it with \`robonet approve ${member.fingerprint}\``,
        member.text,
        null,
      );
    if (how === 'confirmed') this.#core.event('MEMBER_CONFIRMED', 'notice', `${member.name} (${member.fingerprint}) is confirmed`, member.text, null);
    if (member.text === this.#core.self.text && this.#core.mesh !== null && member.record !== null) this.#core.mesh.ownRecord = member.record;
    const peer = this.#core.peers.get(member.text);
    if (peer !== undefined) this.#core.applyLevel(peer);
  }

  /** Commit and answer. */
  decide(id: number, change: LedgerChange, value: unknown): void {
    if (this.#core.mesh?.log.votes !== true) return this.refuseNotVoter(id);
    const failed = this.commit(change);
    if (failed !== undefined) this.#core.refuse(id, 'RN-MESH-030', failed);
    else this.#core.fx.reply({ id, kind: 'done', value });
  }

  refuseNotVoter(id: number): void {
    const leader = this.#core.mesh?.log.leader ?? null;
    const up = leader !== null && this.#core.liveness.state(leader) === 'up';
    this.#core.refuse(
      id,
      up ? 'RN-MESH-030' : 'RN-MESH-019',
      `only the voter ${leader === null ? '' : this.#core.nameOf(leader)} can decide that${up ? '; run the command there' : ', and it is not reachable'}`,
    );
  }

  found(id: number, options: FoundOptions): void {
    if (this.#core.mesh !== null) return this.#core.refuse(id, 'RN-MESH-004', `this node belongs to the mesh "${this.#core.mesh.mesh.genesis.name}"`);
    if (this.#core.joiner !== null) this.#core.rooms.joining.endJoin({ code: 'RN-MESH-032', text: 'a mesh was founded instead' });
    const { self } = this.#core;
    const choices = { name: options.name, admission: options.admission, trustProfile: options.trustProfile };
    const verdict = makeGenesis(
      this.#core.crypto,
      choices,
      [{ established: self.established, signKey: self.signKey, name: this.#core.facts.name }],
      this.#core.entropy(GENESIS_RANDOM_BYTES),
      this.#core.now.wall,
    );
    if (verdict.kind === 'bad') return this.#core.refuse(id, 'RN-MESH-028', verdict.why);
    const { mesh } = verdict;
    this.#request += 1;
    const key = { aid: self.aid, incarnation: self.boot.incarnation, request: this.#request };
    const first = sealEntry(this.#core.crypto, self.signKey, {
      index: 1,
      term: 1,
      previous: new Uint8Array(32),
      kind: 'genesis',
      body: mesh.bytes,
      key,
      at: Math.floor(this.#core.now.wall),
      voter: self.aid,
    });
    this.becomeMember(mesh, null, [first]);
    this.#core.fx.persist({ kind: 'ledger', record: packEntry(first) });
    this.#core.fx.persist({
      kind: 'document',
      name: 'membership',
      record: encodeMessage({ kind: 'welcome', meshId: mesh.id, role: 'voter', genesis: mesh.bytes, record: new Uint8Array(0) }),
    });
    this.#core.event('MESH_FOUNDED', 'notice', `founded the mesh "${mesh.genesis.name}"`, self.text, null, { mesh: hex(mesh.id), tag: hex(mesh.tag) });
    this.#core.fx.reply({ id, kind: 'done', value: null });
  }

  becomeMember(mesh: Mesh, ownRecord: Uint8Array | null, entries: readonly SealedEntry[]): void {
    this.#core.mesh = new MeshState(this.#core.crypto, { mesh, entries, self: this.#core.self.aid, signKey: this.#core.self.signKey, ownRecord });
    this.#core.dials.clearHints();
    this.#core.refused = null;
    this.#core.peers.clear();
    this.#core.promoteAt = this.#core.now.mono + MINUTE;
    for (const member of this.#core.mesh.members()) this.#core.rooms.members.watch(member.aid);
  }

  loadMesh(welcome: Welcome): void {
    const verdict = verifyGenesis(this.#core.crypto, welcome.genesis, welcome.meshId);
    if (verdict.kind === 'bad') return this.#lost(`the stored membership is not usable: ${verdict.why}`);
    const { mesh } = verdict;
    const voterLog = new VoterLog(this.#core.crypto, mesh.founders[0]);
    const entries: SealedEntry[] = [];
    for (const record of this.#core.options.ledger) {
      const sealed = unpackEntry(this.#core.crypto, record);
      const previous = entries.at(-1)?.digest ?? new Uint8Array(32);
      if (
        sealed === undefined ||
        sealed.entry.index !== entries.length + 1 ||
        !bytesEqual(sealed.entry.previous, previous) ||
        !verifyEntry(this.#core.crypto, voterLog.keyFor(sealed.entry), sealed)
      ) {
        this.#lost(`the stored ledger breaks at entry ${entries.length + 1}; the rest is fetched again`);
        // What comes back is appended behind the last good entry, not behind the damage.
        this.#core.fx.persist({ kind: 'ledger-rewrite', records: this.#core.options.ledger.slice(0, entries.length) });
        break;
      }
      voterLog.took(sealed.entry);
      entries.push(sealed);
    }
    this.becomeMember(mesh, welcome.record.length === 0 ? null : welcome.record, entries);
    const expected = this.#core.rooms.statements.ledgerExpected();
    if (entries.length < expected) this.#lost(`the stored ledger ends at entry ${entries.length}, but this node had ${expected}; the rest is fetched again`);
  }

  /** The ledger begins with the genesis and lists its members: a membership that cannot be read is written again from it. */
  recoverMembership(): void {
    const first = this.#core.options.ledger[0];
    const genesis = first === undefined ? undefined : unpackEntry(this.#core.crypto, first)?.entry;
    if (genesis === undefined || genesis.kind !== 'genesis') return;
    const verdict = verifyGenesis(this.#core.crypto, genesis.body);
    if (verdict.kind === 'bad') return;
    this.loadMesh({ kind: 'welcome', meshId: verdict.mesh.id, role: 'member', genesis: verdict.mesh.bytes, record: new Uint8Array(0) });
    const { mesh } = this.#core;
    const self = mesh?.registry.members.get(this.#core.self.text);
    if (mesh === null || self === undefined) {
      this.#core.mesh = null;
      return;
    }
    mesh.ownRecord = self.record;
    // A founding that the power cut short ends like this, too: nothing is lost.
    this.#core.event('STATE_TAIL_REPAIRED', 'notice', 'the stored membership was gone; it was written again from the ledger', this.#core.self.text, null);
    this.#core.fx.persist({
      kind: 'document',
      name: 'membership',
      record: encodeMessage({ kind: 'welcome', meshId: mesh.id, role: self.role, genesis: mesh.mesh.bytes, record: self.record ?? new Uint8Array(0) }),
    });
  }

  #lost(what: string): void {
    this.#core.degraded.push(what);
    this.#core.event('STATE_DEGRADED', 'critical', what, this.#core.self.text, null);
  }
}
