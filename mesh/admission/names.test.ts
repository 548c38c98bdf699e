import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintOf, aidText, parseFingerprint } from '#mesh/hcth/identity-text.ts';
import { aidOf } from '#test/kit/meshes.ts';
import { isNodeName, meshNameFault, nodeNameOf, uniqueNodeName } from './names.ts';

describe('names', () => {
  test('A-22: four machines called raspberrypi have four names, the same whoever asks again', () => {
    const taken = new Set<string>();
    const names = ['ada', 'bob', 'cy', 'dee'].map((who) => {
      const name = uniqueNodeName('raspberrypi', aidOf(who), (key) => taken.has(key));
      taken.add(name.toLowerCase());
      return name;
    });
    expect(names[0]).toBe('raspberrypi');
    expect(names.slice(1)).toEqual(['bob', 'cy', 'dee'].map((who) => `raspberrypi-${fingerprintOf(aidOf(who)).slice(0, 4).toLowerCase()}`));
    expect(new Set(names).size).toBe(4);
  });

  test('A-22: names that differ in case only are one name', () => {
    expect(uniqueNodeName('Kitchen', aidOf('bob'), (key) => key === 'kitchen')).toMatch(/^Kitchen-[a-z2-7]{4}$/);
  });

  test('A-22: whatever a host is called, its name is proper, unique and no fingerprint or identity', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.nat(3), (wanted, takenCount) => {
        const aid = aidOf('bob');
        const taken = new Set<string>();
        for (let round = 0; round < takenCount; round += 1) taken.add(uniqueNodeName(wanted, aid, (key) => taken.has(key)).toLowerCase());
        const name = uniqueNodeName(wanted, aid, (key) => taken.has(key));
        expect(isNodeName(name)).toBe(true);
        expect(taken.has(name.toLowerCase())).toBe(false);
        expect(parseFingerprint(name)).toBeUndefined();
      }),
    );
  });

  test('A-22: a host that calls itself like a fingerprint or an identity is called something else', () => {
    for (const wanted of ['abcdefghijklmnop', fingerprintOf(aidOf('eve')), aidText(aidOf('eve'))]) {
      const name = uniqueNodeName(wanted, aidOf('bob'), () => false);
      expect(name).not.toBe(wanted);
      expect(parseFingerprint(name)).toBeUndefined();
    }
  });

  test('the domain and odd characters of a host name are left out', () => {
    expect(nodeNameOf('pi4.fritz.box')).toBe('pi4');
    expect(nodeNameOf('--Küche 2--')).toBe('K-che-2');
    expect(nodeNameOf('\u0000\u001b[2J')).toBe('2J');
    expect(nodeNameOf('')).toBe('node');
    expect(nodeNameOf('x'.repeat(200))).toHaveLength(63);
  });

  test('what is wrong with the name of a mesh is said', () => {
    expect(meshNameFault('Home lab 2')).toBeUndefined();
    expect(meshNameFault('')).toBe('the name of a mesh is not empty');
    expect(meshNameFault('x'.repeat(49))).toBe('the name has 49 characters; 48 are allowed');
    expect(meshNameFault('a/b')).toContain('"/"');
    expect(meshNameFault('-a')).toContain('begins and ends');
    expect(meshNameFault('0123456789abcdef')).toContain('tag of a mesh');
  });
});
