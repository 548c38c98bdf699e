/** Targets of membership: what members say about who is there. */
import { fromHex } from '#core/bytes/bytes.ts';
import { decodeSwimMessage, encodeSwimMessage } from '#mesh/membership/swim/codec.ts';
import { SWIM_LIMITS as LIMITS } from '#mesh/membership/swim/limits.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import presence from '#test/vectors/membership/presence.json' with { type: 'json' };
import { promise, sameBytes } from '../promises.ts';

const presenceTarget: FuzzTarget = {
  name: 'presence',
  promise: 'a word about who is there is dropped, or is encoded to the same bytes and within its limits',
  bytesMax: LIMITS.messageBytesMax + 64,
  seeds: () => presence.accepted.map((vector) => fromHex(vector.hex) ?? new Uint8Array(0)),
  run: (input) => {
    const message = decodeSwimMessage(input);
    if (message === undefined) return false;
    sameBytes(encodeSwimMessage(message, LIMITS.messageBytesMax), input, 'encoded again');
    if ('updates' in message) promise(message.updates.length <= LIMITS.newsPerMessageMax, 'too much news');
    if (message.kind === 'rows') promise(message.rows.length <= LIMITS.syncRowsMax, 'too many rows');
    return true;
  },
};

export const membershipTargets: readonly FuzzTarget[] = [presenceTarget];
