/**
 * `node check-trust.mjs FILE`: checks a trust export written by `robonet trust PEER --export FILE`. Copy this one file to any machine with Node 20
 * or newer; it needs no agent, no network and no package. It is written from docs/protocols/trust.md and hcth.md alone and shares no code with
 * the agent, so that the two can be held against each other. Exit 0: everything holds; 65: the first item that does not is named; 64: usage.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const DAY = 86_400_000;
const SLOT_MS = 60_000;
const PROFILES = { lab: [64, 24 * 60_000], home: [3_840, DAY], fleet: [26_880, 7 * DAY] };
/** Class: debt in millionths, tenths of credit that remain, standing it leads to (trust.md T-8 to T-11). */
const BREAKS = {
  B0: [0, 10, 'clear'],
  B1: [50_000, 10, 'clear'],
  PV: [100_000, 10, 'clear'],
  B2: [350_000, 7, 'clear'],
  B3: [700_000, 5, 'frozen'],
  B4: [0, 10, 'contested'],
  SELF: [700_000, 5, 'clear'],
  B5: [0, 10, 'convicted'],
  SENT: [500_000, 10, 'clear'],
};
const STANDINGS = ['clear', 'frozen', 'contested', 'convicted'];
const LEVELS = [0, 500, 3_000, 6_000, 8_500];

/** Thrown where something does not hold; `at` is its place in the document. */
class Refusal extends Error {
  constructor(at, why) {
    super(`${at === '' ? 'the document' : at}: ${why}`);
    this.at = at;
  }
}

function require(holds, at, why) {
  if (!holds) throw new Refusal(at, why);
}

// --- bytes -----------------------------------------------------------------------------------------------------------

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const label = (text) => Buffer.from(`${text}\0`);
const u32 = (value) => Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);

function unhex(text, byteCount, at) {
  require(typeof text === 'string' && /^([0-9a-f]{2})*$/.test(text), at, 'it is not lower-case hexadecimal');
  const bytes = Buffer.from(text, 'hex');
  require(byteCount === undefined || bytes.length === byteCount, at, `it does not have ${byteCount} bytes`);
  return bytes;
}

function signed(key, signature, name, body) {
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') }, format: 'jwk' });
  return verify(null, Buffer.concat([label(name), body]), publicKey, signature);
}

function base32(bytes) {
  let [text, bits, count] = ['', 0, 0];
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    for (count += 8; count >= 5; count -= 5) text += 'abcdefghijklmnopqrstuvwxyz234567'[(bits >>> (count - 5)) & 31];
  }
  return count === 0 ? text : text + 'abcdefghijklmnopqrstuvwxyz234567'[(bits << (5 - count)) & 31];
}

// --- RMP, the restricted msgpack (hcth.md section 3) -----------------------------------------------------------------

function rmp(value) {
  if (typeof value === 'number') return integer(value);
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([length(text.length, [0xa0, 31], 0xd9, 0xda, 0xdb), text]);
  }
  if (Array.isArray(value)) return Buffer.concat([length(value.length, [0x90, 15], undefined, 0xdc, 0xdd), ...value.map(rmp)]);
  const keys = Object.keys(value).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Buffer.concat([length(keys.length, [0x80, 15], undefined, 0xde, 0xdf), ...keys.flatMap((key) => [rmp(key), rmp(value[key])])]);
}

function length(count, [fixed, fixedMax], one, two, four) {
  if (count <= fixedMax) return Buffer.from([fixed | count]);
  if (one !== undefined && count < 256) return Buffer.from([one, count]);
  return count < 65_536 ? Buffer.from([two, count >>> 8, count & 255]) : Buffer.concat([Buffer.from([four]), u32(count)]);
}

function integer(value) {
  if (value < 0) throw new Refusal('', 'a negative number');
  if (value < 128) return Buffer.from([value]);
  if (value < 256) return Buffer.from([0xcc, value]);
  if (value < 65_536) return Buffer.from([0xcd, value >>> 8, value & 255]);
  if (value < 2 ** 32) return Buffer.concat([Buffer.from([0xce]), u32(value)]);
  return Buffer.concat([Buffer.from([0xcf]), u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)]);
}

