import { expect, test } from 'vitest';
import { bytesFor } from '#test/kit/identities.ts';
import { HandshakeMemory } from './handshake-memory.ts';
import { SESSION_LIMITS } from './limits.ts';

const key = (name: string): Uint8Array => bytesFor(name, 32);

test('W-28 the second sight of a completed handshake is a replay, our own key a reflection, anything else is new', () => {
  const memory = new HandshakeMemory();
  memory.ours(key('ours'));
  memory.completed(key('theirs'), { at: 7, source: '10.0.0.3' });
  expect(memory.recognize(key('theirs'))).toEqual({ kind: 'replayed', first: { at: 7, source: '10.0.0.3' } });
  expect(memory.recognize(key('ours'))).toEqual({ kind: 'reflected' });
  expect(memory.recognize(key('new'))).toBeUndefined();
});

test('W-28 the oldest is forgotten, and no more is kept than the limit', () => {
  const memory = new HandshakeMemory();
  for (let index = 0; index <= SESSION_LIMITS.handshakesRememberedMax; index += 1) memory.completed(key(`${index}`), { at: index, source: 'x' });
  expect(memory.recognize(key('0'))).toBeUndefined();
  expect(memory.recognize(key('1'))?.kind).toBe('replayed');
});
