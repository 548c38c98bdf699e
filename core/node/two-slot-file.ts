/**
 * A small value in two files, A and B (protocol.md §2.9): the durable memory of the incarnation. Each write goes to the
 * older slot and is confirmed before it counts, so a power cut at any moment leaves the value before or the value after.
 */
import * as fs from 'node:fs';
import { SLOT_BYTES_MAX } from '#core/journal/limits.ts';
import type { Checksum } from '#core/journal/record.ts';
import { encodeSlot, selectSlot, type SlotName } from '#core/journal/two-slot.ts';
import { type DiskCalls, readWholeFile, replaceFile } from './disk.ts';

/** Room for the slot's own head. */
const SLOT_FILE_BYTES_MAX = SLOT_BYTES_MAX + 64;

/** An open pair of slots. */
export interface TwoSlotFile {
  /** The newest whole value when it was opened, or what was written since; undefined when there was none. */
  readonly value: Uint8Array | undefined;
  /** Slots that existed but were damaged when the pair was opened: with no value, the incarnation is lost (§2.10). */
  readonly damaged: readonly SlotName[];
  /** Durably replace the value. */
  write(payload: Uint8Array): void;
}

/** Open `<path>.a` and `<path>.b`. */
export function openTwoSlot(path: string, checksum: Checksum, calls: DiskCalls = fs): TwoSlotFile {
  const names: Readonly<Record<SlotName, string>> = { a: `${path}.a`, b: `${path}.b` };
  const selection = selectSlot(checksum, readWholeFile(names.a, SLOT_FILE_BYTES_MAX, calls), readWholeFile(names.b, SLOT_FILE_BYTES_MAX, calls));
  let { next } = selection;
  let value = selection.current?.payload;
  return {
    get value() {
      return value;
    },
    damaged: selection.damaged,
    write(payload) {
      replaceFile(names[next.slot], encodeSlot(checksum, next.generation, payload), undefined, calls);
      value = payload.slice();
      next = { slot: next.slot === 'a' ? 'b' : 'a', generation: next.generation + 1 };
    },
  };
}
