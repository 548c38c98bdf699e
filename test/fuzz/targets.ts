/** Everything that is fuzzed; `npm run fuzz -- --list` shows it. */
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { admissionTargets } from './targets/admission.ts';
import { approvalTargets } from './targets/approvals.ts';
import { channelTargets } from './targets/channel.ts';
import { historyTargets } from './targets/history.ts';
import { membershipTargets } from './targets/membership.ts';
import { networkTextTargets } from './targets/network-text.ts';
import { pastTargets } from './targets/past.ts';
import { rmpTargets } from './targets/rmp.ts';
import { storageTargets } from './targets/storage.ts';
import { trustTargets } from './targets/trust.ts';
import { wireTargets } from './targets/wire.ts';

/** All targets, from the bytes up. */
export const fuzzTargets: readonly FuzzTarget[] = [
  ...rmpTargets,
  ...wireTargets,
  ...channelTargets,
  ...historyTargets,
  ...pastTargets,
  ...admissionTargets,
  ...approvalTargets,
  ...trustTargets,
  ...membershipTargets,
  ...storageTargets,
  ...networkTextTargets,
];
