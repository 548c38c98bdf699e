/**
 * The first bad entry of a node's stored past: what it is called, how the node reports it to its peers in a signed
 * statement of the kind `report`, and which break that is (protocol.md §2.11). Reporting it is the node's own doing: its
 * peers hold what it signed last, and would find out from that less exactly.
 */
import type { BreakClass } from './breaks.ts';
import { encodeFields, readFields } from './fields.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';

/**
 * `unreadable`: the checksum does not hold, as after a card's fault. With a right checksum, `edited`: not what the identity
 * signed; `dropped`: an entry that others name is gone; `reordered`: it stands in another place. `lost`: the end of the log
 * is gone, as after a power cut, and a peer has given it back.
 */
export type DamageKind = 'unreadable' | 'edited' | 'dropped' | 'reordered' | 'lost';

/** A place of the statement log: number 0 is the boot event. */
export interface PastPlace {
  readonly incarnation: number;
  readonly number: number;
}

/** See the header. */
export interface PastDamage {
  readonly kind: DamageKind;
  /** Entries in front of it in the stored log. */
  readonly index: number;
  readonly place: PastPlace;
  /** Digest that the entries around it give to what is missing; zeros for unknown. */
  readonly missing: Uint8Array;
  /** SHA-256 of the record found in its place; zeros for none. */
  readonly found: Uint8Array;
}

const KINDS = ['unreadable', 'edited', 'dropped', 'reordered', 'lost'] as const;

const WORDS: Readonly<Record<DamageKind, string>> = {
  unreadable: 'cannot be read (its checksum does not hold)',
  edited: 'was edited (its checksum holds, its signature does not)',
  dropped: 'was dropped (the entries around it name it)',
  reordered: 'stands in the wrong place (the entries around it name another order)',
  lost: 'was lost with the end of it, and was given back',
};

/** `entry 5 of its stored history (statement 3 of incarnation 7) was edited (…)`. */
export function damageText({ kind, index, place }: PastDamage, whose: 'its' | 'the own' = 'its'): string {
  return `entry ${index + 1} of ${whose} stored history (${placeText(place)}) ${WORDS[kind]}`;
}

/** `statement 3 of incarnation 7`. */
export function placeText({ incarnation, number }: PastPlace): string {
  return number === 0 ? `the boot event of incarnation ${incarnation}` : `statement ${number} of incarnation ${incarnation}`;
}

/**
 * The class: a lost end is a declared loss; what can no longer be read is gone like on a disk that was rolled back; what
 * reads well and contradicts the chain is a head mismatch without two signatures.
 */
export function damageClass(kind: DamageKind): BreakClass {
  if (kind === 'lost') return 'B1';
  return kind === 'unreadable' ? 'B2' : 'B3';
}

/** The body of the report. */
export function encodeDamage(damage: PastDamage): Uint8Array {
  const { kind, index, place, missing, found } = damage;
  return encodeFields({ v: 1, t: 'past', k: kind, n: index, i: place.incarnation, s: place.number, d: missing, f: found });
}

/** The counterpart of {@link encodeDamage}; undefined where a report is about something else. */
export function decodeDamage(body: Uint8Array): PastDamage | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['past']);
  const damage: PastDamage = {
    kind: fields.oneOf('k', KINDS),
    index: fields.integer('n', 0, Number.MAX_SAFE_INTEGER),
    place: { incarnation: fields.integer('i', 0, LIMITS.incarnationMax), number: fields.integer('s', 0, Number.MAX_SAFE_INTEGER) },
    missing: fields.bytes('d', 32),
    found: fields.bytes('f', 32),
  };
  return fields.sound ? damage : undefined;
}