/** The map that a signed body is; its fields must be exactly `names`, those with `?` may be missing. */
function bodyOf(bytes, names, at) {
  let offset = 0;
  const take = (count) => {
    require(offset + count <= bytes.length, at, 'its body ends too early');
    offset += count;
    return bytes.subarray(offset - count, offset);
  };
  const number = (count) => take(count).reduce((sum, byte) => sum * 256 + byte, 0);
  const read = () => {
    const tag = number(1);
    if (tag < 0x80) return tag;
    if (tag >= 0xa0 && tag < 0xc0) return take(tag & 31).toString();
    if (tag === 0xd9) return take(number(1)).toString();
    if (tag >= 0xcc && tag <= 0xcf) return number(2 ** (tag - 0xcc));
    if (tag === 0xc4 || tag === 0xc5) return take(number(tag - 0xc3));
    if (tag >= 0x90 && tag < 0xa0) return Array.from({ length: tag & 15 }, read);
    if (tag === 0xdc) return Array.from({ length: number(2) }, read);
    require(tag >= 0x80 && tag < 0x90, at, 'its body is not of the restricted profile');
    return Object.fromEntries(Array.from({ length: tag & 15 }, () => [read(), read()]));
  };
  const map = read();
  require(offset === bytes.length, at, 'something follows its body');
  const known = names.map((name) => name.replace('?', ''));
  require(Object.keys(map).every((key) => known.includes(key)), at, 'its body has an unknown field');
  require(names.every((name) => name.endsWith('?') || Object.hasOwn(map, name)), at, 'its body lacks a field');
  return map;
}

// --- identities and signed objects (hcth.md H-1 to H-6, H-12, H-20) --------------------------------------------------

function objectAt(value, at) {
  require(typeof value === 'object' && value !== null, at, 'it is not a signed object');
  return { body: unhex(value.body, undefined, at), sig: unhex(value.sig, 64, at) };
}

function identityOf(party, name) {
  require(typeof party === 'object' && party !== null && Array.isArray(party.establishment), name, 'it is missing or malformed');
  const place = (index) => `${name}.establishment[${index}]`;
  const identity = identityOfEvents(
    party.establishment.map((value, index) => objectAt(value, place(index))),
    place,
  );
  require(party.aid === `rn1${base32(identity.aid)}`, `${name}.aid`, 'it is not the identity that its establishment log proves');
  const print = base32(identity.aid.subarray(0, 10)).toUpperCase().match(/.{4}/g).join('-');
  require(party.fingerprint === print, `${name}.fingerprint`, 'it is not that of the identity');
  return identity;
}

function identityOfEvents([first, ...rotations], place) {
  require(first !== undefined, place(0), 'the establishment log is empty');
  const icp = bodyOf(first.body, ['v', 't', 'kt', 'k', 'x', 'n', 'hw', 'r'], place(0));
  require(icp.t === 'icp' && signed(icp.k, first.sig, 'HCTH1:icp', first.body), place(0), 'the inception is not signed by its own key');
  const aid = sha256(label('HCTH1:icp'), first.body);
  const identity = { aid, keys: [icp.k], digests: [aid] };
  let next = icp.n;
  for (const [index, event] of rotations.entries()) {
    const at = place(index + 1);
    const rot = bodyOf(event.body, ['v', 't', 'a', 's', 'p', 'k', 'x', 'n', 'cause', 'o?'], at);
    require(rot.t === 'rot' && rot.a.equals(aid) && rot.s === index + 1 && rot.p.equals(identity.digests.at(-1)), at, 'it does not continue the event before');
    require(sha256(rot.k).equals(next), at, 'it reveals a key that was not committed to');
    require(signed(rot.k, event.sig, 'HCTH1:rot', event.body), at, 'it is not signed by the revealed key');
    const statement = Buffer.concat([rot.a, u32(rot.s), rot.p, rot.k, rot.x, rot.n]);
    const bothSigned = rot.o !== undefined && signed(identity.keys.at(-1), rot.o, 'HCTH1:rot', statement);
    const fits = rot.cause === (rot.o === undefined ? 'recovery' : 'planned') && (rot.o === undefined || bothSigned);
    require(fits, at, 'the signature of the old key does not fit its cause');
    identity.keys.push(rot.k);
    identity.digests.push(sha256(label('HCTH1:rot'), event.body));
    next = rot.n;
  }
  return identity;
}

