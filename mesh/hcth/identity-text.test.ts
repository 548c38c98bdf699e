import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { aidText, fingerprintOf, parseAid, parseFingerprint } from './identity-text.ts';
import { LABELS, labelled } from './labels.ts';

describe('identities as people see them', () => {
  const ada = identityOf('ada').established;

  test('H-3: the identity is the digest of the inception event, its text form has 55 characters', () => {
    const body = ada.events[0]!.body;
    expect(ada.aid).toEqual(crypto.sha256(utf8('HCTH1:icp'), new Uint8Array(1), body));
    expect(labelled(LABELS.inception)).toHaveLength(10);
    expect(aidText(ada.aid)).toMatch(/^rn1[a-z2-7]{52}$/);
  });

  test('H-3: the text form reads back to the same identity, and nothing else does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (aid) => {
        expect(parseAid(aidText(aid))).toEqual(aid);
      }),
    );
    const text = aidText(ada.aid);
    for (const wrong of ['', text.slice(0, -1), `${text}a`, text.toUpperCase(), text.replace('rn1', 'rn2'), `${text.slice(0, -1)}1`, ` ${text}`])
      expect(parseAid(wrong)).toBeUndefined();
  });

  test('H-4: a fingerprint may be typed in either case, with any separators, and with look-alike digits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.constantFrom('-', ' ', '', ':', '–'), fc.boolean(), (aid, separator, lower) => {
        const shown = fingerprintOf(aid);
        expect(shown).toMatch(/^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$/);
        const typed = shown.replaceAll('-', separator).replaceAll('O', '0').replaceAll('I', '1').replaceAll('B', '8');
        expect(parseFingerprint(lower ? typed.toLowerCase() : typed)).toBe(shown);
      }),
    );
  });

  test('H-4: part of a fingerprint, or more than one, is none', () => {
    const shown = fingerprintOf(ada.aid);
    for (const wrong of ['', 'yes', shown.slice(0, 4), shown.slice(0, -1), `${shown}A`, `${shown}-${shown}`, shown.replace(/.$/, '9')])
      expect(parseFingerprint(wrong)).toBeUndefined();
  });
});
