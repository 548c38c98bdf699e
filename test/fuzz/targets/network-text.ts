/** Targets of discovery, gossip and of the files people write: what neighbours claim, and what gets typed. */
import { createRequire } from 'node:module';
import { parseConfig } from '#agent/config/read-config.ts';
import { concat, textOf, utf8 } from '#core/bytes/bytes.ts';
import { isFault } from '#core/errors/fault.ts';
import { addressText, isLocalAddress, parseAddress, sourceKey } from '#mesh/membership/address-policy.ts';
import {
  decodeAddresses,
  decodeCapabilities,
  decodeConditions,
  decodeRequests,
  encodeAddresses,
  encodeCapabilities,
  encodeConditions,
  encodeRequests,
} from '#mesh/swarm/facts-codec.ts';
import { SOME_CAPABILITIES } from '#mesh/swarm/world.ts';
import { HOSTS_MAX, SERVICES_MAX } from '#provisioner/discover/mdns/limits.ts';
import { isPlausiblePacket } from '#provisioner/discover/mdns/packet-guard.ts';
import { answersTo, questionsIn, recordsIn, recordsOf } from '#provisioner/discover/mdns/records.ts';
import { ServiceCache } from '#provisioner/discover/mdns/service-cache.ts';
import { decodeTxt, encodeTxt, isNodeName, ROBONET_SERVICE } from '#provisioner/discover/mdns/txt.ts';
import { parseInventory } from '#provisioner/inventory/inventory.ts';
import { parseHostTarget } from '#provisioner/ssh/host-name.ts';
import { matchesHosts, parseKnownHosts } from '#provisioner/ssh/known-hosts.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { promise, sameBytes } from '../promises.ts';

interface DnsPacket {
  readonly encode: (packet: object) => Uint8Array;
  readonly decode: (bytes: Buffer) => unknown;
}

// The decoder that our multicast library itself uses.
const dns: DnsPacket = createRequire(createRequire(import.meta.url).resolve('bonjour-service'))('dns-packet');

const advertisement = {
  instance: 'robonet-abcdefghijkl',
  type: ROBONET_SERVICE,
  host: 'robonet-abcdefghijkl.local',
  port: 7_411,
  txt: encodeTxt({
    meshTag: '0123456789abcdef',
    state: 'member',
    name: 'kitchen',
    fingerprint: 'ABCD-ABCD-ABCD-ABCD',
    protocolVersion: 1,
    agentVersion: '0.1.0',
  }),
};
const ownRecords = recordsOf(advertisement, ['10.0.0.7']);

const mdns: FuzzTarget = {
  name: 'mdns',
  promise: 'a multicast packet adds bounded sightings with bounded names; properties that pass have the agreed form and no control characters',
  seeds: () => {
    const answers = ownRecords.map((record) => (record.type === 'TXT' ? { ...record, data: record.data.map((part) => Buffer.from(part)) } : record));
    return [
      dns.encode({ type: 'response', answers }),
      dns.encode({ type: 'response', answers: answers.map((record) => ({ ...record, ttl: 0 })) }),
      dns.encode({ type: 'query', questions: [{ type: 'PTR', name: `${ROBONET_SERVICE}.local` }] }),
    ];
  },
  run: (input) => {
    const packet = decodedDns(input);
    if (packet === undefined) return false;
    const records = recordsIn(packet);
    const cache = new ServiceCache([ROBONET_SERVICE, '_ssh._tcp']);
    for (const now of [1, 2]) cache.absorb(records, '10.0.0.9', 'eth0', now);
    for (const question of questionsIn(packet)) answersTo(question, ownRecords);
    const sightings = cache.list();
    promise(sightings.length <= SERVICES_MAX, `${sightings.length} services from one packet`);
    for (const { txt, addresses, host, port, expiresAt } of sightings) {
      promise(addresses.length <= HOSTS_MAX && (host?.length ?? 0) <= 255 && (port ?? 1) > 0 && (port ?? 1) < 65_536, 'a sighting outside its bounds');
      promise(Number.isFinite(expiresAt), 'a sighting for ever');
      const properties = decodeTxt(txt);
      if (properties === undefined) continue;
      promise(isNodeName(properties.name) && !/[^ -~]/.test(Object.values(properties).join('')), 'properties with characters nobody agreed to');
    }
    return sightings.length > 0;
  },
};

