/**
 * One identity, two machines (protocol.md §2.9 R4, §2.11 B4): who saw it tells everybody, everybody shows it, and the owner
 * settles it. Until then the incumbent keeps its links, the newcomer is refused, and neither decides anything.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { SettledMachines } from '#mesh/admission/entries.ts';
import type { Member } from '#mesh/admission/registry.ts';
import { type Boot, bootDigest } from '#mesh/hcth/boot-event.ts';
import { bootName, encodeNotice, type KnownHolder, provesTwoHolders, type VerifiedNotice, verifyNotice } from '#mesh/hcth/contest.ts';
import { aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { PeerIdentity, Turned } from '#mesh/session/host.ts';
import type { Session } from '#mesh/session/session.ts';
import { permits } from '#mesh/trust/permissions.ts';
import { GOSSIP_TOPIC } from '#mesh/wire/message.ts';
import { type Contest, contestView, contestWords, findHolder, settleAdvice, settlementShown } from '../contest.ts';
import { type SwarmCore, turned } from '../core.ts';
import { encodeIntent } from '../joiner.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { MeshState } from '../mesh-state.ts';
import { NewsIntake } from '../news-intake.ts';
import type { Peer } from '../peer.ts';
import type { ContestDoor } from '../rooms.ts';
import type { ContestView } from '../views.ts';

const CONTEST_PREFIX = 'contest-';

/** See the header. */
export class ContestDesk implements ContestDoor {
  readonly #core: SwarmCore;
  readonly #contests = new Map<AidText, Contest>();
  /** Later runs of copies, by the digest of their boot event: what continues a run that the ledger names. */
  readonly #copies = new Map<string, number>();
  readonly #intake = new NewsIntake();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** What earlier runs knew; a settlement in the ledger since then ends it. */
  load(): void {
    for (const { name, record } of this.#core.options.evidence) {
      if (!name.startsWith(CONTEST_PREFIX)) continue;
      const notice = verifyNotice(this.#core.crypto, record);
      if (notice !== undefined && !this.#isSettled(notice)) this.#note(notice, this.#core.self.text, true, false);
    }
  }

  view(text: AidText): ContestView | null {
    const contest = this.#contests.get(text);
    return contest === undefined ? null : contestView(this.#core.nameOf(text), text, contest, (aid) => this.#core.nameOf(aid));
  }

  views(): readonly ContestView[] {
    return [...this.#contests.keys()].flatMap((text) => this.view(text) ?? []);
  }

  /** We have just seen both: the earlier session answered, and this one proved the same key. */
  seen(incumbent: PeerIdentity, incumbentAt: string, newcomer: PeerIdentity, newcomerAt: string): void {
    const holder = (of: PeerIdentity, address: string): KnownHolder => ({
      boot: of.bootObject,
      meaning: of.boot,
      digest: bootDigest(this.#core.crypto, of.bootObject),
      address,
      macs: [],
    });
    const told = this.#core.peers.get(incumbent.text)?.capabilities?.macs ?? [];
    const first = { ...holder(incumbent, incumbentAt), macs: told.slice(0, 4) };
    const notice: VerifiedNotice = {
      aid: incumbent.aid,
      established: incumbent.established,
      holders: [first, holder(newcomer, newcomerAt)],
      at: Math.floor(this.#core.now.wall),
    };
    const known = this.#contests.get(incumbent.text);
    if (known !== undefined && known.observers.has(this.#core.self.text) && sameHolders(known, notice)) return;
    this.#note(notice, this.#core.self.text, true, true);
    this.#core.fx.neighbour(incumbentAt);
    this.#core.fx.neighbour(newcomerAt);
  }

  /**
   * We are the newcomer. What we show of it ourselves: the incumbent's signature, and who told us. False where the owner has settled that
   * the incumbent is the copy, which the one who told us has not heard yet.
   */
  refused(by: PeerIdentity, incumbent: SignedObject, meaning: Boot): boolean {
    if (this.isCopy(meaning, incumbent)) return false;
    const digest = bootDigest(this.#core.crypto, incumbent);
    if (bytesEqual(digest, bootDigest(this.#core.crypto, this.#core.self.bootObject))) return true;
    const { self, facts, addresses } = this.#core;
    const notice: VerifiedNotice = {
      aid: self.aid,
      established: self.established,
      holders: [
        { boot: incumbent, meaning, digest, address: null, macs: [] },
        {
          boot: self.bootObject,
          meaning: self.boot,
          digest: bootDigest(this.#core.crypto, self.bootObject),
          address: addresses[0]?.host ?? null,
          macs: facts.capabilities.macs.slice(0, 4),
        },
      ],
      at: Math.floor(this.#core.now.wall),
    };
    this.#note(notice, by.text, true, false);
    return true;
  }

  /** The kernel's neighbour table knows the hardware behind an address. */
  onNeighbour(host: string, mac: string): void {
    for (const contest of this.#contests.values()) {
      if (!contest.observers.has(this.#core.self.text)) continue;
      const [first, second] = contest.holders;
      const learn = (holder: KnownHolder): KnownHolder =>
        holder.address === host && !holder.macs.includes(mac) ? { ...holder, macs: [...holder.macs, mac].slice(0, 4) } : holder;
      const holders = [learn(first), learn(second)] as const;
      if (holders[0] === first && holders[1] === second) continue;
      contest.holders = holders;
      this.#keep(contest);
      this.#announce(contest, null);
      this.#core.event('CONTEST_DETAIL', 'notice', contestWords(this.#core.nameOf(aidText(contest.aid)), contest), aidText(contest.aid), null);
    }
  }

  onNotice(from: Peer, bytes: Uint8Array): void {
    // Each bringer counts: whether a notice is believed depends on how many say it.
    if (!this.#intake.admits(from.text, `${from.text}/${hex(this.#core.crypto.sha256(bytes))}`, this.#core.now.mono)) return;
    const notice = verifyNotice(this.#core.crypto, bytes);
    if (notice === undefined) return;
    if (this.#isSettled(notice)) return this.#tellNewerKey(from, notice);
    const text = aidText(notice.aid);
    if (text === from.text && !this.#core.mesh?.isVoter(from.text)) return; // nobody bears witness in his own cause
    if (text === this.#core.self.text) return this.#aboutSelf(notice, from);
    if (this.#core.mesh?.member(text) === undefined) return;
    this.#note(notice, from.text, this.#proves(text, notice) || this.#core.mesh.isVoter(from.text), true);
  }

  /** A live link to the older of the two, and the younger one's signature: two holders at once, whoever says so. */
  #proves(text: AidText, notice: VerifiedNotice): boolean {
    const session = this.#core.peers.get(text)?.session ?? null;
    if (session?.state !== 'open' || session.peer === null) return false;
    const live = session.peer.boot;
    return notice.holders.some(({ meaning }) => provesTwoHolders(live, meaning));
  }

  /** Somebody met another holder of our own key. What we have not signed ourselves is not ours (self-report rule). */
  #aboutSelf(notice: VerifiedNotice, from: Peer): void {
    const strange = notice.holders.find((holder) => !this.#isOwnBoot(holder.digest));
    if (strange === undefined) return;
    this.#note(notice, from.text, true, false);
    this.#core.rooms.history.becomeContested(
      `${this.#core.nameOf(from.text)} met another machine with this identity: ${bootName(strange.meaning)}${strange.address === null ? '' : ` at ${strange.address}`}`,
    );
  }

  #note(notice: VerifiedNotice, observer: string, believed: boolean, tell: boolean): void {
    const text = aidText(notice.aid);
    const known = this.#contests.get(text);
    const contest: Contest = known ?? {
      aid: notice.aid,
      establishment: notice.established.events,
      holders: notice.holders,
      since: notice.at,
      observers: new Set(),
      believed: false,
    };
    if (known === undefined && this.#contests.size >= LIMITS.contestsMax) return;
    const fresh = !contest.observers.has(observer) || !sameHolders(contest, notice);
    contest.observers.add(observer);
    // Another pair of runs than before, or the same with more known of it: the newest word counts, unless our own eyes saw it.
    if (observer === this.#core.self.text || !contest.observers.has(this.#core.self.text)) contest.holders = notice.holders;
    this.#contests.set(text, contest);
    const members = [...contest.observers].filter((one) => one !== text && this.#mayBearWitness(one));
    const before = known?.believed ?? false;
    contest.believed ||= believed || members.length >= 2;
    if (contest.believed && !before) this.#believe(contest);
    this.#keep(contest);
    if (fresh) {
      this.#core.event(
        'IDENTITY_CONTESTED',
        'critical',
        `${contestWords(this.#core.nameOf(text), contest)}; the owner says which is the copy: ${settleAdvice(
          this.#core.nameOf(text),
          contest.holders.map(({ meaning }) => bootName(meaning)),
        )}`,
        text,
        null,
        {
          class: 'B4',
          believed: contest.believed,
          observer: this.#core.nameOf(observer),
          first: bootName(contest.holders[0].meaning),
          second: bootName(contest.holders[1].meaning),
        },
      );
    }
    // What we verified ourselves we bear witness to; another's word is not passed on as ours.
    if (tell && fresh && (observer === this.#core.self.text || believed)) this.#announce(contest, observer);
  }

  #mayBearWitness(text: string): boolean {
    if (text === this.#core.self.text) return true;
    const peer = this.#core.peers.get(text);
    return peer !== undefined && permits(this.#core.levelOf(peer), 'gossip');
  }

  #believe(contest: Contest): void {
    if (aidText(contest.aid) === this.#core.self.text) return;
    const peer = this.#core.peerOf(contest.aid);
    if (peer.trust.standing !== 'contested' && peer.trust.standing !== 'convicted')
      this.#core.rooms.history.break(peer, 'B4', 'two machines hold this identity at the same time');
    this.#core.applyLevel(peer);
  }

  #keep(contest: Contest): void {
    const record = encodeNotice({ aid: contest.aid, establishment: contest.establishment, holders: contest.holders, at: contest.since });
    this.#core.fx.persist({ kind: 'evidence', name: `${CONTEST_PREFIX}${aidText(contest.aid)}`, record });
  }

  #announce(contest: Contest, except: string | null): void {
    for (const peer of this.#core.peers.values()) if (peer.session !== null && peer.text !== except) this.#send(peer.session, contest);
  }

  tell(session: Session): void {
    for (const contest of this.#contests.values()) if (contest.believed) this.#send(session, contest);
  }

  #send(session: Session, contest: Contest): void {
    const body = encodeNotice({ aid: contest.aid, establishment: contest.establishment, holders: contest.holders, at: contest.since });
    session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.CONTEST, origin: this.#core.self.aid, serial: 0, body });
    this.#core.touched.add(session);
  }

  // ---- settling ------------------------------------------------------------------------------------------------------

  settle(id: number, who: string, copy: string | null, mesh: MeshState): void {
    const member = mesh.find(who);
    if (member === undefined) return this.#core.refuse(id, 'RN-MESH-020', `no member is called "${who}"`);
    const contest = this.#contests.get(member.text);
    if (copy === null) {
      if (contest !== undefined)
        return this.#core.refuse(
          id,
          'RN-MESH-046',
          `${member.name} is on two machines, ${contest.holders.map((one) => bootName(one.meaning)).join(' and ')}: say which is the copy`,
        );
      // Its history may be frozen in others' eyes alone, so what this voter sees of it does not matter.
      return this.#core.rooms.decisions.decide(id, { kind: 'settle', aid: member.aid, machines: null, by: this.#core.self.aid, certificate: null }, null);
    }
    if (contest === undefined) return this.#core.refuse(id, 'RN-MESH-047', `nobody has seen ${member.name} on two machines`);
    const holder = findHolder(contest, copy);
    if (holder === undefined)
      return this.#core.refuse(
        id,
        'RN-MESH-046',
        `"${copy}" is neither of the two machines: ${contest.holders.map((one) => bootName(one.meaning)).join(' and ')}`,
      );
    const original = contest.holders.find((other) => other !== holder) ?? holder;
    const machines = { copy: holder.digest, original: original.digest };
    if (member.text === this.#core.self.text && this.#weAre(machines) === 'copy')
      return this.#core.refuse(id, 'RN-MESH-046', 'this very machine would be the copy; give the command on the machine that is to stay');
    this.#core.rooms.decisions.decide(
      id,
      { kind: 'settle', aid: member.aid, machines, by: this.#core.self.aid, certificate: null },
      { name: member.name, copy: bootName(holder.meaning) },
    );
  }

  /** The ledger has it: nobody is contested any more, and the copy's part of the history is not held against the original. */
  onSettled(member: Member, machines: SettledMachines | null): void {
    const { text, name } = member;
    this.#contests.delete(text);
    this.#core.fx.persist({ kind: 'evidence', name: `${CONTEST_PREFIX}${text}`, record: null });
    if (machines !== null && text === this.#core.self.text && this.#weAre(machines) === 'copy')
      return this.#giveUp(`the owner settled that this machine is the copy of ${name}`);
    this.#core.event(
      'IDENTITY_SETTLED',
      'notice',
      machines === null
        ? `the owner settled that ${name} is one machine; its trust grows again`
        : `the owner settled which machine ${name} is; the copy gives the identity up`,
      text,
      null,
    );
    if (text === this.#core.self.text) {
      this.#core.contested = null;
      return;
    }
    const peer = this.#core.peers.get(text);
    if (peer === undefined) return;
    const before = peer.trust.level;
    peer.trust.record({ kind: 'settled', at: Math.floor(this.#core.now.wall) });
    peer.changed = true;
    if (peer.trust.level !== before) this.#core.levelChanged(peer);
    else this.#core.applyLevel(peer);
    peer.lastRefused = null;
    const { session } = peer;
    if (session?.peer != null && this.isCopy(session.peer.boot, session.peer.bootObject)) {
      session.refuse(turned('IDENTITY_CONTESTED', 'it is the copy'));
      this.#core.touched.add(session);
    }
    if (peer.boot !== null && peer.bootObject !== null && this.isCopy(peer.boot, peer.bootObject)) peer.forgetTheirSide();
    this.#core.dials.soon(text, this.#core.now.mono);
    this.#core.storePeer(peer, true);
  }

  /** A machine that was settled to be a copy, or what it has become since: a run that names such a one as the one before. */
  isCopy(boot: Boot, object: SignedObject): boolean {
    return this.#settlementOf(boot, object) !== undefined;
  }

  /** Ledger index of the settlement by which this run is a copy's. */
  #settlementOf(boot: Boot, object: SignedObject): number | undefined {
    const digest = hex(bootDigest(this.#core.crypto, object));
    const settled = this.#core.mesh?.registry.settled;
    const named = settled?.get(digest);
    if (named !== undefined) return named.is === 'copy' ? named.index : undefined;
    const before = hex(boot.previousBoot);
    const former = settled?.get(before);
    const index = this.#copies.get(digest) ?? (former?.is === 'copy' ? former.index : this.#copies.get(before));
    if (index !== undefined && this.#copies.size < LIMITS.proofsSeenMax) this.#copies.set(digest, index);
    return index;
  }

  /** Turn the copy away, with the settlement itself: the voter's word, not ours, makes it give up. */
  refusalFor(peer: PeerIdentity): Turned | undefined {
    const index = this.#settlementOf(peer.boot, peer.bootObject);
    if (index === undefined) return undefined;
    const entry = this.#core.mesh?.log.entriesFrom(index, 1)[0];
    return {
      ...turned('IDENTITY_CONTESTED', `${this.#core.nameOf(peer.text)}: it is the copy, as the owner has settled`),
      evidence: entry === undefined ? [] : [{ body: entry.bytes, sig: entry.signature }],
    };
  }

  /** A settlement of the ledger, shown to us as we were refused. True when it made us give up. */
  onSettlementShown(objects: readonly SignedObject[]): boolean {
    const { mesh, crypto, self } = this.#core;
    if (mesh === null) return false;
    for (const object of objects) {
      const machines = settlementShown(crypto, mesh.registry, self.aid, object);
      if (machines === undefined || this.#weAre(machines) !== 'copy') continue;
      this.#giveUp('the owner settled that this machine is the copy');
      return true;
    }
    return false;
  }

  /** Which of the two we are: the past of both may be the same up to the copying, so the later one in ours decides. */
  #weAre(machines: SettledMachines): 'copy' | 'original' | 'neither' {
    const past = [...this.#core.options.ownBoots, bootDigest(this.#core.crypto, this.#core.self.bootObject)].reverse();
    for (const own of past) {
      if (bytesEqual(own, machines.copy)) return 'copy';
      if (bytesEqual(own, machines.original)) return 'original';
    }
    return 'neither';
  }

  /** Whether this machine, in this run or one before, signed that boot event. */
  #isOwnBoot(digest: Uint8Array): boolean {
    return bytesEqual(digest, bootDigest(this.#core.crypto, this.#core.self.bootObject)) || this.#core.options.ownBoots.some((own) => bytesEqual(own, digest));
  }

  rotated(text: AidText): void {
    if (!this.#contests.delete(text)) return;
    this.#core.fx.persist({ kind: 'evidence', name: `${CONTEST_PREFIX}${text}`, record: null });
  }

  /** Settled by the ledger, or by a rotation: a notice about an older key is over. */
  #isSettled(notice: VerifiedNotice): boolean {
    const text = aidText(notice.aid);
    const known = text === this.#core.self.text ? this.#core.self.established : this.#core.peers.get(text)?.established;
    if (known != null && known.rotations > notice.established.rotations) return true;
    return notice.holders.some(({ meaning, boot }) => this.isCopy(meaning, boot));
  }

  /** Whoever still sees a contest under a key that has been replaced has not heard of that; the rotation proves itself (H-62, H-63). */
  #tellNewerKey({ session }: Peer, { aid, established }: VerifiedNotice): void {
    if (session !== null) this.#core.rooms.identities.onEstFetch(session, { kind: 'est-fetch', aid, from: established.rotations + 1 });
  }

  /** This machine is the copy: the identity is left to the original, its state kept aside; it asks to be let in as somebody new. */
  #giveUp(why: string): void {
    if (this.#core.stopping) return;
    const peers = [...this.#core.peers.values()].flatMap((peer) => this.#core.dials.addressesOf(peer.text).map(({ host, port }) => `${host}:${port}`));
    const tag = this.#core.mesh === null ? null : hex(this.#core.mesh.tag);
    this.#core.event('IDENTITY_GIVEN_UP', 'critical', `${why}; it goes on with a new identity and asks to be let in`, this.#core.self.text, null);
    for (const { session } of [...this.#core.contexts.values()]) {
      session.disconnected('this machine gives up its identity');
      this.#core.fx.close(session.id);
      this.#core.touched.add(session);
    }
    this.#core.stopping = true;
    this.#core.fx.persist({ kind: 'forget-mesh', aside: 'copy' });
    this.#core.fx.persist({
      kind: 'document',
      name: 'intent',
      record: encodeIntent({ mode: 'request', mesh: tag, expect: null, peers: peers.slice(0, LIMITS.addressesMax) }),
    });
  }
}

function sameHolders(contest: Pick<Contest, 'holders'>, notice: VerifiedNotice): boolean {
  return contest.holders.every((holder) => notice.holders.some((other) => bytesEqual(other.digest, holder.digest)));
}
