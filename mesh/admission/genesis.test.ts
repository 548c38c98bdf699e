import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import { crypto, bytesFor, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, WALL } from '#test/kit/meshes.ts';
import { makeGenesis, quorumMin, verifyGenesis } from './genesis.ts';

const mesh = meshOf();

function signedBy(body: Uint8Array, names: readonly string[]): Uint8Array {
  const s = names.map((name) => {
    const { established, signKey } = identityOf(name);
    return { e: established.events.map((event) => ({ b: event.body, s: event.sig })), s: crypto.sign(signKey, utf8('HCTH1:gen\0'), body) };
  });
  return encodeFields({ b: body, s });
}

describe('the genesis', () => {
  test('A-1: the mesh id is SHA-256("HCTH1:mesh" 00 ‖ body), its tag the first eight bytes (§2.14)', () => {
    const body = readBody(mesh.bytes);
    expect(mesh.id).toEqual(crypto.sha256(utf8('HCTH1:mesh\0'), body));
    expect(mesh.tag).toEqual(mesh.id.slice(0, 8));
    expect(verifyGenesis(crypto, mesh.bytes, mesh.id)).toMatchObject({
      kind: 'valid',
      mesh: { genesis: { name: 'home', quorum: 1, admission: 'approve', foundedAt: WALL } },
    });
  });

  test('A-1: one flipped bit anywhere makes a genesis invalid, or that of another mesh', () => {
    fc.assert(
      fc.property(fc.nat(mesh.bytes.length - 1), fc.nat(7), (at, bit) => {
        const damaged = mesh.bytes.slice();
        damaged[at]! ^= 1 << bit;
        expect(verifyGenesis(crypto, damaged, mesh.id).kind).toBe('bad');
      }),
      { numRuns: 200 },
    );
  });

  test('A-1: every founder has to have signed', () => {
    const both = meshOf(['ada', 'bob']);
    expect(both.founders.map(({ aid }) => aid)).toEqual([aidOf('ada'), aidOf('bob')]);
    const body = readBody(both.bytes);
    expect(verifyGenesis(crypto, signedBy(body, ['ada', 'bob'])).kind).toBe('valid');
    expect(verifyGenesis(crypto, signedBy(body, ['ada']))).toEqual({ kind: 'bad', why: '2 founders, but 1 signatures' });
    expect(verifyGenesis(crypto, signedBy(body, ['ada', 'eve']))).toEqual({ kind: 'bad', why: 'founder 2 shows the establishment log of another identity' });
    expect(verifyGenesis(crypto, signedBy(body, ['bob', 'ada'])).kind).toBe('bad');
  });

  test('A-1: two meshes of one name and one founder are two meshes', () => {
    const { established, signKey } = identityOf('ada');
    const other = makeGenesis(
      crypto,
      { name: 'home', admission: 'approve', trustProfile: 'home' },
      [{ established, signKey, name: 'ada' }],
      bytesFor('other', 16),
      WALL,
    );
    expect(other.kind === 'valid' && other.mesh.id).not.toEqual(mesh.id);
    expect(verifyGenesis(crypto, other.kind === 'valid' ? other.mesh.bytes : mesh.bytes, mesh.id)).toMatchObject({
      kind: 'bad',
      why: expect.stringMatching(/^the genesis is that of mesh [0-9a-f]{16}, not of mesh [0-9a-f]{16}$/),
    });
  });

  test('A-2: a quorum is more than half of the founders and at most all (§3.1)', () => {
    expect([1, 2, 3, 4, 5, 7].map(quorumMin)).toEqual([1, 2, 2, 3, 3, 4]);
    for (const [quorum, kind] of [
      [1, 'bad'],
      [2, 'valid'],
      [3, 'valid'],
      [4, 'bad'],
    ] as const) {
      const signers = ['ada', 'bob', 'cy'].map((name) => ({ ...identityOf(name), name }));
      const verdict = makeGenesis(crypto, { name: 'home', admission: 'approve', trustProfile: 'home', quorum }, signers, bytesFor('genesis', 16), WALL);
      expect(verdict.kind, `quorum ${quorum}`).toBe(kind);
      if (verdict.kind === 'bad') expect(verdict.why).toBe(`a quorum of ${quorum} is outside 2 … 3 for 3 voters`);
    }
  });

  test('a mesh has founders, no more than seven, nobody twice, and a proper name', () => {
    const found = (names: readonly string[], name = 'home') =>
      makeGenesis(
        crypto,
        { name, admission: 'approve', trustProfile: 'home' },
        names.map((founder) => ({ ...identityOf(founder), name: founder })),
        bytesFor('genesis', 16),
        WALL,
      );
    expect(found([])).toEqual({ kind: 'bad', why: 'a mesh has at least one founder' });
    expect(found(['ada', 'ada'])).toEqual({ kind: 'bad', why: 'a founder is named twice' });
    expect(found(['ada'], 'Küche')).toMatchObject({ kind: 'bad', why: expect.stringContaining('"ü"') });
    expect(found(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']).kind).toBe('bad');
  });

  test('a founder whose host has an odd name is called something proper', () => {
    const { established, signKey } = identityOf('ada');
    const verdict = makeGenesis(
      crypto,
      { name: 'home', admission: 'open', trustProfile: 'lab' },
      [{ established, signKey, name: 'Ada’s Pi.local' }],
      bytesFor('genesis', 16),
      WALL,
    );
    expect(verdict).toMatchObject({ kind: 'valid', mesh: { genesis: { founders: [{ name: 'Ada-s-Pi' }], admission: 'open', trustProfile: 'lab' } } });
  });
});

function readBody(bytes: Uint8Array): Uint8Array {
  const fields = readFields(bytes);
  return fields.blob('b', bytes.length);
}
