/** Faults of the area `mesh` (codes `RN-MESH-…`). */
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export const meshFaults = {} as const satisfies Record<string, FaultEntry>;
