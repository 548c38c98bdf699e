import { describe, expect, test } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { makeBoot } from './boot-event.ts';
import { LABELS } from './labels.ts';
import type { Sealer } from './log-seal.ts';
import { type OwnPast, repairOwnPast, verifyOwnPast } from './own-past.ts';
import { packStatement, readOwnStatements, unpackStatement } from './own-statements.ts';
import { damageClass, damageText, decodeDamage, encodeDamage } from './past-damage.ts';
import { objectDigest, signObject } from './signed-object.ts';
import { makeStatement, statementTipAtBoot } from './statement-log.ts';

const ada = identityOf('ada');
const eve = identityOf('eve');
const sealer: Sealer = { aid: ada.established.aid, sign: (body) => signObject(crypto, ada.signKey, LABELS.seal, body) };

/** One life more: a boot event and so many statements. */
function live(records: readonly Uint8Array[], incarnation: number, count: number, identity = ada): readonly Uint8Array[] {
  const own = readOwnStatements(crypto, records);
  const { aid, head } = identity.established;
  const nonce = crypto.sha256(utf8(`nonce ${incarnation}`)).subarray(0, 16);
  const boot = makeBoot(crypto, identity.signKey, {
    aid,
    incarnation,
    nonce,
    establishmentHead: head,
    previousBoot: own.boot,
    previousStatement: own.statement,
    why: 'start',
    software: 'test',
  });
  const out = [...records, packStatement(boot)];
  let tip = statementTipAtBoot(crypto, boot);
  for (let index = 1; index <= count; index += 1) {
    const made = makeStatement(crypto, identity.signKey, { aid, incarnation, nonce }, tip, { kind: 'ckroot', body: utf8(`${incarnation}/${index}`) });
    out.push(packStatement(made.object));
    tip = made.tip;
  }
  return out;
}

/** Boot 1, two statements; boot 2 alone; boot 3, three statements; boot 7, two statements. Entries 0 to 10. */
const sound = live(live(live(live([], 1, 2), 2, 0), 3, 3), 7, 2);
const verify = (records: readonly Uint8Array[], unreadableAt?: number): OwnPast => verifyOwnPast(crypto, ada.established, records, unreadableAt);
const placeOf = (past: OwnPast): string => {
  const { damage } = past;
  return damage === null ? 'sound' : `${damage.kind} ${damage.index} ${damage.place.incarnation}/${damage.place.number}`;
};

/** In life: the boot event of the start that verifies is already there; then the repair, and one more life. */
function healed(records: readonly Uint8Array[], unreadableAt?: number): OwnPast {
  return verify(live(repairOwnPast(crypto, sealer, verify(live(records, 9, 1), unreadableAt)), 10, 1));
}

/** The places of the entries of `sound`. */
const PLACES = ['1/0', '1/1', '1/2', '2/0', '3/0', '3/1', '3/2', '3/3', '7/0', '7/1', '7/2'];

function edit(record: Uint8Array): Uint8Array {
  const object = unpackStatement(record)!;
  const body = object.body.slice();
  body[body.length - 1]! ^= 1;
  return packStatement({ body, sig: object.sig });
}

