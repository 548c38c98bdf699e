/**
 * Writes the frozen vectors of signed objects and of trust scores. Run once per protocol version and review the difference:
 * a changed vector is a changed protocol and needs a decision record. Values that the specification gives (link-chain.json)
 * are written by hand and are not touched here.
 *
 *   node test/vectors/write-history-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { encodeCheckpoint, makeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { encodeDamage } from '#mesh/hcth/past-damage.ts';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { encodeFields } from '#mesh/hcth/fields.ts';
import { signBinding } from '#mesh/hcth/handshake-payload.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { makeStatement, statementTipAtBoot } from '#mesh/hcth/statement-log.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { exportTrust } from '#mesh/trust/export/export-trust.ts';
import { NEW_HISTORY } from '#mesh/trust/history.ts';
import { parseEventLines } from '#mesh/trust/history-codec.ts';
import { PeerTrust } from '#mesh/trust/peer-trust.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import { exportStory } from '#test/kit/trust-exports.ts';

const [ada, bob] = [identityOf('ada'), identityOf('bob')];

/** One vector: what is checked, against which keys, and whether it holds. */
interface Vector {
  readonly name: string;
  readonly rule: string;
  readonly kind: 'establishment' | 'boot' | 'statement' | 'report' | 'seal' | 'record' | 'checkpoint' | 'binding';
  readonly objects: readonly { readonly body: string; readonly sig: string }[];
  readonly error?: string;
}

const asHex = (object: SignedObject): Vector['objects'][number] => ({ body: hex(object.body), sig: hex(object.sig) });
const flip = (object: SignedObject): SignedObject => ({ body: object.body.map((byte, index) => (index === object.body.length - 1 ? byte ^ 1 : byte)), sig: object.sig });

