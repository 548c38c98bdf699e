/**
 * Taking the next key from a device into escrow: it is on this machine's disk before the device deletes its own copy, so a
 * cable pulled at any moment leaves the key in at least one place.
 */
import * as z from 'zod';
import { Fault } from '#core/errors/fault.ts';
import { executablePath } from '#provisioner/plan/paths.ts';
import { readReply } from '#provisioner/sponsor/agent-replies.ts';
import type { Session } from '#provisioner/ssh/session.ts';
import { type EscrowStore, escrowPlace } from './escrow-store.ts';

const agentTimeoutMs = 30_000;

/** What was taken, and where it lies. */
export interface Collected {
  readonly path: string;
  readonly name: string;
  readonly fingerprint: string;
  /** The rotation that the key is for. */
  readonly rotation: number;
}

const documentSchema = z.looseObject({ type: z.literal('robonet-identity'), aid: z.string() });

/** Take it. `root` may use the agent's socket. */
export async function collectNextKey(
  root: Session,
  store: EscrowStore,
  host: string,
  options: { readonly signal?: AbortSignal; readonly fingerprint?: string } = {},
): Promise<Collected> {
  const { signal } = options;
  const reply = readReply(
    await root.run({ argv: [executablePath, 'identity', 'export-next', '-', '--json'], timeoutMs: agentTimeoutMs, signal }),
    documentSchema,
  );
  if (reply.kind === 'refused')
    throw new Fault('RN-PROV-060', `${host} did not hand over its next key: ${reply.message}`, reply.next === null ? {} : { next: reply.next });
  const { document, digest } = store.judge(reply.value);
  if (options.fingerprint !== undefined && document.fingerprint !== options.fingerprint)
    throw new Fault('RN-PROV-060', `${host} handed over the next key of ${document.fingerprint}, and it is ${options.fingerprint}`);
  const path = store.keep(document, host, Date.now());
  const argv = [executablePath, 'identity', 'forget-next', digest, '--escrowed', '--place', escrowPlace(), '--json'];
  const told = readReply(await root.run({ argv, timeoutMs: agentTimeoutMs, signal }), z.looseObject({ type: z.literal('next-key') }));
  if (told.kind === 'refused')
    throw new Fault('RN-PROV-060', `the next key of ${host} is in ${path}, but the device has not deleted its copy: ${told.message}`, {
      effect: 'The key is in escrow, and still on the device as well.',
      next: 'Run `provision escrow pull` for this host again.',
    });
  return { path, name: document.name, fingerprint: document.fingerprint, rotation: document.rotation + 1 };
}
