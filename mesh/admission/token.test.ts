import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base64url } from '#core/bytes/bytes.ts';
import { encodeFields } from '#mesh/hcth/fields.ts';
import { bytesFor, crypto } from '#test/kit/identities.ts';
import { aidOf, meshOf, WALL } from '#test/kit/meshes.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { encodeToken, parseToken, type Token, tokenPsk } from './token.ts';

const token: Token = {
  meshId: meshOf().id,
  meshName: 'home',
  tokenId: bytesFor('tid', 8),
  secret: bytesFor('secret', 32),
  expiresAt: WALL,
  uses: 1,
  role: 'member',
  pins: [aidOf('ada')],
  hardware: null,
  peers: ['192.168.1.7:7411'],
};
const text = encodeToken(token);

describe('the token text', () => {
  test('A-5: reads back as what was written, wrapped lines and surrounding space included', () => {
    fc.assert(
      fc.property(
        fc.record({
          expiresAt: fc.maxSafeNat(),
          uses: fc.integer({ min: 1, max: 1_000 }),
          role: fc.constantFrom('observer', 'member', 'voter'),
          hardware: fc.option(fc.string({ maxLength: 40 })),
          peers: fc.array(fc.constantFrom('10.0.0.1:7411', '[fe80::1]:7411', 'pi.local:7411'), { maxLength: 4 }),
          pins: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { maxLength: 8 }),
        }),
        (parts) => {
          const written: Token = { ...token, ...parts };
          const wrapped = `  ${encodeToken(written).replace(/(.{40})/g, '$1\r\n')}\n`;
          expect(parseToken(wrapped)).toEqual({ kind: 'token', token: written });
        },
      ),
    );
    expect(text.startsWith('rnj1.')).toBe(true);
  });

  test('A-5: the largest token that can be made can be read', () => {
    const largest: Token = {
      ...token,
      meshName: 'm'.repeat(LIMITS.meshNameCharactersMax),
      expiresAt: Number.MAX_SAFE_INTEGER,
      uses: LIMITS.tokenUsesMax,
      pins: Array.from({ length: LIMITS.tokenPinsMax }, (_, index) => bytesFor(`pin ${index}`, 32)),
      hardware: 'h'.repeat(LIMITS.tokenTextCharactersMax),
      peers: Array.from({ length: LIMITS.tokenPeersMax }, () => 'p'.repeat(LIMITS.tokenTextCharactersMax)),
    };
    expect(parseToken(encodeToken(largest))).toEqual({ kind: 'token', token: largest });
  });

  test('A-5: a token cut anywhere is truncated, wherever the cut is', () => {
    for (let length = 1; length < text.length; length += 1) {
      const outcome = parseToken(text.slice(0, length));
      expect(outcome, `after ${length}`).toMatchObject({ kind: 'malformed', fault: 'truncated', at: length });
    }
  });

  test('A-5: what is no token, or one of another version, is said to be that', () => {
    expect(parseToken(' \n')).toMatchObject({ fault: 'empty' });
    expect(parseToken('hello')).toMatchObject({ fault: 'no-token' });
    expect(parseToken('rn1abc')).toMatchObject({ fault: 'no-token' });
    expect(parseToken(text.replace('rnj1', 'rnj2'))).toMatchObject({ fault: 'other-version', why: expect.stringContaining('rnj2') });
    expect(parseToken('x'.repeat(5_000))).toMatchObject({ fault: 'too-long' });
  });

  test('A-5: a character that does not belong there is named by its place', () => {
    const at = 20;
    expect(parseToken(`${text.slice(0, at)}%${text.slice(at + 1)}`)).toMatchObject({ fault: 'damaged', at, why: expect.stringContaining('character 21 ') });
    expect(parseToken(`${text}AAAA`)).toMatchObject({ fault: 'damaged', at: text.length - 1 });
  });

  test('A-5: a token with a field too many, too few or out of bounds is damaged', () => {
    const fields = { m: token.meshId, n: 'home', t: token.tokenId, k: token.secret, x: 1, u: 1, c: 'member', p: [] };
    const parse = (more: Record<string, unknown>) => parseToken(`rnj1.${base64url(encodeFields({ ...fields, ...more } as typeof fields))}`);
    expect(parse({}).kind).toBe('token');
    for (const more of [
      { zz: 1 },
      { k: bytesFor('short', 31) },
      { u: 0 },
      { u: 1_001 },
      { c: 'king' },
      { n: '\u001b[2J' },
      { x: undefined },
      { p: [bytesFor('pin', 31)] },
    ])
      expect(parse(more), JSON.stringify(more)).toMatchObject({ fault: 'damaged' });
  });

  test('A-5: nothing of a secret is repeated in what is said about a damaged token', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: text.length - 1 }), fc.constantFrom('%', 'A', '_', ''), (at, put) => {
        const outcome = parseToken(text.slice(0, at) + put + text.slice(at + 1));
        if (outcome.kind !== 'malformed') return;
        for (let start = 5; start + 8 <= text.length; start += 1) expect(outcome.why).not.toContain(text.slice(start, start + 8));
      }),
    );
  });

  test('A-5: whatever is pasted, the answer is an outcome', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary' }),
          fc.base64String().map((rest) => `rnj1.${rest.replaceAll('=', '')}`),
        ),
        (pasted) => ['token', 'malformed'].includes(parseToken(pasted).kind),
      ),
    );
  });

  test('A-6: the handshake key depends on the secret, the number and the mesh, and is none of them', () => {
    const psk = tokenPsk(crypto, token);
    expect(psk).toHaveLength(32);
    expect(tokenPsk(crypto, { ...token, secret: bytesFor('other', 32) })).not.toEqual(psk);
    expect(tokenPsk(crypto, { ...token, tokenId: bytesFor('other', 8) })).not.toEqual(psk);
    expect(tokenPsk(crypto, { ...token, meshId: bytesFor('other', 32) })).not.toEqual(psk);
    expect(psk).not.toEqual(token.secret);
  });
});
