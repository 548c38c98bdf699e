/**
 * Stored histories (protocol.md §2.2, §2.9, §2.10): the node's own log, verified entry by entry at every start, its first bad
 * entry named here, reported to every peer, and repaired; and what peers report of theirs, which costs them what the class
 * says and is kept with our half of the evidence.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { type Boot, bootDigest, decodeBoot } from '#mesh/hcth/boot-event.ts';
import { BREAK_RULES, type BreakClass } from '#mesh/hcth/breaks.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { repairOwnPast, verifyOwnPast } from '#mesh/hcth/own-past.ts';
import { ownBoots, packStatement, unpackStatement } from '#mesh/hcth/own-statements.ts';
import { damageClass, damageText, decodeDamage, encodeDamage, type PastDamage, placeText } from '#mesh/hcth/past-damage.ts';
import { type SignedObject, signObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement, type Statement } from '#mesh/hcth/statement-log.ts';
import type { Session } from '#mesh/session/session.ts';
import { GOSSIP_TOPIC } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { NewsIntake } from '../news-intake.ts';
import type { Peer } from '../peer.ts';
import type { PastDoor } from '../rooms.ts';

/** Names of evidence files about stored histories; one per report, so that each is judged once. */
const PREFIX = 'past-';

/** See the header. */
export class PastDesk implements PastDoor {
  readonly #core: SwarmCore;
  readonly #intake = new NewsIntake();
  /** Reports that were judged, by the name of their file. */
  readonly #judged: Set<string>;
  /** Damage found at this start and not reported yet: nothing is signed before a peer has been reached. */
  #toReport: PastDamage | null = null;
  /** Own reports, of this run and before, oldest first. */
  #reports: readonly SignedObject[] = [];
  /** Own boot events that peers have shown and this log had lost. */
  readonly #missed = new Set<string>();

  constructor(core: SwarmCore) {
    this.#core = core;
    this.#judged = new Set(core.options.evidence.flatMap(({ name }) => (name.startsWith(PREFIX) ? [name] : [])));
  }

  get listening(): boolean {
    const { degraded, mesh, now, spoken, startedAt } = this.#core;
    return mesh !== null && degraded.length > 0 && !spoken && now.mono < startedAt + LIMITS.listenMs;
  }

