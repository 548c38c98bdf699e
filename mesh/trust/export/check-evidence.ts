/**
 * The signed evidence in an export: whether boot events, checkpoints and positions of the two parties tell one story.
 * What each party has signed is checked by itself (order, scope), then against what the other has signed: each checkpoint
 * acknowledges the opposite direction, so the two histories must agree wherever both speak of one place (§2.8).
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Boot, bootDigest, openBoot } from '#mesh/hcth/boot-event.ts';
import { type Checkpoint, checkpointsConflict, openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { verifyProof } from '#mesh/hcth/proof.ts';
import { verifyObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement } from '#mesh/hcth/statement-log.ts';
import type { Position } from '#mesh/wire/message.ts';
import type { ItemPath, PartyPart } from './read-export.ts';

/** What is wrong with an item. */
export interface Finding {
  readonly at: ItemPath;
  readonly why: string;
}

/** One party with its verified identity. */
export interface Party {
  readonly name: 'observer' | 'peer';
  readonly part: PartyPart;
  readonly established: Established;
}

/** The first proof that does not prove that the peer contradicted itself. */
export function checkProofs(crypto: CryptoPort, peer: Party, proofs: readonly Uint8Array[]): Finding | undefined {
  for (const [index, bytes] of proofs.entries()) {
    const bad = (why: string): Finding => ({ at: ['proofs', index], why });
    const verdict = verifyProof(crypto, bytes);
    if (verdict.kind === 'refused') return bad(`it proves nothing: ${verdict.why}`);
    if (!bytesEqual(verdict.established.aid, peer.established.aid)) return bad('it is about another identity than the peer');
  }
  return undefined;
}

/** The first item of the evidence that is not what it must be; `undefined` where all of it holds. */
export function checkEvidence(crypto: CryptoPort, observer: Party, peer: Party): Finding | undefined {
  const opened: [OpenedParty, OpenedParty] = [openParty(crypto, observer, peer), openParty(crypto, peer, observer)];
  for (const party of opened) if (party.finding !== undefined) return party.finding;
  for (const party of opened) {
    const finding = checkDirection(party) ?? checkScope(party) ?? checkStatement(crypto, party);
    if (finding !== undefined) return finding;
  }
  return checkBraid(opened[0], opened[1]) ?? checkBraid(opened[1], opened[0]);
}

interface OpenedParty extends Party {
  readonly boot: Boot | null;
  readonly checkpoints: readonly Checkpoint[];
  readonly finding: Finding | undefined;
}

function openParty(crypto: CryptoPort, party: Party, other: Party): OpenedParty {
  const { name, part, established } = party;
  const boot = part.boot === null ? null : openBoot(crypto, established, part.boot);
  const checkpoints: Checkpoint[] = [];
  let finding: Finding | undefined =
    boot === undefined ? { at: [name, 'boot'], why: `the boot event is not the ${name}'s, or not signed by the key that was in force` } : undefined;
  for (const [index, object] of part.checkpoints.entries()) {
    const checkpoint = openCheckpoint(crypto, established, other.established.aid, object);
    if (checkpoint !== undefined) checkpoints.push(checkpoint);
    else finding ??= { at: [name, 'checkpoints', index], why: `the checkpoint is not signed by the ${name} for the ${other.name}` };
  }
  return { ...party, boot: boot ?? null, checkpoints, finding };
}

/** The checkpoints of one direction continue each other. */
function checkDirection({ name, checkpoints }: OpenedParty): Finding | undefined {
  for (const [index, next] of checkpoints.entries()) {
    const before = checkpoints[index - 1];
    if (before === undefined) continue;
    const bad = (why: string): Finding => ({ at: [name, 'checkpoints', index], why });
    if (checkpointsConflict(before, next))
      return bad(`it contradicts the one before: the ${name} has signed two different things for frame ${next.sequence} of incarnation ${next.incarnation}`);
    if (next.incarnation < before.incarnation)
      return bad(`it is of incarnation ${next.incarnation}, the one before of ${before.incarnation}: they are not in order`);
    if (next.incarnation > before.incarnation) continue;
    if (!bytesEqual(next.nonce, before.nonce)) return bad(`it belongs to another start than the one before, under the same incarnation ${next.incarnation}`);
    if (next.sequence < before.sequence) return bad(`it is for frame ${next.sequence}, the one before for ${before.sequence}: they are not in order`);
    if (next.slot < before.slot) return bad(`it is of slot ${next.slot}, the one before of ${before.slot}: slots do not run backwards`);
    const [was, is] = [before.acknowledged, next.acknowledged];
    if (is.incarnation < was.incarnation || (is.incarnation === was.incarnation && is.sequence < was.sequence))
      return bad('it acknowledges less than the one before: what was received cannot become unreceived');
    if (differs(was, is)) return bad('it acknowledges another head than the one before at the same place');
  }
  return undefined;
}