function bootAt(party, name, identity) {
  if (party.boot === undefined) return null;
  const at = `${name}.boot`;
  const object = objectAt(party.boot, at);
  const boot = bodyOf(object.body, ['v', 't', 'a', 'i', 'c', 'pe', 'pb', 'ps', 'why', 'sw'], at);
  const event = identity.digests.findIndex((digest) => digest.equals(boot.pe));
  require(boot.t === 'boot' && boot.a.equals(identity.aid) && event >= 0, at, `it is not of the ${name}`);
  require(signed(identity.keys[event], object.sig, 'HCTH1:boot', object.body), at, 'it is not signed by the key that was in force');
  return boot;
}

const CHECKPOINT = ['f', 'o', 'i', 'c', 'q', 'h', 'ai', 'ac', 'aq', 'ah', 'ch', 'sl'];
const STATEMENT = ['v', 't', 'a', 'i', 'c', 's', 'p', 'k', 'b'];
const samePlace = (i, c, q, other) => i === other.i && q === other.q && c.equals(other.c);

function checkpointsAt(party, name, identity, other) {
  require(Array.isArray(party.checkpoints), `${name}.checkpoints`, 'it is not a list');
  const opened = party.checkpoints.map((value, index) => {
    const at = `${name}.checkpoints[${index}]`;
    const object = objectAt(value, at);
    const mark = bodyOf(object.body, CHECKPOINT, at);
    require(mark.f.equals(identity.aid) && mark.o.equals(other.aid), at, 'it belongs to another link');
    require(identity.keys.some((key) => signed(key, object.sig, 'HCTH1:ck', object.body)), at, `it is not signed by the ${name}`);
    return { ...mark, at };
  });
  opened.slice(1).forEach((now, index) => {
    const was = opened[index];
    require(was.q === 0 || !samePlace(was.i, was.c, was.q, now) || was.h.equals(now.h), now.at, 'it contradicts the one before');
    require(now.i >= was.i, now.at, 'it is of an older incarnation than the one before');
    if (now.i > was.i) return;
    require(now.c.equals(was.c) && now.q >= was.q && now.sl >= was.sl, now.at, 'it does not continue the one before');
    require(now.ai > was.ai || (now.ai === was.ai && now.aq >= was.aq), now.at, 'it acknowledges less than the one before');
    const again = now.aq > 0 && now.ai === was.ai && now.aq === was.aq && now.ac.equals(was.ac);
    require(!again || now.ah.equals(was.ah), now.at, 'it acknowledges another head at the same place');
  });
  return opened;
}

function checkStatement(party, name, identity, boot) {
  if (party.statement === undefined) return;
  const at = `${name}.statement`;
  const object = objectAt(party.statement, at);
  const said = bodyOf(object.body, STATEMENT, at);
  const known = identity.keys.some((key) => signed(key, object.sig, 'HCTH1:stm', object.body));
  require(known && said.t === 'stm' && said.a.equals(identity.aid), at, `it is not signed by the ${name}`);
  if (boot === null || said.i < boot.i) return;
  require(said.i === boot.i && said.c.equals(boot.c), at, 'it does not belong to the boot event');
  const digest = sha256(label('HCTH1:boot'), objectAt(party.boot, at).body);
  require(said.s !== 1 || said.p.equals(digest), at, 'it does not continue the boot event');
}

