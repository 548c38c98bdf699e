import { describe, expect, test } from 'vitest';
import { fromHex } from '#core/bytes/bytes.ts';
import { crypto } from '#test/kit/identities.ts';
import document from '#test/vectors/hcth/signed-objects.json' with { type: 'json' };
import { verifyBoot } from './boot-event.ts';
import { openCheckpoint } from './checkpoint.ts';
import { type Established, verifyEstablishment } from './establishment.ts';
import { aidText, fingerprintOf } from './identity-text.ts';
import { labelled, LABELS } from './labels.ts';
import { decodeDamage } from './past-damage.ts';
import { openSealBody } from './log-seal.ts';
import { packObject } from './packed-object.ts';
import { openSealedRecord } from './sealed-record.ts';
import { type SignedObject, verifyObject } from './signed-object.ts';
import { verifyStatements } from './statement-log.ts';

type HexObject = { readonly body: string; readonly sig: string };
const open = ({ body, sig }: HexObject): SignedObject => ({ body: fromHex(body)!, sig: fromHex(sig)! });

function established(object: HexObject): Established {
  const verdict = verifyEstablishment(crypto, [open(object)]);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  return verdict.established;
}

const signer = established(document.signer.inception);
const other = established(document.other.inception);

/** Whether the objects of a vector hold, by the verifier of their kind. */
function holds(kind: string, objects: readonly SignedObject[]): boolean {
  const [first, ...rest] = objects as [SignedObject, ...SignedObject[]];
  switch (kind) {
    case 'establishment':
      return verifyEstablishment(crypto, objects).kind === 'valid';
    case 'boot':
      return verifyBoot(crypto, signer, first) !== undefined;
    case 'statement':
      return verifyStatements(crypto, signer, first, rest).kind === 'valid';
    case 'report': {
      const verdict = verifyStatements(crypto, signer, first, rest);
      return verdict.kind === 'valid' && verdict.statements.every((statement) => decodeDamage(statement.body) !== undefined);
    }
    case 'seal':
      return verifyObject(crypto, signer.signKey, LABELS.seal, first) && openSealBody(first.body) !== undefined;
    case 'record':
      return openSealedRecord(crypto, [signer.signKey], packObject(first)) !== undefined;
    case 'checkpoint':
      return openCheckpoint(crypto, signer, other.aid, first) !== undefined;
    case 'binding':
      return crypto.verify(signer.signKey, first.sig, labelled(LABELS.binding), new Uint8Array([0x49]), first.body);
    default:
      throw new Error(kind);
  }
}

describe('frozen vectors of signed objects', () => {
  test('H-3: text form and fingerprint of the signers', () => {
    expect([aidText(signer.aid), fingerprintOf(signer.aid)]).toEqual([document.signer.aid, document.signer.fingerprint]);
  });

  test.each(document.vectors)('$rule: $name', ({ kind, objects, error }) => {
    expect(holds(kind, objects.map(open))).toBe(error === undefined);
  });
});
