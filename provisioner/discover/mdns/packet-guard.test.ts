import { describe, expect, test } from 'vitest';
import { PACKETS_PER_SECOND_MAX } from './limits.ts';
import { isPlausiblePacket, PacketGuard } from './packet-guard.ts';

/** A header with these counts, and so many bytes behind it. */
function packet(questions: number, answers: number, behind: number): Uint8Array {
  const bytes = new Uint8Array(12 + behind);
  new DataView(bytes.buffer).setUint16(4, questions);
  new DataView(bytes.buffer).setUint16(6, answers);
  return bytes;
}

describe('the guard of multicast packets', () => {
  test('lets a packet pass that can hold what it claims, and none that cannot', () => {
    expect(isPlausiblePacket(packet(1, 0, 5))).toBe(true);
    expect(isPlausiblePacket(packet(1, 0, 4))).toBe(false);
    expect(isPlausiblePacket(packet(1, 2, 27))).toBe(true);
    expect(isPlausiblePacket(packet(0, 0xffff, 23))).toBe(false);
    expect(isPlausiblePacket(new Uint8Array(11))).toBe(false);
    expect(isPlausiblePacket(packet(0, 0, 9_000))).toBe(false);
  });

  test('lets so many pass a second, and again in the next', () => {
    const guard = new PacketGuard();
    const admitted = (now: number): number => Array.from({ length: 500 }, () => guard.admits(packet(0, 0, 8), now)).filter(Boolean).length;
    expect(admitted(5)).toBe(PACKETS_PER_SECOND_MAX);
    expect(admitted(900)).toBe(0);
    expect(admitted(1_006)).toBe(PACKETS_PER_SECOND_MAX);
  });

  test('what it turns away costs nothing of the allowance', () => {
    const guard = new PacketGuard();
    for (let count = 0; count < 1_000; count += 1) guard.admits(packet(0, 0xffff, 23), 1);
    expect(guard.admits(packet(0, 0, 8), 1)).toBe(true);
  });
});
