/**
 * The decisions about membership, as they stand in the ledger: kind and body of every entry. Kinds and field names are the
 * protocol; a body that does not decode, or a kind that is not known, changes nothing (apply-entry.ts).
 */
import type { Millis } from '#core/time/time.ts';
import { encodeFields, Fields, readFields } from '#mesh/hcth/fields.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { ADMISSION_MODES, type AdmissionMode, type Role, ROLES } from './roles.ts';
import { TOKEN_ID_BYTES } from './token.ts';

/** An invitation without its secret, which only voters keep. */
export interface TokenChange {
  readonly kind: 'token';
  readonly tokenId: Uint8Array;
  /** Wall clock of the voters. */
  readonly expiresAt: Millis;
  readonly uses: number;
  readonly role: Role;
  readonly label: string | null;
  /** Serial number of the one board that it is for. */
  readonly hardware: string | null;
  /** The member at which it was asked for. */
  readonly by: Aid;
}

/** Why an identity is barred: it convicted itself (the evidence is a proof), or the owner says so. */
export type BarCause = 'equivocation' | 'owner';

/** An identity may never come back, nor may the machine that a hardware secret binds it to (protocol.md §2.14). */
export interface BarChange {
  readonly kind: 'bar';
  readonly aid: Aid;
  readonly cause: BarCause;
  /** Digest of the proof of equivocation that convicts it. */
  readonly evidence: Uint8Array | null;
  /** Only bindings with a secret that the machine itself keeps (HB2, HB3) name a machine. */
  readonly binding: { readonly kind: BarredBindingKind; readonly digest: Uint8Array } | null;
  readonly reason: string;
  readonly by: Aid;
  /** The approvals behind it, once several voters decide; null where the one voter does. */
  readonly certificate: Uint8Array | null;
}

/** Kinds of binding that can be barred. */
export type BarredBindingKind = 'otp' | 'tpm';

/** Which of two machines is the copy. */
export interface SettledMachines {
  readonly copy: Uint8Array;
  readonly original: Uint8Array;
}

/** A contest or a frozen history is settled by the owner. */
export interface SettleChange {
  readonly kind: 'settle';
  readonly aid: Aid;
  /**
   * Digests of the boot events by which the two machines were seen. A machine is the one whose boot event comes last in its
   * own past; the copy gives the identity up. Null: there is no copy, the history is one machine's.
   */
  readonly machines: SettledMachines | null;
  readonly by: Aid;
  readonly certificate: Uint8Array | null;
}

/** One decision. */
export type LedgerChange =
  | { readonly kind: 'genesis'; readonly genesis: Uint8Array }
  | TokenChange
  | { readonly kind: 'token-revoke'; readonly tokenId: Uint8Array; readonly by: Aid }
  | { readonly kind: 'admit'; /** Signed membership record. */ readonly record: Uint8Array }
  | { readonly kind: 'promote'; /** The record that replaces the former. */ readonly record: Uint8Array }
  | { readonly kind: 'suspend'; readonly aid: Aid; /** Whoever came with the same token. */ readonly other: Aid; readonly tokenId: Uint8Array }
  | { readonly kind: 'confirm'; readonly aid: Aid; readonly by: Aid }
  | { readonly kind: 'remove'; readonly aid: Aid; readonly how: 'leave' | 'forget'; readonly by: Aid }
  /** An identity whose keys are gone: it is never used again, and `successor` has taken its place, if anybody has. */
  | { readonly kind: 'close'; readonly aid: Aid; readonly successor: Aid | null; readonly by: Aid }
  /** Rotations of a member, in order: from here on an older key of it is nobody's (protocol.md §3.8, identity-log seals). */
  | { readonly kind: 'rotate'; readonly aid: Aid; readonly events: readonly SignedObject[] }
  /** The whole log of a member that is to vote: from here on its signature counts where the configuration names it. */
  | { readonly kind: 'voter'; readonly aid: Aid; readonly events: readonly SignedObject[] }
  | BarChange
  | { readonly kind: 'unbar'; readonly aid: Aid; readonly by: Aid; readonly certificate: Uint8Array | null }
  | SettleChange
  | { readonly kind: 'rename'; readonly aid: Aid; readonly name: string }
  | { readonly kind: 'setting'; readonly admission: AdmissionMode };

/** The word for a decision, as `kind` of a ledger entry. */
export type ChangeKind = LedgerChange['kind'];

/** A proposal's kind and body. */
export interface EncodedChange {
  readonly kind: ChangeKind;
  readonly body: Uint8Array;
}

const HOW = ['leave', 'forget'] as const;
const BAR_CAUSES = ['equivocation', 'owner'] as const;
const BARRED_BINDINGS = ['otp', 'tpm'] as const;

/** The ledger's form of a decision. */
export function encodeChange(change: LedgerChange): EncodedChange {
  return { kind: change.kind, body: encodeBody(change) };
}

/** What an entry decides; `undefined` where it is not one of ours or is malformed. */
export function decodeChange(kind: string, body: Uint8Array): LedgerChange | undefined {
  if (body.length > LIMITS.entryBytesMax) return undefined;
  // Bodies that are signed objects themselves are verified as they are, by whoever reads them.
  if (kind === 'genesis') return { kind, genesis: body };
  if (kind === 'admit' || kind === 'promote') return { kind, record: body };
  const fields = readFields(body);
  const change = readChange(kind, fields);
  return change !== undefined && fields.sound ? change : undefined;
}