  load(): void {
    const { crypto, options, self } = this.#core;
    const records = options.statements ?? [];
    const past = verifyOwnPast(crypto, self.established, records, options.statementsUnreadableAt);
    this.#reports = records.flatMap((record) => ownReport(record, self.aid)).slice(-LIMITS.reportsToldMax);
    if (past.damage === null) return;
    const { damage } = past;
    const text = damageText(damage, 'the own');
    this.#toReport = damage;
    this.#core.degraded.push(text);
    const sealer = { aid: self.aid, sign: (body: Uint8Array) => signObject(crypto, self.signKey, LABELS.seal, body) };
    this.#core.fx.persist({ kind: 'statements-rewrite', records: repairOwnPast(crypto, sealer, past) });
    this.#core.event(
      'PAST_DAMAGED',
      'critical',
      `${text}; the file is kept as it was found (statements.journal.corrupt-…), the node goes on without that entry and reports it to its peers, who trust it less (${damageClass(damage.kind)})`,
      self.text,
      null,
      dataOf(damage),
    );
  }

  onLinkOpen(peer: Peer, session: Session): void {
    const damage = this.#toReport;
    this.#toReport = null;
    // What is said now goes to this link, too.
    if (damage !== null) this.#report(damage);
    for (const object of this.#reports.slice(0, damage === null ? undefined : -1)) this.#tell(session, object);
    const { unexplained } = peer;
    if (unexplained === null) return;
    session.send({ kind: 'evidence', items: [{ of: 'boot', object: unexplained.held }] });
    this.#core.touched.add(session);
  }

  recalled(statement: Statement, digest: Uint8Array): void {
    const place = { incarnation: statement.incarnation, number: statement.number };
    const index = (this.#core.options.statements ?? []).length;
    this.#report({ kind: 'lost', index, place, missing: digest, found: new Uint8Array(32) });
  }

  onReport(peer: Peer, object: SignedObject, statement: Statement): boolean {
    const { crypto, now } = this.#core;
    const damage = decodeDamage(statement.body);
    const signed = peer.established?.signKeys.some((key) => verifyObject(crypto, key, LABELS.statement, object)) ?? false;
    if (damage === undefined || !signed) return false;
    const digest = hex(crypto.sha256(object.body));
    const name = `${PREFIX}${digest}`;
    const isNews = !this.#judged.has(name) && this.#intake.admits(peer.text, digest, now.mono);
    // Its own account is more exact than what is missing from its boot event.
    const { unexplained } = peer;
    if (damage.kind !== 'lost') peer.unexplained = null;
    if (!isNews) return true;
    this.#judged.add(name);
    const why = damageText(damage);
    const breakClass = damageClass(damage.kind);
    const isFree = peer.newcomer || (breakClass === 'B1' && peer.lossDeclared);
    this.#core.rooms.evidence.keep(breakClass, peer.aid, [object, ...halvesOf(peer, unexplained?.held ?? null)], why, name);
    if (!isFree) this.#core.rooms.history.break(peer, breakClass, why);
    this.#tellOf(peer, breakClass, isFree ? `${why}, which costs it nothing here` : why, { ...dataOf(damage), evidence: name });
    return true;
  }

  holdAgainst(peer: Peer): void {
    const { unexplained } = peer;
    const held = unexplained === null ? undefined : decodeBoot(unexplained.held.body);
    if (unexplained === null || held === undefined) return;
    peer.unexplained = null;
    const damage: PastDamage = {
      kind: 'dropped',
      index: 0,
      place: { incarnation: held.incarnation, number: 0 },
      missing: bootDigest(this.#core.crypto, unexplained.held),
      found: decodeBoot(unexplained.shown.body)?.previousBoot ?? new Uint8Array(32),
    };
    const why = `${placeText(damage.place)}, which it signed and this node holds, is missing from its stored history: its next boot event names another one`;
    const name = `${PREFIX}${hex(this.#core.crypto.sha256(unexplained.held.body, unexplained.shown.body))}`;
    if (this.#judged.has(name)) return;
    this.#judged.add(name);
    this.#core.rooms.evidence.keep('B2', peer.aid, [unexplained.shown, ...halvesOf(peer, unexplained.held)], why, name);
    this.#core.rooms.history.break(peer, 'B2', why);
    const { index: _, ...data } = dataOf(damage);
    this.#tellOf(peer, 'B2', why, { ...data, evidence: name });
  }

  onOwnBootShown(by: string, boot: Boot, digest: Uint8Array): void {
    const { crypto, options, self } = this.#core;
    const known = [...ownBoots(options.statements ?? [], crypto), bootDigest(crypto, self.bootObject)];
    if (boot.incarnation >= self.boot.incarnation || known.some((own) => bytesEqual(own, digest)) || this.#missed.has(hex(digest))) return;
    this.#missed.add(hex(digest));
    const place = placeText({ incarnation: boot.incarnation, number: 0 });
    this.#core.event(
      'PAST_DAMAGED',
      'critical',
      `${place} is missing from the own stored history, and ${this.#core.nameOf(by)} holds it; its trust in this node has fallen (B2)`,
      self.text,
      null,
      { kind: 'dropped', incarnation: boot.incarnation, number: 0, class: 'B2' },
    );
  }

  #report(damage: PastDamage): void {
    const object = this.#core.rooms.statements.say('report', encodeDamage(damage));
    this.#reports = [...this.#reports, object].slice(-LIMITS.reportsToldMax);
  }

  #tell(session: Session, object: SignedObject): void {
    const serial = decodeStatement(object.body)?.number ?? 0;
    session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.STATEMENT, origin: this.#core.self.aid, serial, body: packStatement(object) });
    this.#core.touched.add(session);
  }

  #tellOf(peer: Peer, breakClass: BreakClass, why: string, data: Readonly<Record<string, string | number>>): void {
    const { debtMicros, historyTenths, standing } = BREAK_RULES[breakClass];
    const name = this.#core.nameOf(peer.text);
    const cost = breakClass === 'B1' ? 'a declared loss (B1)' : `${breakClass}: debt +${debtMicros / 1_000_000}, credits ×0.${historyTenths}`;
    const frozen = standing === 'frozen' ? `; frozen until the owner has looked: robonet identity settle ${name} --restored` : '';
    this.#core.event(
      'PAST_DAMAGED',
      breakClass === 'B1' ? 'notice' : 'warning',
      `${name}: ${why} (${cost}; trust is T${this.#core.levelOf(peer)} now${frozen}); what both sides have of it is kept as evidence`,
      peer.text,
      null,
      { ...data, class: breakClass, level: this.#core.levelOf(peer) },
    );
  }
}

/** What we hold of the peer's history from before: the good half. */
function halvesOf(peer: Peer, boot: SignedObject | null): readonly SignedObject[] {
  return [boot, peer.bootObject, peer.statement, ...peer.peerCheckpoints, ...peer.ownCheckpoints].filter((object) => object !== null);
}

function ownReport(record: Uint8Array, aid: Uint8Array): readonly SignedObject[] {
  const object = unpackStatement(record);
  const statement = object === undefined ? undefined : decodeStatement(object.body);
  if (object === undefined || statement?.kind !== 'report' || !bytesEqual(statement.aid, aid)) return [];
  return decodeDamage(statement.body) === undefined ? [] : [object];
}

function dataOf({ kind, index, place, missing, found }: PastDamage): Readonly<Record<string, string | number>> {
  return { kind, index: index + 1, incarnation: place.incarnation, number: place.number, missing: hex(missing), found: hex(found), class: damageClass(kind) };
}
