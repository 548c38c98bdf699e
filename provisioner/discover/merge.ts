/**
 * The merge machine of a scan: sightings in, one row per machine out. Pure: no clock, no network. Several sources speak of
 * one machine under different addresses; what ties addresses together is the MAC address, or one agent's fingerprint.
 * Host names do not: four boards may all be called "raspberrypi".
 */
import { osOfBanner } from './banner.ts';
import { makerOf } from './maker.ts';
import type { AgentProperties } from './mdns/txt.ts';
import type { HostRow, Sighting, Standing } from './sighting.ts';

/** A scan never holds more machines than this; later ones are counted and dropped. */
export const hostCountMax = 4_096;

interface Known {
  readonly address: string;
  mac: string | null;
  name: string | null;
  banner: string | null;
  noSsh: 'refused' | 'silent' | 'not-ssh' | null;
  sshPort: number;
  sshAnnounced: boolean;
  agent: AgentProperties | null;
}

export class SightingMerge {
  readonly #known = new Map<string, Known>();
  readonly #ownMeshTag: string | null;
  readonly #ownAddresses: ReadonlySet<string>;
  readonly #memberArch: ReadonlyMap<string, string>;
  dropped = 0;

  /** `ownMeshTag` tells members from foreign meshes; `ownAddresses` are not listed; `memberArch` is what our mesh knows, by fingerprint. */
  constructor(options: { readonly ownMeshTag: string | null; readonly ownAddresses: readonly string[]; readonly memberArch?: ReadonlyMap<string, string> }) {
    this.#ownMeshTag = options.ownMeshTag;
    this.#ownAddresses = new Set(options.ownAddresses);
    this.#memberArch = options.memberArch ?? new Map();
  }

  /** Take one sighting in; true when it changed what is known. */
  absorb(sighting: Sighting): boolean {
    if (this.#ownAddresses.has(sighting.address)) return false;
    const known = this.#known.get(sighting.address);
    if (known === undefined && this.#known.size >= hostCountMax) {
      this.dropped += 1;
      return false;
    }
    const host: Known = known ?? { address: sighting.address, mac: null, name: null, banner: null, noSsh: null, sshPort: 22, sshAnnounced: false, agent: null };
    const before = JSON.stringify(host);
    update(host, sighting);
    this.#known.set(sighting.address, host);
    return known === undefined || JSON.stringify(host) !== before;
  }

  /** Addresses known so far, for sources that look closer. */
  addresses(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Whether the SSH port of an address is still a question, and which port it is. */
  sshPortToLook(address: string): number | null {
    const host = this.#known.get(address);
    return host !== undefined && host.banner === null && host.noSsh === null ? host.sshPort : null;
  }

  hasName(address: string): boolean {
    return this.#known.get(address)?.name !== null;
  }

  /** One row per machine, in the order of their addresses. */
  rows(): readonly HostRow[] {
    const groups = new Map<string, Known[]>();
    for (const host of this.#known.values()) {
      const key = host.mac ?? (host.agent === null ? host.address : `agent ${host.agent.fingerprint}`);
      groups.set(key, [...(groups.get(key) ?? []), host]);
    }
    return [...groups.values()].map((group) => this.#row(group)).sort((a, b) => order(a.address) - order(b.address));
  }

  #row(group: readonly Known[]): HostRow {
    const sorted = [...group].sort((a, b) => Number(b.banner !== null) - Number(a.banner !== null) || order(a.address) - order(b.address));
    const first = <Value>(pick: (host: Known) => Value | null): Value | null => sorted.map(pick).find((value) => value !== null) ?? null;
    const [main] = sorted;
    const agent = first((host) => host.agent);
    const banner = first((host) => host.banner);
    const mac = first((host) => host.mac);
    const os = banner === null ? null : osOfBanner(banner);
    const { standing, because } = this.#judge(
      agent,
      banner,
      os,
      first((host) => host.noSsh),
    );
    return {
      address: main?.address ?? '',
      addresses: sorted.map((host) => host.address),
      standing,
      because,
      name: agent?.name ?? first((host) => host.name),
      mac,
      maker: mac === null ? null : makerOf(mac),
      os,
      arch: agent === null ? null : (this.#memberArch.get(agent.fingerprint) ?? null),
      sshPort: banner === null ? null : (main?.sshPort ?? 22),
      sshBanner: banner,
      agent,
    };
  }

  #judge(agent: AgentProperties | null, banner: string | null, os: string | null, noSsh: Known['noSsh']): { standing: Standing; because: string } {
    if (agent !== null && agent.state === 'member')
      return agent.meshTag !== null && agent.meshTag === this.#ownMeshTag
        ? { standing: 'member', because: 'a member of your mesh' }
        : { standing: 'foreign', because: `a member of the mesh ${agent.meshTag ?? 'unknown'}` };
    if (agent !== null && agent.state === 'lobby')
      return agent.meshTag === null || agent.meshTag === this.#ownMeshTag
        ? { standing: 'pending', because: `waits for approval: robonet approve ${agent.fingerprint}` }
        : { standing: 'foreign', because: `waits for admission to the mesh ${agent.meshTag}` };
    if (banner !== null && os === 'Windows') return { standing: 'unreachable', because: 'runs Windows; the agent is for Linux' };
    if (banner !== null) return { standing: 'candidate', because: agent === null ? 'answers on SSH' : 'has an agent without a mesh, and answers on SSH' };
    const why = noSsh === 'refused' ? 'no SSH server on port 22' : noSsh === 'not-ssh' ? 'something else than SSH on port 22' : 'port 22 does not answer';
    return { standing: 'unreachable', because: agent === null ? why : `has an agent without a mesh; ${why}` };
  }
}

function update(host: Known, sighting: Sighting): void {
  switch (sighting.kind) {
    case 'heard':
      return;
    case 'service':
      host.name = shortName(sighting.host) ?? host.name;
      if (sighting.agent !== null) host.agent = sighting.agent;
      if (sighting.type === '_ssh._tcp' && sighting.port !== null && !host.sshAnnounced) {
        host.sshAnnounced = true;
        if (host.sshPort !== sighting.port) {
          host.sshPort = sighting.port;
          host.noSsh = null;
        }
      }
      return;
    case 'name':
      host.name ??= shortName(sighting.name);
      return;
    case 'neighbour':
      host.mac = sighting.mac.toLowerCase();
      return;
    case 'ssh':
      host.banner = sighting.banner;
      host.noSsh = null;
      return;
    case 'no-ssh':
      if (host.banner === null) host.noSsh = sighting.why;
      return;
  }
}

/** `pi.local.` → `pi`; null for what is no host name (it would be shown, and names come from strangers). */
function shortName(name: string | null): string | null {
  const short = name?.replace(/\.$/, '').replace(/\.local$/i, '');
  return short !== undefined && /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/.test(short) ? short : null;
}

function order(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
