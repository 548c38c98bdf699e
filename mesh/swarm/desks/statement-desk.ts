/**
 * The node's own statement log in life (protocol.md §2.2): every ten minutes a root over all link heads, a farewell at an
 * orderly stop, and whatever other rooms must be held to. Members are told each statement and keep the newest of each
 * other, so that a card that forgot can be told what it had said (H-13).
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { decodeCheckpointRoot, encodeCheckpointRoot, linkHeadsRoot } from '#mesh/hcth/checkpoint-root.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { OwnMemory } from '#mesh/hcth/own-memory.ts';
import { packStatement, unpackStatement } from '#mesh/hcth/own-statements.ts';
import { objectDigest, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement, makeStatement, type Statement, type StatementKind, statementTipAtBoot, type StatementTip } from '#mesh/hcth/statement-log.ts';
import { sameStatementSlot } from '#mesh/hcth/statement-slot.ts';
import type { Session } from '#mesh/session/session.ts';
import { GOSSIP_TOPIC } from '#mesh/wire/message.ts';
import type { SwarmCore } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { Peer } from '../peer.ts';
import type { StatementDoor } from '../rooms.ts';

/** Statements that promise something are on the disk before anybody hears of them; the others are not waited for. */
const DURABLE: ReadonlySet<StatementKind> = new Set(['vote', 'approve', 'accuse', 'report']);

/** See the header. */
export class StatementDesk implements StatementDoor {
  readonly #core: SwarmCore;
  #tip: StatementTip;
  #newest: SignedObject | null = null;
  /** What this node knows to have said, this run and before. */
  readonly #memory: OwnMemory;
  #rootAt: Millis;

  constructor(core: SwarmCore) {
    this.#core = core;
    this.#tip = statementTipAtBoot(core.crypto, core.self.bootObject);
    this.#memory = new OwnMemory(core.self.boot);
    this.#rootAt = core.now.mono + LIMITS.statementRootMs;
    for (const record of core.options.statements ?? []) {
      const object = unpackStatement(record);
      const statement = object === undefined ? undefined : decodeStatement(object.body);
      if (object !== undefined && statement !== undefined) this.#memory.remember(statement, this.#digestOf(object));
    }
  }

  get newest(): SignedObject | null {
    return this.#newest;
  }

  get wakeAt(): Millis {
    return this.#core.mesh === null ? NEVER : this.#rootAt;
  }

