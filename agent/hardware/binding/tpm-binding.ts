/**
 * HB3: a secret only this TPM can compute. Nothing is stored anywhere: the key is derived inside the TPM from its own seed each
 * time and flushed again. It never writes to the TPM's persistent memory, and never takes ownership.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { createHmacPrimary, flush, hmacWith, parseDigest, parsePrimary, parseResponse } from './tpm-codec.ts';
import { openTpm, type TpmDevice } from './tpm-device.ts';
import type { Unavailable } from './unavailable.ts';

const UNIQUE = 'roboNet hardware binding v1';
/** TPM_RC_RETRY, TPM_RC_YIELDED, TPM_RC_TESTING: ask again. */
const ASK_AGAIN = new Set([0x922, 0x908, 0x90a]);
const ATTEMPTS_MAX = 5;
const ATTEMPT_PAUSE_MS = 200;

/** The binding to the TPM behind `path`, or why there is none. */
export async function tpmBinding(crypto: CryptoPort, path: string): Promise<HardwareBinding | Unavailable> {
  let device: TpmDevice;
  try {
    device = await openTpm(path);
  } catch (error) {
    if (error instanceof Error) return { unavailable: `the TPM at ${path} cannot be opened (${error.message})` };
    throw error;
  }
  try {
    return await derive(crypto, device);
  } catch (error) {
    if (error instanceof Error) return { unavailable: `the TPM at ${path} does not answer (${error.message})` };
    throw error;
  } finally {
    await device.close();
  }
}

async function derive(crypto: CryptoPort, device: TpmDevice): Promise<HardwareBinding | Unavailable> {
  const created = await ask(device, createHmacPrimary(crypto.sha256(utf8(UNIQUE))));
  if ('unavailable' in created) return created;
  const primary = parsePrimary(created.body);
  if (primary === undefined) return { unavailable: 'the TPM answered with a malformed key' };
  const keyed = await ask(device, hmacWith(primary.handle, utf8(`${UNIQUE} secret`)));
  await ask(device, flush(primary.handle));
  if ('unavailable' in keyed) return keyed;
  const secret = parseDigest(keyed.body);
  if (secret === undefined || secret.length !== 32) return { unavailable: 'the TPM answered with a malformed digest' };
  const digest = crypto.sha256(utf8('robonet:hw:tpm\0'), primary.publicArea);
  return { kind: 'tpm', digest, secret, facts: new Map([['TPM key', hex(digest.subarray(0, 8))]]) };
}

async function ask(device: TpmDevice, command: Uint8Array): Promise<{ body: Uint8Array } | Unavailable> {
  for (let attempt = 1; ; attempt += 1) {
    const response = parseResponse(await device.exchange(command));
    if (response === undefined) return { unavailable: 'the TPM answered with a malformed frame' };
    if (response.code === 0) return { body: response.body };
    if (!ASK_AGAIN.has(response.code) || attempt >= ATTEMPTS_MAX)
      return { unavailable: `the TPM refused with code 0x${response.code.toString(16)}${meaning(response.code)}` };
    await delay(ATTEMPT_PAUSE_MS);
  }
}

function meaning(code: number): string {
  if (code === 0x143) return ' (it does not know the command HMAC)';
  if ((code & 0xbf) === 0x22 || (code & 0xbf) === 0x8e) return ' (its owner hierarchy has a password)';
  if (code === 0x100) return ' (it has not been started)';
  return '';
}