function checkScope(party, name, boot, checkpoints) {
  const newest = checkpoints.at(-1);
  if (newest === undefined) return;
  if (boot !== null) require(boot.i > newest.i || (boot.i === newest.i && boot.c.equals(newest.c)), `${name}.boot`, 'it does not fit the newest checkpoint');
  if (party.position === undefined || party.position.incarnation > newest.i) return;
  const { incarnation, nonce, sequence, head } = party.position;
  const fits = incarnation === newest.i && nonce === newest.c.toString('hex') && sequence >= newest.q;
  require(fits && (sequence > newest.q || sequence === 0 || head === newest.h.toString('hex')), `${name}.position`, 'it does not fit the newest checkpoint');
}

function checkBraid(from, to, position) {
  for (const { ai, ac, aq, ah, at } of from) {
    const other = aq === 0 ? undefined : to.find((mark) => samePlace(ai, ac, aq, mark));
    require(other === undefined || other.h.equals(ah), at, 'it acknowledges another head than the other has signed');
    const here = position !== undefined && position.incarnation === ai && position.nonce === ac.toString('hex');
    require(!here || aq <= position.sequence, at, 'it acknowledges more than there was');
  }
}

/** Two things signed for one place by the key that was in force (hcth.md H-37). */
function checkProof(text, peer, at) {
  const proof = bodyOf(unhex(text, undefined, at), ['v', 'a', 'k', 'e', 'x', 'y'], at);
  const identity = identityOfEvents(
    proof.e.map(({ b, s }) => ({ body: b, sig: s })),
    () => at,
  );
  require(identity.aid.equals(proof.a) && proof.a.equals(peer.aid), at, 'it is about another identity');
  const name = { checkpoint: 'HCTH1:ck', statement: 'HCTH1:stm', rotation: 'HCTH1:rot' }[proof.k];
  const [one, two] = [proof.x, proof.y];
  require(name !== undefined && !one.b.equals(two.b), at, 'it proves nothing');
  require(Buffer.compare(sha256(label(name), one.b), sha256(label(name), two.b)) <= 0, at, 'its objects are not in order');
  if (proof.k === 'rotation') {
    for (const { b, s } of [one, two]) identityOfEvents([...proof.e.map((event) => ({ body: event.b, sig: event.s })), { body: b, sig: s }], () => at);
    return;
  }
  const key = identity.keys.at(-1);
  require([one, two].every(({ b, s }) => signed(key, s, name, b)), at, 'its objects are not both signed by the key in force');
  const names = proof.k === 'checkpoint' ? CHECKPOINT : STATEMENT;
  const [first, second] = [one, two].map(({ b }) => bodyOf(b, names, at));
  const place = (body) => (proof.k === 'checkpoint' ? [body.f, body.o, body.c, body.i, body.q] : [body.a, body.c, body.i, body.s]);
  const same = place(first).every((part, index) => (Buffer.isBuffer(part) ? part.equals(place(second)[index]) : part === place(second)[index]));
  const whose = proof.k === 'checkpoint' ? first.f : first.a;
  const contradict = proof.k === 'statement' || (first.q > 0 && !first.h.equals(second.h));
  require(same && contradict && whose.equals(proof.a), at, 'its objects do not contradict each other');
}

// --- the score (trust.md section 4, ADR 0006) ------------------------------------------------------------------------

function expNegative(x) {
  if (x > 40) return 0;
  let [halvings, y, sum, term] = [0, x, 1, 1];
  for (; y > 0.0625; halvings += 1) y /= 2;
  for (let n = 1; n <= 12; n += 1) {
    term = (term * -y) / n;
    sum += term;
  }
  for (; halvings > 0; halvings -= 1) sum *= sum;
  return sum;
}

const decayed = (value, elapsed, halfLife) =>
  elapsed <= 0 || value === 0 ? value : Math.round(value * expNegative((elapsed / halfLife) * 0.693_147_180_559_945_3));
const debtNow = (state) => decayed(state.debtMicros, state.creditedSinceDebtMs, 7 * DAY);
const creditNow = (state, value) => decayed(value, state.absentMs - 7 * DAY, 30 * DAY);

