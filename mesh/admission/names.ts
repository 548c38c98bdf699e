/**
 * Names that people type. A mesh's name is chosen once and refused with a reason; a node's name comes from its host, so
 * it is repaired instead, and made unique: four machines called `raspberrypi` must be four names. No name may be mistaken
 * for a fingerprint, an identity or a mesh tag, because all of them are accepted in the same places.
 */
import { fingerprintOf, parseFingerprint, type Aid } from '#mesh/hcth/identity-text.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';

const FALLBACK = 'node';
const NODE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/** What is wrong with a mesh's name; `undefined` where nothing is. */
export function meshNameFault(name: string): string | undefined {
  if (name.length === 0) return 'the name of a mesh is not empty';
  if (name.length > LIMITS.meshNameCharactersMax) return `the name has ${name.length} characters; ${LIMITS.meshNameCharactersMax} are allowed`;
  const odd = Array.from(name).find((character) => !/[A-Za-z0-9 ._-]/.test(character));
  if (odd !== undefined) return `the name contains ${JSON.stringify(odd)}; letters A–Z, digits, space, ".", "_" and "-" are allowed`;
  if (!/^[A-Za-z0-9]/.test(name) || !/[A-Za-z0-9]$/.test(name)) return 'the name begins and ends with a letter or a digit';
  if (/^(?:[0-9a-fA-F]{16}|[0-9a-fA-F]{64})$/.test(name)) return 'the name looks like the tag of a mesh; add a letter beyond F';
  return undefined;
}

/** Whether a text may stand as the name of a node. */
export function isNodeName(name: string): boolean {
  return name.length <= LIMITS.nodeNameCharactersMax && NODE_NAME.test(name) && !isMistakable(name);
}

/** The nearest proper name of a node to what its host is called; the domain and odd characters go. */
export function nodeNameOf(wanted: string): string {
  const [host = ''] = wanted.split('.');
  const name = trimmed(host.replace(/[^A-Za-z0-9_-]+/g, '-'), LIMITS.nodeNameCharactersMax);
  return name === '' ? FALLBACK : name;
}

/**
 * A proper name that nobody else bears: the wanted one where it is free, else with as much of the fingerprint behind it as
 * it takes. The same identity therefore always gets the same suffix. Names differ if they differ in more than case.
 */
export function uniqueNodeName(wanted: string, aid: Aid, isTaken: (name: string) => boolean): string {
  const plain = isNodeName(wanted) ? wanted : nodeNameOf(wanted);
  if (isNodeName(plain) && !isTaken(nameKey(plain))) return plain;
  const suffix = fingerprintOf(aid).toLowerCase();
  for (const characters of [4, 9, 14]) {
    const name = withSuffix(plain, suffix.slice(0, characters));
    if (isNodeName(name) && !isTaken(nameKey(name))) return name;
  }
  return withSuffix(plain, suffix);
}

/** What two names have in common exactly if they are the same name. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

function withSuffix(name: string, suffix: string): string {
  return `${trimmed(name, LIMITS.nodeNameCharactersMax - suffix.length - 1)}-${suffix}`;
}

function trimmed(text: string, charactersMax: number): string {
  return text
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, charactersMax)
    .replace(/[^A-Za-z0-9]+$/, '');
}

function isMistakable(name: string): boolean {
  return parseFingerprint(name) !== undefined || /^rn1[a-z2-7]{52}$/.test(name);
}
