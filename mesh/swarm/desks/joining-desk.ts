/**
 * The way in, at the machine that wants to join: whom to ask, whom to believe, when to report and when to give up.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { FaultCode } from '#core/errors/fault.ts';
import { verifyGenesis } from '#mesh/admission/genesis.ts';
import { verifyMembership } from '#mesh/admission/welcome.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { addressText, isLocalAddress, parseAddress } from '#mesh/membership/address-policy.ts';
import type { DialTarget } from '#mesh/membership/dial-plan.ts';
import type { Ending, PeerIdentity, PeerVerdict, Turned } from '#mesh/session/host.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { payloadBytesMaxAt } from '#mesh/wire/limits.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { Accept } from '#mesh/wire/message.ts';
import { type RefusalCode, refusalText } from '#mesh/wire/refusal.ts';
import type { Context } from '../context.ts';
import { LOBBY_RATE, type SwarmCore, turned } from '../core.ts';
import { encodeIntent, Joiner, readIntent } from '../joiner.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { Refusal } from '../step.ts';
import type { JoinOptions } from '../views.ts';
import type { JoiningDoor } from '../rooms.ts';

/** See the header. */
export class JoiningDesk implements JoiningDoor {
  readonly #core: SwarmCore;

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  enterLobbyAsGuest(context: Context, peer: PeerIdentity, accept: Accept, joiner: Joiner): PeerVerdict {
    const verdict = verifyGenesis(this.#core.crypto, accept.proof ?? new Uint8Array(0), accept.meshId ?? undefined);
    if (verdict.kind === 'bad') return turned('HS_FAIL', verdict.why);
    const { meshName } = joiner.intent;
    if (meshName !== null && verdict.mesh.genesis.name !== meshName)
      return turned('MESH_MISMATCH', `the mesh there is called "${verdict.mesh.genesis.name}", not "${meshName}"`);
    context.lobby = 'guest';
    this.#core.lobbyMesh = { name: verdict.mesh.genesis.name, member: fingerprintOf(peer.aid), firstUse: joiner.intent.expect === null };
    const own: Accept = {
      kind: 'accept',
      meshId: null,
      level: 0,
      role: 'lobby',
      verdict: 'first-contact',
      resume: null,
      limits: { payloadBytesMax: payloadBytesMaxAt(0), ...LOBBY_RATE },
      proof: null,
    };
    return { kind: 'accept', accept: own, link: this.#core.rooms.lobby.lobbyLink(peer) };
  }

  /** Believe that we have been admitted: genesis of the mesh we were told, our own record, signed by a voter (§2.4). */
  believeWelcome(bytes: Uint8Array | null, peer: PeerIdentity): Turned | undefined {
    const joiner = this.#core.joiner;
    const decoded = bytes === null ? undefined : decodeMessage(MESSAGE_TYPE.WELCOME, bytes);
    if (joiner === null || decoded === undefined || decoded.kind === 'refused' || decoded.message.kind !== 'welcome')
      return turned('HS_FAIL', 'accepted without a proof of admission');
    const { message } = decoded;
    const { token, meshTag, meshName } = joiner.intent;
    const verdict = verifyMembership(this.#core.crypto, message.genesis, message.record, {
      self: this.#core.self.established,
      meshId: token?.meshId ?? null,
      meshTag,
      pins: token?.pins ?? [],
      host: peer.established,
      hostVotes: token !== null || joiner.intent.expect !== null || meshTag === null,
    });
    if (verdict.kind === 'refuse') return turned(verdict.code, verdict.why);
    const { genesis } = verdict.mesh;
    if (meshName !== null && genesis.name !== meshName) return turned('MESH_MISMATCH', `the mesh there is called "${genesis.name}", not "${meshName}"`);
    this.#core.rooms.ledger.becomeMember(verdict.mesh, verdict.recordBytes, { entries: [], hard: null, intact: true });
    this.#core.mesh?.believeHost(peer.aid, peer.established.head, Math.floor(this.#core.now.wall));
    this.#core.fx.persist({ kind: 'document', name: 'membership', record: encodeMessage({ ...message }) });
    this.#core.fx.persist({ kind: 'document', name: 'intent', record: null });
    this.#core.event('JOINED', 'notice', `joined the mesh "${genesis.name}" through ${fingerprintOf(peer.aid)}`, this.#core.self.text, null, {
      mesh: hex(verdict.mesh.id),
    });
    // Who asked wants to see itself in the list: answered when the ledger has arrived.
    if (joiner.command !== null) this.#core.awaitsLedger = { command: joiner.command, until: this.#core.now.mono + LIMITS.firstLedgerMsMax };
    this.#core.joiner = null;
    this.#core.lobbyMesh = null;
    return undefined;
  }

  maybeAnswerJoin(): void {
    const waiting = this.#core.awaitsLedger;
    if (waiting === null) return;
    if (this.#core.mesh?.registry.members.has(this.#core.self.text) !== true && this.#core.now.mono < waiting.until) return;
    this.#core.awaitsLedger = null;
    this.#core.fx.reply({ id: waiting.command, kind: 'done', value: null });
  }

  startJoin(command: number | null, options: JoinOptions): void {
    const understood = readIntent(this.#core.crypto, options);
    if (understood.kind === 'refused') {
      if (command !== null) this.#core.refuse(command, understood.refusal.code, understood.refusal.text);
      return;
    }
    const { intent } = understood;
    const { mono } = this.#core.now;
    if (this.#core.joiner !== null) this.endJoin({ code: 'RN-MESH-032', text: 'replaced by a newer wish to join' });
    this.#core.refused = null;
    this.#core.joiner = new Joiner(intent, command, mono + LIMITS.joinMsMax);
    this.#core.fx.persist({ kind: 'document', name: 'intent', record: encodeIntent(options) });
    for (const text of [...options.peers, ...(intent.token?.peers ?? [])]) {
      const address = parseAddress(text, this.#core.options.port);
      if (address === undefined) continue;
      if (options.peers.includes(text) || isLocalAddress(address.host)) this.#core.dials.addHint(address, mono);
    }
    for (const [tag, { address }] of this.#core.tagsInSight)
      if (this.#core.joiner.wants(/^[0-9a-f]{16}$/.test(tag) ? tag : null)) this.#core.dials.addHint(address, mono);
    if (this.#core.joiner.isAmbiguous) this.joinAmbiguous();
  }

  joinAmbiguous(): void {
    const tags = [...(this.#core.joiner?.tags ?? [])].sort().join(', ');
    this.#core.dials.clearHints();
    this.endJoin({ code: 'RN-MESH-012', text: `${this.#core.joiner?.tags.size ?? 0} meshes are in sight (${tags})` });
  }

  joinerTick(): void {
    const joiner = this.#core.joiner;
    if (joiner === null || joiner.command === null || this.#core.now.mono < joiner.until) return;
    const { command } = joiner;
    joiner.command = null;
    const refusal = joiner.refusal ?? { code: 'RN-MESH-011' as const, text: `no member of the mesh answered within ${LIMITS.joinMsMax / 1_000} s` };
    this.#core.refuse(command, refusal.code, refusal.text);
  }

  /** Some attempt of the joiner failed; remember the most telling reason, give up where trying again is pointless. */
  joinFailed(target: DialTarget, refusal: Refusal, final: boolean): void {
    const joiner = this.#core.joiner;
    if (joiner === null || target.kind !== 'hint') return;
    if (joiner.refusal === null || refusal.code !== 'RN-MESH-011') joiner.refusal = refusal;
    if (final) this.endJoin(refusal);
  }

  joinAttemptEnded(context: Context, target: DialTarget, ending: Ending, code: RefusalCode | null): void {
    if (this.#core.joiner === null) return;
    const typed = target.kind === 'hint' && this.#core.joiner.intent.options.peers.some((text) => addressTextOf(text, this.#core.options.port) === target.key);
    const where = addressText(context.session.remote);
    if (code === null) return this.joinFailed(target, { code: 'RN-MESH-035', text: `${where} closed the connection: ${ending.why}` }, false);
    const known = JOIN_REFUSALS[code] ?? { code: 'RN-MESH-035' as const, final: false };
    // Before both ends have keys anybody who answers may say anything: such a word counts only where a person typed the
    // address and waits, and never erases what is stored.
    const proven = ending.by === 'us' || ending.reject?.sealed === true || (typed && this.#core.joiner.command !== null);
    const refusal = { code: known.code, final: known.final && proven };
    const why = ending.by === 'us' ? ending.why : refusalText(code);
    const code2 = code === 'IDENTITY_BAD' && ending.by === 'us' && this.#core.joiner.intent.expect !== null ? ('RN-MESH-017' as const) : refusal.code;
    // Not the one, or not now: while a person waits it is not asked again, and when nobody else is left to ask, that is
    // the answer. A machine that joins by itself goes on asking: a lie on the LAN must not end that.
    const person = this.#core.joiner.command !== null;
    if (target.kind === 'hint' && (code === 'MESH_MISMATCH' || code2 === 'RN-MESH-017' || (known.final && person))) {
      this.#core.dials.removeHint(target.key);
      this.#core.joiner.rejected.add(target.key);
      if (person && code !== 'MESH_MISMATCH' && !this.#core.dials.hasHints) return this.joinFailed(target, { code: code2, text: `${where}: ${why}` }, true);
    }
    this.joinFailed(target, { code: code2, text: `${where}: ${why}` }, refusal.final || (typed && (code === 'MESH_MISMATCH' || code2 === 'RN-MESH-017')));
  }

  /** The wish came true: member, or standing in the lobby. */
  joined(value: null): void {
    const joiner = this.#core.joiner;
    if (joiner === null || joiner.command === null) return;
    const { command } = joiner;
    joiner.command = null;
    this.#core.fx.reply({ id: command, kind: 'done', value });
  }

  endJoin(refusal: Refusal): void {
    const joiner = this.#core.joiner;
    if (joiner === null) return;
    this.#core.joiner = null;
    this.#core.lobbyMesh = null;
    this.#core.dials.clearHints();
    this.#core.fx.persist({ kind: 'document', name: 'intent', record: null });
    if (joiner.command !== null) this.#core.refuse(joiner.command, refusal.code, refusal.text);
  }
}

/** What a joiner's person is told, and whether trying on is pointless. */
const JOIN_REFUSALS: Readonly<Partial<Record<RefusalCode, { readonly code: FaultCode; readonly final: boolean }>>> = {
  TOKEN_BAD: { code: 'RN-MESH-007', final: true },
  TOKEN_EXPIRED: { code: 'RN-MESH-008', final: true },
  TOKEN_USED: { code: 'RN-MESH-009', final: true },
  MESH_MISMATCH: { code: 'RN-MESH-010', final: false },
  APPROVAL_DENIED: { code: 'RN-MESH-013', final: true },
  LOBBY_FULL: { code: 'RN-MESH-014', final: true },
  VERSION_FLOOR: { code: 'RN-MESH-015', final: true },
  FRAME_VERSION: { code: 'RN-MESH-015', final: true },
  NOT_PERMITTED: { code: 'RN-MESH-016', final: true },
  IDENTITY_BARRED: { code: 'RN-MESH-034', final: true },
  IDENTITY_CONTESTED: { code: 'RN-MESH-024', final: true },
  QUORUM_UNREACHABLE: { code: 'RN-MESH-019', final: false },
  IDENTITY_BAD: { code: 'RN-MESH-035', final: false },
};

function addressTextOf(text: string, portDefault: number): string | undefined {
  const address = parseAddress(text, portDefault);
  return address === undefined ? undefined : addressText(address);
}
