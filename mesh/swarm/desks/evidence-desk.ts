/**
 * Proofs of equivocation (protocol.md §2.11, B5): found here or told by others, verified by itself, kept, told on, and acted
 * upon. A proof needs no trust in whoever brings it, so everybody may bring one; what is limited is how much work it makes.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText, type AidText } from '#mesh/hcth/identity-text.ts';
import { decodeKept, encodeKept } from '#mesh/hcth/kept-evidence.ts';
import { decodeProof, encodeProof, type EquivocationProof, type ProofKind, proofDigest, proveContradiction, verifyProof } from '#mesh/hcth/proof.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Session } from '#mesh/session/session.ts';
import { GOSSIP_TOPIC } from '#mesh/wire/message.ts';
import { type SwarmCore, turned } from '../core.ts';
import { SWARM_LIMITS as LIMITS } from '../limits.ts';
import { NewsIntake } from '../news-intake.ts';
import type { Peer } from '../peer.ts';
import type { EvidenceDoor } from '../rooms.ts';
import type { KeptEvidence } from '../views.ts';

/** Names of evidence files; convictions are evicted last. */
export const PROOF_PREFIX = 'proof-';

interface Conviction {
  readonly proof: EquivocationProof;
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
  readonly place: string;
}

/** See the header. */
export class EvidenceDesk implements EvidenceDoor {
  readonly #core: SwarmCore;
  /** One proof per identity: a second one could not make it worse. */
  readonly #convictions = new Map<AidText, Conviction>();
  readonly #intake = new NewsIntake();
  readonly #kept = new Map<AidText, readonly KeptEvidence[]>();

  constructor(core: SwarmCore) {
    this.#core = core;
  }

  /** Proofs of earlier runs, verified again: a file is not a verdict. */
  load(): void {
    for (const { name, record } of this.#core.options.evidence) {
      if (name.startsWith(PROOF_PREFIX)) this.#judge(record, null, false);
      else this.#note(name, record);
    }
  }

  proofOf(text: AidText): Uint8Array | undefined {
    return this.#convictions.get(text)?.digest;
  }

  bytesOf(text: AidText): Uint8Array | undefined {
    return this.#convictions.get(text)?.bytes;
  }

  /** The two signatures that convict an identity: shown to it when it comes. */
  shown(text: AidText): readonly SignedObject[] {
    const proof = this.#convictions.get(text)?.proof;
    return proof === undefined ? [] : [proof.first, proof.second];
  }

