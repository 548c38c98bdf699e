/**
 * What a peer brings of the ledger and this node cannot take: another history under the voter's signature, or a forgery.
 * Where the key that would tell is not known here, the bringer is asked for the voter's log before anything is held against it.
 */
import { verifyEntry } from '#mesh/consensus/entry-codec.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import type { LogFault } from '#mesh/consensus/node/log-effects.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import type { Session } from '#mesh/session/session.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import type { SwarmCore } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import type { MeshState } from '../mesh-state.ts';
import type { ForkDoor } from '../rooms.ts';

interface Doubt {
  readonly from: string;
  readonly sealed: SealedEntry;
  readonly why: string;
  readonly until: Millis;
}

/** See the header. */
export class ForkDesk implements ForkDoor {
  readonly #core: SwarmCore;
  /** One per link: what was brought, until the bringer has had time to show the key. */
  readonly #doubts = new Map<Session, Doubt>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /**
   * Two histories under the voter's signature come of a card that was copied, or put back while the only member that had
   * heard its last decisions was away: no lie of anybody's, and not to be told from one. Nobody is blamed, neither the voter
   * nor who passes one of them on; the link stays, each keeps its own history, and the owner is told.
   */
  onFault({ from, why, voters, unproved }: LogFault, mesh: MeshState): void {
    const session = this.#core.peers.get(from)?.session;
    if (session == null) return;
    if (voters || (unproved !== undefined && this.#isVoters(unproved, mesh))) return this.#tell(session, from, why);
    // The link to a voter proves its newest key: what does not fit that is none of its.
    if (unproved === undefined || mesh.isVoter(from) || !mesh.isVoter(aidText(unproved.entry.voter)))
      return this.#core.rooms.links.misbehaved(session, 'CHAIN_MISMATCH', why);
    if (this.#doubts.has(session)) return;
    this.#doubts.set(session, { from, sealed: unproved, why, until: this.#core.now.mono + LIMITS.voterKeyMsMax });
    session.send({ kind: 'est-fetch', aid: unproved.entry.voter, from: 1 });
    this.#core.touched.add(session);
  }

  get wakeAt(): Millis {
    let earliest = NEVER;
    for (const { until } of this.#doubts.values()) earliest = Math.min(earliest, until);
    return earliest;
  }

  tick(): void {
    const { mesh, now } = this.#core;
    for (const [session, { from, sealed, why, until }] of [...this.#doubts]) {
      if (session.state === 'open' && now.mono < until) continue;
      this.#doubts.delete(session);
      // Who was cut off could not answer; what it brought was not taken.
      if (session.state !== 'open' || mesh === null) continue;
      if (this.#isVoters(sealed, mesh)) this.#tell(session, from, why);
      else this.#core.rooms.links.misbehaved(session, 'CHAIN_MISMATCH', why);
    }
  }

  /** The voter may have proved a rotation to us that our ledger does not hold, or two at one place: what such a key signed is no forgery. */
  #isVoters(sealed: SealedEntry, mesh: MeshState): boolean {
    const text = aidText(sealed.entry.voter);
    if (text === this.#core.self.text) return this.#core.rooms.identities.superseded !== null;
    const voter = this.#core.peers.get(text);
    if (!mesh.isVoter(text) || voter === undefined) return false;
    if (voter.trust.standing === 'convicted') return true;
    return voter.established?.signKeys.some((key) => verifyEntry(this.#core.crypto, key, sealed)) ?? false;
  }

  #tell(session: Session, from: string, why: string): void {
    const text = `${this.#core.nameOf(from)} holds another history of the mesh than this node: ${why}`;
    this.#core.incident('LEDGER_FORKED', 'critical', text, session.source, from);
  }
}
