/**
 * The agent's hardware readers, joined: facts are read (`facts/`), judged (`judge/`) and handed up as the mesh's plain views.
 * Nothing here decides anything; nothing here writes.
 */
import type { Millis } from '#core/time/time.ts';
import type { Capabilities, Condition } from '#mesh/swarm/views.ts';
import { readAllowance } from './facts/allowance.ts';
import type { HardwareRecord } from './facts/facts.ts';
import type { FactsRoot } from './facts/facts-root.ts';
import { describeMachine } from './facts/machine-description.ts';
import { readRecord } from './facts/machine.ts';
import { Sensors } from './facts/sensors.ts';
import { limits } from './limits.ts';
import { judgeCapabilities } from './judge/capabilities.ts';
import { judgeConditions } from './judge/conditions.ts';
import { identifyProfile } from './profiles/identify-profile.ts';
import type { HardwareProfile } from './profiles/profile.ts';

/** All slow facts; JSON-safe, to be kept and compared with after the next boot (`judge/compare-hardware.ts`). */
export function readHardware(root: FactsRoot): HardwareRecord {
  return readRecord(root);
}

/** What this node can do, read afresh. Call at start and when the hardware may have changed, not in the poll. */
export async function readCapabilities(root: FactsRoot, agentVersion: string): Promise<Capabilities> {
  const record = await describeMachine(root, readRecord(root));
  const space = root.space(root.exists(root.statePath) ? root.statePath : '/');
  return judgeCapabilities(record, { profile: identifyProfile(record).profile.id, agentVersion, space, allowance: readAllowance(root) });
}

/**
 * What is wrong now and what was, given what was known before (hand back the last answer; start with `[]`). `now` is wall time.
 * Conditions of kinds that no sensor sees (`hardware-changed`) pass through untouched.
 */
export function readConditions(root: FactsRoot, profile: HardwareProfile, previous: readonly Condition[], now: Millis): readonly Condition[] {
  return judgeConditions({ facts: sensorsOf(root, now).read(), profile, previous, now });
}

// Places of sensors are found once per facts root and looked for again now and then (a driver may load late); in a staged folder
// they are found each time, because a test adds files. The map never keeps a root alive.
const known = new WeakMap<FactsRoot, { readonly sensors: Sensors; readonly foundAt: Millis }>();

function sensorsOf(root: FactsRoot, now: Millis): Sensors {
  const entry = known.get(root);
  if (entry !== undefined && !root.staged && Math.abs(now - entry.foundAt) < limits.sensorSearchMs) return entry.sensors;
  const sensors = new Sensors(root);
  known.set(root, { sensors, foundAt: now });
  return sensors;
}