  found(kind: ProofKind, established: Established, objects: readonly SignedObject[], why: string): boolean {
    const [a, b] = objects;
    const proof = a === undefined || b === undefined ? undefined : proveContradiction(this.#core.crypto, kind, established, a, b);
    if (proof !== undefined) return this.#judge(encodeProof(proof), null, true);
    this.keep('B5', established.aid, objects, why);
    return false;
  }

  onProof(from: Peer, bytes: Uint8Array): void {
    if (!this.#intake.admits(from.text, hex(this.#core.crypto.sha256(bytes)), this.#core.now.mono)) return;
    this.#judge(bytes, from, true);
  }

  /** Everything we hold against members, told on every new link: whoever was away learns of it. */
  tell(session: Session): void {
    let told = 0;
    for (const [text, { bytes }] of this.#convictions) {
      // A bar stands in the ledger, which everybody gets; the proof behind it need not be told for ever.
      if (this.#core.mesh?.removal(text)?.how === 'bar' || told >= LIMITS.proofsToldMax) continue;
      told += 1;
      this.#send(session, bytes);
    }
  }

  /** What cannot convict but must not be lost: kept on this disk, told to nobody. */
  keep(breakClass: BreakClass, aid: Aid, objects: readonly SignedObject[], why: string, name?: string): void {
    const record = encodeKept({ class: breakClass, aid, objects, why });
    const file = name ?? `break-${hex(this.#core.crypto.sha256(record))}`;
    this.#core.fx.persist({ kind: 'evidence', name: file, record });
    this.#note(file, record);
  }

  kept(text: AidText): readonly KeptEvidence[] {
    return this.#kept.get(text) ?? [];
  }

  #note(name: string, record: Uint8Array): void {
    const piece = decodeKept(record);
    if (piece === undefined) return;
    const text = aidText(piece.aid);
    const entry = { name, class: piece.class, why: piece.why, objects: piece.objects.map(({ body, sig }) => ({ body: hex(body), sig: hex(sig) })) };
    this.#kept.set(text, [...this.kept(text).filter((other) => other.name !== name), entry].slice(-LIMITS.evidenceShownMax));
  }

  /** The voter writes a conviction into the ledger; again later where it could not at once. */
  barConvicted(): void {
    const mesh = this.#core.mesh;
    if (mesh === null || !mesh.log.decides || this.#core.contested !== null) return;
    for (const [text, { proof, digest, place }] of this.#convictions) {
      const member = mesh.registry.members.get(text);
      if (member === undefined || member.voter) continue;
      const { binding } = this.#core.peers.get(text)?.established ?? { binding: null };
      this.#core.rooms.decisions.commit({
        kind: 'bar',
        aid: proof.aid,
        cause: 'equivocation',
        evidence: digest,
        binding: binding !== null && (binding.kind === 'otp' || binding.kind === 'tpm') ? { kind: binding.kind, digest: binding.digest } : null,
        reason: `it signed two different things for ${place}`,
        by: this.#core.self.aid,
        certificate: null,
      });
    }
  }

  #judge(bytes: Uint8Array, from: Peer | null, news: boolean): boolean {
    const { mesh } = this.#core;
    const decoded = decodeProof(bytes);
    if (decoded === undefined) return false;
    const text = aidText(decoded.aid);
    const own = text === this.#core.self.text;
    // Anybody can make identities that contradict themselves; only ours matter.
    const concerns = own || mesh?.member(text) !== undefined || mesh?.removal(text) !== undefined;
    if (!concerns || this.#convictions.has(text)) return false;
    const verdict = verifyProof(this.#core.crypto, decoded);
    if (verdict.kind === 'refused') {
      if (from !== null)
        this.#core.incident(
          'EVIDENCE_REFUSED',
          'notice',
          `${this.#core.nameOf(from.text)} brought a proof that proves nothing: ${verdict.why}`,
          from.text,
          from.text,
        );
      return false;
    }
    const known = own ? this.#core.self.established : this.#core.peers.get(text)?.established;
    if (decoded.kind !== 'rotation' && known != null && known.rotations > verdict.epoch) {
      // A rotation supersedes what the key before it signs later, and nobody can tell when this was signed (§2.2).
      this.keep('B5', decoded.aid, [decoded.first, decoded.second], `signed by the key before rotation ${verdict.epoch + 1}`);
      return false;
    }
    const digest = proofDigest(this.#core.crypto, decoded);
    const kept = encodeProof(decoded);
    this.#convictions.set(text, { proof: decoded, digest, bytes: kept, place: verdict.place });
    if (news) this.#core.fx.persist({ kind: 'evidence', name: `${PROOF_PREFIX}${hex(digest)}`, record: kept });
    this.#convict(decoded.aid, verdict.place, digest, from, news);
    if (news) for (const peer of this.#core.peers.values()) if (peer !== from && peer.session !== null && peer.text !== text) this.#send(peer.session, kept);
    return true;
  }

  #convict(aid: Aid, place: string, digest: Uint8Array, from: Peer | null, news: boolean): void {
    const text = aidText(aid);
    const why = `it signed two different things for ${place}`;
    const told = from === null ? 'found here' : `proof from ${this.#core.nameOf(from.text)}, verified here`;
    if (news)
      this.#core.event('EQUIVOCATION', 'critical', `${this.#core.nameOf(text)}: ${why} (${told}); its identity is worth nothing any more`, text, null, {
        class: 'B5',
        proof: hex(digest),
        place,
      });
    if (text === this.#core.self.text) {
      this.#core.refused = `this identity is convicted: ${why}. A running copy of this machine was restored, or its key is in other hands`;
      return;
    }
    if (this.#core.mesh?.member(text) === undefined) return;
    const peer = this.#core.peerOf(aid);
    if (peer.trust.standing !== 'convicted') this.#core.rooms.history.break(peer, 'B5', why);
    this.#core.dials.removeMember(text);
    if (peer.session !== null) {
      const { session } = peer;
      // It is told what it is convicted by: its owner has to see it there, too.
      const bytes = this.#convictions.get(text)?.bytes;
      if (bytes !== undefined) this.#send(session, bytes);
      session.refuse(turned('EQUIVOCATION', why));
      this.#core.touched.add(session);
    }
    if (news) this.barConvicted();
  }

  #send(session: Session, body: Uint8Array): void {
    session.send({ kind: 'gossip', topic: GOSSIP_TOPIC.PROOF, origin: this.#core.self.aid, serial: 0, body });
    this.#core.touched.add(session);
  }

  /** Two of our own signatures, shown to us with the code EQUIVOCATION: judge them as anybody would. */
  onOwnContradiction(objects: readonly SignedObject[]): void {
    const [a, b] = objects;
    if (a === undefined || b === undefined || bytesEqual(a.body, b.body)) return;
    for (const kind of ['checkpoint', 'statement', 'rotation'] as const) {
      const proof = proveContradiction(this.#core.crypto, kind, this.#core.self.established, a, b);
      if (proof !== undefined) {
        this.#judge(encodeProof(proof), null, true);
        return;
      }
    }
  }
}
