/**
 * DNS records as the multicast socket decodes them, read with suspicion: whatever is not of the expected form is left
 * out. Also our own records, and which of them answer a question. Pure.
 */
import { textOf } from '#core/bytes/bytes.ts';
import { HOST_TTL_S, RECORDS_PER_PACKET_MAX, SERVICE_TTL_S } from '#provisioner/discover/mdns/limits.ts';

/** A record that has the form its type asks for. */
export type MdnsRecord =
  | { readonly type: 'PTR'; readonly name: string; readonly ttl: number; readonly data: string }
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly ttl: number; readonly data: string }
  | { readonly type: 'SRV'; readonly name: string; readonly ttl: number; readonly data: { readonly target: string; readonly port: number } }
  | { readonly type: 'TXT'; readonly name: string; readonly ttl: number; readonly data: readonly Uint8Array[] };

export interface MdnsQuestion {
  readonly name: string;
  readonly type: string;
}

/** What we publish about one service on one interface. */
export interface Advertisement {
  /** `robonet-abcdefghijkl`: no dots. */
  readonly instance: string;
  /** `_robonet._tcp`. */
  readonly type: string;
  /** `robonet-abcdefghijkl.local`. */
  readonly host: string;
  readonly port: number;
  readonly txt: ReadonlyMap<string, string>;
}

const META = '_services._dns-sd._udp.local';

/** The well-formed records of a decoded packet, answers and additionals together, bounded. */
export function recordsIn(packet: unknown): readonly MdnsRecord[] {
  if (!isObject(packet)) return [];
  const sections = [packet['answers'], packet['additionals']].flatMap((section): unknown[] => (Array.isArray(section) ? section : []));
  return sections.slice(0, RECORDS_PER_PACKET_MAX).flatMap((record) => readRecord(record) ?? []);
}

/** The questions of a decoded packet. */
export function questionsIn(packet: unknown): readonly MdnsQuestion[] {
  if (!isObject(packet) || !Array.isArray(packet['questions'])) return [];
  return packet['questions'].flatMap((question: unknown) =>
    isObject(question) && typeof question['name'] === 'string' && typeof question['type'] === 'string'
      ? [{ name: question['name'], type: question['type'] }]
      : [],
  );
}

function readRecord(record: unknown): MdnsRecord | undefined {
  if (!isObject(record)) return undefined;
  const { name, ttl, type, data } = { name: record['name'], ttl: record['ttl'], type: record['type'], data: record['data'] };
  if (typeof name !== 'string' || typeof ttl !== 'number' || name.length > 255) return undefined;
  if ((type === 'PTR' || type === 'A' || type === 'AAAA') && typeof data === 'string' && data.length <= 255) return { type, name, ttl, data };
  if (type === 'SRV' && isObject(data)) {
    const { target, port } = { target: data['target'], port: data['port'] };
    return typeof target === 'string' && target.length <= 255 && typeof port === 'number' && port > 0 && port < 65_536
      ? { type, name, ttl, data: { target, port } }
      : undefined;
  }
  if (type === 'TXT') {
    const parts: unknown[] = Array.isArray(data) ? data : [data];
    return { type, name, ttl, data: parts.filter((part) => part instanceof Uint8Array) };
  }
  return undefined;
}

/** `key=value` strings of a TXT record; the first of a repeated key counts (RFC 6763 §6.4), keys in lower case. */
export function readTxt(parts: readonly Uint8Array[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of parts) {
    const [, key, value] = /^([^=]{1,32})=(.*)$/s.exec(textOf(part) ?? '') ?? [];
    if (key !== undefined && value !== undefined && !pairs.has(key.toLowerCase())) pairs.set(key.toLowerCase(), value);
  }
  return pairs;
}

/** Every record of an advertisement, with the addresses of the one interface it is published on. */
export function recordsOf(advertisement: Advertisement, addresses: readonly string[]): readonly MdnsRecord[] {
  const { instance, type, host, port, txt } = advertisement;
  const service = `${type}.local`;
  const name = `${instance}.${service}`;
  return [
    { type: 'PTR', name: service, ttl: SERVICE_TTL_S, data: name },
    { type: 'SRV', name, ttl: HOST_TTL_S, data: { target: host, port } },
    { type: 'TXT', name, ttl: SERVICE_TTL_S, data: [...txt].map(([key, value]) => ascii(`${key}=${value}`)) },
    ...addresses.map((data): MdnsRecord => ({ type: 'A', name: host, ttl: HOST_TTL_S, data })),
    { type: 'PTR', name: META, ttl: SERVICE_TTL_S, data: service },
  ];
}

/** What to answer to a question: the records asked for, and those a browser will ask for next. */
export function answersTo(
  question: MdnsQuestion,
  own: readonly MdnsRecord[],
): { readonly answers: readonly MdnsRecord[]; readonly additionals: readonly MdnsRecord[] } {
  const asked = question.name.toLowerCase();
  const answers = own.filter((record) => record.name.toLowerCase() === asked && (question.type === 'ANY' || question.type === record.type));
  const additionals = answers.some((record) => record.type === 'PTR' && record.name !== META)
    ? own.filter((record) => !answers.includes(record) && record.name !== META)
    : [];
  return { answers, additionals };
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