function signedObjects(): readonly Vector[] {
  const inception = ada.established.events[0];
  if (inception === undefined || ada.nextSeed === null) throw new Error('a fresh identity has both');
  const next = crypto.signKey(ada.nextSeed);
  const rotationOf = (planned: boolean, revealed = next): SignedObject =>
    makeRotation(crypto, revealed, planned ? ada.signKey : null, { aid: ada.established.aid, number: 1, previous: ada.established.head, staticKey: bytesFor('static 2', 32), nextDigest: bytesFor('next 2', 32) });
  const { object: boot, nonce } = bootOf(ada, 3);
  const scope = { aid: ada.established.aid, incarnation: 3, nonce };
  const one = makeStatement(crypto, ada.signKey, scope, statementTipAtBoot(crypto, boot), { kind: 'report', body: utf8('one') });
  const two = makeStatement(crypto, ada.signKey, scope, one.tip, { kind: 'bye', body: utf8('two') });
  const damage = encodeDamage({ kind: 'edited', index: 4, place: { incarnation: 2, number: 7 }, missing: bytesFor('named', 32), found: bytesFor('found', 32) });
  const reportOf = (body: Uint8Array): SignedObject => makeStatement(crypto, ada.signKey, scope, statementTipAtBoot(crypto, boot), { kind: 'report', body }).object;
  const seal = signObject(crypto, ada.signKey, LABELS.seal, encodeFields({ v: 1, t: 'seal', a: ada.established.aid, n: 2, d: bytesFor('gone', 32), p: bytesFor('before', 32), x: bytesFor('behind', 32) }));
  const sending = chainOf(ada, bob, 3, nonce);
  exchange(3, sending);
  const origin = { from: ada.established.aid, to: bob.established.aid, sending, received: null, echo: bytesFor('challenge', 16), slot: 2 };
  const checkpoint = makeCheckpoint(crypto, ada.signKey, origin);
  const extra = signObject(crypto, ada.signKey, LABELS.inception, encodeFields({ v: 1, t: 'icp' }));
  const wrongLabel = signObject(crypto, ada.signKey, LABELS.statement, boot.body);
  const binding: SignedObject = { body: bytesFor('handshake hash', 32), sig: signBinding(crypto, ada.signKey, 'initiator', bytesFor('handshake hash', 32)) };
  const otherRole: SignedObject = { body: binding.body, sig: signBinding(crypto, ada.signKey, 'responder', binding.body) };
  return [
    { name: 'an inception', rule: 'H-3', kind: 'establishment', objects: [asHex(inception)] },
    { name: 'a planned rotation', rule: 'H-6', kind: 'establishment', objects: [asHex(inception), asHex(rotationOf(true))] },
    { name: 'a recovery rotation', rule: 'H-6', kind: 'establishment', objects: [asHex(inception), asHex(rotationOf(false))] },
    { name: 'an inception with one bit flipped', rule: 'H-2', kind: 'establishment', objects: [asHex(flip(inception))], error: 'bad' },
    { name: 'an inception with missing fields', rule: 'H-2', kind: 'establishment', objects: [asHex(extra)], error: 'bad' },
    { name: 'a rotation to a key that was not committed to', rule: 'H-5', kind: 'establishment', objects: [asHex(inception), asHex(rotationOf(true, bob.signKey))], error: 'bad' },
    { name: 'a rotation without its inception', rule: 'H-5', kind: 'establishment', objects: [asHex(rotationOf(true))], error: 'bad' },
    { name: 'a boot event', rule: 'H-12', kind: 'boot', objects: [asHex(boot)] },
    { name: 'a boot event of somebody else', rule: 'H-12', kind: 'boot', objects: [asHex(bootOf(bob, 3).object)], error: 'bad' },
    { name: 'a boot event signed as a statement', rule: 'H-1', kind: 'boot', objects: [asHex(wrongLabel)], error: 'bad' },
    { name: 'two statements after a boot event', rule: 'H-13', kind: 'statement', objects: [boot, one.object, two.object].map(asHex) },
    { name: 'statements in the wrong order', rule: 'H-13', kind: 'statement', objects: [boot, two.object, one.object].map(asHex), error: 'bad' },
    { name: 'a statement dropped', rule: 'H-13', kind: 'statement', objects: [boot, two.object].map(asHex), error: 'bad' },
    { name: 'a report of a bad entry in the own log', rule: 'H-52', kind: 'report', objects: [boot, reportOf(damage)].map(asHex) },
    { name: 'a report of a damage of no known kind', rule: 'H-52', kind: 'report', objects: [boot, reportOf(encodeFields({ v: 1, t: 'past', k: 'worn', n: 4, i: 2, s: 7, d: bytesFor('named', 32), f: bytesFor('found', 32) }))].map(asHex), error: 'bad' },
    { name: 'a seal', rule: 'H-51', kind: 'seal', objects: [asHex(seal)] },
    { name: 'a seal with one bit flipped', rule: 'H-51', kind: 'seal', objects: [asHex(flip(seal))], error: 'bad' },
    { name: 'a boot event signed as a seal', rule: 'H-51', kind: 'seal', objects: [asHex(signObject(crypto, ada.signKey, LABELS.seal, boot.body))], error: 'bad' },
    { name: 'a stored record', rule: 'H-56', kind: 'record', objects: [asHex(signObject(crypto, ada.signKey, LABELS.record, utf8('remembered')))] },
    { name: 'a stored record signed as a statement', rule: 'H-56', kind: 'record', objects: [asHex(signObject(crypto, ada.signKey, LABELS.statement, utf8('remembered')))], error: 'bad' },
    { name: 'a checkpoint', rule: 'H-20', kind: 'checkpoint', objects: [asHex(checkpoint)] },
    { name: 'a checkpoint with one bit flipped', rule: 'H-20', kind: 'checkpoint', objects: [asHex(flip(checkpoint))], error: 'bad' },
    { name: 'a checkpoint for another link', rule: 'H-20', kind: 'checkpoint', objects: [asHex(makeCheckpoint(crypto, ada.signKey, { ...origin, to: ada.established.aid }))], error: 'bad' },
    {
      name: 'a checkpoint of incarnation 0',
      rule: 'H-20',
      kind: 'checkpoint',
      objects: [asHex(signObject(crypto, ada.signKey, LABELS.checkpoint, encodeCheckpoint({ from: origin.from, to: origin.to, incarnation: 0, nonce, sequence: 3, head: sending.head, acknowledged: sending.position, echo: origin.echo, slot: 2 })))],
      error: 'bad',
    },
    { name: 'a binding signature', rule: 'H-14', kind: 'binding', objects: [asHex(binding)] },
    { name: 'a binding signature of the other role', rule: 'H-14', kind: 'binding', objects: [asHex(otherRole)], error: 'bad' },
  ];
}