function scoreOf(state, [lengthScale, timeScaleMs]) {
  if (state.standing === 'convicted') return 0;
  const a = creditNow(state, state.lengthMilli) / (lengthScale * 1_000);
  const b = creditNow(state, state.timeMs) / timeScaleMs;
  const product = Math.floor((1 - expNegative(a)) * (1 - expNegative(b)) * expNegative((2 * debtNow(state)) / 1_000_000) * 10_000 * 10_000);
  let root = Math.floor(Math.sqrt(product));
  while (root * root > product) root -= 1;
  while ((root + 1) * (root + 1) <= product) root += 1;
  return state.standing === 'contested' ? Math.min(2_900, root) : root;
}

function levelOf(present, score, standing) {
  const bare = LEVELS.findLastIndex((threshold) => score >= threshold);
  if (bare >= present || standing !== 'clear') return bare;
  for (let level = present; level > bare; level -= 1) if (score >= (level === 1 ? 250 : LEVELS[level] - 500)) return level;
  return bare;
}

function counted(window, elapsedMs) {
  return window.count > 0 && elapsedMs - window.openedAt < DAY ? { ...window, count: window.count + 1 } : { openedAt: elapsedMs, count: 1 };
}

function applied(state, line, [lengthScale, timeScaleMs], at) {
  const [letter, ...words] = line.split(' ');
  const number = (index) => {
    require(/^\d{1,16}$/.test(words[index] ?? ''), at, 'it is not an event');
    return Number(words[index]);
  };
  switch (letter) {
    case 'c': {
      const [slots, frames, slotMs] = [number(0), number(1), words.length === 3 ? number(2) : SLOT_MS];
      require(slots >= 1 && frames <= 8 && slotMs >= 1 && slotMs <= 90_000 && words.length <= 3, at, 'it is not an event');
      const elapsedMs = state.elapsedMs + slots * slotMs;
      if (state.standing === 'frozen' || state.standing === 'convicted') return { ...state, elapsedMs };
      return {
        ...state,
        elapsedMs,
        lengthMilli: Math.min(4 * lengthScale * 1_000, creditNow(state, state.lengthMilli) + slots * frames * 1_000),
        timeMs: Math.min(4 * timeScaleMs, creditNow(state, state.timeMs) + slots * slotMs),
        creditedSinceDebtMs: state.creditedSinceDebtMs + slots * slotMs,
        absentMs: 0,
      };
    }
    case 'n':
      return { ...state, elapsedMs: state.elapsedMs + number(0) };
    case 'a':
      return { ...state, elapsedMs: state.elapsedMs + number(0), absentMs: state.absentMs + number(0) };
    case 's':
      return state.standing === 'convicted' ? state : { ...state, standing: 'clear' };
    case 'b':
      return broken(state, words[0], at);
    default:
      throw new Refusal(at, 'it is not an event');
  }
}

function broken(state, breakClass, at) {
  require(Object.hasOwn(BREAKS, breakClass), at, 'it is not an event');
  const [cost, tenths, standing] = BREAKS[breakClass];
  const violations = breakClass === 'PV' ? counted(state.violations, state.elapsedMs) : state.violations;
  const losses = breakClass === 'B1' ? counted(state.losses, state.elapsedMs) : state.losses;
  const charged = losses.count - 6;
  const debt =
    breakClass === 'PV'
      ? Math.min(1_600_000, cost * 2 ** Math.min(violations.count - 1, 10))
      : breakClass === 'B1'
        ? charged >= 1 && charged * cost <= 300_000
          ? cost
          : 0
        : cost;
  return {
    ...state,
    lengthMilli: Math.floor((state.lengthMilli * tenths) / 10),
    timeMs: Math.floor((state.timeMs * tenths) / 10),
    ...(debt === 0 ? {} : { debtMicros: debtNow(state) + debt, creditedSinceDebtMs: 0 }),
    standing: STANDINGS[Math.max(STANDINGS.indexOf(state.standing), STANDINGS.indexOf(standing))],
    violations,
    losses,
  };
}

