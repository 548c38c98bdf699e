/**
 * A running node: the pure swarm on a real clock, TCP and disk. Here, and only here, effects are performed, in this order:
 * persist, send, publish, set the alarm. Everything that decides is below; this file moves bytes and keeps promises.
 *
 * Invariants: nothing is sent before the incarnation is durable; a failed write ends the node (`fatal`), it never goes on
 * with a memory it cannot keep; every command gets exactly one answer, the end of the node included.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { Log } from '#core/log/log.ts';
import { createNodeCrypto, systemEntropy } from '#core/node/crypto.ts';
import { ensureDirectory } from '#core/node/disk.ts';
import { createRng, type Entropy } from '#core/random/random.ts';
import type { Instant, Millis } from '#core/time/time.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { type IdentityDocument, identityDocument, type IdentityParts, type ReadIdentity } from '#mesh/hcth/identity-document.ts';
import type { Identity, NextKeyPlace } from '#mesh/hcth/identity-file.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { ownBoots } from '#mesh/hcth/own-statements.ts';
import { signObject } from '#mesh/hcth/signed-object.ts';
import { parseAddress } from '#mesh/membership/address-policy.ts';
import { encodeIntent } from '#mesh/swarm/joiner.ts';
import type { Command, IncomingCall, Persist, Refusal, SelfFacts, SwarmEffects, SwarmInput } from '#mesh/swarm/step.ts';
import { isQuiet } from '#mesh/swarm/effects.ts';
import { SlotTable } from '#mesh/swarm/slot-table.ts';
import { Swarm } from '#mesh/swarm/swarm.ts';
import type {
  AdmissionRequest,
  Capabilities,
  ClosedView,
  Condition,
  EventRecord,
  FoundOptions,
  Invitation,
  InviteOptions,
  JoinOptions,
  NodeView,
  StatusView,
} from '#mesh/swarm/views.ts';
import { createTcpTransport } from '#mesh/transport/tcp.ts';
import { Alarm } from './alarm.ts';
import { createSystemClock, type DriverClock } from './clock.ts';
import { ConnectionPool } from './connection-pool.ts';
import { EventRing } from './event-ring.ts';
import { foreignMembership } from './foreign-membership.ts';
import { measureHandshakeBudget } from './handshake-budget.ts';
import { IdentityKeeper, type NextKeyWhere } from './identity-keeper.ts';
import { openOrCreateIdentity, replaceIdentity, startIncarnation } from './identity-store.ts';
import type { AddressHint, MeshNode, NamedIdentity, RotationOrder, TrustExplanation } from './mesh-node.ts';
import { MESH_PORT, type MeshNodeOptions, UNKNOWN_CAPABILITIES } from './mesh-node-options.ts';
import { NodeState } from './node-state.ts';
import { ownAddresses } from './own-addresses.ts';
import { lockState, type StateLock } from './state-lock.ts';

/** A node that has not been started. */
export function createMeshNode(options: MeshNodeOptions): MeshNode {
  return new RunningNode(options);
}

type Handler = (body: Uint8Array, from: string) => Promise<Uint8Array> | Uint8Array;

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

class RunningNode implements MeshNode {
  readonly #options: MeshNodeOptions;
  readonly #crypto: CryptoPort;
  readonly #entropy: Entropy;
  readonly #clock: DriverClock;
  readonly #log: Log;
  readonly #pool: ConnectionPool;
  readonly #alarm: Alarm;
  readonly #pending = new SlotTable<Pending>();
  readonly #handlers = new Map<string, Handler>();
  #facts: SelfFacts;
  #ring: EventRing | null = null;
  readonly #ringListeners: ((event: EventRecord) => void)[] = [];
  #state: NodeState | null = null;
  #lock: StateLock | null = null;
  #keeper: IdentityKeeper | null = null;
  #swarm: Swarm | null = null;
  #running = false;
  /** State could not be written: there is nothing in order any more, and nothing more is written. */
  #failed = false;
  /** The present of the event-loop turn under way; read once per turn, not once per message. */
  #turn: Instant | null = null;
  #flushScheduled = false;
  #handshakesPerSecond = 2;
  #restarting: Promise<void> | null = null;
  #repairsTold = 0;

