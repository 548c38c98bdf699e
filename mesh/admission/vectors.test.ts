import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { crypto } from '#test/kit/identities.ts';
import genesisVectors from '#test/vectors/admission/genesis.json' with { type: 'json' };
import ledger from '#test/vectors/admission/ledger.json' with { type: 'json' };
import recordVectors from '#test/vectors/admission/records.json' with { type: 'json' };
import tokenVectors from '#test/vectors/admission/tokens.json' with { type: 'json' };
import { applyEntry, foldEntries, foundRegistry } from './apply-entry.ts';
import { verifyGenesis } from './genesis.ts';
import { genesisVoterKeys, verifyMembershipRecord } from './membership-record.ts';
import { parseToken, tokenPsk } from './token.ts';

describe('the vectors of tokens', () => {
  test.each(tokenVectors.accepted)('$rule: $name is read as written', ({ text, value, psk }) => {
    const outcome = parseToken(text);
    if (outcome.kind !== 'token') throw new Error(outcome.why);
    const { token } = outcome;
    expect({ ...token, meshId: hex(token.meshId), tokenId: hex(token.tokenId), secret: hex(token.secret), pins: token.pins.map(hex) }).toEqual(value);
    expect(hex(tokenPsk(crypto, token))).toBe(psk);
  });

  test.each(tokenVectors.refused)('$rule: $name is refused as $error', ({ text, error }) => {
    expect(parseToken(text)).toMatchObject({ kind: 'malformed', fault: error });
  });
});

describe('the vectors of geneses', () => {
  test.each(genesisVectors.accepted)('$rule: $name verifies', ({ hex: bytes, value }) => {
    const verdict = verifyGenesis(crypto, fromHex(bytes)!);
    if (verdict.kind === 'bad') throw new Error(verdict.why);
    const { id, tag, genesis, founders } = verdict.mesh;
    expect({
      meshId: hex(id),
      tag: hex(tag),
      name: genesis.name,
      founders: founders.map(({ aid }) => hex(aid)),
      quorum: genesis.quorum,
      admission: genesis.admission,
      trustProfile: genesis.trustProfile,
      foundedAt: genesis.foundedAt,
    }).toEqual(value);
  });

  test.each(genesisVectors.refused)('$rule: $name is refused', ({ hex: bytes, error }) => {
    expect(verifyGenesis(crypto, fromHex(bytes)!)).toMatchObject({ kind: 'bad', why: expect.stringContaining(error) });
  });
});

describe('the vectors of membership records', () => {
  const verdict = verifyGenesis(crypto, fromHex(recordVectors.genesis)!);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  const keys = genesisVoterKeys(verdict.mesh);
  const meshId = fromHex(recordVectors.meshId)!;

  test.each(recordVectors.accepted)('$rule: a record $name verifies', ({ hex: bytes, value }) => {
    const read = verifyMembershipRecord(crypto, fromHex(bytes)!, meshId, keys);
    if (read.kind === 'bad') throw new Error(read.why);
    const { aid, role, name, way, at, basis } = read.record;
    expect({ aid: hex(aid), role, name, way: way.kind, at, basis }).toEqual(value);
  });

  test.each(recordVectors.refused)('$rule: a record $name is refused', ({ hex: bytes, error }) => {
    expect(verifyMembershipRecord(crypto, fromHex(bytes)!, meshId, keys)).toMatchObject({ kind: 'bad', why: expect.stringContaining(error) });
  });
});

describe('the vector of a whole ledger', () => {
  const entries = ledger.entries.map(({ index, kind, hex: body, at }) => ({ index, kind, at, body: fromHex(body)! }));

  test('A-23: every entry has the effect that stands beside it', () => {
    const birth = verifyGenesis(crypto, entries[0]!.body, fromHex(ledger.meshId)!);
    if (birth.kind === 'bad') throw new Error(birth.why);
    let registry = foundRegistry(birth.mesh);
    const effects = entries.slice(1).map((entry) => {
      const applied = applyEntry(crypto, registry, entry);
      registry = applied.registry;
      return applied.effect.kind;
    });
    expect(effects).toEqual(ledger.entries.slice(1).map(({ effect }) => effect));
    expect(new Set(effects)).toEqual(
      new Set(['invited', 'admitted', 'void', 'suspended', 'confirmed', 'renamed', 'setting', 'promoted', 'token-revoked', 'removed']),
    );
  });

  test('A-23: all of it folds into these members, tokens and removed identities', () => {
    const folded = foldEntries(crypto, entries, fromHex(ledger.meshId)!);
    if (folded.kind === 'bad') throw new Error(folded.why);
    const { members, removed, tokens, admission } = folded.registry;
    expect([...members.values()].map(({ text, name, role, voter }) => ({ aid: text, name, role, voter }))).toEqual(ledger.members);
    expect([...removed.values()].map(({ aid, name, how }) => ({ aid: hex(aid), name, how }))).toEqual(ledger.removed);
    expect([...tokens.values()].map(({ text, uses, usedBy, revokedAt }) => ({ id: text, uses, usedBy: usedBy.map(hex), revokedAt }))).toEqual(ledger.tokens);
    expect(admission).toBe(ledger.admission);
  });
});