// --- all of it -------------------------------------------------------------------------------------------------------

function checkAll(document) {
  require(typeof document === 'object' && document !== null && document.type === 'robonet-trust', 'type', 'it is not a trust export');
  require(document.v === 2, 'v', 'its version is not 2');
  const { signature, ...rest } = document;
  const [observer, peer] = [identityOf(document.observer, 'observer'), identityOf(document.peer, 'peer')];
  const scales = PROFILES[document.profile?.name];
  require(scales?.[0] === document.profile?.lengthScale && scales?.[1] === document.profile?.timeScaleMs, 'profile', 'its scales are not those of the profile');
  require(Array.isArray(document.events) && STANDINGS.includes(document.base?.standing), 'base', 'it is malformed');
  let state = document.base;
  let head = sha256(label('HCTH1:hist'), observer.aid, peer.aid, rmp(document.base));
  for (const [index, text] of document.events.entries()) {
    const at = `events[${index}]`;
    require(typeof text === 'string' && text[64] === ' ', at, 'it is not an event behind its head');
    const line = text.slice(65);
    head = sha256(Buffer.from([1]), head, Buffer.from(line));
    require(head.equals(unhex(text.slice(0, 64), 32, at)), at, `"${line}" does not continue the history`);
    state = applied(state, line, scales, at);
    state = { ...state, level: levelOf(state.level, scoreOf(state, scales), state.standing) };
  }
  const parties = [
    { name: 'observer', identity: observer, other: peer },
    { name: 'peer', identity: peer, other: observer },
  ].map(({ name, identity, other }) => ({
    name,
    identity,
    boot: bootAt(document[name], name, identity),
    checkpoints: checkpointsAt(document[name], name, identity, other),
  }));
  for (const { name, identity, boot, checkpoints } of parties) {
    checkScope(document[name], name, boot, checkpoints);
    checkStatement(document[name], name, identity, boot);
  }
  checkBraid(parties[0].checkpoints, parties[1].checkpoints, document.peer.position);
  checkBraid(parties[1].checkpoints, parties[0].checkpoints, document.observer.position);
  require(Array.isArray(document.proofs), 'proofs', 'it is not a list');
  document.proofs.forEach((proof, index) => checkProof(proof, peer, `proofs[${index}]`));
  require(signed(observer.keys.at(-1), unhex(signature, 64, 'signature'), 'HCTH1:exp', rmp(rest)), 'signature', 'the document is not signed by its observer');
  const score = scoreOf(state, scales);
  const { result } = document;
  const same = result.score === score && result.level === state.level && result.standing === state.standing;
  require(same, 'result', `it states ${result.score / 10_000}, T${result.level}, ${result.standing}; the events give ${score / 10_000}, T${state.level}, ${state.standing}`);
  return { holds: true, score, level: state.level, standing: state.standing, events: document.events.length };
}

/** Check a parsed document; never throws on foreign input. */
export function checkTrustDocument(document) {
  try {
    return checkAll(document);
  } catch (error) {
    return { holds: false, at: error instanceof Refusal ? error.at : '', why: error instanceof Refusal ? error.message : `it is malformed: ${String(error)}` };
  }
}

function main(file) {
  if (file === undefined || file.startsWith('--')) {
    process.stderr.write('usage: node check-trust.mjs FILE   (an export of `robonet trust PEER --export FILE`)\n');
    return 64;
  }
  let document;
  try {
    document = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`${file}: ${error.message}\n`);
    return 65;
  }
  const verdict = checkTrustDocument(document);
  if (!verdict.holds) {
    process.stderr.write(`${file}: ${verdict.why}\n`);
    return 65;
  }
  const { score, level, standing, events } = verdict;
  process.stdout.write(
    `holds: ${document.observer.aid} trusts ${document.peer.aid} with ${(score / 10_000).toFixed(4)} (T${level}, ${standing}), from ${events} events\n`,
  );
  return 0;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv[2]);
