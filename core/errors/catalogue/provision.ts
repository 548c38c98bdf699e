/** Faults of the area `provision` (codes `RN-PROV-…`). */
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export const provisionFaults = {} as const satisfies Record<string, FaultEntry>;