/** The library throws on what is no packet; the socket around it turns that into a warning. */
function decodedDns(input: Uint8Array): unknown {
  if (!isPlausiblePacket(input)) return undefined;
  try {
    return dns.decode(Buffer.from(input));
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

const condition = { kind: 'hot', severity: 'critical', text: 'x', value: 1.5, worst: null, unit: 'C', since: 1, until: null } as const;
const request = { fingerprint: 'ABCD-ABCD-ABCD-ABCD', aid: 'rn1x', name: 'x', address: '10.0.0.7:1', since: 1, expiresAt: 2, capabilities: null };

/** First byte: the topic. */
const gossip: FuzzTarget = {
  name: 'gossip',
  promise: 'facts that nodes tell are given up whole, or read as what is told on as the same bytes',
  prefixBytes: 1,
  bytesMax: 8_192,
  seeds: () => [
    concat(Uint8Array.of(0), encodeCapabilities('kitchen', SOME_CAPABILITIES)),
    concat(Uint8Array.of(1), encodeConditions([condition, condition])),
    concat(
      Uint8Array.of(2),
      encodeAddresses([
        { host: '10.0.0.7', port: 7 },
        { host: 'fe80::1', port: 65_535 },
      ]),
    ),
    concat(Uint8Array.of(3), encodeRequests([request])),
  ],
  run: (input) => {
    const told = toldOn((input[0] ?? 0) % 4, input.subarray(1));
    if (told === undefined) return false;
    const again = toldOn((input[0] ?? 0) % 4, told);
    promise(again !== undefined, 'what was told on is not read');
    sameBytes(again, told, 'told on a second time');
    return true;
  },
};

function toldOn(topic: number, body: Uint8Array): Uint8Array | undefined {
  switch (topic) {
    case 0: {
      const read = decodeCapabilities(body);
      return read === undefined ? undefined : encodeCapabilities(read.name, read.capabilities);
    }
    case 1: {
      const read = decodeConditions(body);
      return read === undefined ? undefined : encodeConditions(read);
    }
    case 2: {
      const read = decodeAddresses(body);
      return read === undefined ? undefined : encodeAddresses(read);
    }
    default: {
      const read = decodeRequests(body);
      return read === undefined ? undefined : encodeRequests(read);
    }
  }
}

const address: FuzzTarget = {
  name: 'address',
  promise: 'an address that is read is written as the same one; a host that may be named to ssh holds nothing that a shell or an option parser would see',
  tokens: ['[', ']:', '::ffff:', '%eth0', '@', '-o', ':7411', '10.0.0.1', 'fe80::'].map(utf8),
  bytesMax: 300,
  seeds: () => ['10.0.0.7:7411', '[fe80::1%eth0]:7411', 'kitchen.local', 'pi@kitchen:22', 'admin@[::1]:2222', '::ffff:10.0.0.1', '[::1]'].map(utf8),
  run: (input) => {
    const text = textOf(input);
    if (text === undefined) return false;
    const read = parseAddress(text, 7_411);
    if (read !== undefined) {
      const again = parseAddress(addressText(read), 1);
      promise(again?.host === read.host && again.port === read.port, `${addressText(read)} is read as ${again === undefined ? 'nothing' : addressText(again)}`);
      promise(!/[\s\u0000-\u001f;|&$`'"\\<>]/.test(read.host), 'an address with characters that no address has');
      if (isLocalAddress(read.host)) promise(/^[0-9a-f:.%\w-]+$/i.test(read.host), 'a local address that is no literal');
    }
    sourceKey(text);
    const target = parseHostTarget(text);
    if (target.kind === 'problem') return read !== undefined;
    const { host, user, port } = target.target;
    promise(!host.startsWith('-') && !/[\s\u0000-\u001f;|&$`'"\\<>()*?!#~]/.test(host), `the host ${host} would mean something to a shell`);
    promise(user === null || (!user.startsWith('-') && !/[\s;|&`'"<>()*?!#~]/.test(user)), `the user ${String(user)} would mean something to a shell`);
    promise(port === null || (port >= 1 && port <= 65_535), 'a port that is none');
    return true;
  },
};

const inventory: FuzzTarget = {
  name: 'inventory',
  promise: 'an inventory is a list of machines that may be named, or a list of complaints with line and column',
  tokens: ['hosts:', 'ansible_host: ', '- ', '\n  ', '&a ', '*a', '!!binary ', '<<: *a', 'password: x', '{', '[', 'port: 22'].map(utf8),
  seeds: () =>
    [
      'hosts:\n  - pi@10.0.0.7\n  - name: k\n    host: 10.0.0.8\n    port: 2222\n',
      'all:\n  hosts:\n    k:\n      ansible_host: 10.0.0.9\n      ansible_user: pi\n',
      '- a\n- b\n',
      'hosts: {a: 10.0.0.1, b: }\n',
    ].map(utf8),
  run: (input) => {
    const text = textOf(input);
    if (text === undefined) return false;
    const result = parseInventory(text);
    if (result.kind === 'problems') {
      promise(result.problems.length > 0, 'refused without a complaint');
      for (const { line, column, text: words } of result.problems)
        promise(line >= 1 && column >= 1 && words !== '', `a complaint about nowhere: ${line}:${column} ${words}`);
      return false;
    }
    for (const { host, port } of result.hosts) {
      promise(parseHostTarget(host.includes(':') ? `[${host}]` : host).kind === 'target', `the host ${host} cannot be named`);
      promise(port === null || (port >= 1 && port <= 65_535), 'a port that is none');
    }
    return true;
  },
};

const config: FuzzTarget = {
  name: 'config',
  promise: 'a configuration is settings within their bounds, or the one fault that says where',
  tokens: ['name: ', 'port: ', 'peers: [', 'labels: {', '&a ', '*a', '\n', 'clock_rate: 1e400', '__proto__: 1'].map(utf8),
  bytesMax: 1_024,
  seeds: () =>
    ['name: kitchen\nport: 7411\npeers: [10.0.0.7, "10.0.0.8:7"]\n', 'labels: {room: kitchen}\nlog_level: debug\n', 'port: x\nnmae: y\n', ''].map(utf8),
  run: (input) => {
    const text = textOf(input);
    if (text === undefined) return false;
    try {
      const settings = parseConfig(text, 'config.yaml');
      promise(settings.port >= 1 && settings.port <= 65_535 && settings.peers.length <= 64, 'a setting outside its bounds');
      return true;
    } catch (error) {
      if (!isFault(error)) throw error;
      promise(error.code === 'RN-AGENT-005' && /config\.yaml:\d+:\d+: /.test(error.message), `a fault that says nothing: ${error.message}`);
      return false;
    }
  },
};

const knownHosts: FuzzTarget = {
  name: 'known-hosts',
  promise: 'a known_hosts file is read line by line, and no pattern in it takes long to compare',
  tokens: ['*', '?', '!', ',', '|1|', '[h]:22', '@revoked ', 'ssh-ed25519 '].map(utf8),
  bytesMax: 1_024,
  seeds: () =>
    ['host ssh-ed25519 AAAA\n', '@revoked *.lan,!a.lan ssh-rsa AAAA\n', '|1|c2FsdA==|aGFzaA== ssh-rsa AAAA\n# x\n', `${'*a'.repeat(12)}b ssh-rsa AAAA\n`].map(
      utf8,
    ),
  run: (input) => {
    const text = textOf(input);
    if (text === undefined) return false;
    const lines = parseKnownHosts(text, 'known_hosts');
    for (const { hosts, line } of lines) {
      promise(line >= 1, 'a line before the first');
      for (const name of ['a.lan', '[host]:2222', 'a'.repeat(64)]) matchesHosts(hosts, name);
    }
    return lines.length > 0;
  },
};

export const networkTextTargets: readonly FuzzTarget[] = [mdns, gossip, address, inventory, config, knownHosts];
