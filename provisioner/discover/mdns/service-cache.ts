/**
 * What multicast DNS has said so far, put together from records that may come in any order and any packet: services with
 * their host, port, properties and addresses, until they say goodbye or expire. Pure and bounded; believes nothing (a
 * sighting is a hint, the handshake decides).
 */
import type { Millis } from '#core/time/time.ts';
import { HOSTS_MAX, SERVICES_MAX, TTL_MS_MAX, TTL_MS_MIN } from '#provisioner/discover/mdns/limits.ts';
import { type MdnsQuestion, type MdnsRecord, readTxt } from '#provisioner/discover/mdns/records.ts';

/** One service instance as last seen. */
export interface ServiceSighting {
  /** First label, e.g. `robonet-abcdefghijkl` or `Printer on desk`; may hold any printable text: never pass it to a shell. */
  readonly instance: string;
  /** `_ssh._tcp`. */
  readonly type: string;
  /** `pi.local`; null until the SRV record has been seen. */
  readonly host: string | null;
  readonly port: number | null;
  readonly txt: ReadonlyMap<string, string>;
  /** Addresses claimed for `host`; may include other links' addresses. */
  readonly addresses: readonly string[];
  /** Where the packet really came from: the address to try first. */
  readonly from: string;
  /** Name of the interface it was heard on. */
  readonly interface: string;
  readonly firstSeenAt: Millis;
  readonly lastSeenAt: Millis;
  readonly expiresAt: Millis;
}

/** What one packet changed. */
export interface CacheChange {
  readonly changed: readonly ServiceSighting[];
  readonly gone: readonly ServiceSighting[];
  /** Ask these to complete what is half known. */
  readonly questions: readonly MdnsQuestion[];
}

/** Services of the given types; other records are ignored, except addresses of hosts. */
export class ServiceCache {
  readonly #types: readonly string[];
  readonly #services = new Map<string, ServiceSighting>();
  /** Addresses by lower-case host name, with their expiry. */
  readonly #hosts = new Map<string, { readonly addresses: readonly string[]; readonly expiresAt: Millis }>();

  constructor(types: readonly string[]) {
    this.#types = types;
  }

  list(): readonly ServiceSighting[] {
    return [...this.#services.values()];
  }

  /** Take in the records of one packet. */
  absorb(records: readonly MdnsRecord[], from: string, interfaceName: string, now: Millis): CacheChange {
    const touched = new Set<string>();
    const gone: ServiceSighting[] = [];
    for (const record of records) if (record.type === 'A' || record.type === 'AAAA') this.#absorbAddress(record.name, record.data, record.ttl, now);
    for (const record of records) {
      if (record.type === 'PTR') {
        const type = this.#types.find((candidate) => `${candidate}.local` === record.name.toLowerCase());
        if (type === undefined || !record.data.toLowerCase().endsWith(`.${record.name.toLowerCase()}`)) continue;
        const key = record.data.toLowerCase();
        const known = this.#services.get(key);
        if (record.ttl === 0) {
          if (known !== undefined && this.#services.delete(key)) gone.push(known);
          touched.delete(key);
          continue;
        }
        if (known === undefined && this.#services.size >= SERVICES_MAX) continue;
        const instance = record.data.slice(0, -(record.name.length + 1));
        this.#services.set(key, {
          ...(known ?? { instance, type, host: null, port: null, txt: new Map(), addresses: [], firstSeenAt: now }),
          from,
          interface: interfaceName,
          lastSeenAt: now,
          expiresAt: now + clampTtl(record.ttl),
        });
        touched.add(key);
      }
    }
    for (const record of records) {
      if ((record.type !== 'SRV' && record.type !== 'TXT') || record.ttl === 0) continue;
      const key = record.name.toLowerCase();
      const known = this.#services.get(key);
      if (known === undefined) continue;
      const news = record.type === 'SRV' ? { host: record.data.target.replace(/\.$/, ''), port: record.data.port } : { txt: readTxt(record.data) };
      this.#services.set(key, { ...known, ...news, from, interface: interfaceName, lastSeenAt: now });
      touched.add(key);
    }
    const changed: ServiceSighting[] = [];
    const questions: MdnsQuestion[] = [];
    for (const [key, service] of this.#services) {
      const addresses = service.host === null ? [] : (this.#hosts.get(service.host.toLowerCase())?.addresses ?? []);
      const updated = addresses.join() === service.addresses.join() ? service : { ...service, addresses };
      if (updated !== service) this.#services.set(key, updated);
      if (!touched.has(key) && updated === service) continue;
      changed.push(updated);
      if (updated.host === null) questions.push({ name: `${updated.instance}.${updated.type}.local`, type: 'SRV' });
    }
    return { changed, gone, questions };
  }

  /** Forget what has not been confirmed in time; returns the services that went. */
  expire(now: Millis): readonly ServiceSighting[] {
    const gone: ServiceSighting[] = [];
    for (const [key, service] of this.#services) if (service.expiresAt <= now && this.#services.delete(key)) gone.push(service);
    for (const [key, host] of this.#hosts) if (host.expiresAt <= now) this.#hosts.delete(key);
    return gone;
  }

  #absorbAddress(name: string, address: string, ttl: number, now: Millis): void {
    const key = name.toLowerCase().replace(/\.$/, '');
    const known = this.#hosts.get(key);
    if (ttl === 0) {
      const left = (known?.addresses ?? []).filter((candidate) => candidate !== address);
      if (known !== undefined) this.#hosts.set(key, { ...known, addresses: left });
      return;
    }
    if (known === undefined && this.#hosts.size >= HOSTS_MAX) return;
    const addresses = [...new Set([...(known?.addresses ?? []), address])].slice(-8);
    this.#hosts.set(key, { addresses, expiresAt: now + clampTtl(ttl) });
  }
}

function clampTtl(seconds: number): Millis {
  return Math.min(TTL_MS_MAX, Math.max(TTL_MS_MIN, seconds * 1_000));
}