  constructor(options: MeshNodeOptions) {
    this.#options = options;
    this.#crypto = options.crypto ?? createNodeCrypto();
    this.#entropy = options.entropy ?? systemEntropy;
    this.#clock = options.clock ?? createSystemClock(options.clockRate ?? 1);
    this.#pool = new ConnectionPool(options.transport ?? createTcpTransport(), (input) => this.#input(input));
    this.#log = options.log ?? (() => undefined);
    this.#facts = { name: options.name, capabilities: options.capabilities ?? UNKNOWN_CAPABILITIES, conditions: [] };
    this.#alarm = new Alarm(this.#clock, {
      wakeAt: () => (this.#running ? this.#swarm?.wakeAt : undefined),
      stalled: (lagMs) => this.#input({ kind: 'stalled', lagMs }),
      jumped: (jumpMs) => this.#onJump(jumpMs),
      ring: (now) => {
        this.#turn = now;
        this.#input({ kind: 'tick' });
      },
    });
  }

  // ---- life ----------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    const { stateDirectory, binding } = this.#options;
    const state = this.#openState(stateDirectory);
    try {
      const opened = await openOrCreateIdentity(stateDirectory, this.#crypto, this.#entropy, binding, this.#options.disk);
      this.#keep(opened.identity);
      const left = await this.#finishDeparture(state, opened.identity.established.aid);
      const before: Persist[] = [];
      if (opened.mismatch !== null) before.push(...this.#onOtherHardware(state, opened.mismatch.aid, opened.mismatch.changed));
      else before.push(...this.#onForeignMembership(state, opened.identity.established.aid));
      state.persist(before);
      this.#handshakesPerSecond = measureHandshakeBudget(this.#crypto, this.#entropy);
      this.#begin(0, 'start', opened.origin === 'opened' && !left);
      this.#checkClockRate();
      await this.#pool.listen(this.#options.listenHosts, this.#options.port ?? MESH_PORT);
    } catch (error) {
      // What cannot be closed either is no news: the first fault is the cause.
      await this.#close().catch((reason: unknown) => this.#log('warning', `not everything could be closed: ${wordsOf(reason)}`));
      throw error;
    }
    this.#running = true;
    this.#event('NODE_STARTED', 'info', `listens on port ${this.port} as ${this.#swarm?.self.text ?? ''}`, { port: this.port });
    this.#input({ kind: 'listening', addresses: ownAddresses(this.#options.listenHosts, this.port) });
    for (const text of this.#options.peers ?? []) {
      const address = parseAddress(text, this.#options.port ?? MESH_PORT);
      if (address !== undefined) this.#input({ kind: 'hint', address, meshTag: null, origin: 'typed' });
    }
    this.#alarm.set();
  }

  async stop(): Promise<void> {
    if (!this.#running || this.#failed) return this.#close();
    this.#input({ kind: 'stop' });
    this.#event('NODE_STOPPED', 'info', 'stops in an orderly way');
    this.#running = false;
    await this.#pool.drain();
    await this.#close();
  }

  get port(): number {
    return this.#pool.port;
  }

  #keep(identity: Identity): void {
    const { stateDirectory: folder, binding: source, disk: calls } = this.#options;
    this.#keeper = new IdentityKeeper({ folder, crypto: this.#crypto, entropy: this.#entropy, source, identity, ...(calls === undefined ? {} : { calls }) });
  }

  #openState(folder: string): NodeState {
    let state: NodeState;
    try {
      const { disk } = this.#options;
      ensureDirectory(folder, undefined, disk);
      this.#lock = lockState(folder, disk);
      state = new NodeState(folder, this.#crypto, disk);
    } catch (error) {
      this.#lock?.release();
      this.#lock = null;
      throw isFault(error) ? error : new Fault('RN-MESH-001', `${folder} cannot be used: ${wordsOf(error)}`, { cause: error });
    }
    this.#state = state;
    this.#ring = new EventRing(folder, this.#options.disk);
    for (const listener of this.#ringListeners) this.#ring.listen(listener);
    for (const problem of this.#ring.problems) this.#log('warning', `the diary is not kept on disk: ${problem}`);
    this.#repairsTold = 0;
    this.#tellRepairs(state);
    return state;
  }

  /** Each finding is told once; `status` lists those that count for as long as the node runs. */
  #tellRepairs(state: NodeState): void {
    for (const repair of state.repairs.slice(this.#repairsTold))
      this.#event(repair.code, repair.code === 'STATE_DEGRADED' ? 'critical' : 'notice', repair.text);
    this.#repairsTold = state.repairs.length;
  }

  /** The power went while this node left its mesh: what was left is left, and the identity is used up. Whether a new one was made. */
  async #finishDeparture(state: NodeState, self: Uint8Array): Promise<boolean> {
    const { leaving } = state;
    if (leaving === undefined) return false;
    const isSelf = bytesEqual(leaving, self);
    if (isSelf || foreignMembership(this.#crypto, self, state.document('membership')) !== undefined) state.forgetMesh(leaving);
    if (isSelf) {
      state.forgetStatements();
      this.#keep(await replaceIdentity(state.folder, this.#crypto, this.#entropy, this.#options.binding, this.#options.disk));
      this.#event('LEFT', 'notice', 'left the mesh; this machine goes on with a new identity');
    }
    state.departed();
    return isSelf;
  }

  /** §2.14: wrong hardware at boot. The old membership is not ours; ask to be let in again as who we are now. */
  #onOtherHardware(state: NodeState, aid: Uint8Array, changed: readonly string[]): readonly Persist[] {
    const old = aidText(aid);
    const what = changed.length === 0 ? 'its hardware' : changed.join(', ');
    this.#event(
      'HW_MISMATCH',
      'critical',
      `the identity ${fingerprintOf(aid)} (${old}) was made on other hardware (${what} differ); it is not used here, this machine has a new one`,
      { oldAid: old, changed: what },
    );
    const peers = state.peerCache().map(({ host, port }) => `${host}:${port}`);
    const wasMember = state.document('membership') !== null;
    const persist: Persist[] = [{ kind: 'forget-mesh' }];
    if (wasMember) persist.push({ kind: 'document', name: 'intent', record: encodeIntent({ mode: 'request', mesh: null, expect: null, peers }) });
    return persist;
  }

  /** The power went while one identity took the place of another: finish what had been begun. */
  #onForeignMembership(state: NodeState, self: Uint8Array): readonly Persist[] {
    const aid = foreignMembership(this.#crypto, self, state.document('membership'));
    return aid === undefined ? [] : this.#onOtherHardware(state, aid, ['the identity file']);
  }

  #begin(atLeast: number, reason: 'start' | 'clock-jump' | 'restore', spokenBefore: boolean): void {
    const state = this.#state;
    const identity = this.#keeper?.identity;
    if (state === null || identity === undefined) return;
    state.owner = identity.established.aid;
    const { established, signKey } = identity;
    state.sealer = { aid: established.aid, sign: (body) => signObject(this.#crypto, signKey, LABELS.seal, body) };
    const started = startIncarnation(state, this.#crypto, this.#entropy, identity, {
      spokenBefore,
      atLeast,
      reason,
      software: this.#options.software ?? 'robonet',
    });
    this.#tellRepairs(state);
    const { rates, levelFloor } = this.#options;
    this.#swarm = new Swarm(
      {
        crypto: this.#crypto,
        entropy: this.#entropy,
        rng: createRng(`${started.local.text}/${started.local.boot.incarnation}`),
        identity: started.local,
        startReason: started.why,
        degraded: state.repairs.filter((repair) => repair.code === 'STATE_DEGRADED').map((repair) => repair.text),
        facts: this.#facts,
        port: this.#options.port ?? MESH_PORT,
        ledger: state.ledger,
        peers: state.peers,
        statements: state.statements,
        ...(state.statementsUnreadableAt === null ? {} : { statementsUnreadableAt: state.statementsUnreadableAt }),
        documents: {
          membership: state.document('membership'),
          intent: state.document('intent'),
          tokenSecrets: state.document('token-secrets'),
          peerCache: state.peerCache(),
        },
        evidence: state.evidence(),
        ownBoots: ownBoots(state.statements, this.#crypto),
        handshakesPerSecond: this.#handshakesPerSecond,
        clockRate: this.#clock.rate,
        ...(rates === undefined ? {} : { rates }),
        ...(levelFloor === undefined ? {} : { levelFloor }),
      },
      this.#clock.now(),
    );
  }

  #checkClockRate(): void {
    const profile = this.#swarm?.status().mesh?.trustProfile;
    if (this.#clock.rate === 1 || profile === undefined || profile === 'lab') return;
    throw new Fault('RN-MESH-031', `clock rate ${this.#clock.rate} in a mesh of the trust profile ${profile}`);
  }

  /** Everything is let go; resolves when the port is free. */
  async #close(): Promise<void> {
    this.#running = false;
    this.#alarm.stop();
    const freed = this.#pool.destroy();
    for (const { reject } of this.#pending.takeAll()) reject(new Fault('RN-MESH-032', 'the node was stopped before the answer came'));
    const [state, lock] = [this.#state, this.#lock];
    [this.#state, this.#lock] = [null, null];
    try {
      state?.close();
    } finally {
      lock?.release();
    }
    await freed;
  }

  // ---- the loop ------------------------------------------------------------------------------------------------------

  #now(): Instant {
    this.#turn ??= this.#clock.now();
    return this.#turn;
  }

  #input(input: SwarmInput): void {
    const swarm = this.#swarm;
    if (swarm === null) return;
    this.#perform(swarm.step(input, this.#now()));
  }

  #perform(effects: SwarmEffects): void {
    if (isQuiet(effects)) return this.#goOn(effects);
    if (effects.persist.length > 0) this.#persist(effects.persist);
    for (const { connection, bytes } of effects.send) this.#pool.send(connection, bytes);
    for (const { connection, abort } of effects.close) this.#pool.close(connection, abort === true);
    for (const { connection, address } of effects.dial) this.#pool.dial(connection, address);
    for (const { connection, paused } of effects.pause) this.#pool.pause(connection, paused);
    if (effects.events.length > 0) this.#publish(effects.events);
    for (const reply of effects.replies) {
      const pending = this.#pending.take(reply.id);
      if (pending === undefined) continue;
      if (reply.kind === 'done') pending.resolve(reply.value as never);
      else pending.reject(faultOf(reply.refusal));
    }
    if (effects.calls.length > 0) this.#serveAll(effects.calls, effects.replies.length === 0);
    for (const host of effects.neighbours) {
      const mac = this.#pool.macOf(host);
      if (mac !== null) this.#input({ kind: 'neighbour', host, mac });
    }
    for (const key of effects.recheck) this.#input({ kind: 'stored-record', key, record: this.#state?.readPeer(key) ?? null });
    if (effects.reincarnate !== null) this.#restart(effects.reincarnate.atLeast, effects.reincarnate.why, null);
    for (const record of effects.persist) if (record.kind === 'forget-mesh') this.#restart(0, 'start', { aside: record.aside ?? null });
    this.#goOn(effects);
  }

  /** What was said waits for the end of the turn; where nothing was said, this was all of it. */
  #goOn({ flushWanted }: SwarmEffects): void {
    if (flushWanted) this.#scheduleFlush();
    else if (!this.#flushScheduled) this.#endTurn();
  }

  #endTurn(): void {
    const { mono } = this.#now();
    this.#turn = null;
    this.#alarm.review(mono);
  }

  #persist(records: readonly Persist[]): void {
    try {
      this.#state?.persist(records);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The node's memory failed: nothing more is said, the process above decides. */
  #fail(error: unknown): never {
    this.#log('error', `state cannot be written, the node stops: ${wordsOf(error)}`);
    this.#swarm = null;
    this.#failed = true;
    void this.#pool.destroy();
    const { fatal } = this.#options;
    if (fatal !== undefined) fatal(error);
    throw error;
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    // After the promise jobs of this turn: everything they send goes out in the same frame.
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushScheduled = false;
    const swarm = this.#swarm;
    if (swarm === null) return;
    const effects = swarm.step(FLUSH, this.#now());
    this.#perform(effects);
  };

  #onJump(jumpMs: Millis): void {
    const rounded = Math.round(jumpMs);
    this.#event('CLOCK_JUMP', 'warning', `the clock jumped by ${rounded} ms against the monotonic one; a new incarnation begins`, { jumpMs: rounded });
    this.#restart(0, 'clock-jump', null);
  }

  // ---- a new incarnation, a new identity -----------------------------------------------------------------------------

  #restart(atLeast: number, reason: 'start' | 'clock-jump' | 'restore', fresh: { readonly aside: string | null } | null): void {
    if (this.#restarting !== null || !this.#running) return;
    const swarm = this.#swarm;
    this.#restarting = (async () => {
      await Promise.resolve(); // what this turn still has to say goes out first
      if (fresh === null && swarm !== null) this.#perform(swarm.step({ kind: 'stop' }, this.#now()));
      this.#swarm = null;
      this.#pool.drop();
      for (const { reject } of this.#pending.takeAll()) reject(new Fault('RN-MESH-032', 'the node began a new incarnation before the answer came'));
      const state = this.#state;
      if (state === null) return;
      if (fresh !== null) {
        state.forgetStatements(fresh.aside);
        this.#keep(await replaceIdentity(state.folder, this.#crypto, this.#entropy, this.#options.binding, this.#options.disk, fresh.aside));
        state.departed();
      }
      this.#begin(atLeast, reason, fresh === null);
      this.#input({ kind: 'listening', addresses: ownAddresses(this.#options.listenHosts, this.port) });
      this.#alarm.set();
    })();
    this.#restarting.then(
      () => {
        this.#restarting = null;
      },
      (error: unknown) => {
        this.#restarting = null;
        this.#fail(error);
      },
    );
  }

  // ---- the agent's side ----------------------------------------------------------------------------------------------

  status(): StatusView {
    const swarm = this.#swarm;
    if (swarm === null) throw new Fault('RN-MESH-032', 'the node is not running');
    return swarm.status();
  }

  recentEvents(limit: number): readonly EventRecord[] {
    return this.#ring?.recent(limit) ?? [];
  }

  onEvent(listener: (event: EventRecord) => void): () => void {
    if (this.#ring !== null) return this.#ring.listen(listener);
    this.#ringListeners.push(listener);
    return () => {
      this.#ringListeners.splice(this.#ringListeners.indexOf(listener), 1);
    };
  }

  async found(options: FoundOptions): Promise<StatusView> {
    if (this.#clock.rate !== 1 && options.trustProfile !== 'lab')
      throw new Fault('RN-MESH-031', `clock rate ${this.#clock.rate} with the trust profile ${options.trustProfile}`);
    await this.#command({ kind: 'found', options });
    return this.status();
  }

  async join(options: JoinOptions): Promise<StatusView> {
    await this.#command({ kind: 'join', options });
    return this.status();
  }

  async leave(): Promise<void> {
    await this.#command({ kind: 'leave' });
    await this.#restarting;
  }

  async invite(options: InviteOptions): Promise<Invitation> {
    return this.#command<Invitation>({ kind: 'invite', options });
  }

  async invitations(): Promise<readonly Omit<Invitation, 'token'>[]> {
    return this.#command({ kind: 'invitations' });
  }

  async revokeInvitation(tokenId: string): Promise<void> {
    await this.#command({ kind: 'revoke-invitation', tokenId });
  }

  async approve(fingerprint: string, replaces?: string): Promise<AdmissionRequest> {
    return this.#command<AdmissionRequest>({ kind: 'approve', fingerprint, ...(replaces === undefined ? {} : { replaces }) });
  }

  async deny(fingerprint: string, reason: string): Promise<AdmissionRequest> {
    return this.#command<AdmissionRequest>({ kind: 'deny', fingerprint, reason });
  }

  async forget(aidOrName: string): Promise<NodeView> {
    return this.#command<NodeView>({ kind: 'forget', who: aidOrName });
  }

  async closeIdentity(aidOrName: string, replacedBy: string | null): Promise<ClosedView> {
    return this.#command<ClosedView>({ kind: 'close', who: aidOrName, replacedBy });
  }

  identity(): { readonly rotation: number; readonly nextKey: NextKeyWhere } {
    const keeper = this.#identityKeeper();
    return { rotation: keeper.identity.established.rotations, nextKey: keeper.nextKey };
  }

  async identityDocument(aidOrName: string | null): Promise<IdentityDocument> {
    return identityDocument(await this.#identityParts(aidOrName), this.#clock.now().wall);
  }

  async exportNextKey(): Promise<IdentityDocument> {
    const text = this.#identityKeeper().nextKeyText();
    return identityDocument(await this.#identityParts(null), this.#clock.now().wall, text);
  }

  async letNextKeyGo(digest: string, place: NextKeyPlace): Promise<void> {
    await this.#identityKeeper().letNextKeyGo(digest, place);
    this.#event('NEXT_KEY_AWAY', 'notice', `the next key is no longer on this device: ${place.how} (${place.place})`);
  }

  async rotate(order: RotationOrder): Promise<{ readonly rotation: number; readonly aid: string }> {
    await this.#restarting;
    const keeper = this.#identityKeeper();
    const swarm = this.#swarm;
    if (swarm === null) throw new Fault('RN-MESH-032', 'the node is not running');
    const { document, nextKey } = order;
    const ours = document !== null && aidText(document.established.aid) === swarm.self.text;
    if (document !== null && (!ours || (this.status().mesh === null && keeper.holds(nextKey)))) return this.#takeOver(keeper, document, order);
    // A document that is ahead of us shows every rotation there was; without one, a member must have judged our log.
    const log = keeper.newer(document?.established ?? null);
    const fault = log === null ? swarm.rotationFault() : undefined;
    if (fault !== undefined) throw new Fault('RN-MESH-062', fault);
    const before = log ?? keeper.identity.established;
    keeper.plan(nextKey, before);
    const answer = { rotation: before.rotations + 1, aid: swarm.self.text };
    if (order.dryRun) return answer;
    const { event, number } = await keeper.rotate(before, nextKey, order.recovery || log !== null);
    this.#event(
      'KEY_ROTATED',
      'notice',
      `this node has a new key (rotation ${number}, ${order.recovery ? 'recovery' : 'planned'}); its next key is on this device`,
      {
        rotation: number,
        cause: order.recovery ? 'recovery' : 'planned',
      },
    );
    this.#input({ kind: 'rotated', event, number });
    this.#restart(0, 'start', null);
    await this.#restarting;
    return answer;
  }

  /** Recovery on another device: from now on this one is that identity, and a member where that was one. */
  async #takeOver(
    keeper: IdentityKeeper,
    document: ReadIdentity,
    { nextKey, dryRun }: RotationOrder,
  ): Promise<{ readonly rotation: number; readonly aid: string }> {
    const { established } = document;
    const state = this.#state;
    if (nextKey === null) throw new Fault('RN-MESH-061', `the next key of ${fingerprintOf(established.aid)} is needed to take it over`);
    if (this.status().state !== 'unjoined' || state === null)
      throw new Fault('RN-MESH-064', `this device is ${this.status().self.fingerprint}, ${this.status().state}`);
    const begun = keeper.holds(nextKey);
    if (!begun) keeper.plan(nextKey, established);
    const answer = { rotation: established.rotations + 1, aid: aidText(established.aid) };
    if (dryRun) return answer;
    const former = this.status().self.fingerprint;
    // The power may have gone between identity and membership: the second attempt finishes the first.
    if (!begun) await keeper.rotate(established, nextKey, true);
    state.forgetStatements();
    state.persist([
      { kind: 'document', name: 'membership', record: document.membership },
      { kind: 'document', name: 'peer-cache', record: null },
    ]);
    this.#event(
      'IDENTITY_RECOVERED',
      'warning',
      `this device, until now ${former}, is ${fingerprintOf(established.aid)} (${document.name}) from now on, with a new key`,
      {
        rotation: answer.rotation,
      },
    );
    this.#restart(0, 'start', null);
    await this.#restarting;
    for (const peer of document.peers) {
      const address = parseAddress(peer, this.#options.port ?? MESH_PORT);
      if (address !== undefined) this.#input({ kind: 'hint', address, meshTag: null, origin: 'typed' });
    }
    this.#alarm.set();
    return answer;
  }

  async #identityParts(aidOrName: string | null): Promise<IdentityParts> {
    if (this.status().mesh !== null) return this.#command<IdentityParts>({ kind: 'identity-document', who: aidOrName });
    if (aidOrName !== null) throw new Fault('RN-MESH-005', 'this node belongs to no mesh and knows no other identity');
    return { established: this.#identityKeeper().identity.established, name: this.#facts.name, mesh: null, membership: null, peers: [] };
  }

  #identityKeeper(): IdentityKeeper {
    if (this.#keeper === null) throw new Fault('RN-MESH-032', 'the node is not running');
    return this.#keeper;
  }

  async bar(aidOrName: string, reason: string): Promise<NamedIdentity> {
    return this.#command<NamedIdentity>({ kind: 'bar', who: aidOrName, reason });
  }

  async unbar(aidOrName: string): Promise<NamedIdentity> {
    return this.#command<NamedIdentity>({ kind: 'unbar', who: aidOrName });
  }

  async addVoter(aidOrName: string): Promise<NamedIdentity> {
    return this.#command<NamedIdentity>({ kind: 'add-voter', who: aidOrName });
  }

  async removeVoter(aidOrName: string): Promise<NamedIdentity> {
    return this.#command<NamedIdentity>({ kind: 'remove-voter', who: aidOrName });
  }

  async settle(aidOrName: string, copy: string | null): Promise<void> {
    await this.#command({ kind: 'settle', who: aidOrName, copy });
  }

  async explainTrust(aidOrName: string): Promise<TrustExplanation> {
    return this.#command<TrustExplanation>({ kind: 'explain-trust', who: aidOrName });
  }

  async ping(aidOrName: string): Promise<{ rttMs: number }> {
    return this.#command<{ rttMs: number }>({ kind: 'ping', who: aidOrName });
  }

  record(event: { readonly code: string; readonly severity: EventRecord['severity']; readonly text: string; readonly data?: EventRecord['data'] }): void {
    this.#event(event.code, event.severity, event.text, event.data ?? {});
  }

  announceSelf(facts: { name: string; capabilities: Capabilities; conditions: readonly Condition[] }): void {
    this.#facts = facts;
    if (this.#running) this.#input({ kind: 'announce-self', facts });
  }

  hint(address: AddressHint): void {
    const { host, port, meshTag, origin } = address;
    if (this.#running) this.#input({ kind: 'hint', address: { host, port }, meshTag, origin });
    if (this.#running) this.#alarm.set();
  }

  networkChanged(): void {
    if (!this.#running) return;
    this.#input({ kind: 'listening', addresses: ownAddresses(this.#options.listenHosts, this.port) });
    this.#input({ kind: 'network-changed' });
    this.#alarm.set();
  }

  request(aidOrName: string, verb: string, body: Uint8Array, timeoutMs: Millis): Promise<Uint8Array> {
    return new Promise((resolve, reject: (error: unknown) => void) => {
      const swarm = this.#swarm;
      if (swarm === null) return reject(new Fault('RN-MESH-032', 'the node is not running'));
      const id = this.#pending.add({ resolve, reject });
      this.#perform(swarm.step({ kind: 'request', id, who: aidOrName, verb, body, timeoutMs }, this.#now()));
    });
  }

  handle(verb: string, handler: Handler): void {
    this.#handlers.set(verb, handler);
  }

  /** Calls that came together are answered together: at once where that is all there is, else with what their promises bring. */
  #serveAll(calls: readonly IncomingCall[], isAll: boolean): void {
    const mayEnd = isAll && !this.#flushScheduled;
    this.#flushScheduled ||= mayEnd;
    let areAnswered = true;
    for (const call of calls) areAnswered = this.#serve(call) && areAnswered;
    if (!mayEnd) return;
    this.#flushScheduled = false;
    if (areAnswered) this.#flush();
    else this.#scheduleFlush();
  }

  /** Whether the answer is there already. */
  #serve({ call, verb, body, from }: IncomingCall): boolean {
    const handler = this.#handlers.get(verb);
    if (handler === undefined) {
      this.#input({ kind: 'respond', call, result: { kind: 'refused', code: 'UNKNOWN_VERB', text: `this node has no verb "${verb}"` } });
      return true;
    }
    let answer: Promise<Uint8Array> | Uint8Array;
    try {
      answer = handler(body, from);
    } catch (error) {
      this.#refuseCall(call, error);
      return true;
    }
    if (answer instanceof Uint8Array) {
      this.#input({ kind: 'respond', call, result: { kind: 'ok', body: answer } });
      return true;
    }
    answer.then(
      (result) => this.#input({ kind: 'respond', call, result: { kind: 'ok', body: result } }),
      (error: unknown) => this.#refuseCall(call, error),
    );
    return false;
  }

  #refuseCall(call: number, error: unknown): void {
    const code = isFault(error) ? error.code : 'FAILED';
    this.#input({ kind: 'respond', call, result: { kind: 'refused', code, text: error instanceof Error ? error.message : 'the handler failed' } });
  }

  #command<Value>(command: Command): Promise<Value> {
    return new Promise((resolve: (value: Value) => void, reject: (error: unknown) => void) => {
      if (!this.#running || this.#swarm === null) return reject(new Fault('RN-MESH-032', 'the node is not running'));
      const id = this.#pending.add({ resolve, reject });
      this.#input({ kind: 'command', id, command });
      this.#alarm.set();
    });
  }

  #publish(events: readonly EventRecord[]): void {
    this.#ring?.add(events);
    for (const event of events) this.#log(event.severity === 'critical' ? 'error' : event.severity, `${event.code}: ${event.text}`, { code: event.code });
  }

  #event(code: string, severity: EventRecord['severity'], text: string, data: EventRecord['data'] = {}): void {
    this.#publish([{ at: Math.floor(this.#clock.now().wall), code, severity, text, aid: this.#swarm?.self.text ?? null, source: null, data }]);
  }
}

const FLUSH: SwarmInput = { kind: 'flush' };

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

function faultOf(refusal: Refusal): Fault {
  return new Fault(refusal.code, refusal.text, refusal.next === undefined ? {} : { next: refusal.next });
}
