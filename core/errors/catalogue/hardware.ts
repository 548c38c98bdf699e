/** Faults of the hardware readers and the hardware binding (codes `RN-AGENT-060` to `RN-AGENT-069`). */
import { EXIT } from '#core/errors/exit-codes.ts';
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export const hardwareFaults = {
  'RN-AGENT-060': {
    title: 'the hardware binding that was asked for is not possible',
    why: 'The configuration or the stored identity names a hardware binding (soft, otp or tpm), and this machine does not offer it now: the TPM is absent, switched off or slow to appear, the OTP memory holds no key, or no fact identifies the machine.',
    effect: 'No identity was made or opened; nothing was changed.',
    next: 'Switch the TPM on in the firmware, or choose hardware_binding: auto in /etc/robonet/config.yaml for a new identity.',
    retry: 'later',
    exit: EXIT.badConfiguration,
  },
} as const satisfies Record<string, FaultEntry>;
