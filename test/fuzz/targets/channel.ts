/** Targets of the channel: a Noise handshake whose messages somebody on the path has changed. */
import { bytesEqual, concat, utf8 } from '#core/bytes/bytes.ts';
import { createHandshake, type Handshake } from '#mesh/channel/handshake.ts';
import type { PatternName } from '#mesh/channel/pattern.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { bytesFor, crypto } from '#test/kit/identities.ts';
import { promise } from '../promises.ts';

const prologue = utf8('the two HELLOs');
const psk = bytesFor('psk', 32);
const patterns: readonly PatternName[] = ['XX', 'XXpsk0'];

function side(pattern: PatternName, initiator: boolean): Handshake {
  const who = initiator ? 'initiator' : 'responder';
  return createHandshake(crypto, {
    pattern,
    initiator,
    prologue,
    staticKey: crypto.dhKey(bytesFor(`static ${who}`, 32)),
    ephemeral: crypto.dhKey(bytesFor(`ephemeral ${who}`, 32)),
    ...(pattern === 'XXpsk0' ? { psk } : {}),
  });
}

/** Keys are from fixed seeds, so the true messages are the same in every run. */
function played(pattern: PatternName): { readonly messages: readonly Uint8Array[]; readonly at: (step: number) => Handshake } {
  const play = (until: number): { readonly messages: readonly Uint8Array[]; readonly reader: Handshake } => {
    const [initiator, responder] = [side(pattern, true), side(pattern, false)];
    const messages: Uint8Array[] = [];
    for (let step = 0; step < until; step += 1) {
      const [from, to] = step % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const sent = from.write(step === 0 ? new Uint8Array(0) : utf8(`payload ${step}`));
      messages.push(sent);
      to.read(sent);
    }
    return { messages, reader: until % 2 === 0 ? responder : initiator };
  };
  return { messages: play(3).messages, at: (step) => play(step).reader };
}

const games = patterns.map(played);

/** First byte: pattern and step; then the message. */
const noise: FuzzTarget = {
  name: 'noise',
  promise: 'a handshake message verifies only as it was sent (the first one of XX excepted, which nothing protects yet), and after a failure there are no keys',
  prefixBytes: 1,
  tokens: [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31)), new Uint8Array(16)],
  seeds: () => games.flatMap(({ messages }, pattern) => messages.map((message, step) => concat(Uint8Array.of(pattern * 3 + step), message))),
  run: (input) => {
    const choice = (input[0] ?? 0) % 6;
    const [pattern, step] = [choice < 3 ? 0 : 1, choice % 3];
    const game = games[pattern];
    const expected = game?.messages[step];
    promise(game !== undefined && expected !== undefined, 'there is such a message');
    const message = input.subarray(1);
    const reader = game.at(step);
    const read = reader.read(message);
    if (read.kind === 'failed') {
      promise(!bytesEqual(message, expected), 'the true message does not verify');
      promise(reader.remoteStatic === undefined && !reader.isComplete && !reader.isOurTurn, 'something is left after a failure');
      promise(reader.read(expected).kind === 'failed', 'after a failure the true message is taken');
      return false;
    }
    promise((pattern === 0 && step === 0 && message.length >= 32) || bytesEqual(message, expected), 'another message than was sent verifies');
    return true;
  },
};

export const channelTargets: readonly FuzzTarget[] = [noise];
