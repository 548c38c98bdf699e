/**
 * What nodes tell about themselves, as gossip bodies: name and capabilities, conditions, addresses, and the machines that
 * wait at a voter. Decoders take nothing for granted: a fact outside its bounds makes the whole body unusable.
 */
import { encodeRmp } from '#core/msgpack/encode.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { intField, listField, listOf, mapField, mapOf, numberField, strField, strOf } from '#core/msgpack/fields.ts';
import type { RmpInput, RmpMap, RmpValue } from '#core/msgpack/value.ts';
import { type Address, addressText, parseAddress } from '#mesh/membership/address-policy.ts';
import { SWARM_LIMITS as LIMITS } from './limits.ts';
import type { AdmissionRequest, Capabilities, Condition, ConditionKind } from './views.ts';

const TEXT_MAX = 256;
const LIST_MAX = 64;
const STORAGE_KINDS = ['sd', 'emmc', 'nvme', 'ssd', 'hdd', 'virtual', 'unknown'] as const;
const SEVERITIES = ['notice', 'warning', 'critical'] as const;
const CONDITION_KINDS: readonly ConditionKind[] = [
  'under-voltage',
  'throttled',
  'hot',
  'storage-read-only',
  'storage-worn',
  'storage-filling',
  'memory-low',
  'clock-unsynchronised',
  'hardware-changed',
];

/** Body of the topic CAPABILITIES. */
export function encodeCapabilities(name: string, capabilities: Capabilities): Uint8Array {
  return encodeRmp({ n: name, c: capabilitiesInput(capabilities) });
}

/** The counterpart of {@link encodeCapabilities}. */
export function decodeCapabilities(body: Uint8Array): { readonly name: string; readonly capabilities: Capabilities } | undefined {
  const map = root(body);
  const name = map === undefined ? undefined : strField(map, 'n', LIMITS.nameCharactersMax);
  const capabilities = map === undefined ? undefined : readCapabilities(mapField(map, 'c'));
  return name === undefined || capabilities === undefined ? undefined : { name, capabilities };
}

/** Body of the topic CONDITIONS. */
export function encodeConditions(conditions: readonly Condition[]): Uint8Array {
  return encodeRmp(conditions.slice(0, LIST_MAX).map((condition) => ({ ...condition })));
}

/** The counterpart of {@link encodeConditions}. */
export function decodeConditions(body: Uint8Array): readonly Condition[] | undefined {
  const decoded = decodeRmp(body);
  const list = decoded.kind === 'ok' ? listOf(decoded.value, LIST_MAX) : undefined;
  return list === undefined ? undefined : all(list, readCondition);
}

/** Body of the topic ADDRESSES. */
export function encodeAddresses(addresses: readonly Address[]): Uint8Array {
  return encodeRmp(addresses.slice(0, LIMITS.addressesMax).map(addressText));
}

/** The counterpart of {@link encodeAddresses}. */
export function decodeAddresses(body: Uint8Array): readonly Address[] | undefined {
  const decoded = decodeRmp(body);
  const list = decoded.kind === 'ok' ? listOf(decoded.value, LIMITS.addressesMax) : undefined;
  return list === undefined ? undefined : all(list, (value) => parseAddress(strOf(value, TEXT_MAX) ?? '', 0));
}

/** Body of the topic MEMBERSHIP: who waits at this voter for approval. Without capabilities, so that all fit into one small frame. */
export function encodeRequests(requests: readonly AdmissionRequest[]): Uint8Array {
  return encodeRmp(requests.map((request) => ({ ...request, capabilities: null })));
}

/** The counterpart of {@link encodeRequests}. */
export function decodeRequests(body: Uint8Array): readonly AdmissionRequest[] | undefined {
  const decoded = decodeRmp(body);
  const list = decoded.kind === 'ok' ? listOf(decoded.value, LIST_MAX) : undefined;
  return list === undefined ? undefined : all(list, readRequest);
}

/** Capabilities alone, as carried by an admission request. */
export function encodeCapabilitiesAlone(capabilities: Capabilities | null): Uint8Array {
  return capabilities === null ? new Uint8Array(0) : encodeRmp(capabilitiesInput(capabilities));
}

