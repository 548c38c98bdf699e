import { describe, expect, test } from 'vitest';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { bootOf, crypto, identityOf } from '#test/kit/identities.ts';
import { bootDigest, decodeBoot, makeBoot, type StartReason } from './boot-event.ts';
import { linkHeadsRoot } from './checkpoint-root.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { packStatement, pruneStatements, readOwnStatements, restoresInARow, unpackStatement } from './own-statements.ts';
import { openSealBody, type Sealer } from './log-seal.ts';
import { verifyOwnPast } from './own-past.ts';
import { LABELS } from './labels.ts';
import { signObject } from './signed-object.ts';
import { makeStatement, statementTipAtBoot } from './statement-log.ts';

const ada = identityOf('ada');
const sealer: Sealer = { aid: ada.established.aid, sign: (body) => signObject(crypto, ada.signKey, LABELS.seal, body) };
const sealAt = (records: readonly Uint8Array[], index: number) => openSealBody(unpackStatement(records[index]!)!.body);
const { object: boot, nonce } = bootOf(ada, 3);

function journal(count: number): { readonly records: readonly Uint8Array[]; readonly tip: Uint8Array } {
  let tip = statementTipAtBoot(crypto, boot);
  const records = [packStatement(boot)];
  for (let index = 0; index < count; index += 1) {
    const made = makeStatement(crypto, ada.signKey, { aid: ada.established.aid, incarnation: 3, nonce }, tip, { kind: 'ckroot', body: utf8(`${index}`) });
    records.push(packStatement(made.object));
    tip = made.tip;
  }
  return { records, tip: tip.digest };
}

describe('the journal of own statements', () => {
  test('P-9: it tells the newest boot event, the newest statement and the highest incarnation', () => {
    const { records, tip } = journal(3);
    const own = readOwnStatements(crypto, records);
    expect([hex(own.boot), hex(own.statement), own.incarnation, own.seal]).toEqual([hex(bootDigest(crypto, boot)), hex(tip), 3, null]);
    expect(readOwnStatements(crypto, [])).toMatchObject({ incarnation: 0, boot: new Uint8Array(32), statement: new Uint8Array(32) });
    expect(readOwnStatements(crypto, [utf8('nonsense'), ...records]).incarnation).toBe(3);
    expect(unpackStatement(records[0]!.subarray(1))).toBeUndefined();
  });

  test('P-12: above its limit the older half goes behind a seal over all of it; the newest boot event stays', () => {
    const { records } = journal(LIMITS.statementsMax - 1);
    expect(pruneStatements(crypto, sealer, records)).toBe(records);
    const { records: more, tip } = journal(LIMITS.statementsMax);
    const kept = pruneStatements(crypto, sealer, more);
    // The seal, the boot event, a seal over the statements between the two, and the newer half.
    expect(kept.length).toBe(LIMITS.statementsMax / 2 + 3);
    expect(verifyOwnPast(crypto, ada.established, kept).damage).toBeNull();
    expect(sealAt(kept, 0)).toMatchObject({ count: LIMITS.statementsMax / 2 + 1 });
    const own = readOwnStatements(crypto, kept);
    expect([hex(own.boot), hex(own.statement), own.incarnation]).toEqual([hex(bootDigest(crypto, boot)), hex(tip), 3]);
  });

  test('P-12: the seal depends on every record that went, and on the seal before', () => {
    const { records } = journal(LIMITS.statementsMax);
    const seal = (list: readonly Uint8Array[]): string => hex(sealAt(pruneStatements(crypto, sealer, list), 0)!.digest);
    const other = [...records];
    other[5] = other[6]!;
    expect(seal(other)).not.toBe(seal(records));
    const again = [...pruneStatements(crypto, sealer, records), ...records.slice(1)];
    expect(seal(again)).not.toBe(seal(again.slice(1)));
    expect(sealAt(pruneStatements(crypto, sealer, again), 0)!.count).toBeGreaterThan(LIMITS.statementsMax / 2 + 1);
  });

  test('P-9: the root depends on every head and not on the order of the peers', () => {
    const heads = ['bob', 'eve', 'fay'].map((name, index) => ({
      peer: identityOf(name).established.aid,
      sent: { incarnation: 3, nonce, sequence: index, head: new Uint8Array(32).fill(index) },
    }));
    const root = hex(linkHeadsRoot(crypto, heads));
    expect(hex(linkHeadsRoot(crypto, [...heads].reverse()))).toBe(root);
    for (const index of heads.keys()) {
      const changed = heads.map((head, at) => (at === index ? { ...head, sent: { ...head.sent, sequence: 99 } } : head));
      expect(hex(linkHeadsRoot(crypto, changed))).not.toBe(root);
      expect(hex(linkHeadsRoot(crypto, heads.toSpliced(index, 1)))).not.toBe(root);
    }
    expect(hex(linkHeadsRoot(crypto, []))).toBe('00'.repeat(32));
  });

  test('H-31: lives in a row that began with `restore`, up to the present one, wherever they stand in the journal', () => {
    const lives = (...whys: readonly StartReason[]) =>
      whys.map((why, index) => {
        const object = makeBoot(crypto, ada.signKey, {
          aid: ada.established.aid,
          incarnation: index + 1,
          nonce,
          establishmentHead: ada.established.head,
          previousBoot: new Uint8Array(32),
          previousStatement: new Uint8Array(32),
          why,
          software: 't',
        });
        return { record: packStatement(object), boot: decodeBoot(object.body)! };
      });
    const inARow = (...whys: readonly StartReason[]): number[] => {
      const all = lives(...whys);
      const records = all.map(({ record }) => record);
      const present = all.at(-1)!.boot;
      return [records, records.slice(0, -1), records.toReversed()].map((some) => restoresInARow(some, present));
    };
    expect(inARow('first')).toEqual([0, 0, 0]);
    expect(inARow('restore')).toEqual([1, 1, 1]);
    expect(inARow('first', 'restore', 'start', 'restore', 'restore')).toEqual([2, 2, 2]);
    expect(inARow('restore', 'restore', 'start')).toEqual([0, 0, 0]);
  });
});
