import { describe, expect, test } from 'vitest';
import { bytesFor, crypto } from '#test/kit/identities.ts';
import { aidOf, TestMesh } from '#test/kit/meshes.ts';
import { encodeChange } from './entries.ts';
import { findToken, type InvitationOrder, makeInvitation } from './invitation.ts';
import { tokenOf, tokenStanding } from './registry.ts';
import { parseToken, tokenPsk } from './token.ts';

const ORDER: InvitationOrder = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: 'pi in the shed', hardware: null, peers: [] };

describe('an invitation', () => {
  test('A-6: its bearer and the voter come to the same key; the ledger holds neither key nor secret', () => {
    const home = new TestMesh();
    const { text, psk, change } = home.invite();
    const parsed = parseToken(text);
    if (parsed.kind !== 'token') throw new Error(parsed.why);
    expect(tokenPsk(crypto, parsed.token)).toEqual(psk);
    const body = Buffer.from(encodeChange(change).body);
    expect(body.includes(Buffer.from(parsed.token.secret))).toBe(false);
    expect(body.includes(Buffer.from(psk))).toBe(false);
    expect(parsed.token).toMatchObject({ meshId: home.mesh.id, meshName: 'home', pins: [aidOf('ada')] });
  });

  test('what cannot be granted is refused with the bounds', () => {
    const { registry, wall } = new TestMesh();
    const refused = (order: Partial<InvitationOrder>) => makeInvitation(crypto, registry, { ...ORDER, ...order }, aidOf('ada'), wall, bytesFor('r', 40));
    expect(refused({}).kind).toBe('invited');
    expect(refused({ uses: 0 })).toMatchObject({ kind: 'refuse', why: '0 uses are outside 1 … 1000' });
    expect(refused({ uses: 1.5 }).kind).toBe('refuse');
    expect(refused({ expiresInMs: 59_999 })).toMatchObject({ why: 'a validity of 60 s is outside 60 … 2592000 s' });
    expect(refused({ expiresInMs: Number.NaN }).kind).toBe('refuse');
    expect(refused({ role: 'quarantine' }).kind).toBe('refuse');
    expect(refused({ hardware: '' }).kind).toBe('refuse');
    expect(makeInvitation(crypto, new TestMesh('closed').registry, ORDER, aidOf('ada'), wall, bytesFor('r', 40))).toMatchObject({
      kind: 'refuse',
      code: 'NOT_PERMITTED',
    });
  });

  test('is found by its number or an unambiguous beginning, and stands open, used, expired or revoked', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    const state = () => tokenOf(home.registry, token.tokenId)!;
    expect(findToken(home.registry, ` ${state().text.slice(0, 6).toUpperCase()} `)).toEqual(token.tokenId);
    expect(findToken(home.registry, state().text.slice(0, 3))).toBeUndefined();
    expect(findToken(home.registry, 'ffffffff')).toBeUndefined();
    expect(tokenStanding(state(), home.wall)).toBe('open');
    expect(tokenStanding(state(), token.expiresAt)).toBe('expired');
    home.admit('bob', { kind: 'token', tokenId: token.tokenId });
    expect(tokenStanding(state(), home.wall)).toBe('used');
    home.commit({ kind: 'token-revoke', tokenId: token.tokenId, by: aidOf('ada') });
    expect(tokenStanding(state(), home.wall)).toBe('revoked');
  });
});
