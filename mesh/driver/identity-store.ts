/**
 * The identity on disk and the incarnation of this start (protocol.md §2.9 "start-up discipline", §2.14). The identity is
 * made here, on the machine, at first start; on other hardware it is not used: a fresh one takes its place and the old
 * file is kept. The incarnation is durable, confirmed and read back before the network opens.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { Fault } from '#core/errors/fault.ts';
import { type DiskCalls, moveAside, readWholeFile, replaceFile } from '#core/node/disk.ts';
import { openTwoSlot } from '#core/node/two-slot-file.ts';
import type { Entropy } from '#core/random/random.ts';
import { decodeBoot, makeBoot, type StartReason } from '#mesh/hcth/boot-event.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { BindingKind, HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { type Identity, identityFileBinding, openIdentity, sealIdentity } from '#mesh/hcth/identity-file.ts';
import { type Aid, aidText } from '#mesh/hcth/identity-text.ts';
import { decideStart, decodeIncarnation, encodeIncarnation, type SlotReading } from '#mesh/hcth/incarnation.ts';
import { packStatement, readOwnStatements } from '#mesh/hcth/own-statements.ts';
import type { LocalIdentity } from '#mesh/session/host.ts';
import type { NodeState } from './node-state.ts';

/** The binding itself, or how to get it: a machine must open an identity with the kind it was sealed with. */
export type BindingSource = HardwareBinding | ((existing: BindingKind | null) => HardwareBinding | Promise<HardwareBinding>);

/** What opening the identity found. */
export interface OpenedIdentity {
  readonly identity: Identity;
  readonly origin: 'created' | 'opened' | 'replaced';
  /** Of an identity sealed on other hardware. */
  readonly mismatch: { readonly aid: Aid; readonly changed: readonly string[] } | null;
}

/** Bytes of an identity file: cover, facts, a sealed log of 64 events. */
export const IDENTITY_BYTES_MAX = 49_152;
const SOFTWARE_CHARACTERS_MAX = 64;

/** Open the identity of this machine, or make one. */
export async function openOrCreateIdentity(
  folder: string,
  crypto: CryptoPort,
  entropy: Entropy,
  source: BindingSource,
  calls: DiskCalls = fs,
): Promise<OpenedIdentity> {
  const path = join(folder, 'identity');
  const file = readWholeFile(path, IDENTITY_BYTES_MAX, calls);
  const binding = typeof source === 'function' ? await source(file === undefined ? null : (identityFileBinding(file)?.kind ?? null)) : source;
  if (file === undefined) {
    prepareIncarnation(folder, crypto, calls);
    return { identity: writeNew(path, crypto, entropy, binding, calls), origin: 'created', mismatch: null };
  }
  const outcome = openIdentity(crypto, file, binding);
  switch (outcome.kind) {
    case 'ok':
      return { identity: outcome.identity, origin: 'opened', mismatch: null };
    case 'corrupt':
      throw new Fault('RN-MESH-002', `${path} cannot be opened: ${outcome.why}`);
    case 'wrong-hardware': {
      moveAside(path, freeName(`${path}.other-hardware`, calls), calls);
      // The old identity's count goes on: whichever of the two identities a power cut leaves, no number is used twice.
      return { identity: writeNew(path, crypto, entropy, binding, calls), origin: 'replaced', mismatch: { aid: outcome.aid, changed: outcome.changed } };
    }
  }
}

/**
 * A new identity in the place of one that has left its mesh and is used up. With a word for `aside` the former one is kept
 * under it: a copy that gave way to its original must not lose what it may still be asked about.
 */
export async function replaceIdentity(
  folder: string,
  crypto: CryptoPort,
  entropy: Entropy,
  source: BindingSource,
  calls: DiskCalls = fs,
  aside: string | null = null,
): Promise<Identity> {
  const path = join(folder, 'identity');
  const file = readWholeFile(path, IDENTITY_BYTES_MAX, calls);
  const binding = typeof source === 'function' ? await source(file === undefined ? null : (identityFileBinding(file)?.kind ?? null)) : source;
  if (aside !== null && file !== undefined) moveAside(path, freeName(`${path}.${aside}`, calls), calls);
  return writeNew(path, crypto, entropy, binding, calls);
}

