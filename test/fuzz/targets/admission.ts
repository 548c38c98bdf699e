/** Targets of admission: genesis, membership records, invitations, and the entries of the mesh's log. */
import { bytesEqual, concat, textOf, utf8 } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { applyEntry, foundRegistry } from '#mesh/admission/apply-entry.ts';
import { decodeChange, encodeChange } from '#mesh/admission/entries.ts';
import { verifyGenesis } from '#mesh/admission/genesis.ts';
import { genesisVoterKeys, makeMembershipRecord, type MembershipRecord, verifyMembershipRecord } from '#mesh/admission/membership-record.ts';
import { encodeToken, parseToken } from '#mesh/admission/token.ts';
import { decodeLogMessage, encodeLogMessage, openEntry, packEntry, sealEntry, unpackEntry } from '#mesh/consensus/entry-codec.ts';
import { decodeConsensusMessage, encodeConsensusMessage } from '#mesh/consensus/wire/message-codec.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { signObject } from '#mesh/hcth/signed-object.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { CONSENSUS_MESSAGES } from '#test/kit/consensus-messages.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, TestMesh, WALL } from '#test/kit/meshes.ts';
import { promise, sameBytes } from '../promises.ts';

const mesh = meshOf(['ada']);
const two = meshOf(['ada', 'bob']);
const ada = identityOf('ada');
const KINDS = ['genesis', 'token', 'token-revoke', 'admit', 'promote', 'suspend', 'confirm', 'remove', 'rename', 'setting', 'nonsense'];

/** The parts `{b, s}` of a signed document. */
function bodyOf(bytes: Uint8Array): Uint8Array {
  return readFields(bytes).blob('b', 65_536);
}

const genesis: FuzzTarget = {
  name: 'genesis',
  promise: 'a genesis is valid only with the signatures of all its founders over its very body, which alone makes the mesh’s id',
  bytesMax: 8_192,
  seeds: () => [mesh.bytes, two.bytes],
  // Founders sign whatever the body says.
  repair: (input) => {
    const body = bodyOf(input);
    if (body.length === 0) return input;
    const signatures = (bytesEqual(body, two.bytes) ? ['ada', 'bob'] : ['ada']).map((name) => {
      const { established, signKey } = identityOf(name);
      return { e: established.events.map((event) => ({ b: event.body, s: event.sig })), s: crypto.sign(signKey, labelled(LABELS.genesis), body) };
    });
    return encodeFields({ b: body, s: signatures });
  },
  run: (input) => {
    const verdict = verifyGenesis(crypto, input);
    if (verdict.kind === 'bad') return false;
    const { id, founders, genesis: read } = verdict.mesh;
    const body = bodyOf(input);
    sameBytes(id, crypto.sha256(labelled('HCTH1:mesh'), body), 'the id');
    promise(
      founders.length === read.founders.length && read.quorum > founders.length / 2 && read.quorum <= founders.length,
      'a quorum that can split, or cannot be reached',
    );
    for (const founder of founders) {
      const known = ['ada', 'bob'].find((name) => bytesEqual(aidOf(name), founder.aid));
      promise(known !== undefined, 'a founder nobody has the keys of');
    }
    promise(verifyGenesis(crypto, input, bytesFor('another mesh', 32)).kind === 'bad', 'valid as another mesh');
    return true;
  },
};

const RECORD: MembershipRecord = {
  meshId: mesh.id,
  aid: aidOf('bob'),
  establishment: identityOf('bob').established.head,
  role: 'member',
  name: 'bob',
  way: { kind: 'token', tokenId: new Uint8Array(8) },
  voter: ada.established.aid,
  at: WALL,
  basis: 4,
};
const trueRecord = makeMembershipRecord(crypto, ada.signKey, RECORD);

const record: FuzzTarget = {
  name: 'membership-record',
  promise: 'a membership record counts only as the named voter signed it, for this mesh, and encodes to the same bytes again',
  seeds: () => [
    trueRecord,
    makeMembershipRecord(crypto, ada.signKey, { ...RECORD, way: { kind: 'approval', by: aidOf('ada') } }),
    makeMembershipRecord(crypto, ada.signKey, { ...RECORD, way: { kind: 'open' } }),
  ],
  repair: (input) => {
    const { body, sig } = signObject(crypto, ada.signKey, LABELS.admission, bodyOf(input));
    return encodeFields({ b: body, s: sig });
  },
  run: (input) => {
    const verdict = verifyMembershipRecord(crypto, input, mesh.id, genesisVoterKeys(mesh));
    if (verdict.kind === 'bad') return false;
    sameBytes(makeMembershipRecord(crypto, ada.signKey, verdict.record), input, 'made again');
    promise(bytesEqual(verdict.record.meshId, mesh.id) && bytesEqual(verdict.record.voter, ada.established.aid), 'another mesh, or another voter');
    promise(verifyMembershipRecord(crypto, input, two.id, genesisVoterKeys(two)).kind === 'bad', 'it counts in another mesh too');
    return true;
  },
};

const invitation = new TestMesh('token').invite({ hardware: '10000000abcd', peers: ['192.168.1.7:7411', '[fe80::1]:7411'] });

