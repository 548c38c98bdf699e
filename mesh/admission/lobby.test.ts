import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { bytesFor } from '#test/kit/identities.ts';
import { aidOf, WALL } from '#test/kit/meshes.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { Lobby, type LobbyRequest } from './lobby.ts';

const at = (mono: number) => ({ mono, wall: WALL + mono });
const request = (name: string): LobbyRequest => ({
  aid: aidOf(name),
  name,
  role: 'member',
  address: '192.168.1.9:40000',
  machine: '192.168.1.9',
  capabilities: new Uint8Array(3),
});
const stranger = (index: number): LobbyRequest => ({ ...request('x'), aid: bytesFor(`stranger ${index}`, 32) });

describe('the lobby', () => {
  test('A-15: sixteen machines wait; the seventeenth is told when a place may be free', () => {
    const lobby = new Lobby();
    for (let index = 0; index < 16; index += 1) expect(lobby.enter(stranger(index), at(index * 1_000)).kind).toBe('waiting');
    expect(lobby.enter(stranger(16), at(16_000))).toEqual({ kind: 'full', retryAfterMs: LIMITS.lobbyMsMax - 16_000 });
    expect(lobby.enter(stranger(3), at(17_000)).kind).toBe('waiting');
    expect(lobby.entries).toHaveLength(16);
  });

  test('A-16: whoever does not show itself for ten minutes is gone; showing itself renews', () => {
    const lobby = new Lobby();
    lobby.enter(request('bob'), at(0));
    lobby.enter(request('cy'), at(0));
    expect(lobby.wakeAt).toBe(600_000);
    lobby.renew(aidOf('bob'), at(400_000));
    expect(lobby.expire(at(599_999))).toEqual([]);
    expect(lobby.expire(at(600_000)).map(({ name }) => name)).toEqual(['cy']);
    expect(lobby.entries).toMatchObject([{ name: 'bob', since: WALL, expiresAt: WALL + 1_000_000 }]);
    expect(lobby.expire(at(1_000_000))).toHaveLength(1);
    expect(lobby.wakeAt).toBe(Number.POSITIVE_INFINITY);
  });

  test('A-16: a place that has lapsed is free even before anybody tidied up', () => {
    const lobby = new Lobby();
    for (let index = 0; index < 16; index += 1) lobby.enter(stranger(index), at(0));
    expect(lobby.enter(request('bob'), at(600_000)).kind).toBe('waiting');
    expect(lobby.entries.length).toBeLessThanOrEqual(16);
    expect(lobby.approve(fingerprintOf(stranger(1).aid), aidOf('ada'), at(600_000)).kind).toBe('mismatch');
  });

  test('A-17: only the complete fingerprint approves; it may be typed carelessly', () => {
    const lobby = new Lobby();
    lobby.enter(request('bob'), at(0));
    const fingerprint = fingerprintOf(aidOf('bob'));
    for (const typed of ['', 'yes', 'bob', fingerprint.slice(0, 14), `${fingerprint}A`])
      expect(lobby.approve(typed, aidOf('ada'), at(1)).kind, typed).toBe('incomplete');
    expect(lobby.approve(fingerprintOf(aidOf('eve')), aidOf('ada'), at(1))).toMatchObject({
      kind: 'mismatch',
      waiting: 1,
      fingerprint: fingerprintOf(aidOf('eve')),
    });
    expect(lobby.entries[0]!.approvedBy).toBeNull();
    expect(lobby.approve(fingerprint.toLowerCase().replaceAll('-', ' '), aidOf('ada'), at(2))).toMatchObject({
      kind: 'approved',
      entry: { name: 'bob', approvedBy: aidOf('ada') },
    });
    expect(lobby.standing(aidOf('bob'), at(3)).kind).toBe('approved');
  });

  test('A-17: an approval outlives a lost connection, not the ten minutes', () => {
    const lobby = new Lobby();
    lobby.enter(request('bob'), at(0));
    lobby.approve(fingerprintOf(aidOf('bob')), aidOf('ada'), at(1));
    expect(lobby.enter(request('bob'), at(5_000)).kind).toBe('approved');
    expect(lobby.standing(aidOf('bob'), at(605_000)).kind).toBe('absent');
  });

  test('A-18: a denied machine is refused with the reason for ten minutes, and may ask again after', () => {
    const lobby = new Lobby();
    lobby.enter(request('bob'), at(0));
    expect(lobby.deny(fingerprintOf(aidOf('bob')), 'not mine', at(1_000))).toMatchObject({ kind: 'denied', entry: { name: 'bob' } });
    expect(lobby.enter(request('bob'), at(2_000))).toEqual({ kind: 'denied', reason: 'not mine', retryAfterMs: 599_000 });
    expect(lobby.entries).toEqual([]);
    expect(lobby.enter(request('bob'), at(601_000)).kind).toBe('waiting');
  });

  test('A-18: denying nobody changes nothing', () => {
    const lobby = new Lobby();
    lobby.enter(request('bob'), at(0));
    expect(lobby.deny(fingerprintOf(aidOf('eve')), 'no', at(1)).kind).toBe('mismatch');
    expect(lobby.entries).toHaveLength(1);
  });

  test('A-15: whatever happens, the lobby stays within its bounds', () => {
    const step = fc.record({ who: fc.nat(90), what: fc.constantFrom('enter', 'deny', 'approve', 'renew', 'remove', 'expire'), wait: fc.nat(120_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lobby = new Lobby();
        let mono = 0;
        for (const { who, what, wait } of steps) {
          mono += wait;
          const { aid } = stranger(who);
          if (what === 'enter') lobby.enter(stranger(who), at(mono));
          else if (what === 'deny') lobby.deny(fingerprintOf(aid), 'no', at(mono));
          else if (what === 'approve') lobby.approve(fingerprintOf(aid), aidOf('ada'), at(mono));
          else if (what === 'renew') lobby.renew(aid, at(mono));
          else if (what === 'remove') lobby.remove(aid);
          else lobby.expire(at(mono));
          expect(lobby.entries.length).toBeLessThanOrEqual(LIMITS.lobbyEntriesMax);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('what a machine says at length about itself is dropped, the machine waits all the same', () => {
    const lobby = new Lobby();
    lobby.enter({ ...request('bob'), capabilities: new Uint8Array(LIMITS.lobbyCapabilitiesBytesMax + 1) }, at(0));
    expect(lobby.entries[0]!.capabilities).toHaveLength(0);
  });
});
