import { describe, expect, it } from 'vitest';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { OwnMemory } from './own-memory.ts';

const nonce = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const digest = (number: number, byte = 0): Uint8Array => Uint8Array.of(byte, number & 255, (number >> 8) & 255, (number >> 16) & 255);
const at = (incarnation: number, number: number, byte = incarnation) => ({ incarnation, nonce: nonce(byte), number });
const life = { incarnation: 9, nonce: nonce(9) };

describe('what a node knows to have said', () => {
  it('tells its own statement of this life from one that a copy has made in it, in front and behind', () => {
    const memory = new OwnMemory(life);
    for (let number = 1; number <= 5; number += 1) memory.remember(at(9, number), digest(number));
    expect(memory.recognise(at(9, 3), digest(3))).toBe('known');
    expect(memory.recognise(at(9, 3), digest(3, 1))).toBe('foreign');
    expect(memory.recognise(at(9, 6), digest(6))).toBe('foreign');
    expect(memory.recognise(at(9, 1, 7), digest(1))).toBe('foreign');
    expect(memory.recognise(at(10, 1), digest(1))).toBe('foreign');
  });

  it('stays bounded over years of statements, and calls what has left the window unknown, not false', () => {
    const memory = new OwnMemory(life);
    const last = 144 * 365 * 3;
    for (let number = 1; number <= last; number += 1) memory.remember(at(9, number), digest(number));
    expect(memory.size).toBe(LIMITS.statementsRememberedMax);
    const oldest = last - LIMITS.statementsRememberedMax + 1;
    expect(memory.recognise(at(9, oldest), digest(oldest))).toBe('known');
    expect(memory.recognise(at(9, oldest), digest(oldest, 1))).toBe('foreign');
    expect(memory.recognise(at(9, oldest - 1), digest(oldest - 1))).toBe('old');
    expect(memory.recognise(at(9, oldest - 1), digest(oldest - 1, 1))).toBe('old');
  });

  it('P-10: of earlier lives only what is newer than everything known is news, and only once', () => {
    const memory = new OwnMemory(life);
    expect(memory.recognise(at(3, 1), digest(1))).toBe('news');
    for (const number of [1, 2, 3]) memory.remember(at(5, number), digest(number));
    expect(memory.recognise(at(5, 2), digest(2))).toBe('known');
    expect(memory.recognise(at(5, 4), digest(4))).toBe('news');
    expect(memory.recognise(at(6, 1), digest(1, 6))).toBe('news');
    expect(memory.recognise(at(4, 90), digest(90))).toBe('old');
    expect(memory.recognise(at(5, 1), digest(1, 7))).toBe('old');
    expect(memory.recognise(at(5, 1, 77), digest(1, 77))).toBe('news');
    memory.remember(at(6, 1), digest(1, 6));
    expect(memory.recognise(at(6, 1), digest(1, 6))).toBe('known');
    expect(memory.recognise(at(5, 4), digest(4))).toBe('old');
  });

  it('holds no more of earlier lives than the disk does', () => {
    const memory = new OwnMemory(life);
    for (let number = 1; number <= 5_000; number += 1) memory.remember(at(5, number), digest(number));
    expect(memory.size).toBe(LIMITS.statementsRememberedMax);
    expect(memory.recognise(at(5, 5_000), digest(5_000))).toBe('known');
    expect(memory.recognise(at(5, 1), digest(1))).toBe('old');
  });
});