const token: FuzzTarget = {
  name: 'token',
  promise: 'a pasted invitation is read as what it was made from, or refused without repeating any of it',
  tokens: [utf8('rnj1.'), utf8('rnj2.'), utf8('\n'), utf8('_-')],
  seeds: () => [utf8(encodeToken(invitation.token)), utf8('rnj1.'), utf8('  rnj1.gA\n'), utf8('rnj9.AAAA')],
  run: (input) => {
    const text = textOf(input);
    if (text === undefined) return false;
    const outcome = parseToken(text);
    if (outcome.kind === 'malformed') {
      promise(outcome.at === null || (outcome.at >= 0 && outcome.at <= text.length + 8), 'the place of the damage lies outside');
      const secret = text.replace(/\s+/g, '').slice(5, 25);
      promise(secret.length < 16 || !outcome.why.includes(secret), 'the refusal repeats what was pasted');
      return false;
    }
    promise(encodeToken(outcome.token) === text.replace(/\s+/g, ''), 'made again, it is another text');
    return true;
  },
};

/** First byte: the kind; then the body. */
const change: FuzzTarget = {
  name: 'ledger-change',
  promise: 'an entry of the log changes the members by the rules or not at all, and never throws; a decoded decision encodes to the same bytes',
  prefixBytes: 1,
  bytesMax: 8_192,
  seeds: () => {
    const by = ada.established.aid;
    const changes = [
      { kind: 'genesis', genesis: mesh.bytes },
      invitation.change,
      { kind: 'token-revoke', tokenId: invitation.token.tokenId, by },
      { kind: 'admit', record: trueRecord },
      { kind: 'promote', record: trueRecord },
      { kind: 'suspend', aid: by, other: by, tokenId: invitation.token.tokenId },
      { kind: 'confirm', aid: by, by },
      { kind: 'remove', aid: by, how: 'leave', by },
      { kind: 'rename', aid: by, name: 'new' },
      { kind: 'setting', admission: 'open' },
    ] as const;
    return changes.map((each) => concat(Uint8Array.of(KINDS.indexOf(each.kind)), encodeChange(each).body));
  },
  run: (input) => {
    const kind = KINDS[(input[0] ?? 0) % KINDS.length] ?? '';
    const body = input.subarray(1);
    const decoded = decodeChange(kind, body);
    if (decoded !== undefined) sameBytes(encodeChange(decoded).body, body, 'encoded again');
    let registry = foundRegistry(mesh);
    // Twice: the second time must find what the first one left.
    for (const at of [WALL + 1, WALL + 2]) {
      const applied = applyEntry(crypto, registry, { index: registry.index + 1, at, kind, body: body.slice() });
      promise(applied.registry.index === registry.index + 1, 'an entry was not counted');
      ({ registry } = applied);
    }
    promise(registry.members.size <= 3, 'two entries made three members');
    return decoded !== undefined;
  },
};

const entryOf = (index: number): Parameters<typeof sealEntry>[2] => ({
  index,
  term: 1,
  previous: bytesFor('previous', 32),
  kind: 'rename',
  body: encodeRmp({ a: ada.established.aid, n: 'x' }),
  key: { aid: ada.established.aid, incarnation: 1, request: 7 },
  at: WALL,
  voter: ada.established.aid,
});

/** First byte: an entry as stored, or a message about the log. */
const log: FuzzTarget = {
  name: 'log-entry',
  promise: 'entries and messages of the log are refused, or encoded to the same bytes',
  prefixBytes: 1,
  bytesMax: 8_192,
  seeds: () => {
    const [one, other] = [sealEntry(crypto, ada.signKey, entryOf(2)), sealEntry(crypto, ada.signKey, entryOf(3))];
    return [
      concat(Uint8Array.of(0), packEntry(one)),
      concat(Uint8Array.of(1), encodeLogMessage({ kind: 'append', entries: [one, other], term: 1, commit: 3 })),
      concat(Uint8Array.of(1), encodeLogMessage({ kind: 'fetch', from: 7 })),
      concat(Uint8Array.of(1), encodeLogMessage({ kind: 'committed', term: 2, commit: 7, digest: bytesFor('entry', 32), leader: 'rn1x' })),
      concat(Uint8Array.of(1), encodeLogMessage({ kind: 'committed', term: 2, commit: 7, digest: bytesFor('entry', 32), leader: null })),
    ];
  },
  run: (input) => {
    const bytes = input.subarray(1);
    if ((input[0] ?? 0) % 2 === 0) {
      const sealed = unpackEntry(crypto, bytes);
      if (sealed === undefined) return false;
      sameBytes(packEntry(sealed), bytes, 'packed again');
      sameBytes(sealEntry(crypto, ada.signKey, sealed.entry).bytes, sealed.bytes, 'sealed again');
      return true;
    }
    const message = decodeLogMessage(bytes);
    if (message === undefined) return false;
    if (message.kind === 'append') for (const { bytes: entry, signature } of message.entries) openEntry(crypto, entry, signature);
    const again =
      message.kind !== 'append'
        ? encodeLogMessage(message)
        : encodeLogMessage({
            ...message,
            entries: message.entries.map(({ bytes: entry, signature }) => ({ ...sealEntry(crypto, ada.signKey, entryOf(2)), bytes: entry, signature })),
          });
    sameBytes(again, bytes, 'encoded again');
    return true;
  },
};

const consensus: FuzzTarget = {
  name: 'consensus-message',
  promise: 'messages of the consensus machine are refused, or encoded to the same bytes, and never read as another kind of frame',
  bytesMax: 8_192,
  seeds: () => Object.values(CONSENSUS_MESSAGES).map(encodeConsensusMessage),
  run: (input) => {
    const message = decodeConsensusMessage(input);
    if (message === undefined) return false;
    sameBytes(encodeConsensusMessage(message), input, 'encoded again');
    promise(decodeLogMessage(input) === undefined, 'it is a message about the log, too');
    return true;
  },
};

export const admissionTargets: readonly FuzzTarget[] = [genesis, record, token, change, log, consensus];
