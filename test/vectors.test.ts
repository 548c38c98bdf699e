/**
 * The vectors are complete: every label under which something is signed, every kind of message and every document that
 * travels has frozen examples, good and bad, that a test reads; and the signed objects have some written by hand.
 */
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, hex, utf8 } from '#core/bytes/bytes.ts';
import { genesisVoterKeys, makeMembershipRecord, verifyMembershipRecord } from '#mesh/admission/membership-record.ts';
import { makeGenesis, verifyGenesis } from '#mesh/admission/genesis.ts';
import { ENTRY_LABEL, openEntry, sealEntry, verifyEntry } from '#mesh/consensus/entry-codec.ts';
import { makeBoot, verifyBoot } from '#mesh/hcth/boot-event.ts';
import { makeCheckpoint, openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { makeInception, makeRotation } from '#mesh/hcth/establishment-events.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import { signBinding } from '#mesh/hcth/handshake-payload.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import { nextKeyText, parseNextKey } from '#mesh/hcth/next-key.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { makeStatement, statementTipAtBoot, verifyStatements } from '#mesh/hcth/statement-log.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { isTest, readTree } from '#scripts/tidy/source-tree.ts';
import { crypto } from '#test/kit/identities.ts';
import genesis from '#test/vectors/admission/genesis.json' with { type: 'json' };
import ledger from '#test/vectors/admission/ledger.json' with { type: 'json' };
import records from '#test/vectors/admission/records.json' with { type: 'json' };
import rotationLedger from '#test/vectors/admission/rotation-ledger.json' with { type: 'json' };
import tokens from '#test/vectors/admission/tokens.json' with { type: 'json' };
import verdicts from '#test/vectors/admission/verdicts.json' with { type: 'json' };
import approvals from '#test/vectors/approvals/approvals.json' with { type: 'json' };
import snapshots from '#test/vectors/consensus/snapshots.json' with { type: 'json' };
import byHand from '#test/vectors/hcth/by-hand.json' with { type: 'json' };
import linkChain from '#test/vectors/hcth/link-chain.json' with { type: 'json' };
import proofs from '#test/vectors/hcth/proofs.json' with { type: 'json' };
import signedObjects from '#test/vectors/hcth/signed-objects.json' with { type: 'json' };
import ownNoise from '#test/vectors/noise/own.json' with { type: 'json' };
import trustExport from '#test/vectors/trust/export.json' with { type: 'json' };
import exportsRefused from '#test/vectors/trust/exports-refused.json' with { type: 'json' };
import handshakePayloads from '#test/vectors/wire/handshake-payloads.json' with { type: 'json' };
import messages from '#test/vectors/wire/messages.json' with { type: 'json' };

const tree = readTree(resolve(import.meta.dirname, '..'));
const bytes = (text: string): Uint8Array => fromHex(text)!;
const repeat = (byte: number, count: number): Uint8Array => new Uint8Array(count).fill(byte);

// --- which labels there are, and where their vectors are -------------------------------------------------------------

const kindOf = (kind: string): { readonly good: number; readonly bad: number } => {
  const of = signedObjects.vectors.filter((vector) => vector.kind === kind);
  return { good: of.filter(({ error }) => error === undefined).length, bad: of.filter(({ error }) => error !== undefined).length };
};
const rotations = signedObjects.vectors.filter(({ kind, name }) => kind === 'establishment' && name.includes('rotation'));

const approvalsOf = (...kinds: readonly string[]): { readonly good: number; readonly bad: number } => ({
  good: approvals.entries.filter(({ kind }) => kinds.includes(kind)).length,
  bad: approvals.refused.filter(({ kind }) => kinds.includes(kind)).length,
});

/** Frozen examples of everything that is signed, by label. */
const SIGNED: Readonly<Record<string, { readonly good: number; readonly bad: number }>> = {
  [LABELS.inception]: kindOf('establishment'),
  [LABELS.rotation]: { good: rotations.filter(({ error }) => error === undefined).length, bad: rotations.filter(({ error }) => error !== undefined).length },
  [LABELS.boot]: kindOf('boot'),
  [LABELS.statement]: kindOf('statement'),
  [LABELS.checkpoint]: kindOf('checkpoint'),
  [LABELS.seal]: kindOf('seal'),
  [LABELS.record]: kindOf('record'),
  [LABELS.binding]: kindOf('binding'),
  [LABELS.genesis]: { good: genesis.accepted.length, bad: genesis.refused.length },
  [LABELS.admission]: { good: records.accepted.length, bad: records.refused.length },
  [LABELS.trustExport]: { good: Object.keys(trustExport).length > 0 ? 1 : 0, bad: exportsRefused.edits.length },
  [LABELS.request]: approvalsOf('request'),
  [LABELS.decision]: approvalsOf('commit', 'veto'),
  [LABELS.outcome]: approvalsOf('outcome'),
  'HCTH1:log': { good: byHand.objects.filter(({ label }) => label === 'HCTH1:log').length, bad: byHand.objects.length },
  'HCTH1:snap': { good: snapshots.accepted.length, bad: snapshots.refused.filter(({ gate }) => gate === 'signature').length },
};

/** Labels that only separate hashes and keys: known answers that travel or are compared, by label. */
const HASHED: Readonly<Record<string, number>> = {
  'HCTH1:link': linkChain.genesis.head.length === 64 ? linkChain.frames.length : 0,
  'HCTH1:mesh': genesis.accepted.filter(({ value }) => value.meshId.length === 64).length,
  'HCTH1:tok': tokens.accepted.filter(({ psk }) => psk.length === 64).length,
  'HCTH1:hist': trustExport.events.length,
  'HCTH1:proof': proofs.vectors.filter((vector) => vector.digest !== undefined).length,
  'HCTH1:next-key': byHand.nextKey.text.length > 0 ? byHand.nextKey.refused.length : 0,
  'HCTH1:lobby': byHand.lobbyAnchor.length > 0 ? 1 : 0,
  'HCTH1:args': approvals.hashed.argsDigest.length === 64 ? 1 : 0,
  'HCTH1:targets': approvals.hashed.targetsDigest.length === 64 ? 1 : 0,
  'HCTH1:prologue': ownNoise.vectors.length,
};

/** Signed, and not sent: a file for people, what a node keeps for itself, snapshots and approvals as long as no node runs those machines. */
const STAYS: ReadonlySet<string> = new Set([LABELS.trustExport, LABELS.seal, LABELS.record, LABELS.request, LABELS.decision, LABELS.outcome, 'HCTH1:snap']);

/** Labels of what never leaves the node; its own tests read back what they wrote. */
const LOCAL: readonly string[] = ['HCTH1:hw', 'HCTH1:identity-file'];

const sources = [...tree].filter(([path]) => /^(core|mesh|agent|provisioner)\/.*\.ts$/.test(path) && !isTest(path) && !path.endsWith('-for-tests.ts'));
const inUse = new Set(sources.flatMap(([, text]) => [...text.matchAll(/['"`](HCTH1:[a-z-]+)/g)].map((match) => match[1]!)));

describe('vectors', () => {
  test('every label in the sources is signed, hashed or local, and each list names no other', () => {
    expect(inUse.size).toBeGreaterThan(15);
    expect([...inUse].toSorted()).toEqual([...Object.keys(SIGNED), ...Object.keys(HASHED), ...LOCAL].toSorted());
    for (const label of Object.values(LABELS)) expect(Object.keys(SIGNED)).toContain(label);
  });

  test.each(Object.entries(SIGNED))('what is signed under %s has vectors that hold and vectors that do not', (_label, { good, bad }) => {
    expect(good).toBeGreaterThan(0);
    expect(bad).toBeGreaterThan(0);
  });

  test.each(Object.entries(HASHED))('what is hashed under %s has a known answer', (_label, count) => {
    expect(count).toBeGreaterThan(0);
  });

  test('every message type has vectors, the handshake payload too', () => {
    const noise: readonly number[] = [MESSAGE_TYPE.HS1, MESSAGE_TYPE.HS2, MESSAGE_TYPE.HS3];
    for (const [name, type] of Object.entries(MESSAGE_TYPE)) {
      const of = noise.includes(type) ? handshakePayloads : messages;
      const typed = (list: readonly object[]): number =>
        noise.includes(type) ? list.length : list.filter((vector) => 'type' in vector && vector.type === type).length;
      expect([name, typed(of.accepted) > 0, typed(of.refused) > 0]).toEqual([name, true, true]);
    }
    expect(ownNoise.vectors.every((vector) => vector.messages.length >= 3)).toBe(true);
  });

  test('every file of vectors is read by a test beside this one', () => {
    const files = [...tree.keys()].filter((path) => path.startsWith('test/vectors/') && path.endsWith('.json'));
    expect(files.length).toBeGreaterThan(12);
    const tests = [...tree].filter(([path]) => path.endsWith('.test.ts') && path !== 'test/vectors.test.ts').map(([, text]) => text);
    expect(files.filter((path) => path !== 'test/vectors/hcth/by-hand.json' && !tests.some((text) => text.includes(path)))).toEqual([]);
  });

  test('the ledgers of the vectors have every kind of entry that there is, with its effect', () => {
    const source = sources.find(([path]) => path === 'mesh/admission/entries.ts')?.[1] ?? '';
    const kinds = new Set([...source.matchAll(/^ {4}case '([a-z-]+)':/gm)].map(([, kind]) => kind));
    expect(kinds.size).toBeGreaterThan(12);
    const entries = [...ledger.entries, ...rotationLedger.entries, ...verdicts.entries];
    expect(new Set(entries.map(({ kind }) => kind))).toEqual(kinds);
    expect(entries.every(({ effect }) => effect.length > 0)).toBe(true);
  });
});

// --- the objects written by hand -------------------------------------------------------------------------------------

const keys = Object.fromEntries(Object.entries(byHand.keys).map(([name, { seed }]) => [name, crypto.signKey(bytes(seed))]));
const [seven, eight] = [keys['7']!, keys['8']!];
const next = (key: typeof seven): Uint8Array => crypto.sha256(key.publicKey);
const hand = (label: string): { readonly body: Uint8Array; readonly sig: Uint8Array; readonly digest: string; readonly signer: string } => {
  const found = byHand.objects.find((object) => object.label === label)!;
  return { body: concat(...found.parts.map(([part]) => bytes(part!))), sig: bytes(found.sig), digest: found.digest, signer: found.signer };
};

const aid = bytes(byHand.aid);
const nonce = repeat(0x66, 16);
const other = repeat(0xbb, 32);
const nothing = new Uint8Array(32);

function identity(...events: readonly SignedObject[]): Established {
  const verdict = verifyEstablishment(crypto, events);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  return verdict.established;
}

/** What our own encoders make of the meaning that is written beside the bytes. */
function made(label: string): SignedObject {
  const boot = {
    aid,
    incarnation: 300,
    nonce,
    establishmentHead: aid,
    previousBoot: nothing,
    previousStatement: nothing,
    why: 'start' as const,
    software: 'robonet 0.1.0',
  };
  const icp = hand(LABELS.inception);
  switch (label) {
    case LABELS.inception:
      return makeInception(crypto, seven, {
        identityKind: 'node',
        staticKey: repeat(0x22, 32),
        nextDigest: next(eight),
        binding: { kind: 'soft', digest: repeat(0x33, 32) },
        random: repeat(0x44, 16),
      }).event;
    case LABELS.rotation:
      return makeRotation(crypto, eight, seven, { aid, number: 1, previous: bytes(icp.digest), staticKey: repeat(0x55, 32), nextDigest: next(keys['9']!) });
    case LABELS.boot:
      return makeBoot(crypto, seven, boot);
    case LABELS.statement:
      return makeStatement(crypto, seven, boot, statementTipAtBoot(crypto, makeBoot(crypto, seven, boot)), { kind: 'bye', body: utf8('bye') }).object;
    case LABELS.checkpoint: {
      const sending = new LinkChain(crypto, { incarnation: 300, nonce, sequence: 70_000, head: repeat(0x88, 32) });
      const received = { incarnation: 1, nonce: repeat(0x11, 16), sequence: 3, head: bytes(linkChain.frames[2]!.head) };
      return makeCheckpoint(crypto, seven, { from: aid, to: other, sending, received, echo: repeat(0x77, 16), slot: 128 });
    }
    case LABELS.binding:
      return { body: concat(utf8('I'), repeat(0x99, 32)), sig: signBinding(crypto, seven, 'initiator', repeat(0x99, 32)) };
    case LABELS.genesis: {
      const established = identity(icp);
      const verdict = makeGenesis(
        crypto,
        { name: 'home', admission: 'approve', trustProfile: 'home' },
        [{ established, signKey: seven, name: 'ada' }],
        repeat(0xaa, 16),
        1_700_000_000_000,
      );
      if (verdict.kind === 'bad') throw new Error(verdict.why);
      const outer = readFields(verdict.mesh.bytes);
      const [signature] = outer.list('s', 1) as unknown as [ReadonlyMap<string, Uint8Array>];
      return { body: outer.blob('b', 4_096), sig: signature.get('s')! };
    }
    case LABELS.admission: {
      const packed = readFields(
        makeMembershipRecord(crypto, seven, {
          meshId: bytes(byHand.meshId),
          aid: other,
          establishment: repeat(0xcc, 32),
          role: 'member',
          name: 'bob',
          way: { kind: 'approval', by: aid },
          voter: aid,
          at: 1_700_000_000_001,
          basis: 1,
        }),
      );
      return { body: packed.blob('b', 4_096), sig: packed.bytes('s', 64) };
    }
    case 'HCTH1:log': {
      const key = { aid, incarnation: 300, request: 5 };
      const sealed = sealEntry(crypto, seven, {
        index: 2,
        term: 1,
        previous: repeat(0xdd, 32),
        kind: 'rename',
        body: bytes('81c0'),
        key,
        at: 1_700_000_000_002,
        voter: aid,
      });
      return { body: sealed.bytes, sig: sealed.signature };
    }
    default:
      throw new Error(`nothing is written by hand for ${label}`);
  }
}

/** Whether our own verifier takes an object. */
function taken(label: string, object: SignedObject): boolean {
  const icp = hand(LABELS.inception);
  const established = identity(icp);
  switch (label) {
    case LABELS.inception:
      return verifyEstablishment(crypto, [object]).kind === 'valid';
    case LABELS.rotation:
      return verifyEstablishment(crypto, [icp, object]).kind === 'valid';
    case LABELS.boot:
      return verifyBoot(crypto, established, object) !== undefined;
    case LABELS.statement:
      return verifyStatements(crypto, established, hand(LABELS.boot), [object]).kind === 'valid';
    case LABELS.checkpoint:
      return openCheckpoint(crypto, established, other, object) !== undefined;
    case LABELS.binding:
      return crypto.verify(established.signKey, object.sig, labelled(LABELS.binding), object.body);
    case LABELS.genesis:
    case LABELS.admission: {
      const founder = { e: [{ b: icp.body, s: icp.sig }], s: label === LABELS.genesis ? object.sig : hand(LABELS.genesis).sig };
      const body = label === LABELS.genesis ? object.body : hand(LABELS.genesis).body;
      const verdict = verifyGenesis(crypto, encodeFields({ b: body, s: [founder] }), bytes(byHand.meshId));
      if (verdict.kind === 'bad' || label === LABELS.genesis) return verdict.kind === 'valid';
      const record = encodeFields({ b: object.body, s: object.sig });
      return verifyMembershipRecord(crypto, record, verdict.mesh.id, genesisVoterKeys(verdict.mesh)).kind === 'valid';
    }
    case 'HCTH1:log': {
      const sealed = openEntry(crypto, object.body, object.sig);
      return sealed !== undefined && verifyEntry(crypto, established.signKey, sealed);
    }
    default:
      throw new Error(`nothing is written by hand for ${label}`);
  }
}

describe('objects written by hand from the protocol pages', () => {
  test('there is one for each label under which something travels', () => {
    const labels = Object.keys(SIGNED).filter((label) => !STAYS.has(label)); // that one has a second implementation: scripts/check-trust.mjs
    expect(byHand.objects.map(({ label }) => label).toSorted()).toEqual(labels.toSorted());
  });

  test.each(byHand.objects)('$rule: our own encoder writes this very $name, and our verifier takes it', ({ label }) => {
    const { body, sig, digest, signer } = hand(label);
    const ours = made(label);
    expect(hex(ours.body)).toBe(hex(body));
    expect(hex(ours.sig)).toBe(hex(sig));
    expect(hex(crypto.sha256(labelled(label), body))).toBe(digest);
    expect(hex(keys[signer]!.publicKey)).toBe(byHand.keys[signer as '7'].public);
    expect(taken(label, { body, sig })).toBe(true);
  });

  test.each(byHand.objects)('H-1, H-2: a $name with any byte changed, or signed under any other label, is not taken', ({ label }) => {
    const { body, sig, signer } = hand(label);
    for (let at = 0; at < body.length; at += 1)
      expect(taken(label, { body: body.map((byte, index) => (index === at ? byte ^ 0x01 : byte)), sig }), `byte ${at}`).toBe(false);
    expect(taken(label, { body: body.subarray(0, -1), sig })).toBe(false);
    for (const foreign of Object.keys(SIGNED).filter((each) => each !== label))
      expect(taken(label, { body, sig: crypto.sign(keys[signer]!, labelled(foreign), body) }), foreign).toBe(false);
  });

  test('H-64: the next key on paper, and what only looks like it', () => {
    const { rotation, text, refused } = byHand.nextKey;
    const seed = repeat(0x08, 32);
    expect(nextKeyText(crypto, aid, rotation, seed)).toBe(text);
    expect(parseNextKey(crypto, text)).toEqual({ kind: 'key', key: { rotation, aidPrefix: aid.slice(0, 10), seed } });
    for (const bad of refused) expect(parseNextKey(crypto, bad).kind, bad).toBe('bad');
  });

  test('mesh id and lobby anchor are the digests the pages say', () => {
    expect(hex(crypto.sha256(labelled('HCTH1:mesh'), hand(LABELS.genesis).body))).toBe(byHand.meshId);
    expect(hex(crypto.sha256(labelled('HCTH1:lobby')))).toBe(byHand.lobbyAnchor);
    expect(hex(ENTRY_LABEL)).toBe(hex(labelled('HCTH1:log')));
  });
});
