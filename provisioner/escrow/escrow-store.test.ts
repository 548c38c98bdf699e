import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isFault } from '#core/errors/fault.ts';
import { identityDocument } from '#mesh/hcth/identity-document.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { nextKeyText } from '#mesh/hcth/next-key.ts';
import { rotateIdentity, ROTATION_RANDOM_BYTES } from '#mesh/hcth/rotate-identity.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { EscrowStore } from './escrow-store.ts';

let base: string;
let store: EscrowStore;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'robonet-escrow-'));
  store = new EscrowStore(join(base, 'escrow'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function documentOf(identity: Identity, name = 'attic') {
  const { established, nextSeed } = identity;
  const parts = { established, name, mesh: null, membership: null, peers: [] };
  return identityDocument(parts, 1_000, nextKeyText(crypto, established.aid, established.rotations + 1, nextSeed!));
}

function rotated(identity: Identity): Identity {
  const next = rotateIdentity(crypto, identity.established, identity.nextSeed!, identity.signKey, bytesFor('rotation', ROTATION_RANDOM_BYTES));
  if (next.kind !== 'rotated') throw new Error(next.why);
  return next.identity;
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isFault(error)) return error.code;
    throw error;
  }
  return 'no fault';
}

describe('keys in escrow', () => {
  it('are one file per identity, for its user alone, found by name, host, fingerprint or identity', () => {
    const device = identityOf('attic');
    const { document, digest } = store.judge(documentOf(device));
    expect(digest).toBe(Buffer.from(device.established.nextDigest).toString('hex'));
    const path = store.keep(document, 'pi@attic.local', 5_000);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(store.folder).mode & 0o777).toBe(0o700);
    for (const typed of ['attic', 'PI@attic.local', document.fingerprint, document.aid])
      expect(store.find(typed)).toMatchObject({ nextKey: document.nextKey, host: 'pi@attic.local', escrowedAt: 5_000, path });
    expect(codeOf(() => store.find('atic'))).toBe('RN-PROV-061');
    expect(codeOf(() => new EscrowStore(join(base, 'nothing here')).find('attic'))).toBe('RN-PROV-061');
  });

  it('give way to the key of a later rotation, never to that of an earlier one', () => {
    const [first, second] = [identityOf('attic'), rotated(identityOf('attic'))].map((identity) => store.judge(documentOf(identity)).document);
    store.keep(first!, 'attic', 1);
    store.keep(second!, 'attic', 2);
    expect(store.find('attic').nextKey).toBe(second!.nextKey);
    expect(codeOf(() => store.keep(first!, 'attic', 3))).toBe('RN-PROV-063');
    expect(store.find('attic').nextKey).toBe(second!.nextKey);
    expect(store.list()).toHaveLength(1);
  });

  it('are what the identity has committed to, or are not taken', () => {
    const other = documentOf(identityOf('cellar')).nextKey!;
    const { nextKey, ...bare } = documentOf(identityOf('attic'));
    expect(nextKey).toMatch(/^rnk1\./);
    for (const wrong of [bare, { ...bare, nextKey: other }, { ...bare, nextKey: 'rnk1.AAAA' }, null, 'text', {}]) {
      expect(
        codeOf(() => store.judge(wrong)),
        JSON.stringify(wrong),
      ).toBe('RN-PROV-062');
    }
  });

  it('that are damaged are listed as such, and hide no other', () => {
    const [attic, cellar] = ['attic', 'cellar'].map((name) => store.judge(documentOf(identityOf(name), name)).document);
    const path = store.keep(attic!, 'attic', 1);
    store.keep(cellar!, 'cellar', 2);
    writeFileSync(path, readFileSync(path).subarray(0, 200));
    expect(
      store
        .list()
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['damaged', 'escrow']);
    expect(store.find('cellar').nextKey).toBe(cellar!.nextKey);
    expect(codeOf(() => store.find('attic'))).toBe('RN-PROV-061');
  });
});
