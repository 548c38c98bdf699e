/** Targets of HCTH: bodies of signed objects, signed by a real key whatever they say, and logs of them. */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';
import { decodeBoot, makeBoot, verifyBoot } from '#mesh/hcth/boot-event.ts';
import { ChallengeBook } from '#mesh/hcth/challenges.ts';
import { checkCheckpoint } from '#mesh/hcth/checkpoint-check.ts';
import { decodeCheckpoint, encodeCheckpoint, makeCheckpoint, openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { decodeInception, decodeRotation, makeRotation } from '#mesh/hcth/establishment-events.ts';
import { verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { establishmentPart, signBinding, verifyHandshakePayload } from '#mesh/hcth/handshake-payload.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { type SignedObject, signObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement, makeStatement, statementTipAtBoot, verifyStatements } from '#mesh/hcth/statement-log.ts';
import { decodeProof, encodeProof, makeProof, verifyProof } from '#mesh/hcth/proof.ts';
import { decodeHandshakePayload, encodeHandshakePayload } from '#mesh/wire/codec/handshake-payload.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { bootOf, bytesFor, chainOf, crypto, exchange, identityOf } from '#test/kit/identities.ts';
import { proofCases } from '#test/kit/proofs.ts';
import { promise, sameBytes } from '../promises.ts';

const ada = identityOf('ada');
const bob = identityOf('bob');
const { object: adaBoot, nonce: adaNonce } = bootOf(ada, 3);
const { nonce: bobNonce } = bootOf(bob, 1);

/** Ada's side of a link of 20 frames, as Bob holds it. */
const receiving = chainOf(ada, bob, 3, adaNonce);
const sending = chainOf(bob, ada, 1, bobNonce);
exchange(20, receiving);
exchange(7, sending);
const challenges = new ChallengeBook();
const challenge = bytesFor('challenge', 16);
challenges.issue(5, challenge);
const trueCheckpoint = makeCheckpoint(crypto, ada.signKey, {
  from: ada.established.aid,
  to: bob.established.aid,
  sending: receiving,
  received: sending.position,
  echo: challenge,
  slot: 5,
});

const checkpoint: FuzzTarget = {
  name: 'checkpoint',
  promise: 'a checkpoint decodes to what encodes to it again; signed, it is accepted only where it says what really happened',
  seeds: () => [trueCheckpoint.body],
  run: (body) => {
    const decoded = decodeCheckpoint(body);
    if (decoded !== undefined) sameBytes(encodeCheckpoint(decoded), body, 'encoded again');
    const object = body.length <= 65_536 ? signObject(crypto, ada.signKey, LABELS.checkpoint, body) : trueCheckpoint;
    const context = { self: bob.established.aid, peer: ada.established, receiving, sending, challenges, slot: 6, newest: null };
    const verdict = checkCheckpoint(crypto, object, context);
    const forged = { body, sig: trueCheckpoint.sig };
    promise(
      bytesEqual(body, trueCheckpoint.body) || checkCheckpoint(crypto, forged, context).kind === 'refused',
      'a changed checkpoint is accepted under the old signature',
    );
    promise(openCheckpoint(crypto, bob.established, bob.established.aid, object) === undefined, "ada's signature passes for bob's");
    if (verdict.kind === 'refused') return false;
    promise(decoded !== undefined, 'accepted although it does not decode');
    const past = receiving.headAt(decoded.sequence);
    promise(
      past.kind === 'too-old' || (past.kind === 'head' && bytesEqual(past.head, decoded.head)),
      'accepted with a head that is not that of the frames received',
    );
    promise(bytesEqual(decoded.from, ada.established.aid) && bytesEqual(decoded.to, bob.established.aid), 'accepted for another link');
    return true;
  },
};

const boot: FuzzTarget = {
  name: 'boot',
  promise: 'a boot event decodes to what encodes to it again, and belongs to nobody but who signed it under its own name',
  seeds: () => [adaBoot.body, bootOf(ada, 1, 'x', 'restore').object.body],
  run: (body) => {
    const decoded = decodeBoot(body);
    if (decoded === undefined) return false;
    sameBytes(makeBoot(crypto, ada.signKey, decoded).body, body, 'encoded again');
    const object = signObject(crypto, ada.signKey, LABELS.boot, body);
    const verified = verifyBoot(crypto, ada.established, object);
    promise((verified !== undefined) === bytesEqual(decoded.aid, ada.established.aid), 'verified under a name that is not the signer’s');
    promise(verifyBoot(crypto, bob.established, object) === undefined, 'verified as somebody else’s');
    promise(
      verifyBoot(crypto, ada.established, signObject(crypto, ada.signKey, LABELS.statement, body)) === undefined,
      'signed for another purpose, and verified',
    );
    return true;
  },
};

/** A list of statement bodies, each signed by Ada as it is. */
const statements: FuzzTarget = {
  name: 'statements',
  promise: 'a run of statements is valid only without a gap, from the boot event on, in one incarnation',
  seeds: () => [encodeRmp(statementBodies(3)), encodeRmp(statementBodies(1))],
  run: (input) => {
    const bodies = listOfBytes(input);
    if (bodies === undefined) return false;
    for (const body of bodies) {
      const decoded = decodeStatement(body);
      if (decoded === undefined) continue;
      const { aid, incarnation, nonce, number, previous, kind } = decoded;
      sameBytes(
        makeStatement(crypto, ada.signKey, { aid, incarnation, nonce }, { number: number - 1, digest: previous }, { kind, body: decoded.body }).object.body,
        body,
        'encoded again',
      );
    }
    const objects = bodies.map((body) => signObject(crypto, ada.signKey, LABELS.statement, body));
    const verdict = verifyStatements(crypto, ada.established, adaBoot, objects);
    if (verdict.kind === 'bad') {
      promise(verdict.at >= 0 && verdict.at < Math.max(1, objects.length), 'the bad one is none of them');
      return false;
    }
    let previous = crypto.sha256(labelled(LABELS.boot), adaBoot.body);
    for (const [index, statement] of verdict.statements.entries()) {
      promise(statement.number === index + 1 && bytesEqual(statement.previous, previous), `statement ${index + 1} does not follow`);
      promise(statement.incarnation === 3 && bytesEqual(statement.nonce, adaNonce), `statement ${index + 1} is of another incarnation`);
      previous = crypto.sha256(labelled(LABELS.statement), bodies[index] ?? new Uint8Array(0));
    }
    return objects.length > 0;
  },
};

function statementBodies(count: number): RmpInput[] {
  let tip = statementTipAtBoot(crypto, adaBoot);
  const scope = { aid: ada.established.aid, incarnation: 3, nonce: adaNonce };
  return Array.from({ length: count }, (_, index) => {
    const made = makeStatement(crypto, ada.signKey, scope, tip, { kind: index === 0 ? 'ckroot' : 'vote', body: new Uint8Array(index + 1) });
    ({ tip } = made);
    return made.object.body;
  });
}

/** Keys that Ada could have. */
const keys = ['k0', 'k1', 'k2'].map((name) => crypto.signKey(bytesFor(name, 32)));

/** `[[body, sig], …]`; signatures are made true where the body names a key of ours. */
const establishment: FuzzTarget = {
  name: 'establishment',
  promise:
    'an establishment log is valid only if each event is signed by the key it names, each rotation reveals the key committed to before, and each names its predecessor',
  bytesMax: 8_192,
  seeds: () => [encodeRmp(ada.established.events.map(({ body, sig }) => [body, sig])), encodeRmp(rotations(true)), encodeRmp(rotations(false))],
  repair: (input) => encodeRmp(signedList(input).map(({ body, sig }) => [body, resigned(body) ?? sig])),
  run: (input) => {
    const events = signedList(input);
    const verdict = verifyEstablishment(crypto, events);
    if (verdict.kind === 'bad') return false;
    let next: Uint8Array | undefined;
    let head: Uint8Array | undefined;
    for (const [index, { body, sig }] of events.entries()) {
      const event = index === 0 ? decodeInception(body) : decodeRotation(body);
      promise(event !== undefined, `event ${index} does not decode`);
      const label = index === 0 ? LABELS.inception : LABELS.rotation;
      promise(crypto.verify(event.signKey, sig, labelled(label), body), `event ${index} is not signed by its key`);
      if (event.kind === 'rotation') {
        promise(next !== undefined && bytesEqual(crypto.sha256(event.signKey), next), `event ${index} reveals another key`);
        promise(head !== undefined && bytesEqual(event.previous, head) && event.number === index, `event ${index} does not follow`);
        promise((event.oldSig !== null) === (event.cause === 'planned'), `event ${index} says ${event.cause}`);
      }
      next = event.nextDigest;
      head = crypto.sha256(labelled(label), body);
    }
    promise(head !== undefined && bytesEqual(verdict.established.head, head), 'the head is not the last event’s digest');
    return true;
  },
};

function rotations(planned: boolean): RmpInput {
  const [first, second, third] = keys;
  promise(first !== undefined && second !== undefined && third !== undefined, 'there are three keys');
  const staticKey = bytesFor('static', 32);
  const inception = signObject(
    crypto,
    first,
    LABELS.inception,
    encodeRmp({
      v: 1,
      t: 'icp',
      kt: 'node',
      k: first.publicKey,
      x: staticKey,
      n: crypto.sha256(second.publicKey),
      hw: { t: 'none', d: new Uint8Array(32) },
      r: new Uint8Array(16),
    }),
  );
  const aid = crypto.sha256(labelled(LABELS.inception), inception.body);
  const rotation = makeRotation(crypto, second, planned ? first : null, {
    aid,
    number: 1,
    previous: aid,
    staticKey,
    nextDigest: crypto.sha256(third.publicKey),
  });
  const last = makeRotation(crypto, third, null, {
    aid,
    number: 2,
    previous: crypto.sha256(labelled(LABELS.rotation), rotation.body),
    staticKey,
    nextDigest: new Uint8Array(32),
  });
  return [inception, rotation, last].map(({ body, sig }) => [body, sig]);
}

/** A true signature of the key that the body names, where that is one of ours. */
function resigned(body: Uint8Array): Uint8Array | undefined {
  const [inception, rotation] = [decodeInception(body), decodeRotation(body)];
  const named = inception?.signKey ?? rotation?.signKey;
  const key = [...keys, ada.signKey].find(({ publicKey }) => named !== undefined && bytesEqual(publicKey, named));
  return key === undefined ? undefined : signObject(crypto, key, inception === undefined ? LABELS.rotation : LABELS.inception, body).sig;
}

const hash = bytesFor('handshake hash', 32);

/** A handshake payload as Ada would send it; its boot event and its binding are signed anew. */
const handshakeProof: FuzzTarget = {
  name: 'handshake-proof',
  promise: 'a handshake proves an identity only with its own log, its own boot event and its current key’s signature over this very handshake',
  bytesMax: 8_192,
  seeds: () => [handshake(hash), handshake(bytesFor('another handshake', 32))],
  repair: (input) => {
    const decoded = decodeHandshakePayload(input);
    if (decoded.kind === 'refused') return input;
    const { boot: shown } = decoded.message;
    return encodeHandshakePayload({
      ...decoded.message,
      boot: signObject(crypto, ada.signKey, LABELS.boot, shown.body),
      binding: signBinding(crypto, ada.signKey, 'initiator', hash),
    });
  },
  run: (input) => {
    const decoded = decodeHandshakePayload(input);
    if (decoded.kind === 'refused') return false;
    const { message } = decoded;
    const verdict = verifyHandshakePayload(crypto, message, {
      role: 'initiator',
      handshakeHash: hash,
      remoteStatic: ada.staticKey.publicKey,
      self: bob.established.aid,
      known: (aid) => (bytesEqual(aid, ada.established.aid) ? ada.established : undefined),
      fetched: null,
      knownByHead: (head) => (bytesEqual(head, ada.established.head) ? ada.established : undefined),
    });
    if (verdict.kind !== 'verified') return false;
    promise(bytesEqual(verdict.established.aid, ada.established.aid), 'another identity than the one whose channel key this is');
    promise(
      bytesEqual(message.binding, signBinding(crypto, ada.signKey, 'initiator', hash)),
      `accepted a binding that is not for this handshake: ${hex(message.binding)}`,
    );
    promise(verifyBoot(crypto, ada.established, message.boot) !== undefined, 'accepted a boot event that is not its own');
    return true;
  },
};

function handshake(over: Uint8Array): Uint8Array {
  return encodeHandshakePayload({
    kind: 'handshake-payload',
    establishment: establishmentPart(ada.established, true),
    boot: adaBoot,
    binding: signBinding(crypto, ada.signKey, 'initiator', over),
    resume: { ownCheckpoint: trueCheckpoint, peerCheckpoint: null, sent: receiving.position, received: sending.position },
    ledger: { term: 1, commit: 9 },
    hardwareQuote: null,
    record: new Uint8Array(20),
  });
}

function signedList(input: Uint8Array): readonly SignedObject[] {
  const decoded = decodeRmp(input, 'signed');
  if (decoded.kind === 'refused' || !isList(decoded.value)) return [];
  return decoded.value.flatMap((item) => {
    const [body, sig] = isList(item) ? item : [];
    return body instanceof Uint8Array && sig instanceof Uint8Array ? [{ body: body.slice(), sig: sig.slice() }] : [];
  });
}

function listOfBytes(input: Uint8Array): readonly Uint8Array[] | undefined {
  const decoded = decodeRmp(input, 'signed');
  if (decoded.kind === 'refused' || !isList(decoded.value)) return undefined;
  const items = decoded.value.filter((item) => item instanceof Uint8Array);
  return items.length === decoded.value.length ? items.map((item) => item.slice()) : undefined;
}

function isList(value: RmpValue): value is readonly RmpValue[] {
  return Array.isArray(value);
}

const cases = proofCases();

/** A proof as it travels; its two objects are signed anew by whoever of ours the log names. */
const proof: FuzzTarget = {
  name: 'proof',
  promise: 'a proof convicts only where one key in force signed two different contents for one place; it encodes to the same bytes again',
  bytesMax: 16_384,
  seeds: () => cases.map((each) => (each.proof instanceof Uint8Array ? each.proof : encodeProof(each.proof))),
  repair: (input) => {
    const decoded = decodeProof(input);
    if (decoded === undefined || decoded.kind === 'rotation') return input;
    const label = decoded.kind === 'checkpoint' ? LABELS.checkpoint : LABELS.statement;
    const [a, b] = [decoded.first, decoded.second].map(({ body }) => signObject(crypto, ada.signKey, label, body));
    return a === undefined || b === undefined ? input : encodeProof(makeProof(crypto, decoded.kind, decoded.aid, decoded.establishment, a, b));
  },
  run: (input) => {
    const decoded = decodeProof(input);
    if (decoded === undefined) return false;
    sameBytes(encodeProof(decoded), input, 'encoded again');
    const verdict = verifyProof(crypto, input);
    promise(verdict.kind === verifyProof(crypto, decoded).kind, 'bytes and meaning are judged differently');
    if (verdict.kind === 'refused') return false;
    const { first, second, kind, aid } = decoded;
    promise(!bytesEqual(first.body, second.body), 'one thing said twice convicts');
    promise(bytesEqual(verdict.established.aid, aid), 'it convicts another identity');
    if (kind === 'rotation') return true;
    const label = kind === 'checkpoint' ? LABELS.checkpoint : LABELS.statement;
    for (const { body, sig } of [first, second])
      promise(crypto.verify(verdict.established.signKey, sig, labelled(label), body), 'it convicts without a signature');
    promise(placeOf(kind, first.body) === placeOf(kind, second.body), `two places: ${placeOf(kind, first.body)} and ${placeOf(kind, second.body)}`);
    return true;
  },
};

/** The slot key of §2.9, read anew. */
function placeOf(kind: 'statement' | 'checkpoint', body: Uint8Array): string {
  if (kind === 'checkpoint') {
    const read = decodeCheckpoint(body);
    return read === undefined ? 'none' : [hex(read.from), hex(read.to), read.incarnation, hex(read.nonce), read.sequence].join(' ');
  }
  const read = decodeStatement(body);
  return read === undefined ? 'none' : [hex(read.aid), read.incarnation, hex(read.nonce)].join(' ');
}

export const historyTargets: readonly FuzzTarget[] = [checkpoint, boot, statements, establishment, handshakeProof, proof];
