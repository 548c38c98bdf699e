/** Which profile describes a machine. Pure: a record of facts in, a profile and the reason out. */
import { assert } from '#core/errors/assert.ts';
import type { HardwareRecord } from '../facts/facts.ts';
import { profiles } from './embedded.ts';
import type { HardwareProfile, MatchRule } from './profile.ts';

/** The profile chosen, and whether the hardware was recognised or a generic profile stands in. */
export interface IdentifiedProfile {
  readonly profile: HardwareProfile;
  readonly known: boolean;
  /** One sentence for people, e.g. in `robonet doctor`. */
  readonly reason: string;
}

/** All profiles that match, best first. */
export function matchingProfiles(record: HardwareRecord, among: readonly HardwareProfile[] = profiles): readonly HardwareProfile[] {
  return among.filter((profile) => profile.match.some((rule) => holds(rule, record))).sort((a, b) => b.rank - a.rank || (a.id < b.id ? -1 : 1));
}

/** The best profile; unknown hardware gets the generic one of its architecture and is told so. */
export function identifyProfile(record: HardwareRecord): IdentifiedProfile {
  const best = matchingProfiles(record)[0];
  if (best !== undefined && !best.generic) return { profile: best, known: true, reason: `recognised as ${best.name}${because(record)}` };
  const profile = best ?? profiles.find((candidate) => candidate.id === 'generic-x86-64-mini-pc');
  assert(profile !== undefined, 'the generic profiles are embedded');
  const what = record.model === null ? `hardware that gives no model name (${record.arch})` : `"${record.model}"`;
  return { profile, known: false, reason: `no profile knows ${what}; the generic profile ${profile.id} is used, its limits are cautious guesses` };
}

function because(record: HardwareRecord): string {
  if (record.virtualisation !== 'none') return record.virtualiser === null ? '' : ` (${record.virtualiser})`;
  return record.model === null ? '' : ` ("${record.model}")`;
}

function holds(rule: MatchRule, record: HardwareRecord): boolean {
  return (
    (rule.compatible === undefined || record.compatible.includes(rule.compatible)) &&
    (rule.modelPrefix === undefined || (record.model ?? '').startsWith(rule.modelPrefix)) &&
    (rule.virtualisation === undefined || rule.virtualisation === record.virtualisation) &&
    (rule.arch === undefined || rule.arch === record.arch) &&
    (rule.deviceTree === undefined || rule.deviceTree === record.compatible.length > 0)
  );
}
