/**
 * The node's side of the mesh's log: proposing, replicating, and what each decision means for this node.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { Rng } from '#core/random/random.ts';
import { MINUTE } from '#core/time/time.ts';
import type { EntryEffect } from '#mesh/admission/apply-entry.ts';
import { GENESIS_RANDOM_BYTES, makeGenesis, type Mesh, verifyGenesis } from '#mesh/admission/genesis.ts';
import { type Member, type RemovedIdentity, removalWords } from '#mesh/admission/registry.ts';
import { VoterLog } from '#mesh/admission/voter-log.ts';
import { majority } from '#mesh/consensus/config/configuration.ts';
import { type Timing, TIMING_PROFILES } from '#mesh/consensus/config/timing.ts';
import { encodeLogMessage, packEntry, sealEntry, unpackEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { LogMessage, SealedEntry } from '#mesh/consensus/log.ts';
import type { LogOutput } from '#mesh/consensus/node/log-effects.ts';
import { MeshLog } from '#mesh/consensus/node/mesh-log.ts';
import { unpackHardState } from '#mesh/consensus/node/stored-log.ts';
import { ENTRY_KINDS } from '#mesh/consensus/raft/config-history.ts';
import type { HardState } from '#mesh/consensus/raft/inputs.ts';
import type { ConsensusMessage } from '#mesh/consensus/raft/messages.ts';
import { encodeVote, openVote } from '#mesh/consensus/votes/signed-vote.ts';
import { encodeConsensusMessage } from '#mesh/consensus/wire/message-codec.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';
import type { Welcome } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import { MeshState } from '../mesh-state.ts';
import type { FoundOptions } from '../views.ts';
import type { LedgerDoor, StoredLedger } from '../rooms.ts';

/** See the header. */
export class LedgerDesk implements LedgerDoor {
  readonly #core: SwarmCore;
  readonly #queue: LogOutput[] = [];
  #isApplying = false;

  readonly #rng: Rng;

  constructor(core: SwarmCore) {
    this.#core = core;
    this.#rng = core.options.rng.fork('consensus');
  }

  onLog(output: LogOutput): void {
    for (const write of output.persist)
      this.#core.fx.persist(write.kind === 'append' ? { kind: 'ledger', record: write.record } : { kind: 'ledger-rewrite', records: write.records });
    for (const { to, message } of output.send) {
      const session = this.#core.peers.get(to)?.session;
      if (session == null) continue;
      session.send({ kind: 'raft', body: isLogMessage(message) ? encodeLogMessage(message) : encodeConsensusMessage(message) });
      this.#core.touched.add(session);
    }
    this.#queue.push(output);
    // What an entry means may lead to the next decision: that one is applied after all that came before it.
    if (this.#isApplying) return;
    this.#isApplying = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#apply(next);
    this.#isApplying = false;
    this.#core.rooms.joining.maybeAnswerJoin();
  }

  #apply(output: LogOutput): void {
    for (const fault of output.faults) if (this.#core.mesh !== null) this.#core.rooms.forks.onFault(fault, this.#core.mesh);
    for (const { sealed, again } of output.committed) {
      const { mesh } = this.#core;
      if (mesh === null) return;
      const effect = again ? mesh.skip(sealed) : mesh.apply(sealed);
      // Who gets the log sent, or votes, answers more often than a newcomer may.
      if (sealed.entry.kind === ENTRY_KINDS.config) for (const peer of this.#core.peers.values()) this.#core.applyLevel(peer);
      this.#onDecision(sealed.entry.index, effect);
      this.#core.rooms.decisions.onCommitted(sealed.entry, effect.kind === 'void' ? effect.why : undefined);
    }
    for (const answer of output.answers) this.#core.rooms.decisions.onAnswer(answer);
    for (const event of output.events) this.#core.rooms.voters.onEvent(event);
    this.#core.rooms.decisions.onLeaderHeard();
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
      case 'voter-known':
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
    const key = this.#core.rooms.decisions.nextKey();
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
    this.becomeMember(mesh, null, { entries: [first], hard: null, intact: true });
    this.#core.fx.persist({ kind: 'ledger', record: packEntry(first) });
    this.#core.fx.persist({
      kind: 'document',
      name: 'membership',
      record: encodeMessage({ kind: 'welcome', meshId: mesh.id, role: 'voter', genesis: mesh.bytes, record: new Uint8Array(0) }),
    });
    this.#core.event('MESH_FOUNDED', 'notice', `founded the mesh "${mesh.genesis.name}"`, self.text, null, { mesh: hex(mesh.id), tag: hex(mesh.tag) });
    this.#core.fx.reply({ id, kind: 'done', value: null });
  }

