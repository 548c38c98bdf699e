/**
 * HB0 and HB1. A soft binding notices that a disk or card has been copied into another machine; it keeps nothing secret, because
 * everybody who holds the machine can read its anchor. Pure.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { HardwareRecord } from '../facts/facts.ts';
import { bindingFacts } from './binding-facts.ts';
import type { Unavailable } from './unavailable.ts';

/** HB0: bound to nothing. */
export const noBinding: HardwareBinding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() };

/** HB1: bound to the machine's anchor, or why there is none. */
export function softBinding(crypto: CryptoPort, record: HardwareRecord): HardwareBinding | Unavailable {
  const facts = bindingFacts(record);
  if (facts.size === 0) return { unavailable: 'the machine has no serial number, no permanent network address and no disk identifier' };
  const text = [...facts].map(([name, value]) => `${name}\0${value}\n`).join('');
  return {
    kind: 'soft',
    digest: crypto.sha256(utf8('robonet:hw:soft\0'), utf8(text)),
    secret: crypto.sha256(utf8('robonet:hw:soft secret\0'), utf8(text)),
    facts,
  };
}
