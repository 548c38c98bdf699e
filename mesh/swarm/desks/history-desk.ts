/**
 * Where the history shared with a peer stands: resuming it, checkpoints, breaks, what others hold of ours (protocol.md
 * §2.8, §2.9). The table of cases is HCTH's; here its verdicts are carried out.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { HOUR } from '#core/time/time.ts';
import { bootDigest, verifyBoot } from '#mesh/hcth/boot-event.ts';
import { BREAK_WINDOW_MS, type BreakClass } from '#mesh/hcth/breaks.ts';
import { NO_ANCHOR } from '#mesh/hcth/chain.ts';
import { checkCheckpoint } from '#mesh/hcth/checkpoint-check.ts';
import { type Checkpoint, openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import type { AidText } from '#mesh/hcth/identity-text.ts';
import { hearsayWaitMs, judgeSelfEvidence } from '#mesh/hcth/incarnation.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import { restoresInARow } from '#mesh/hcth/own-statements.ts';
import { decideResume, resumeSending } from '#mesh/hcth/resume.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { PeerIdentity, PeerVerdict } from '#mesh/session/host.ts';
import { Link, slotOf } from '#mesh/session/link.ts';
import type { Session } from '#mesh/session/session.ts';
import { payloadBytesMaxAt } from '#mesh/wire/limits.ts';
import type { Accept, Position, ResumeBlock, ResumeVerdict } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { Context, Recheck } from '../context.ts';
import { type SwarmCore, turned } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { NewsIntake } from '../news-intake.ts';
import type { Peer } from '../peer.ts';
import type { HistoryDoor } from '../rooms.ts';

/** See the header. */
export class HistoryDesk implements HistoryDoor {
  readonly #core: SwarmCore;
  readonly #told = new NewsIntake();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  blockFor(peer: Peer | undefined): ResumeBlock {
    const { boot } = this.#core.self;
    return {
      ownCheckpoint: peer?.ownCheckpoints.at(-1) ?? null,
      peerCheckpoint: peer?.peerCheckpoints.at(-1) ?? null,
      sent: peer?.sending?.position ?? { incarnation: boot.incarnation, nonce: boot.nonce, sequence: 0, head: NO_ANCHOR },
      received: peer?.received ?? null,
    };
  }

  /** Judge where the shared history stands and build the link on it. */
  resume(
    context: Context,
    identity: PeerIdentity,
    block: ResumeBlock | null,
    proof: Uint8Array | null,
    probed: 'silent' | 'answers' | null,
    rechecked = false,
  ): PeerVerdict {
    // Between the proof of its key and now a round trip may have passed, a probe, a look into our own record.
    const stale = this.#core.rooms.identities.refusalFor(identity);
    if (stale !== undefined) return stale;
    const peer = this.#core.peerOf(identity.aid);
    const { session } = context;
    const earlier = peer.session !== null && peer.session !== session && peer.session.state === 'open' ? (probed ?? 'unprobed') : 'none';
    const ourBlock = context.ourBlock ?? this.blockFor(peer);
    const decision = decideResume(
      this.#core.crypto,
      {
        self: this.#core.self.established,
        peer: identity.established,
        known: peer.boot,
        received: peer.received,
        peerCheckpoint: peer.peerCheckpoints.at(-1) ?? null,
        remembered: peer.remembered,
        peerBoot: peer.bootObject,
        earlier,
        simultaneous: false,
      },
      { incarnation: identity.boot.incarnation, nonce: identity.boot.nonce, boot: identity.boot, block },
    );
    // What it shows may be older than what we hold, and still contradict what it will show from another machine.
    if (block?.ownCheckpoint != null && !(decision.kind === 'refuse' && decision.case === 'forged')) peer.remember(block.ownCheckpoint);
    if (decision.kind === 'probe' && peer.session?.peer != null) {
      // A connection from before the present session, of an earlier life: its last words may have been on the way while the machine
      // restarted. A copy that lives will dial again, and that connection is later than the session.
      const present = this.#core.contexts.get(peer.session.id)?.openedAt ?? 0;
      if (context.openedAt < present && identity.boot.incarnation < peer.session.peer.boot.incarnation)
        return turned('DUP_CONN', 'a later life of this node has connected meanwhile');
      const question = this.#core.rooms.links.ping(peer.session, null);
      context.probe = { until: this.#core.now.mono + LIMITS.contestMs, peer: identity, block, question };
      this.#core.touched.add(peer.session);
      return { kind: 'wait' };
    }
    if (decision.kind === 'probe') return turned('IDENTITY_CONTESTED', 'an earlier session cannot be asked');
    if (decision.kind === 'refuse' && decision.case === 'R6' && !rechecked) {
      this.#core.rooms.rechecks.begin(context, identity, block, probed);
      return { kind: 'wait' };
    }
    if (decision.kind === 'refuse') {
      // Once per incarnation shown: a stale copy that redials every few seconds says nothing new.
      const shown = `${identity.boot.incarnation}/${hex(identity.boot.nonce)}`;
      const news = peer.lastRefused !== shown;
      peer.lastRefused = shown;
      if (decision.class === 'B5') {
        const proven = this.#core.rooms.evidence.found('checkpoint', identity.established, decision.evidence, decision.meaning);
        if (!proven) return turned('CHAIN_MISMATCH', `${decision.meaning}, signed with different keys`);
        return { kind: 'refuse', code: decision.code, why: decision.meaning, evidence: decision.evidence };
      }
      if (decision.class !== 'B0' && news) this.break(peer, decision.class, decision.meaning);
      if (decision.class === 'B4' && peer.session?.peer != null)
        this.#core.rooms.contests.seen(peer.session.peer, peer.session.remote.host, identity, session.remote.host);
      else if (news)
        this.#core.event(decision.code, 'warning', `${this.#core.nameOf(peer.text)}: ${decision.meaning} (${decision.case})`, peer.text, session.source, {
          case: decision.case,
          class: decision.class,
        });
      return { kind: 'refuse', code: decision.code, why: decision.meaning, evidence: decision.evidence };
    }
    // What an initiator has shown was true a round trip ago. Where copies of the peer exist, a connection to another one of them
    // may have moved our history since, and the two ends would go on from different places.
    if (!sameBlock(ourBlock, this.blockFor(peer))) return turned('DUP_CONN', 'another connection moved our history meanwhile');
    const sending = resumeSending(this.#core.crypto, {
      self: {
        aid: this.#core.self.aid,
        signKeys: this.#core.self.established.signKeys,
        incarnation: this.#core.self.boot.incarnation,
        nonce: this.#core.self.boot.nonce,
      },
      peer: identity.aid,
      sending: peer.sending,
      ownCheckpoint: peer.ownCheckpoints.at(-1) ?? null,
      shown: ourBlock.peerCheckpoint === null ? null : { keys: identity.established, checkpoint: ourBlock.peerCheckpoint },
      theirs: block,
    });
    if (sending.kind === 'mismatch') {
      // One of the two ends remembers wrongly, and neither can prove it. A new incarnation of ours gives our direction a new
      // beginning; a liar can bring that about once an hour at most. The first time it is given the time to look at its own record.
      if (peer.mismatched) this.#beginAnew(`${this.#core.nameOf(peer.text)}: ${sending.why}`);
      peer.mismatched = true;
      return turned('CHAIN_MISMATCH', sending.why);
    }
    peer.mismatched = false;
    peer.newcomer = decision.case === 'new';
    peer.lossDeclared = decision.class === 'B1';
    // What its boot event leaves out, its first word on the link may explain better than we could.
    if (decision.case === 'R8' && peer.bootObject !== null) peer.unexplained = { held: peer.bootObject, shown: identity.bootObject };
    else if (decision.class !== 'B0') this.break(peer, decision.class, decision.meaning);
    if (identity.boot.why === 'restore' && decision.case === 'R1') this.#tellRollback(peer, identity);
    if (decision.case !== 'new') {
      const data = { case: decision.case, class: decision.class };
      this.#core.event(
        'RESUMED',
        decision.class === 'B0' ? 'info' : 'notice',
        `${this.#core.nameOf(peer.text)}: ${decision.meaning} (${decision.case})`,
        peer.text,
        session.source,
        data,
      );
    }
    const old = peer.link?.receiving;
    const keep =
      old !== undefined &&
      old.incarnation === decision.receive.incarnation &&
      bytesEqual(old.nonce, decision.receive.nonce) &&
      old.sequence === decision.receive.sequence &&
      bytesEqual(old.head, decision.receive.head);
    const link = new Link({
      sending: sending.chain,
      receiving: keep ? old : new LinkChain(this.#core.crypto, decision.receive),
      ...(peer.link === null ? {} : { challenges: peer.link.challenges }),
      ownCheckpoint: peer.ownCheckpoints.at(-1) ?? null,
      peerCheckpoint: decision.peerCheckpoint,
    });
    if (decision.peerCheckpoint !== null && peer.peerCheckpoints.at(-1) !== decision.peerCheckpoint) peer.keepPeerCheckpoint(decision.peerCheckpoint);
    peer.proved(identity.established, identity.boot, identity.bootObject);
    peer.judged = session;
    context.payloadBytesMaxTold = payloadBytesMaxAt(this.#core.levelOf(peer));
    return {
      kind: 'accept',
      accept: this.#acceptFor(peer, decision.verdict, session.initiator ? null : ourBlock, proof),
      link: { link, announce: sending.message, recorded: true },
    };
  }

  #acceptFor(peer: Peer, verdict: ResumeVerdict, resume: ResumeBlock | null, proof: Uint8Array | null): Accept {
    const level = this.#core.levelOf(peer);
    const rate = this.#core.rates[level] ?? { framesPerSecond: 2, bytesPerSecond: 8_192 };
    return {
      kind: 'accept',
      meshId: this.#core.mesh?.id ?? null,
      level,
      role: this.#core.mesh?.member(peer.text)?.role ?? 'member',
      verdict,
      resume,
      limits: { payloadBytesMax: payloadBytesMaxAt(level), ...rate },
      proof,
    };
  }

  probeOver(context: Context, outcome: 'silent' | 'answers'): void {
    const { probe, session } = context;
    if (probe === null) return;
    context.probe = null;
    const earlier = this.#core.peers.get(probe.peer.text)?.session;
    if (outcome === 'silent' && earlier != null) this.#core.giveUp(earlier, 'it did not answer a challenge while a newer session of the same node came');
    // The owner may have settled the contest while the earlier session was being asked.
    const copy = this.#core.rooms.contests.refusalFor(probe.peer);
    session.decide(copy ?? this.resume(context, probe.peer, probe.block, null, outcome), this.#core.now.mono);
    this.#core.touched.add(session);
  }

  onEvidenceTold(peer: PeerIdentity, evidence: readonly SignedObject[]): void {
    const name = hex(this.#core.crypto.sha256(...evidence.flatMap(({ body, sig }) => [body, sig])));
    if (this.#told.admits(peer.text, name, this.#core.now.mono)) this.onEvidence(peer, 'IDENTITY_STALE', evidence);
  }

  afterRecheck(context: Context, { peer, block, probed }: Recheck): void {
    const { session } = context;
    // A responder has not shown its block yet: it shows what it now believes.
    if (!session.initiator) context.ourBlock = null;
    session.decide(this.resume(context, peer, block, null, probed, true), this.#core.now.mono);
    this.#core.touched.add(session);
  }

  /** A peer shows what we have signed ourselves (§2.9, self-report rule). */
  onEvidence(peer: PeerIdentity, code: RefusalCode, evidence: readonly SignedObject[]): void {
    if (code === 'EQUIVOCATION') return this.#core.rooms.evidence.onOwnContradiction(evidence);
    if (code === 'IDENTITY_CONTESTED' && this.#core.rooms.contests.onSettlementShown(evidence)) return;
    if (code === 'IDENTITY_BARRED' && this.#core.mesh?.isVoter(peer.text) === true) {
      this.#core.refused = `${this.#core.nameOf(peer.text)} says that this node has been removed from the mesh`;
      return;
    }
    if (this.#core.mesh?.member(peer.text) !== undefined) this.#core.rooms.identities.onJudged(code, evidence);
    if (code !== 'IDENTITY_STALE' && code !== 'IDENTITY_CONTESTED' && code !== 'CHAIN_MISMATCH') return;
    for (const object of evidence) {
      const shown =
        verifyBoot(this.#core.crypto, this.#core.self.established, object) ?? openCheckpoint(this.#core.crypto, this.#core.self.established, peer.aid, object);
      if (shown === undefined) continue;
      if ('why' in shown) this.#core.rooms.past.onOwnBootShown(peer.text, shown, bootDigest(this.#core.crypto, object));
      // Refused because the other one is alive: not a matter of numbers any more, a person has to say which is the copy.
      if (code === 'IDENTITY_CONTESTED') {
        if (!('why' in shown) || this.#core.mesh === null) continue;
        if (!this.#core.rooms.contests.refused(peer, object, shown)) return;
        continue;
      }
      // Signed in this very run, and we do not remember it: our memory was put back, or somebody woke up with a copy of it.
      if ('sequence' in shown && this.#isForgotten(peer.text, shown)) {
        const text = `a member holds a signature of this run that this node does not remember; it goes on as ${this.#core.self.boot.incarnation + 1}`;
        this.#core.event('STATE_RESTORED', 'warning', text, this.#core.self.text, null);
        this.#core.fx.reincarnate(this.#core.self.boot.incarnation + 1);
        return;
      }
      // Whoever shows it has let us in before, in this run: then it was made since, by somebody else. To all others we have
      // only just started: what they show may be our own, made before our disk was rolled back.
      const justStarted = this.#core.peers.get(peer.text)?.link == null;
      const { incarnation, nonce } = this.#core.self.boot;
      const verdict = judgeSelfEvidence({ incarnation, nonce, justStarted }, shown);
      if (verdict.kind === 'advance') {
        return this.#advance(shown.incarnation);
      }
      if (verdict.kind === 'cloned') return this.becomeContested('a member holds a signature of this identity that this node did not make');
    }
    // A bare word counts from members only: who has let us into nothing cannot contest us.
    if (code === 'IDENTITY_CONTESTED' && this.#core.mesh !== null) this.becomeContested('another live machine uses this identity');
    // Without our own signature this is one peer's word. A peer that has looked into its own record says which life it means.
    const demanded = evidence.some((object) => sameObject(object, this.#core.self.bootObject));
    const mayBelieve = demanded || !this.#core.spoken || this.#core.now.mono - this.#core.startedAt >= HOUR;
    const known = this.#core.peers.get(peer.text);
    if (code !== 'CHAIN_MISMATCH' || !mayBelieve || known === undefined) return;
    this.#core.rooms.rechecks.beginFor(known, () => this.#beginAnew(`${this.#core.nameOf(peer.text)} holds another account of our history`));
  }

  /** Our own signature says that we had been further: go on behind it, and well behind where our own count is lost (§2.10). */
  #advance(shown: number): void {
    const atLeast = shown + (this.#core.options.startReason === 'unreadable' ? HCTH_LIMITS.incarnationUnreadableStep : 1);
    this.#core.event(
      'STATE_RESTORED',
      'warning',
      `benign rollback: a member holds our own signature of incarnation ${shown}, this disk knew less; this node goes on as ${atLeast} from the last common entry`,
      this.#core.self.text,
      null,
    );
    this.#core.fx.reincarnate(atLeast);
  }

  /** Whether a checkpoint of ours, to this peer, in this incarnation, is none that this memory has signed. */
  #isForgotten(peer: AidText, { incarnation, nonce, sequence, head }: Checkpoint): boolean {
    const { boot } = this.#core.self;
    if (incarnation !== boot.incarnation || !bytesEqual(nonce, boot.nonce) || sequence === 0) return false;
    const past = this.#core.peers.get(peer)?.link?.sending.headAt(sequence) ?? { kind: 'not-yet' as const };
    return past.kind === 'not-yet' || (past.kind === 'head' && !bytesEqual(past.head, head));
  }

  /** Start again in a larger incarnation on hearsay: the oftener in a row, the later (H-31). */
  #beginAnew(why: string): void {
    const restores = restoresInARow(this.#core.options.statements ?? [], this.#core.self.boot);
    if (this.#core.contested !== null || this.#core.now.mono - this.#core.startedAt < hearsayWaitMs(restores)) return;
    this.#core.event('HISTORY_RENEWED', 'warning', `${why}; this node begins a new incarnation`, this.#core.self.text, null);
    this.#core.fx.reincarnate(this.#core.self.boot.incarnation + 1);
  }

  becomeContested(why: string): void {
    if (this.#core.contested !== null) return;
    this.#core.contested = why;
    this.#core.event('IDENTITY_CONTESTED', 'critical', `${why}; an operator has to say which machine is the copy`, this.#core.self.text, null);
  }

  onOwnShown(shown: { readonly incarnation: number; readonly nonce: Uint8Array }, thisLife: boolean): void {
    const { boot } = this.#core.self;
    const verdict = judgeSelfEvidence({ incarnation: boot.incarnation, nonce: boot.nonce, justStarted: !this.#core.spoken }, shown);
    if (thisLife || verdict.kind === 'cloned') return this.becomeContested('a member holds a statement of this identity that this node did not make');
    if (verdict.kind === 'advance') this.#advance(shown.incarnation);
  }

  onCheckpoint(session: Session, peer: Peer, object: SignedObject): void {
    const { link } = session;
    if (link === null || peer.established === null || !session.recorded) return;
    const verdict = checkCheckpoint(this.#core.crypto, object, {
      self: this.#core.self.aid,
      // The key that proved this session: a rotation that is heard of meanwhile does not unsay what was signed before it.
      peer: { aid: peer.aid, signKey: session.peer?.established.signKey ?? peer.established.signKey },
      receiving: link.receiving,
      sending: link.sending,
      challenges: link.challenges,
      slot: slotOf(this.#core.now.mono),
      newest: peer.newestPeerCheckpoint,
      remembered: peer.remembered,
    });
    if (verdict.kind === 'accepted') {
      peer.keepPeerCheckpoint(object);
      link.peerCheckpoint = peer.peerCheckpoints.at(-1) ?? null;
      peer.lastCheckpointAt = this.#core.now.wall;
      if (peer.advanceTrust(this.#core.now.mono)) this.#core.levelChanged(peer);
      peer.meter.onCheckpoint(verdict.fresh);
      return;
    }
    if (verdict.class === 'B5') {
      if (!this.#core.rooms.evidence.found('checkpoint', peer.established, verdict.proof, verdict.why)) session.refuse(turned('CHAIN_MISMATCH', verdict.why));
      this.#core.touched.add(session);
      return;
    }
    this.break(peer, verdict.class, verdict.why);
    if (verdict.class === 'SELF') this.#core.rooms.evidence.keep('SELF', peer.aid, [object], verdict.why);
    this.#core.event(verdict.code, 'warning', `${this.#core.nameOf(peer.text)}: ${verdict.why}`, peer.text, session.source, { class: verdict.class });
    session.refuse(turned(verdict.code, verdict.why));
    this.#core.touched.add(session);
  }

  break(peer: Peer, breakClass: BreakClass, why: string): void {
    if (peer.broke(breakClass, why, this.#core.now.mono, this.#core.now.wall)) this.#core.levelChanged(peer);
    if (breakClass === 'PV') this.#pause(peer);
    this.#core.storePeer(peer, true);
  }

  /** It came back with an older disk and has gone on from what both ends can prove: said on this side as the other one says it of itself. */
  #tellRollback(peer: Peer, identity: PeerIdentity): void {
    const name = this.#core.nameOf(peer.text);
    const at = peer.newestPeerCheckpoint?.checkpoint;
    const place = at === undefined ? 'a new beginning' : `the last common entry, frame ${at.sequence} of incarnation ${at.incarnation}`;
    const frozen = peer.trust.standing === 'frozen';
    const cost = frozen
      ? `it used an incarnation twice, so its trust is frozen until the owner settles it: robonet identity settle ${name} --restored`
      : 'it costs some trust, nothing else; nothing has to be done';
    this.#core.event(
      'ROLLED_BACK',
      frozen ? 'warning' : 'notice',
      `${name}: benign rollback; it went on as incarnation ${identity.boot.incarnation} from ${place}. ${cost}`,
      peer.text,
      null,
      {
        benign: true,
        frozen,
      },
    );
  }

  /** A peer that broke the protocol is turned away for a while, longer each time within a day (§2.11 PV). */
  #pause(peer: Peer): void {
    const { mono } = this.#core.now;
    const { since, count } = peer.violations;
    peer.violations = count > 0 && mono - since < BREAK_WINDOW_MS ? { since, count: count + 1 } : { since: mono, count: 1 };
    const span = Math.min(LIMITS.violationPauseMsMax, LIMITS.violationPauseMsMin * 2 ** Math.min(10, peer.violations.count - 1));
    peer.pausedUntil = mono + span;
    this.#core.dials.notBefore(peer.text, peer.pausedUntil);
  }
}

function sameBlock(a: ResumeBlock, b: ResumeBlock): boolean {
  return (
    samePosition(a.sent, b.sent) &&
    samePosition(a.received, b.received) &&
    sameObject(a.ownCheckpoint, b.ownCheckpoint) &&
    sameObject(a.peerCheckpoint, b.peerCheckpoint)
  );
}

function samePosition(a: Position | null, b: Position | null): boolean {
  if (a === null || b === null) return a === b;
  return a.incarnation === b.incarnation && bytesEqual(a.nonce, b.nonce) && a.sequence === b.sequence && bytesEqual(a.head, b.head);
}

function sameObject(a: SignedObject | null, b: SignedObject | null): boolean {
  return a === null || b === null ? a === b : bytesEqual(a.sig, b.sig);
}