  becomeMember(mesh: Mesh, ownRecord: Uint8Array | null, stored: StoredLedger): void {
    this.#core.mesh = new MeshState(this.#core.crypto, { mesh, ownRecord, log: this.#logOf(mesh, stored) });
    this.#core.dials.clearHints();
    this.#core.refused = null;
    this.#core.peers.clear();
    this.#core.promoteAt = this.#core.now.mono + MINUTE;
    for (const member of this.#core.mesh.members()) this.#core.rooms.members.watch(member.aid);
  }

  #logOf(mesh: Mesh, { entries, hard, intact }: StoredLedger): MeshLog {
    const { crypto, self, options } = this.#core;
    const keys = new VoterLog(crypto, mesh.founders);
    for (const { entry } of entries) keys.took(entry);
    const voters = mesh.founders.map(({ aid }) => aidText(aid));
    const timing = TIMING_PROFILES[mesh.genesis.trustProfile === 'lab' ? 'lan' : 'sdcard'];
    return new MeshLog({
      crypto,
      mesh: mesh.id,
      entries,
      hard,
      intact,
      self: { text: self.text, aid: self.aid, incarnation: self.boot.incarnation, signKey: self.signKey },
      founded: { voters, learners: [], quorum: mesh.genesis.quorum === majority(voters.length) ? null : mesh.genesis.quorum },
      keys,
      votes: {
        sign: (vote) => this.#core.rooms.statements.say('vote', encodeVote(mesh.id, vote)),
        open: (voter, object) => {
          const key = this.#core.mesh?.registry.voterLogs.get(voter)?.signKey ?? (voter === self.text ? self.established.signKey : undefined);
          return key === undefined ? undefined : openVote(crypto, mesh.id, key, voter, object);
        },
      },
      timing: scaled(timing, options.clockRate ?? 1),
      chance: () => this.#rng.next(),
    });
  }

  loadMesh(welcome: Welcome): void {
    const verdict = verifyGenesis(this.#core.crypto, welcome.genesis, welcome.meshId);
    if (verdict.kind === 'bad') return this.#lost(`the stored membership is not usable: ${verdict.why}`);
    const { mesh } = verdict;
    const voterLog = new VoterLog(this.#core.crypto, mesh.founders);
    let hard: HardState | null = null;
    let intact = !this.#core.options.degraded.some((what) => what.startsWith('ledger.journal'));
    const entries: SealedEntry[] = [];
    for (const [at, record] of this.#core.options.ledger.entries()) {
      const state = unpackHardState(record);
      if (state !== undefined) {
        hard = state;
        continue;
      }
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
        this.#core.fx.persist({ kind: 'ledger-rewrite', records: this.#core.options.ledger.slice(0, at) });
        intact = false;
        break;
      }
      voterLog.took(sealed.entry);
      entries.push(sealed);
    }
    const expected = this.#core.rooms.statements.ledgerExpected();
    if (entries.length < expected) intact = false;
    this.becomeMember(mesh, welcome.record.length === 0 ? null : welcome.record, { entries, hard, intact });
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

function isLogMessage(message: LogMessage | ConsensusMessage): message is LogMessage {
  return message.kind === 'append' || message.kind === 'fetch' || message.kind === 'committed';
}

/** A clock that runs faster than the world lets the network and the disk as much time as before. */
function scaled(timing: Timing, rate: number): Timing {
  const { heartbeatMs, electionMsMin, electionMsMax, leaseMs, probeMs } = timing;
  return {
    ...timing,
    heartbeatMs: heartbeatMs * rate,
    electionMsMin: electionMsMin * rate,
    electionMsMax: electionMsMax * rate,
    leaseMs: leaseMs * rate,
    probeMs: probeMs * rate,
  };
}
