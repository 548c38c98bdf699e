/**
 * Chooses what a new identity is bound to, and computes the binding an existing identity says it has. `auto` is for the making of
 * an identity only: an identity that exists names its kind, and asking for that kind is a different question. Otherwise a TPM that
 * is slow to appear after boot would make a good node look like a copy.
 */
import { Fault } from '#core/errors/fault.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { BindingKind, HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { FactsRoot } from '../facts/facts-root.ts';
import { readRecord } from '../facts/machine.ts';
import { otpBinding } from './otp-binding.ts';
import { noBinding, softBinding } from './soft-binding.ts';
import { tpmBinding } from './tpm-binding.ts';
import type { Unavailable } from './unavailable.ts';

/** What a person may ask for (`hardware_binding` in config.yaml). */
export type BindingPolicy = 'auto' | BindingKind;

/** The binding and one sentence for people about why this one. */
export interface BindingChoice {
  readonly binding: HardwareBinding;
  readonly reason: string;
}

/** Where bindings come from. */
export interface BindingSources {
  readonly root: FactsRoot;
  readonly crypto: CryptoPort;
  /** TPM device or socket; the machine's own when absent, none when facts are staged. */
  readonly tpmPath?: string;
}

const TPM_PATH = '/dev/tpmrm0';

/** A Fault (RN-AGENT-060) when a kind that was named is not there; `auto` always finds one. */
export async function chooseBinding(policy: BindingPolicy, sources: BindingSources): Promise<BindingChoice> {
  if (policy !== 'auto') return named(policy, sources);
  const record = readRecord(sources.root);
  const tried: string[] = [];
  for (const kind of ['tpm', 'otp'] as const) {
    const answer = await compute(kind, sources);
    if (!('unavailable' in answer))
      return { binding: answer, reason: `bound to the ${kind === 'tpm' ? 'TPM' : 'OTP device key'}, the strongest this machine has` };
    tried.push(answer.unavailable);
  }
  if (record.virtualisation === 'container')
    return { binding: noBinding, reason: 'bound to nothing: a container has no hardware of its own and its address changes when it is made anew' };
  const soft = softBinding(sources.crypto, record);
  if ('unavailable' in soft) return { binding: noBinding, reason: `bound to nothing: ${soft.unavailable}` };
  return { binding: soft, reason: `bound to the ${[...soft.facts.keys()].join(', ')} (${tried.join('; ')})` };
}

async function named(kind: BindingKind, sources: BindingSources): Promise<BindingChoice> {
  const answer = await compute(kind, sources);
  if ('unavailable' in answer) throw new Fault('RN-AGENT-060', `hardware binding "${kind}" is not possible: ${answer.unavailable}`);
  return { binding: answer, reason: kind === 'none' ? 'bound to nothing, as configured' : `bound by "${kind}", as configured` };
}

async function compute(kind: BindingKind, { root, crypto, tpmPath }: BindingSources): Promise<HardwareBinding | Unavailable> {
  switch (kind) {
    case 'none':
      return noBinding;
    case 'soft':
      return softBinding(crypto, readRecord(root));
    case 'otp':
      return otpBinding(crypto, root);
    case 'tpm': {
      const path = tpmPath ?? (root.staged || !root.exists(TPM_PATH) ? null : TPM_PATH);
      return path === null ? { unavailable: 'there is no TPM 2.0' } : tpmBinding(crypto, path);
    }
  }
}