  tick(): void {
    if (this.#core.now.mono < this.#rootAt) return;
    this.#rootAt = this.#core.now.mono + LIMITS.statementRootMs;
    if (this.#core.mesh !== null) this.say('ckroot', this.#root());
  }

  /** Sign, keep, tell: in this order, and nothing but a power cut comes between. */
  say(kind: StatementKind, body: Uint8Array): SignedObject {
    const { crypto, self } = this.#core;
    const scope = { aid: self.aid, incarnation: self.boot.incarnation, nonce: self.boot.nonce };
    const { object, tip } = makeStatement(crypto, self.signKey, scope, this.#tip, { kind, body });
    this.#tip = tip;
    this.#newest = object;
    this.#memory.remember({ ...scope, number: tip.number }, this.#digestOf(object));
    this.#core.fx.persist({ kind: 'statement', record: packStatement(object), durable: DURABLE.has(kind) });
    for (const peer of this.#core.peers.values()) if (peer.session !== null) this.#tell(peer.session, self.aid, object, tip.number);
    return object;
  }

  /** The farewell; before the links are closed. */
  farewell(): void {
    if (this.#core.mesh !== null && !this.#core.rooms.past.listening) this.say('bye', this.#root());
  }

  onLinkOpen(peer: Peer, session: Session): void {
    if (this.#newest !== null) this.#tell(session, this.#core.self.aid, this.#newest, this.#tip.number);
    const { statement, boot } = peer;
    if (statement === null || boot === null) return;
    // Its boot event names the newest statement that it knew; what we hold is another one, of a life before.
    const said = decodeStatement(statement.body);
    const knows = bytesEqual(boot.previousStatement, objectDigest(this.#core.crypto, LABELS.statement, statement.body));
    if (said !== undefined && said.incarnation < boot.incarnation && !knows) this.#tell(session, peer.aid, statement, said.number);
  }

  onStatement(peer: Peer, body: Uint8Array, origin: Uint8Array): void {
    const object = unpackStatement(body);
    const statement = object === undefined ? undefined : decodeStatement(object.body);
    const { session } = peer;
    if (session === null) return;
    if (object === undefined || statement === undefined || !bytesEqual(statement.aid, origin))
      return this.#core.rooms.links.misbehaved(session, 'RMP_INVALID', 'a statement does not decode');
    if (bytesEqual(origin, this.#core.self.aid)) return this.#onOwn(peer, object, statement);
    if (bytesEqual(origin, peer.aid)) this.#onTheirs(peer, session, object, statement);
  }

  /** What the records of an earlier run say about the ledger that this run has found. */
  ledgerExpected(): number {
    for (const record of [...(this.#core.options.statements ?? [])].reverse()) {
      const object = unpackStatement(record);
      const statement = object === undefined ? undefined : decodeStatement(object.body);
      if (statement === undefined || !bytesEqual(statement.aid, this.#core.self.aid)) continue;
      const root = decodeCheckpointRoot(statement.body);
      if (root !== undefined && (statement.kind === 'ckroot' || statement.kind === 'bye')) return root.commit;
    }
    return 0;
  }

  #onTheirs(peer: Peer, session: Session, object: SignedObject, statement: Statement): void {
    const { crypto } = this.#core;
    const { boot, established } = peer;
    if (statement.kind === 'report' && this.#core.rooms.past.onReport(peer, object, statement) && statement.incarnation !== boot?.incarnation) return;
    // News of this link's incarnation only: anything else is an older life, of which we keep what we have.
    if (boot === null || established === null || statement.incarnation !== boot.incarnation || !bytesEqual(statement.nonce, boot.nonce)) return;
    if (!verifyObject(crypto, established.signKey, LABELS.statement, object))
      return this.#core.rooms.links.misbehaved(session, 'CHAIN_MISMATCH', `its statement ${statement.number} is not signed by it`);
    const known = peer.statement === null ? undefined : decodeStatement(peer.statement.body);
    const sameLife = known !== undefined && known.incarnation === statement.incarnation && bytesEqual(known.nonce, statement.nonce);
    if (peer.statement !== null && known !== undefined && sameLife) {
      if (bytesEqual(peer.statement.body, object.body)) return;
      const place = sameStatementSlot(known, statement);
      if (place !== undefined) return this.#onContradiction(peer, session, [peer.statement, object], place);
      if (statement.number < known.number) return;
      const continues = bytesEqual(statement.previous, objectDigest(crypto, LABELS.statement, peer.statement.body));
      if (statement.number === known.number + 1 && !continues)
        return this.#core.rooms.links.misbehaved(session, 'CHAIN_MISMATCH', `its statement ${statement.number} does not continue statement ${known.number}`);
    }
    peer.keepStatement(object);
  }

  #onContradiction(peer: Peer, session: Session, objects: readonly SignedObject[], place: string): void {
    const why = `it signed two different things as ${place} of incarnation ${peer.boot?.incarnation ?? 0}`;
    // Judged as anybody would judge it: with a key that was replaced meanwhile it convicts nobody.
    if (peer.established !== null) this.#core.rooms.evidence.found('statement', peer.established, objects, why);
    session.refuse({ kind: 'refuse', code: 'EQUIVOCATION', why });
    this.#core.touched.add(session);
  }

  /** A member kept something that this node has said. */
  #onOwn(from: Peer, object: SignedObject, statement: Statement): void {
    const { crypto, self } = this.#core;
    if (!self.established.signKeys.some((key) => verifyObject(crypto, key, LABELS.statement, object))) return;
    const digest = this.#digestOf(object);
    const recognition = this.#memory.recognise(statement, digest);
    // Our own memory of this run is complete: who speaks in it besides us holds a copy of it, or of our key.
    if (recognition === 'foreign') return this.#core.rooms.history.onOwnShown(statement, this.#memory.isOfThisLife(statement));
    if (recognition !== 'news') return;
    this.#memory.remember(statement, digest);
    this.#core.fx.persist({ kind: 'statement', record: packStatement(object), durable: true });
    this.#core.event(
      'STATE_RECALLED',
      'notice',
      `${this.#core.nameOf(from.text)} kept statement ${statement.number} (${statement.kind}) of incarnation ${statement.incarnation}, which this node had forgotten`,
      self.text,
      null,
      { incarnation: statement.incarnation, number: statement.number },
    );
    this.#core.rooms.past.recalled(statement, digest);
  }

  #root(): Uint8Array {
    const heads = [...this.#core.peers.values()].flatMap(({ aid, link }) => (link === null ? [] : [{ peer: aid, sent: link.sending.position }]));
    return encodeCheckpointRoot({ root: linkHeadsRoot(this.#core.crypto, heads), links: heads.length, commit: this.#core.mesh?.log.commitIndex ?? 0 });
  }

  #tell(session: Session, origin: Uint8Array, object: SignedObject, serial: number): void {
    session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.STATEMENT, origin, serial, body: packStatement(object) });
    this.#core.touched.add(session);
  }

  #digestOf(object: SignedObject): Uint8Array {
    return objectDigest(this.#core.crypto, LABELS.statement, object.body);
  }
}
