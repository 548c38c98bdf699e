/**
 * Meshes for tests: a founder, a ledger that folds what is committed to it, and machines that want in. Everything is
 * derived from names, so every run sees the same bytes.
 */
import { type Applied, applyEntry, type EntryEffect, foundRegistry } from '#mesh/admission/apply-entry.ts';
import { encodeChange, type LedgerChange } from '#mesh/admission/entries.ts';
import { type FoundingChoices, makeGenesis, type Mesh } from '#mesh/admission/genesis.ts';
import { type InvitationOrder, type InvitationOutcome, makeInvitation } from '#mesh/admission/invitation.ts';
import { Lobby } from '#mesh/admission/lobby.ts';
import { admission, type AdmissionDecision, type Applicant, type Approach, decideAdmission } from '#mesh/admission/policy.ts';
import type { Registry } from '#mesh/admission/registry.ts';
import type { AdmissionMode } from '#mesh/admission/roles.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';

/** The wall clock of tests. */
export const WALL = 1_800_000_000_000;

const ORDER: InvitationOrder = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null, hardware: null, peers: ['192.168.1.7:7411'] };

/** The genesis of a mesh with these founders. */
export function meshOf(founders: readonly string[] = ['ada'], choices: Partial<FoundingChoices> = {}): Mesh {
  const signers = founders.map((name) => ({ ...identityOf(name), name }));
  const verdict = makeGenesis(crypto, { name: 'home', admission: 'approve', trustProfile: 'home', ...choices }, signers, bytesFor('genesis', 16), WALL);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  return verdict.mesh;
}

/** A voter's view: registry, lobby, clock and trust, and the shortest way to each decision. */
export class TestMesh {
  readonly mesh: Mesh;
  readonly lobby = new Lobby();
  registry: Registry;
  wall = WALL + 1_000;
  level: 0 | 1 | 2 | 3 | 4 = 0;
  readonly ada = identityOf('ada');

  constructor(mode: AdmissionMode = 'approve') {
    this.mesh = meshOf(['ada'], { admission: mode });
    this.registry = foundRegistry(this.mesh);
  }

  get now(): { readonly mono: number; readonly wall: number } {
    return { mono: this.wall - WALL, wall: this.wall };
  }

  commit(change: LedgerChange): EntryEffect {
    const applied: Applied = applyEntry(crypto, this.registry, { index: this.registry.index + 1, at: this.wall, ...encodeChange(change) });
    this.registry = applied.registry;
    return applied.effect;
  }

  invite(order: Partial<InvitationOrder> = {}, number = 'invitation'): Extract<InvitationOutcome, { kind: 'invited' }> {
    const outcome = makeInvitation(crypto, this.registry, { ...ORDER, ...order }, this.ada.established.aid, this.wall, bytesFor(number, 40));
    if (outcome.kind === 'refuse') throw new Error(outcome.why);
    this.commit(outcome.change);
    return outcome;
  }

  /** What the voter says to a machine of this name. */
  judge(name: string, approach: Approach, more: Partial<Applicant> = {}): AdmissionDecision {
    const applicant: Applicant = { established: identityOf(name).established, approach, meshTag: this.mesh.tag, name, role: 'member', hardware: null, ...more };
    return decideAdmission(applicant, { registry: this.registry, lobby: this.lobby, now: this.now, levelOf: () => this.level });
  }

  /** Judge, sign and commit; throws where the machine is not admitted. */
  admit(name: string, approach: Approach, more: Partial<Applicant> = {}): EntryEffect {
    const decision = this.judge(name, approach, more);
    if (decision.kind !== 'admit') throw new Error(JSON.stringify(decision));
    return this.commit(this.sign(decision));
  }

  sign(decision: Extract<AdmissionDecision, { kind: 'admit' }>): LedgerChange {
    return admission(crypto, this.ada.signKey, this.registry, decision.draft, this.ada.established.aid, this.wall);
  }

  /** Admit a machine by a token of its own. */
  join(name: string): void {
    const { token } = this.invite({}, `invitation for ${name}`);
    this.admit(name, { kind: 'token', tokenId: token.tokenId });
  }
}

/** The identity of a name. */
export function aidOf(name: string): Aid {
  return identityOf(name).established.aid;
}
