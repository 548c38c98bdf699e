/**
 * Browses several service types on several interfaces at once: one link per usable interface, repeated questions with
 * back-off, expiry, one cache. Interfaces may come and go while it runs. What it reports is hearsay.
 */
import type { Millis } from '#core/time/time.ts';
import type { InterfaceVerdict } from '#provisioner/discover/interfaces.ts';
import { isOnInterface } from '#provisioner/discover/interfaces.ts';
import { REQUERY_MS_MAX, REQUERY_MS_MIN } from '#provisioner/discover/mdns/limits.ts';
import { MdnsLink } from '#provisioner/discover/mdns/link.ts';
import type { Advertisement, MdnsQuestion, MdnsRecord } from '#provisioner/discover/mdns/records.ts';
import { ServiceCache, type ServiceSighting } from '#provisioner/discover/mdns/service-cache.ts';

export interface BrowserOptions {
  /** `_robonet._tcp`, `_ssh._tcp`, … */
  readonly types: readonly string[];
  readonly onSeen: (service: ServiceSighting) => void;
  readonly onGone?: (service: ServiceSighting) => void;
  /** Every record heard, for those who want host names too. */
  readonly onRecords?: (records: readonly MdnsRecord[], from: string, interfaceName: string) => void;
  readonly onQuestions?: (questions: readonly MdnsQuestion[], from: string, interfaceName: string) => void;
  readonly onProblem: (problem: string, interfaceName: string) => void;
}

export class MdnsBrowser {
  readonly #options: BrowserOptions;
  readonly #cache: ServiceCache;
  readonly #links = new Map<string, MdnsLink>();
  #verdicts: readonly InterfaceVerdict[] = [];
  #advertisement: Advertisement | undefined;
  #requeryMs: Millis = REQUERY_MS_MIN;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(options: BrowserOptions) {
    this.#options = options;
    this.#cache = new ServiceCache(options.types);
  }

  /** Open links on the interfaces judged usable and close the others; safe to call again at every change. */
  async useInterfaces(verdicts: readonly InterfaceVerdict[]): Promise<void> {
    if (this.#closed) return;
    this.#verdicts = verdicts;
    const wanted = new Map(verdicts.filter((verdict) => verdict.used).map((verdict) => [linkKey(verdict), verdict]));
    const stale = [...this.#links].filter(([key]) => !wanted.has(key));
    for (const [key] of stale) this.#links.delete(key);
    let opened = false;
    for (const [key, verdict] of wanted) {
      if (this.#links.has(key)) continue;
      const link = this.#open(verdict);
      this.#links.set(key, link);
      if (this.#advertisement !== undefined) link.advertise(this.#advertisement);
      opened = true;
    }
    if (opened) this.refresh();
    await Promise.all(stale.map(([, link]) => link.close()));
  }

  /** Publish this on every link, now and on those that come. */
  advertise(advertisement: Advertisement): void {
    this.#advertisement = advertisement;
    for (const link of this.#links.values()) link.advertise(advertisement);
  }

  /** Ask at once and start the back-off anew. */
  refresh(): void {
    this.#requeryMs = REQUERY_MS_MIN;
    this.#ask();
  }

  /** Ask further questions on every link (host names, reverse lookups); answers come through `onRecords`. */
  query(questions: readonly MdnsQuestion[]): void {
    for (const link of this.#links.values()) link.query(questions);
  }

  /** What is known now. */
  services(): readonly ServiceSighting[] {
    return this.#cache.list();
  }

  /** Names of the interfaces browsed on. */
  interfaces(): readonly string[] {
    return [...this.#links.values()].map((link) => link.interface);
  }

  /** Say goodbye on every link and close. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const links = [...this.#links.values()];
    this.#links.clear();
    await Promise.all(links.map((link) => link.close()));
  }

  #open(verdict: InterfaceVerdict): MdnsLink {
    const { onQuestions, onProblem, onRecords, onSeen, onGone } = this.#options;
    return new MdnsLink(
      verdict.name,
      verdict.ipv4.map(({ address }) => address),
      {
        onProblem: (problem) => {
          onProblem(problem, verdict.name);
        },
        onQuestions: (questions, from) => onQuestions?.(questions, from, verdict.name),
        onRecords: (records, from) => {
          if (this.#closed) return;
          // Every socket of the group hears every interface: attribute by subnet, and take each packet only once.
          const heardOn = this.#verdicts.find((candidate) => candidate.used && isOnInterface(from, candidate.ipv4))?.name ?? verdict.name;
          if (heardOn !== verdict.name && this.interfaces().includes(heardOn)) return;
          onRecords?.(records, from, verdict.name);
          const change = this.#cache.absorb(records, from, verdict.name, Date.now());
          for (const service of change.changed) onSeen(service);
          for (const service of change.gone) onGone?.(service);
          if (change.questions.length > 0) this.query(change.questions);
        },
      },
    );
  }

  #ask(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    for (const service of this.#cache.expire(Date.now())) this.#options.onGone?.(service);
    this.query(this.#options.types.map((type) => ({ name: `${type}.local`, type: 'PTR' })));
    const jittered = this.#requeryMs * (0.8 + Math.random() * 0.4);
    this.#requeryMs = Math.min(REQUERY_MS_MAX, this.#requeryMs * 2);
    this.#timer = setTimeout(() => {
      this.#ask();
    }, jittered).unref();
  }
}

// A link is bound to an address: when it changes, the link is replaced and everything published again.
function linkKey(verdict: InterfaceVerdict): string {
  return `${verdict.name} ${verdict.ipv4.map(({ address }) => address).join(' ')}`;
}
