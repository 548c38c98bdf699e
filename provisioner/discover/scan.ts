/**
 * The scan: several sources feed the merge machine until the time is over or nothing new comes. It asks by multicast,
 * reads the neighbour table and looks at SSH ports; it changes nothing anywhere and logs into nothing.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { sessionHere } from '#provisioner/ssh/here.ts';
import { isOnInterface, judgeInterfaces, type InterfaceVerdict } from './interfaces.ts';
import { readInterfaceFacts } from './interface-facts.ts';
import { MdnsBrowser } from './mdns/browser.ts';
import type { MdnsRecord } from './mdns/records.ts';
import type { ServiceSighting } from './mdns/service-cache.ts';
import { decodeTxt, ROBONET_SERVICE } from './mdns/txt.ts';
import { SightingMerge } from './merge.ts';
import { readNeighbours } from './neighbours.ts';
import type { HostRow, Sighting } from './sighting.ts';
import { SshLooker } from './ssh-look.ts';
import { addressOfReverse, reverseName, subnetsOf, type Subnet } from './subnets.ts';

export interface ScanOptions {
  readonly timeoutMs: number;
  /** Stay for the whole time, for machines that are still booting. */
  readonly stay: boolean;
  readonly sweep: boolean;
  readonly ownMeshTag: string | null;
  /** Architectures of our members by fingerprint, as the local agent knows them. */
  readonly memberArch: ReadonlyMap<string, string>;
  /** Called with all rows whenever something changed. */
  readonly onRows: (rows: readonly HostRow[]) => void;
  readonly signal: AbortSignal;
}

export interface ScanResult {
  readonly rows: readonly HostRow[];
  readonly interfaces: readonly InterfaceVerdict[];
  readonly swept: readonly string[];
  readonly skipped: readonly string[];
  readonly problems: readonly string[];
  readonly milliseconds: number;
}

/** A household's switch does not notice this; an intrusion detector may, so it is only done when asked for. */
const sweepPerSecond = 150;
const sweepOpenMax = 256;
/** Hosts somebody has already heard of are looked at more politely still. */
const knownPerSecond = 50;
const knownOpenMax = 32;
const tickMs = 250;
const neighbourIntervalMs = 1_000;
/** Nothing new for this long, and nothing under way: the list is complete. */
const quietMs = 2_500;
const leastMs = 4_000;
const questionsPerPacket = 32;
const packetGapMs = 40;
const types = [ROBONET_SERVICE, '_ssh._tcp', '_workstation._tcp'];

/** Look at the LAN. */
export async function scan(options: ScanOptions): Promise<ScanResult> {
  const began = performance.now();
  const interfaces = judgeInterfaces(readInterfaceFacts());
  const used = interfaces.filter((verdict) => verdict.used);
  const merge = new SightingMerge({
    ownMeshTag: options.ownMeshTag,
    memberArch: options.memberArch,
    ownAddresses: interfaces.flatMap((verdict) => verdict.ipv4.map(({ address }) => address)),
  });
  const { subnets, skipped } = subnetsOf(interfaces);
  const problems = new Set<string>();
  let changedAt = performance.now();
  const known = new SshLooker({ perSecond: knownPerSecond, openMax: knownOpenMax, onSighting: (sighting) => take(sighting) });
  // A sweep asks addresses nobody has heard of: only those that answer become rows.
  const sweep = new SshLooker({
    perSecond: sweepPerSecond,
    openMax: sweepOpenMax,
    onSighting: (sighting) => (sighting.kind === 'ssh' || (sighting.kind === 'no-ssh' && sighting.why !== 'silent')) && take(sighting),
  });
  const onLan = (address: string): boolean => used.some((verdict) => isOnInterface(address, verdict.ipv4));
  const take = (sighting: Sighting): void => {
    if (!onLan(sighting.address) || !merge.absorb(sighting)) return;
    changedAt = performance.now();
    const port = merge.sshPortToLook(sighting.address);
    if (port !== null) known.look(sighting.address, port);
    options.onRows(merge.rows());
  };
  const browser = new MdnsBrowser({
    types,
    onSeen: (service) => serviceSightings(service).forEach(take),
    onRecords: (records, from) => recordSightings(records, from).forEach(take),
    onProblem: (problem, name) => problems.add(`${name}: ${problem}`),
  });
  if (used.length === 0) return { rows: [], interfaces, swept: [], skipped, problems: [], milliseconds: Math.round(performance.now() - began) };
  const here = sessionHere();
  const names = new Set(used.map((verdict) => verdict.name));
  try {
    await browser.useInterfaces(interfaces);
    const asking = askNames(browser, subnets, options.signal);
    if (options.sweep) for (const subnet of subnets) for (const host of subnet.hosts) sweep.look(host, 22);
    let neighboursAt = -Infinity;
    const reversed = new Set<string>();
    for (;;) {
      const now = performance.now();
      if (now - neighboursAt >= neighbourIntervalMs) {
        neighboursAt = now;
        (await readNeighbours(here, names)).forEach(take);
        // Neighbours of networks too large to ask through are asked for one by one.
        const nameless = merge.addresses().filter((address) => !merge.hasName(address) && !reversed.has(address));
        nameless.forEach((address) => reversed.add(address));
        if (nameless.length > 0) browser.query(nameless.slice(0, questionsPerPacket).map((address) => ({ name: reverseName(address), type: 'PTR' })));
      }
      const elapsed = now - began;
      if (options.signal.aborted || elapsed >= options.timeoutMs) break;
      if (!options.stay && elapsed >= leastMs && now - changedAt >= quietMs && known.idle && sweep.idle) break;
      await wait(Math.min(tickMs, Math.max(1, options.timeoutMs - elapsed)));
    }
    await asking;
  } finally {
    known.stop();
    sweep.stop();
    await browser.close();
  }
  return {
    rows: merge.rows(),
    interfaces,
    swept: options.sweep ? subnets.map((subnet) => subnet.text) : [],
    skipped: options.sweep ? skipped : [],
    problems: [...problems],
    milliseconds: Math.round(performance.now() - began),
  };
}

/**
 * A stock Debian or Raspberry Pi OS announces no service at all, but its responder answers for its own address: so every
 * address of the subnet is asked for by name, in a few multicast packets. No machine is connected to by this.
 */
async function askNames(browser: MdnsBrowser, subnets: readonly Subnet[], signal: AbortSignal): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const names = subnets.flatMap((subnet) => subnet.hosts.map(reverseName));
    for (let at = 0; at < names.length; at += questionsPerPacket) {
      if (signal.aborted) return;
      browser.query(names.slice(at, at + questionsPerPacket).map((name) => ({ name, type: 'PTR' })));
      await wait(packetGapMs);
    }
    // Multicast gets lost, above all on Wi-Fi; once more is enough for most.
    await wait(1_000);
  }
}

function serviceSightings(service: ServiceSighting): readonly Sighting[] {
  const agent = service.type === ROBONET_SERVICE ? (decodeTxt(service.txt) ?? null) : null;
  return [{ kind: 'service', address: service.from, type: service.type, host: service.host, port: service.port, agent }];
}

function recordSightings(records: readonly MdnsRecord[], from: string): readonly Sighting[] {
  return records.flatMap((record): readonly Sighting[] => {
    if (record.type === 'A') return record.data === from ? [{ kind: 'name', address: from, name: record.name }] : [{ kind: 'heard', address: from }];
    if (record.type !== 'PTR') return [];
    const address = addressOfReverse(record.name);
    // A machine may speak for its own address only.
    return address !== null && address === from ? [{ kind: 'name', address, name: record.data }] : [{ kind: 'heard', address: from }];
  });
}
