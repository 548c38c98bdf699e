/** Faults of the area `agent` (codes `RN-AGENT-…`). */
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export const agentFaults = {} as const satisfies Record<string, FaultEntry>;
