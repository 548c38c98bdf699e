/**
 * A small value kept in two slots (protocol.md §2.9, start-up discipline): the newer of the two that is whole counts, and
 * a write goes to the other one, so that an interrupted write always leaves the previous value.
 */
import { assert } from '#core/errors/assert.ts';
import { concat, u32 } from '#core/bytes/bytes.ts';
import { SLOT_BYTES_MAX } from './limits.ts';
import type { Checksum } from './record.ts';

const HEAD_BYTES = 16;
/** "RNS1". */
const MAGIC = 0x524e5331;

/** Which of the two. */
export type SlotName = 'a' | 'b';

/** What stands in the slots. */
export interface SlotSelection {
  /** The newest whole value; undefined when neither slot holds one. */
  readonly current: { readonly slot: SlotName; readonly generation: number; readonly payload: Uint8Array } | undefined;
  /** Slots that exist but are damaged. */
  readonly damaged: readonly SlotName[];
  /** Where the next value goes, and its generation. */
  readonly next: { readonly slot: SlotName; readonly generation: number };
}

/** The stored form: magic, generation, length, CRC-32 over all of it but itself, payload. */
export function encodeSlot(checksum: Checksum, generation: number, payload: Uint8Array): Uint8Array {
  assert(payload.length <= SLOT_BYTES_MAX, `a slot holds at most ${String(SLOT_BYTES_MAX)} bytes`);
  assert(Number.isInteger(generation) && generation > 0 && generation <= 0xffff_ffff, 'generations are positive 32-bit numbers');
  const head = concat(u32(MAGIC), u32(generation), u32(payload.length));
  return concat(head, u32(checksum.crc32(payload, checksum.crc32(head))), payload);
}

/** The value of one stored slot; undefined when it is not whole. */
export function decodeSlot(checksum: Checksum, bytes: Uint8Array): { readonly generation: number; readonly payload: Uint8Array } | undefined {
  if (bytes.length < HEAD_BYTES || bytes.length > HEAD_BYTES + SLOT_BYTES_MAX) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const payload = bytes.subarray(HEAD_BYTES);
  const generation = view.getUint32(4);
  if (view.getUint32(0) !== MAGIC || generation === 0 || view.getUint32(8) !== payload.length) return undefined;
  return view.getUint32(12) === checksum.crc32(payload, checksum.crc32(bytes.subarray(0, 12))) ? { generation, payload } : undefined;
}

/** Judge both slots; undefined bytes stand for "no such file". */
export function selectSlot(checksum: Checksum, a: Uint8Array | undefined, b: Uint8Array | undefined): SlotSelection {
  const slotA = a === undefined ? undefined : decodeSlot(checksum, a);
  const slotB = b === undefined ? undefined : decodeSlot(checksum, b);
  const damaged: SlotName[] = [];
  if (a !== undefined && slotA === undefined) damaged.push('a');
  if (b !== undefined && slotB === undefined) damaged.push('b');
  if (slotA === undefined && slotB === undefined) return { current: undefined, damaged, next: { slot: 'a', generation: 1 } };
  // The second value went to the other slot, so from then on both exist.
  const [newest, other] = slotB === undefined || (slotA !== undefined && slotA.generation > slotB.generation) ? [slotA, b] : [slotB, a];
  if (other === undefined && newest !== undefined && newest.generation > 1) damaged.push(newest === slotA ? 'b' : 'a');
  const useA = slotB === undefined || (slotA !== undefined && slotA.generation > slotB.generation);
  const value = useA ? slotA : slotB;
  assert(value !== undefined, 'one of the slots is whole');
  const slot = useA ? 'a' : 'b';
  return { current: { slot, ...value }, damaged, next: { slot: useA ? 'b' : 'a', generation: value.generation + 1 } };
}