/** Boot event and position belong to the newest checkpoint. */
function checkScope({ name, boot, checkpoints, part: { position } }: OpenedParty): Finding | undefined {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return undefined;
  if (boot !== null && boot.incarnation < newest.incarnation)
    return { at: [name, 'boot'], why: `the boot event is of incarnation ${boot.incarnation}, the newest checkpoint of ${newest.incarnation}` };
  if (boot?.incarnation === newest.incarnation && !bytesEqual(boot.nonce, newest.nonce))
    return { at: [name, 'boot'], why: `boot event and newest checkpoint have different nonces under the same incarnation ${boot.incarnation}` };
  if (position === null) return undefined;
  const bad = (why: string): Finding => ({ at: [name, 'position'], why });
  if (position.incarnation < newest.incarnation)
    return bad(`the position is of incarnation ${position.incarnation}, the newest checkpoint of ${newest.incarnation}`);
  if (position.incarnation > newest.incarnation) return undefined;
  if (!bytesEqual(position.nonce, newest.nonce)) return bad('position and newest checkpoint have different nonces under the same incarnation');
  if (position.sequence < newest.sequence) return bad(`the position is frame ${position.sequence}, but frame ${newest.sequence} has been signed`);
  return differs(position, newest) ? bad('position and newest checkpoint differ in the head of the same frame') : undefined;
}

/** The newest statement is the party's, of no later life than its boot event, and continues that one where it is the first. */
function checkStatement(crypto: CryptoPort, { name, part, established, boot }: OpenedParty): Finding | undefined {
  const { statement: object } = part;
  if (object === null) return undefined;
  const bad = (why: string): Finding => ({ at: [name, 'statement'], why });
  const statement = decodeStatement(object.body);
  const signed = established.signKeys.some((signKey) => verifyObject(crypto, signKey, LABELS.statement, object));
  if (statement === undefined || !signed || !bytesEqual(statement.aid, established.aid)) return bad(`it is not signed by the ${name}`);
  if (boot === null || part.boot === null || statement.incarnation < boot.incarnation) return undefined;
  if (statement.incarnation > boot.incarnation) return bad(`it is of incarnation ${statement.incarnation}, the boot event of ${boot.incarnation}`);
  if (!bytesEqual(statement.nonce, boot.nonce)) return bad('statement and boot event have different nonces under the same incarnation');
  return statement.number === 1 && !bytesEqual(statement.previous, bootDigest(crypto, part.boot))
    ? bad('it is the first of its incarnation, but does not continue the boot event')
    : undefined;
}

/** Whatever one acknowledges of the other is what the other has signed, and no more than was sent. */
function checkBraid(from: OpenedParty, to: OpenedParty): Finding | undefined {
  for (const [index, { acknowledged }] of from.checkpoints.entries()) {
    const at: ItemPath = [from.name, 'checkpoints', index];
    if (to.checkpoints.some((checkpoint) => differs(acknowledged, checkpoint)))
      return { at, why: `it acknowledges another head of frame ${acknowledged.sequence} than the ${to.name} has signed` };
    const { position } = to.part;
    const beyond =
      position?.incarnation === acknowledged.incarnation && bytesEqual(position.nonce, acknowledged.nonce) && acknowledged.sequence > position.sequence;
    if (beyond) return { at, why: `it acknowledges frame ${acknowledged.sequence} of the ${to.name}, of which only ${position.sequence} exist` };
  }
  return undefined;
}

/** Whether two say different heads of one frame. Before the first frame there is none: the two ends agree on the anchor only later (H-24). */
function differs(a: Position, b: Position): boolean {
  const samePlace = a.incarnation === b.incarnation && a.sequence === b.sequence && bytesEqual(a.nonce, b.nonce);
  return samePlace && a.sequence > 0 && !bytesEqual(a.head, b.head);
}