describe('the own stored past, entry by entry', () => {
  test('H-50: a log that grew in good order is sound, whatever was given back or pruned in it', () => {
    expect(placeOf(verify([]))).toBe('sound');
    for (let count = 1; count <= sound.length; count += 1) expect(placeOf(verify(sound.slice(0, count))), `${count}`).toBe('sound');
    // The last statement of life 3 was lost in a power cut and is given back in life 7; later lives go on from there.
    const forgot = live(live([], 1, 2), 3, 2);
    const lost = unpackStatement(live(live([], 1, 2), 3, 3).at(-1)!)!;
    expect(placeOf(verify(live([...live(forgot, 7, 1), packStatement(lost)], 8, 1)))).toBe('sound');
    expect(placeOf(verify(live(live([], 1, 2, eve), 2, 2)))).toBe('sound');
  });

  test('H-50: an entry that was edited is named by its place, whichever it is', () => {
    for (const [index, record] of sound.entries()) {
      const past = verify(sound.with(index, edit(record)));
      expect(placeOf(past)).toBe(`edited ${index} ${PLACES[index]}`);
      expect(healed(sound.with(index, edit(record))).damage, PLACES[index]).toBeNull();
    }
    const other = live(live([], 1, 2), 2, 1, eve);
    expect(placeOf(verify([...sound.slice(0, 5), other.at(-1)!, ...sound.slice(6)]))).toBe('edited 5 3/1');
    expect(placeOf(verify(sound.with(5, utf8('nonsense'))))).toBe('edited 5 3/1');
  });

  test('H-50: an entry that was dropped is named by those around it; the end of the log is for the peers to miss', () => {
    for (const index of sound.keys()) {
      const past = verify(sound.toSpliced(index, 1));
      const last = index === sound.length - 1;
      expect(placeOf(past), PLACES[index]).toBe(last ? 'sound' : `dropped ${index} ${PLACES[index]}`);
      expect(healed(sound.toSpliced(index, 1)).damage, PLACES[index]).toBeNull();
    }
  });

  test('H-50: entries that changed places are named where the order first breaks', () => {
    for (let index = 0; index + 1 < sound.length; index += 1) {
      const swapped = sound.with(index, sound[index + 1]!).with(index + 1, sound[index]!);
      const past = verify(swapped);
      expect(placeOf(past)).toBe(`reordered ${index} ${PLACES[index + 1]}`);
      expect(healed(swapped).damage).toBeNull();
      expect(readOwnStatements(crypto, swapped).incarnation).toBe(7);
    }
    expect(placeOf(verify([...sound, sound[5]!]))).toBe('reordered 11 3/1');
    expect(placeOf(verify([...sound.slice(0, 5), ...sound.slice(6), sound[5]!]))).toBe('reordered 5 3/2');
  });

  test('H-50: bytes that cannot be read are named by the entry that should lie there', () => {
    for (const [index, place] of PLACES.entries()) {
      const past = verify(sound.toSpliced(index, 1), index);
      expect(placeOf(past)).toBe(`unreadable ${index} ${place}`);
      expect(healed(sound.toSpliced(index, 1), index).damage).toBeNull();
    }
  });

  test('H-51: a seal hides nothing that its owner did not seal', () => {
    const repaired = repairOwnPast(crypto, sealer, verify(sound.toSpliced(5, 1)));
    expect(placeOf(verify(repaired))).toBe('sound');
    const at = repaired.findIndex((record, index) => record !== sound[index]);
    for (const [what, records] of [
      ['the entry behind it gone', repaired.toSpliced(at + 1, 1)],
      ['the entry before it gone', repaired.toSpliced(at - 1, 1)],
      ['moved', [...repaired.slice(0, at - 1), repaired[at]!, repaired[at - 1]!, ...repaired.slice(at + 1)]],
      ['gone', repaired.toSpliced(at, 1)],
    ] as const)
      expect(verify(records).damage, what).not.toBeNull();
    const forger: Sealer = { aid: ada.established.aid, sign: (body) => signObject(crypto, eve.signKey, LABELS.seal, body) };
    expect(placeOf(verify(repairOwnPast(crypto, forger, verify(sound.toSpliced(5, 1)))))).toMatch(/^edited/);
  });

  test('H-52: the report of a damage reads back as it was, and says its class', () => {
    const { damage } = verify(sound.toSpliced(5, 1));
    expect(decodeDamage(encodeDamage(damage!))).toEqual(damage);
    expect(decodeDamage(utf8('one'))).toBeUndefined();
    expect(damageText(damage!)).toBe('entry 6 of its stored history (statement 1 of incarnation 3) was dropped (the entries around it name it)');
    expect(['unreadable', 'edited', 'dropped', 'reordered'].map((kind) => damageClass(kind as 'edited'))).toEqual(['B2', 'B3', 'B3', 'B3']);
    expect(objectDigest(crypto, LABELS.statement, unpackStatement(sound[5]!)!.body)).toEqual(damage!.missing);
  });
});
