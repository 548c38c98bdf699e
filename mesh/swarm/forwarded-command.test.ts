import { describe, expect, test } from 'vitest';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import { encodeAnswer, encodeForwarded, type GovernedCommand, readAnswer, readForwarded } from './forwarded-command.ts';

const options = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
const COMMANDS: readonly GovernedCommand[] = [
  { kind: 'invite', options },
  { kind: 'invite', options: { ...options, role: 'observer', uses: 1_000, label: 'the attic' } },
  { kind: 'revoke-invitation', tokenId: '57a6555e39536710' },
  { kind: 'approve', fingerprint: 'Q2HL-N25L-M3CC-YQEZ' },
  { kind: 'approve', fingerprint: 'Q2HL-N25L-M3CC-YQEZ', replaces: 'pi-shed' },
  { kind: 'deny', fingerprint: 'Q2HL-N25L-M3CC-YQEZ', reason: '' },
  { kind: 'forget', who: 'pi-shed' },
  { kind: 'close', who: 'pi-shed', replacedBy: null },
  { kind: 'close', who: 'pi-shed', replacedBy: 'pi-attic' },
  { kind: 'bar', who: 'pi-shed', reason: 'stolen' },
  { kind: 'unbar', who: 'pi-shed' },
  { kind: 'settle', who: 'pi-shed', copy: null },
  { kind: 'settle', who: 'pi-shed', copy: '2' },
  { kind: 'add-voter', who: 'pi-shed' },
  { kind: 'remove-voter', who: 'pi-shed' },
];

describe('C-37: a command on its way to the leader', () => {
  test.each(COMMANDS)('$kind arrives as it was sent', (command) => {
    expect(readForwarded(encodeForwarded(command))).toEqual(command);
  });

  test.each<readonly [string, RmpInput]>([
    ['no map', ['forget', 'pi-shed']],
    ['no kind', { who: 'pi-shed' }],
    ['a command that is not governed', { kind: 'found', options: { name: 'other' } }],
    ['a leave for somebody else', { kind: 'leave', who: 'pi-shed' }],
    ['nobody named', { kind: 'forget' }],
    ['somebody named by a number', { kind: 'forget', who: 7 }],
    ['a name that is too long', { kind: 'forget', who: 'x'.repeat(1_025) }],
    ['a replacement of another type', { kind: 'approve', fingerprint: 'Q2HL', replaces: 7 }],
    ['an invitation without options', { kind: 'invite' }],
    ['an unknown role', { kind: 'invite', options: { ...options, role: 'owner' } }],
    ['no use at all', { kind: 'invite', options: { ...options, uses: 0 } }],
    ['half a use', { kind: 'invite', options: { ...options, uses: 0.5 } }],
    ['more uses than an invitation may have', { kind: 'invite', options: { ...options, uses: 1_001 } }],
    ['open for ten years', { kind: 'invite', options: { ...options, expiresInMs: 3_660 * 86_400_000 } }],
    ['open since yesterday', { kind: 'invite', options: { ...options, expiresInMs: -86_400_000 } }],
    ['a note of another type', { kind: 'invite', options: { ...options, label: 7 } }],
  ])('%s is no command', (_, value) => {
    expect(readForwarded(encodeRmp(value))).toBeUndefined();
  });

  test('bytes that are not RMP, or too many, are none either', () => {
    const bytes = encodeForwarded({ kind: 'forget', who: 'pi-shed' });
    for (let length = 0; length < bytes.length; length += 1) expect(readForwarded(bytes.subarray(0, length))).toBeUndefined();
    expect(readForwarded(Uint8Array.of(...bytes, 0xc0))).toBeUndefined();
    expect(readForwarded(encodeRmp({ kind: 'forget', who: 'pi-shed', z: 'x'.repeat(4_096) }))).toBeUndefined();
  });

  test('its answer is what the command would have answered at the leader', () => {
    const value = { token: 'rnj1.x', uses: 1, expiresAt: 1_700_000_000_000, label: null, usedBy: ['rn1a', 'rn1b'], hardware: { kind: 'otp' }, open: true };
    expect(readAnswer(encodeAnswer(value))).toEqual({ value });
    for (const nothing of [null, undefined]) expect(readAnswer(encodeAnswer(nothing))).toEqual({ value: null });
    expect(readAnswer(Uint8Array.of(0xc1))).toBeUndefined();
  });
});
