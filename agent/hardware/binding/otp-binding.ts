/**
 * HB2: the device private key in the one-time-programmable memory of a Raspberry Pi. Reads only, by two routes: the kernel's nvmem
 * file, else the firmware's mailbox through `vcmailbox` (fixed path, fixed arguments). It never writes OTP and never makes a key: an
 * all-zero key is "none". Root on the same board can read the key too; what it stops is a copied card in another board.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { FactsRoot } from '../facts/facts-root.ts';
import { limits } from '../limits.ts';
import type { Unavailable } from './unavailable.ts';

/** Rows (32-bit words) of the key; later boards have more rows, the first eight are the key on all of them. */
const ROWS = 8;
const NVMEM_NAMES = /^(nvmem_priv|rpi-otp-private)\d*$/;
const MAILBOX_PATHS = ['/usr/bin/vcmailbox', '/opt/vc/bin/vcmailbox'];
/** GET_PRIVATE_OTP: tag, request and response space of 40 bytes, first row 0, eight rows. The tag that writes is another one. */
const MAILBOX_ARGUMENTS = ['0x00030081', '40', '40', '0', '8', '0', '0', '0', '0', '0', '0', '0', '0'];

/** The binding to this board's OTP key, or why there is none. */
export async function otpBinding(crypto: CryptoPort, root: FactsRoot): Promise<HardwareBinding | Unavailable> {
  const key = nvmemKey(root) ?? (root.staged ? null : await mailboxKey());
  if (key === null) return { unavailable: 'the board has no readable OTP device key (Raspberry Pi 4 and later, as root)' };
  if (key.every((byte) => byte === 0))
    return { unavailable: 'no device key has been written to the OTP memory; that is done once, for good, with rpi-otp-private-key' };
  const digest = crypto.sha256(utf8('robonet:hw:otp\0'), crypto.hmac(key, utf8('public')));
  return { kind: 'otp', digest, secret: crypto.hmac(key, utf8('robonet:hw:otp secret')), facts: new Map([['OTP device key', hex(digest.subarray(0, 8))]]) };
}

/** Words as the firmware counts them, most significant byte first, so that both routes give the same key. */
function nvmemKey(root: FactsRoot): Uint8Array | null {
  const folder = '/sys/bus/nvmem/devices';
  const name = root.list(folder).find((candidate) => NVMEM_NAMES.test(candidate));
  const raw = name === undefined ? null : root.bytes(`${folder}/${name}/nvmem`);
  if (raw === null || raw.length < ROWS * 4) return null;
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return fromWords(Array.from({ length: ROWS }, (_, row) => view.getUint32(row * 4, true)));
}

async function mailboxKey(): Promise<Uint8Array | null> {
  const program = existsSync('/dev/vcio') ? MAILBOX_PATHS.find((path) => existsSync(path)) : undefined;
  if (program === undefined) return null;
  const output = await new Promise<string>((resolve) => {
    execFile(program, MAILBOX_ARGUMENTS, { timeout: limits.reportTimeoutMs, maxBuffer: 4_096 }, (error, stdout) => resolve(error === null ? stdout : ''));
  });
  return parseMailbox(output);
}

/** The key in what `vcmailbox` prints: seven words of envelope (the second says success), then the rows. */
export function parseMailbox(output: string): Uint8Array | null {
  const words = output.trim().split(/\s+/).map(Number);
  if (words.length < 7 + ROWS || words[1] !== 0x8000_0000 || words.some((word) => !Number.isInteger(word))) return null;
  return fromWords(words.slice(7, 7 + ROWS));
}

function fromWords(words: readonly number[]): Uint8Array {
  const key = new Uint8Array(words.length * 4);
  const view = new DataView(key.buffer);
  words.forEach((word, row) => view.setUint32(row * 4, word));
  return key;
}