/** The counterpart of {@link encodeCapabilitiesAlone}; null where none were told. */
export function decodeCapabilitiesAlone(body: Uint8Array): Capabilities | null {
  return readCapabilities(root(body)) ?? null;
}

function root(body: Uint8Array): RmpMap | undefined {
  const decoded = decodeRmp(body);
  return decoded.kind === 'ok' ? mapOf(decoded.value) : undefined;
}

function all<T>(values: readonly RmpValue[], read: (value: RmpValue) => T | undefined): readonly T[] | undefined {
  const out: T[] = [];
  for (const value of values) {
    const item = read(value);
    if (item === undefined) return undefined;
    out.push(item);
  }
  return out;
}

function capabilitiesInput(of: Capabilities): RmpInput {
  return { ...of, cpu: { ...of.cpu }, storage: { ...of.storage } };
}

function readCapabilities(map: RmpMap | undefined): Capabilities | undefined {
  if (map === undefined) return undefined;
  const cpu = mapField(map, 'cpu');
  const storage = mapField(map, 'storage');
  const skills = texts(map, 'skills');
  const macs = texts(map, 'macs');
  const kind = STORAGE_KINDS.find((known) => known === storage?.get('kind'));
  const words = ['agentVersion', 'arch', 'os', 'kernel', 'profile'].map((key) => strField(map, key, TEXT_MAX));
  const [agentVersion, arch, os, kernel, profile] = words;
  const memoryBytes = intField(map, 'memoryBytes');
  const cores = cpu === undefined ? undefined : intField(cpu, 'cores', 0, 65_536);
  const bytes = storage === undefined ? undefined : intField(storage, 'bytes');
  const freeBytes = storage === undefined ? undefined : intField(storage, 'freeBytes');
  if (agentVersion === undefined || arch === undefined || os === undefined || kernel === undefined || profile === undefined) return undefined;
  if (cpu === undefined || cores === undefined || memoryBytes === undefined || kind === undefined || bytes === undefined || freeBytes === undefined)
    return undefined;
  if (skills === undefined || macs === undefined) return undefined;
  return {
    agentVersion,
    arch,
    os,
    kernel,
    profile,
    model: strField(map, 'model', TEXT_MAX) ?? null,
    cpu: { model: strField(cpu, 'model', TEXT_MAX) ?? null, cores, maxMhz: numberField(cpu, 'maxMhz') ?? null },
    memoryBytes,
    gpu: strField(map, 'gpu', TEXT_MAX) ?? null,
    storage: { kind, bytes, freeBytes },
    skills,
    macs,
  };
}

function texts(map: RmpMap, key: string): readonly string[] | undefined {
  const list = listField(map, key, LIST_MAX);
  return list === undefined ? undefined : all(list, (value) => strOf(value, TEXT_MAX));
}

function readCondition(value: RmpValue): Condition | undefined {
  const map = mapOf(value);
  if (map === undefined) return undefined;
  const kind = CONDITION_KINDS.find((known) => known === map.get('kind'));
  const severity = SEVERITIES.find((known) => known === map.get('severity'));
  const text = strField(map, 'text', 512);
  const since = numberField(map, 'since');
  if (kind === undefined || severity === undefined || text === undefined || since === undefined) return undefined;
  return {
    kind,
    severity,
    text,
    value: numberField(map, 'value') ?? null,
    worst: numberField(map, 'worst') ?? null,
    unit: strField(map, 'unit', 16) ?? null,
    since,
    until: numberField(map, 'until') ?? null,
  };
}

function readRequest(value: RmpValue): AdmissionRequest | undefined {
  const map = mapOf(value);
  if (map === undefined) return undefined;
  const fingerprint = strField(map, 'fingerprint', 19);
  const aid = strField(map, 'aid', 55);
  const name = strField(map, 'name', LIMITS.nameCharactersMax);
  const address = strField(map, 'address', TEXT_MAX);
  const since = intField(map, 'since');
  const expiresAt = intField(map, 'expiresAt');
  if (fingerprint === undefined || aid === undefined || name === undefined || address === undefined || since === undefined || expiresAt === undefined)
    return undefined;
  return { fingerprint, aid, name, address, since, expiresAt, capabilities: readCapabilities(mapField(map, 'capabilities')) ?? null };
}
