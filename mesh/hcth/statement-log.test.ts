import { describe, expect, test } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import { bootOf, crypto, identityOf } from '#test/kit/identities.ts';
import { decodeBoot, verifyBoot } from './boot-event.ts';
import { makeStatement, statementTipAtBoot, verifyStatements } from './statement-log.ts';
import type { SignedObject } from './signed-object.ts';

const ada = identityOf('ada');
const bob = identityOf('bob');

function log(count: number): { readonly boot: SignedObject; readonly objects: readonly SignedObject[] } {
  const { object: boot, nonce } = bootOf(ada, 3);
  let tip = statementTipAtBoot(crypto, boot);
  const objects: SignedObject[] = [];
  for (let index = 0; index < count; index += 1) {
    const made = makeStatement(crypto, ada.signKey, { aid: ada.established.aid, incarnation: 3, nonce }, tip, { kind: 'report', body: utf8(`${index}`) });
    objects.push(made.object);
    tip = made.tip;
  }
  return { boot, objects };
}

describe('boot events and statements', () => {
  test('H-12: a boot event is believed only when the current key of its own identity signed it', () => {
    const { object } = bootOf(ada, 3);
    expect(verifyBoot(crypto, ada.established, object)).toMatchObject({ incarnation: 3, why: 'start' });
    expect(verifyBoot(crypto, bob.established, object)).toBeUndefined();
    expect(verifyBoot(crypto, ada.established, bootOf(bob, 3).object)).toBeUndefined();
    expect(decodeBoot(object.body.subarray(1))).toBeUndefined();
  });

  test('H-13: statements of an incarnation form one chain from the boot event on', () => {
    const { boot, objects } = log(4);
    expect(verifyStatements(crypto, ada.established, boot, objects)).toMatchObject({ kind: 'valid', tip: { number: 4 } });
  });

  test('H-13: a dropped, reordered, edited or foreign statement is named by its place', () => {
    const { boot, objects } = log(4);
    const [a, b, c, d] = objects as [SignedObject, SignedObject, SignedObject, SignedObject];
    expect(verifyStatements(crypto, ada.established, boot, [a, c, d])).toMatchObject({ kind: 'bad', at: 1 });
    expect(verifyStatements(crypto, ada.established, boot, [b, a])).toMatchObject({ kind: 'bad', at: 0 });
    expect(verifyStatements(crypto, ada.established, boot, [a, { body: c.body, sig: b.sig }])).toMatchObject({ kind: 'bad', at: 1 });
    expect(verifyStatements(crypto, ada.established, bootOf(ada, 4).object, [a])).toMatchObject({
      kind: 'bad',
      at: 0,
      why: expect.stringContaining('another incarnation'),
    });
    expect(verifyStatements(crypto, bob.established, boot, [a])).toMatchObject({ kind: 'bad', at: 0 });
  });
});