function writeNew(path: string, crypto: CryptoPort, entropy: Entropy, binding: HardwareBinding, calls: DiskCalls): Identity {
  const { identity, secrets } = createIdentity(crypto, entropy(IDENTITY_RANDOM_BYTES), binding);
  replaceFile(path, sealIdentity(crypto, secrets, identity.established.aid, binding, entropy(12)), undefined, calls);
  return identity;
}

/**
 * Before an identity there is a count for it: else a power cut between the two would leave an identity without one, which
 * has to be taken for one that may have spoken.
 */
function prepareIncarnation(folder: string, crypto: CryptoPort, calls: DiskCalls): void {
  const slots = openTwoSlot(join(folder, 'incarnation'), crypto, calls);
  if (slots.value === undefined && slots.damaged.length === 0) slots.write(encodeIncarnation({ incarnation: 0, nonce: new Uint8Array(16), why: 'first' }));
}

function freeName(path: string, calls: DiskCalls): string {
  for (let number = 1; number < 100; number += 1) if (calls.lstatSync(`${path}-${number}`, { throwIfNoEntry: false }) === undefined) return `${path}-${number}`;
  return `${path}-100`;
}

/** A started incarnation. */
export interface StartedIncarnation {
  readonly local: LocalIdentity;
  readonly why: StartReason;
  readonly degraded: boolean;
}

/**
 * Begin the next incarnation: durable before anything is signed in it.
 * @param atLeast what peers have proved, or 0
 */
export function startIncarnation(
  state: NodeState,
  crypto: CryptoPort,
  entropy: Entropy,
  identity: Identity,
  options: { readonly spokenBefore: boolean; readonly atLeast: number; readonly reason: 'start' | 'clock-jump' | 'restore'; readonly software: string },
): StartedIncarnation {
  const slots = openTwoSlot(join(state.folder, 'incarnation'), crypto, state.calls);
  const stored = slots.value === undefined ? undefined : decodeIncarnation(slots.value);
  const readings: SlotReading[] = slots.damaged.map(() => ({ kind: 'unreadable' as const }));
  if (stored !== undefined) readings.push({ kind: 'stored', stored });
  const own = readOwnStatements(crypto, state.statements);
  // Without a readable incarnation a large step is taken, and peers that know better prove it (§2.9, R2).
  const decision = decideStart({
    slots: readings,
    spokenBefore: options.spokenBefore,
    provenByOthers: Math.max(0, options.atLeast - 1),
    newestBoot: own.incarnation,
    reason: options.reason,
  });
  for (const slot of slots.damaged)
    state.repairs.push({
      code: 'STATE_DEGRADED',
      text: `incarnation.${slot} is damaged or gone; ${decision.kind === 'start' && !decision.degraded ? 'the own boot events say where to go on' : 'the count was lost'}`,
    });
  if (decision.kind === 'start' && decision.degraded)
    state.repairs.push({
      code: 'STATE_DEGRADED',
      text: `no incarnation of this identity could be read; it goes on as ${decision.incarnation} and asks its peers first`,
    });
  if (decision.kind !== 'start')
    throw new Fault('RN-MESH-001', `the incarnation of this start cannot be decided: ${decision.kind === 'refuse' ? decision.why : 'nothing is readable'}`);
  const nonce = entropy(16);
  slots.write(encodeIncarnation({ incarnation: decision.incarnation, nonce, why: decision.why }));
  const { established, signKey, staticKey } = identity;
  const bootObject = makeBoot(crypto, signKey, {
    aid: established.aid,
    incarnation: decision.incarnation,
    nonce,
    establishmentHead: established.head,
    previousBoot: own.boot,
    previousStatement: own.statement,
    why: decision.why,
    software: options.software.slice(0, SOFTWARE_CHARACTERS_MAX),
  });
  state.persist([{ kind: 'statement', record: packStatement(bootObject), durable: true }]);
  const boot = decodeBoot(bootObject.body);
  if (boot === undefined) throw new Fault('RN-MESH-001', 'the boot event of this start does not decode');
  return {
    local: { aid: established.aid, text: aidText(established.aid), signKey, staticKey, established, bootObject, boot },
    why: decision.why,
    degraded: decision.degraded,
  };
}