function scores(): readonly object[] {
  const stories: readonly (readonly [string, 'lab' | 'home' | 'fleet', readonly string[]])[] = [
    ['stranger', 'home', []],
    ['one slot', 'home', ['c 1 8']],
    ['ten minutes', 'home', ['c 10 8']],
    ['one hour', 'home', ['c 60 8']],
    ['5.1 hours', 'home', ['c 306 8']],
    ['14 hours', 'home', ['c 840 8']],
    ['one day', 'home', ['c 1440 8']],
    ['32 hours', 'home', ['c 1920 8']],
    ['two days', 'home', ['c 2880 8']],
    ['three days', 'home', ['c 4320 8']],
    ['one week', 'home', ['c 10080 8']],
    ['one year', 'home', ['c 525600 8']],
    ['two frames per slot for a day', 'home', ['c 1440 2']],
    ['no frames for a day', 'home', ['c 1440 0']],
    ['five minutes in the laboratory', 'lab', ['c 5 8']],
    ['half an hour in the laboratory', 'lab', ['c 30 8']],
    ['one week in the fleet', 'fleet', ['c 10080 8']],
    ['a day, then rolled back', 'home', ['c 1440 8', 'b B2 0 ']],
    ['a day, then a reused incarnation', 'home', ['c 1440 8', 'b B3 0 ', 'c 100 8']],
    ['a day, a reused incarnation, settled', 'home', ['c 1440 8', 'b B3 0 ', 's 0', 'c 100 8']],
    ['a week, then contested', 'home', ['c 10080 8', 'b B4 0 ']],
    ['a week, contested, settled', 'home', ['c 10080 8', 'b B4 0 ', 's 0']],
    ['a week, then convicted', 'home', ['c 10080 8', 'b B5 0 ', 's 0', 'c 10080 8']],
    ['a week, then seven restarts', 'home', ['c 10080 8', ...Array.from({ length: 7 }, () => 'b B1 0 ')]],
    ['a week, then three violations', 'home', ['c 10080 8', 'b PV 0 ', 'b PV 0 ', 'b PV 0 ']],
    ['a week, a violation, another week', 'home', ['c 10080 8', 'b PV 0 ', 'c 10080 8']],
    ['a week, then 37 days away', 'home', ['c 10080 8', `a ${37 * 86_400_000}`]],
    ['a week, 37 days away, an hour back', 'home', ['c 10080 8', `a ${37 * 86_400_000}`, 'c 60 8']],
    ['a day with false checkpoints', 'home', ['c 1440 8', 'b SELF 0 ']],
    ['a day, then quarantined', 'home', ['c 1440 8', 'b SENT 0 ']],
    ['just under a level after a break: kept by hysteresis', 'home', ['c 900 8', 'b PV 0 ']],
  ];
  return stories.map(([name, profile, events]) => {
    const parsed = parseEventLines(events);
    if (parsed === undefined) throw new Error(name);
    const trust = new PeerTrust(TRUST_PROFILES[profile], { base: NEW_HISTORY.base, events: parsed });
    return { name, rule: 'T-12', profile, events, score: trust.score, level: trust.level, standing: trust.standing };
  });
}

/** One complete export: what `robonet trust --export` writes and `--verify` reads. */
function trustExport(): object {
  const events = parseEventLines(['c 1000 8', 'a 600000', 'b B2 1700000000000 its disk was rolled back', 'n 60000', 'c 1 3']);
  if (events === undefined) throw new Error('the lines are events');
  const story = exportStory();
  return exportTrust(crypto, { ...story, profile: TRUST_PROFILES.home, history: { base: NEW_HISTORY.base, events }, at: 1_700_000_002_000 });
}

const identity = (of: typeof ada): object => ({ aid: aidText(of.established.aid), fingerprint: fingerprintOf(of.established.aid), inception: asHex(of.established.events[0] ?? { body: new Uint8Array(0), sig: new Uint8Array(0) }) });
const write = (path: string, document: object): void => writeFileSync(join(import.meta.dirname, path), `${JSON.stringify(document, null, 1)}\n`);
write('hcth/signed-objects.json', { signer: identity(ada), other: identity(bob), vectors: signedObjects() });
write('trust/scores.json', { scores: scores() });
write('trust/export.json', trustExport());
