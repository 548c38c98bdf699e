/** The next key of a new member goes into escrow here. It is a member already, so nothing that goes wrong takes that back. */
import { isFault } from '#core/errors/fault.ts';
import type { HostRun } from '#provisioner/execute/run.ts';
import { collectNextKey } from '#provisioner/escrow/collect.ts';

/** Take it, or say in the recap why it is still on the device. */
export async function escrowNextKey(run: HostRun): Promise<void> {
  if (run.escrow === null || run.joined === null) return;
  try {
    run.escrowed = await collectNextKey(run.target, run.escrow, run.label, { signal: run.signal, fingerprint: run.joined.fingerprint });
  } catch (error) {
    if (!isFault(error)) throw error;
    run.warnings.push(`its next key is still on the device: ${error.message}; run \`provision escrow pull ${run.label}\``);
    run.report({ kind: 'warning', text: run.warnings.at(-1) ?? '' });
  }
}