function encodeBody(change: LedgerChange): Uint8Array {
  switch (change.kind) {
    case 'genesis':
      return change.genesis;
    case 'admit':
    case 'promote':
      return change.record;
    case 'token':
      return encodeFields({
        t: change.tokenId,
        x: change.expiresAt,
        u: change.uses,
        c: change.role,
        l: change.label ?? undefined,
        hw: change.hardware ?? undefined,
        b: change.by,
      });
    case 'token-revoke':
      return encodeFields({ t: change.tokenId, b: change.by });
    case 'suspend':
      return encodeFields({ a: change.aid, o: change.other, t: change.tokenId });
    case 'confirm':
      return encodeFields({ a: change.aid, b: change.by });
    case 'remove':
      return encodeFields({ a: change.aid, h: change.how, b: change.by });
    case 'close':
      return encodeFields({ a: change.aid, r: change.successor ?? undefined, b: change.by });
    case 'rotate':
    case 'voter':
      return encodeFields({ a: change.aid, e: change.events.map((event) => ({ b: event.body, s: event.sig })) });
    case 'bar':
      return encodeFields({
        a: change.aid,
        w: change.cause,
        e: change.evidence ?? undefined,
        hw: change.binding === null ? undefined : { t: change.binding.kind, d: change.binding.digest },
        r: change.reason,
        b: change.by,
        q: change.certificate ?? undefined,
      });
    case 'unbar':
      return encodeFields({ a: change.aid, b: change.by, q: change.certificate ?? undefined });
    case 'settle':
      return encodeFields({ a: change.aid, c: change.machines?.copy, o: change.machines?.original, b: change.by, q: change.certificate ?? undefined });
    case 'rename':
      return encodeFields({ a: change.aid, n: change.name });
    case 'setting':
      return encodeFields({ ad: change.admission });
  }
}

function readEvents(fields: Fields): readonly SignedObject[] {
  const events = fields.list('e', LIMITS.rotationsPerEntryMax).map((value) => {
    const event = new Fields(value);
    const signed = { body: event.blob('b', HCTH_LIMITS.signedBodyBytesMax), sig: event.bytes('s', 64) };
    fields.require(event.sound, 'a rotation is malformed');
    return signed;
  });
  fields.require(events.length > 0, 'an entry without a rotation seals nothing');
  return events;
}

function readBinding(outer: Fields, fields: Fields): BarChange['binding'] {
  const binding = { kind: fields.oneOf('t', BARRED_BINDINGS), digest: fields.bytes('d', 32) };
  outer.require(fields.sound, 'the binding is malformed');
  return binding;
}

function readCertificate(fields: Fields): Uint8Array | null {
  return fields.optional('q', (present) => present.blob('q', LIMITS.certificateBytesMax)) ?? null;
}

function readChange(kind: string, fields: Fields): LedgerChange | undefined {
  switch (kind) {
    case 'token':
      return {
        kind,
        tokenId: fields.bytes('t', TOKEN_ID_BYTES),
        expiresAt: fields.integer('x', 0, Number.MAX_SAFE_INTEGER),
        uses: fields.integer('u', 1, LIMITS.tokenUsesMax),
        role: fields.oneOf('c', ROLES),
        label: fields.optional('l', (present) => present.text('l', LIMITS.labelCharactersMax)) ?? null,
        hardware: fields.optional('hw', (present) => present.text('hw', LIMITS.tokenTextCharactersMax)) ?? null,
        by: fields.bytes('b', 32),
      };
    case 'token-revoke':
      return { kind, tokenId: fields.bytes('t', TOKEN_ID_BYTES), by: fields.bytes('b', 32) };
    case 'suspend':
      return { kind, aid: fields.bytes('a', 32), other: fields.bytes('o', 32), tokenId: fields.bytes('t', TOKEN_ID_BYTES) };
    case 'confirm':
      return { kind, aid: fields.bytes('a', 32), by: fields.bytes('b', 32) };
    case 'remove':
      return { kind, aid: fields.bytes('a', 32), how: fields.oneOf('h', HOW), by: fields.bytes('b', 32) };
    case 'close':
      return { kind, aid: fields.bytes('a', 32), successor: fields.optional('r', (present) => present.bytes('r', 32)) ?? null, by: fields.bytes('b', 32) };
    case 'rotate':
    case 'voter':
      return { kind, aid: fields.bytes('a', 32), events: readEvents(fields) };
    case 'bar':
      return {
        kind,
        aid: fields.bytes('a', 32),
        cause: fields.oneOf('w', BAR_CAUSES),
        evidence: fields.optional('e', (present) => present.bytes('e', 32)) ?? null,
        binding: fields.optional('hw', (present) => readBinding(present, present.nested('hw'))) ?? null,
        reason: fields.text('r', LIMITS.reasonCharactersMax),
        by: fields.bytes('b', 32),
        certificate: readCertificate(fields),
      };
    case 'unbar':
      return { kind, aid: fields.bytes('a', 32), by: fields.bytes('b', 32), certificate: readCertificate(fields) };
    case 'settle':
      return {
        kind,
        aid: fields.bytes('a', 32),
        machines: fields.optional('c', (present) => ({ copy: present.bytes('c', 32), original: present.bytes('o', 32) })) ?? null,
        by: fields.bytes('b', 32),
        certificate: readCertificate(fields),
      };
    case 'rename':
      return { kind, aid: fields.bytes('a', 32), name: fields.text('n', LIMITS.nodeNameCharactersMax) };
    case 'setting':
      return { kind, admission: fields.oneOf('ad', ADMISSION_MODES) };
    default:
      return undefined;
  }
}
