/**
 * The values that RMP can express. Maps are `Map`s, never objects: keys from the network then cannot meet a prototype.
 */

/** A decoded map; its iteration order is the wire's, which is ascending byte order of the keys. */
export type RmpMap = ReadonlyMap<string, RmpValue>;

/** What {@link decodeRmp} returns. Byte strings are views into the decoded bytes. */
export type RmpValue = null | boolean | number | string | Uint8Array | readonly RmpValue[] | RmpMap;

/** What the encoder takes: the same, or plain objects for maps. An `undefined` member of an object is left out. */
export type RmpInput =
  null | boolean | number | string | Uint8Array | readonly RmpInput[] | ReadonlyMap<string, RmpInput> | { readonly [key: string]: RmpInput | undefined };

/** Whether floats are allowed: never inside signed objects. */
export type RmpMode = 'signed' | 'open';

/** What is wrong with bytes that are not RMP. */
export type RmpError =
  | 'truncated'
  | 'trailing-bytes'
  | 'too-deep'
  | 'too-many-nodes'
  | 'not-shortest'
  | 'integer-range'
  | 'float'
  | 'extension'
  | 'never-used-byte'
  | 'key-not-str'
  | 'key-too-long'
  | 'key-order'
  | 'key-forbidden'
  | 'str-too-long'
  | 'bad-utf8';

/** Not RMP: what, and at which byte. */
export interface RmpRefused {
  readonly kind: 'refused';
  readonly error: RmpError;
  readonly offset: number;
}
