/** Targets of the own stored past: what somebody with the disk and without the key can do to it, and what a node says of it. */
import { bytesEqual, concat, utf8 } from '#core/bytes/bytes.ts';
import { bootDigest, decodeBoot, makeBoot } from '#mesh/hcth/boot-event.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { openSealBody, type Sealer } from '#mesh/hcth/log-seal.ts';
import { repairOwnPast, verifyOwnPast } from '#mesh/hcth/own-past.ts';
import { packStatement, unpackStatement } from '#mesh/hcth/own-statements.ts';
import { decodeDamage, encodeDamage } from '#mesh/hcth/past-damage.ts';
import { openSealedRecord, sealRecord } from '#mesh/hcth/sealed-record.ts';
import { objectDigest, signObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement, makeStatement, statementTipAtBoot } from '#mesh/hcth/statement-log.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { promise, sameBytes } from '../promises.ts';

const ada = identityOf('ada');
const bob = identityOf('bob');
const sealer: Sealer = { aid: ada.established.aid, sign: (body) => signObject(crypto, ada.signKey, LABELS.seal, body) };

/** Lives of Ada's with so many statements each. */
const LIVES = [2, 0, 3, 1];
const sound = soundLog();

function soundLog(): readonly Uint8Array[] {
  const { aid, head } = ada.established;
  const records: Uint8Array[] = [];
  let previousBoot: Uint8Array = new Uint8Array(32);
  let previousStatement: Uint8Array = new Uint8Array(32);
  for (const [life, count] of LIVES.entries()) {
    const scope = { aid, incarnation: life + 1, nonce: bytesFor(`life ${life}`, 16) };
    const said = { establishmentHead: head, previousBoot, previousStatement, why: 'start', software: 'fuzz' } as const;
    const boot = makeBoot(crypto, ada.signKey, { ...scope, ...said });
    records.push(packStatement(boot));
    let tip = statementTipAtBoot(crypto, boot);
    for (let index = 0; index < count; index += 1) {
      const made = makeStatement(crypto, ada.signKey, scope, tip, { kind: 'ckroot', body: utf8(`${life}/${index}`) });
      records.push(packStatement(made.object));
      tip = made.tip;
      previousStatement = objectDigest(crypto, LABELS.statement, made.object.body);
    }
    previousBoot = bootDigest(crypto, boot);
  }
  return records;
}

/** Three bytes each: what is done, to which record, with which other one or at which byte. */
function damaged(input: Uint8Array): readonly Uint8Array[] {
  const log = [...sound];
  for (let at = 0; at + 3 <= input.length && log.length > 0; at += 3) {
    const [what = 0, which = 0, how = 0] = input.subarray(at, at + 3);
    const [here, there] = [which % log.length, how % log.length];
    const [record = new Uint8Array(0), other = record] = [log[here], log[there]];
    switch (what % 5) {
      case 0:
        log.splice(here, 1);
        break;
      case 1:
        [log[here], log[there]] = [other, record];
        break;
      case 2:
        if (record.length === 0) break;
        log[here] = record.with(how % record.length, (record[how % record.length] ?? 0) ^ (1 << (what >> 5)));
        break;
      case 3:
        log.splice(there, 0, record);
        break;
      default:
        log[here] = record.subarray(0, how % record.length);
    }
  }
  return log;
}

/** Of the identity that a machine had before there are no keys: such entries stay as they are, at the beginning. */
function isAnothers(record: Uint8Array): boolean {
  const body = unpackStatement(record)?.body;
  const aid = body === undefined ? undefined : (decodeBoot(body) ?? decodeStatement(body) ?? openSealBody(body))?.aid;
  return aid !== undefined && !bytesEqual(aid, ada.established.aid);
}

const ownPast: FuzzTarget = {
  name: 'own-past',
  promise:
    'a stored past that was changed without the key is never sound, unless only its end is gone; mended, it is sound, and holds nothing of this identity that it did not sign',
  seeds: () => [
    Uint8Array.of(0, 3, 0),
    Uint8Array.of(1, 2, 5),
    Uint8Array.of(2, 4, 40),
    Uint8Array.of(3, 1, 6),
    Uint8Array.of(4, 8, 9),
    Uint8Array.of(0, 9, 0),
  ],
  bytesMax: 60,
  run: (input) => {
    const log = damaged(input);
    const past = verifyOwnPast(crypto, ada.established, log);
    const untouched = log.every((record, index) => bytesEqual(record, sound[index] ?? new Uint8Array(0)));
    promise((past.damage === null) === untouched, past.damage === null ? 'a changed past passes for sound' : 'a sound past is called damaged');
    if (past.damage !== null) promise(past.damage.index <= log.length, 'the bad entry lies behind the end');
    const mended = repairOwnPast(crypto, sealer, past);
    promise(verifyOwnPast(crypto, ada.established, mended).damage === null, 'what was mended is not sound');
    const kept = mended.filter((record) => log.some((one) => bytesEqual(one, record)));
    promise(
      kept.every((record) => sound.some((one) => bytesEqual(one, record)) || isAnothers(record)),
      'what this identity did not sign is kept as its own',
    );
    return untouched;
  },
};

const report: FuzzTarget = {
  name: 'past-report',
  promise: 'a report of a damaged past is given up, or is encoded again as the same bytes',
  seeds: () =>
    (['unreadable', 'edited', 'dropped', 'reordered', 'lost'] as const).map((kind, index) =>
      encodeDamage({ kind, index, place: { incarnation: 3, number: index }, missing: new Uint8Array(32), found: bytesFor('found', 32) }),
    ),
  run: (input) => {
    const damage = decodeDamage(input);
    if (damage === undefined) return false;
    sameBytes(encodeDamage(damage), input, 'encoded again');
    return true;
  },
};

const remembered = bytesFor('what ada remembers of bob', 200);

const sealedRecord: FuzzTarget = {
  name: 'sealed-record',
  promise: 'a record opens only as this node has sealed it',
  seeds: () => [
    sealRecord(crypto, ada.signKey, remembered),
    sealRecord(crypto, bob.signKey, remembered),
    concat(sealRecord(crypto, ada.signKey, remembered), Uint8Array.of(0)),
  ],
  run: (input) => {
    const opened = openSealedRecord(crypto, ada.established.signKeys, input);
    if (opened === undefined) return false;
    sameBytes(opened, remembered, 'another record opens');
    sameBytes(sealRecord(crypto, ada.signKey, opened), input, 'it has a second spelling');
    return true;
  },
};

export const pastTargets: readonly FuzzTarget[] = [ownPast, report, sealedRecord];
