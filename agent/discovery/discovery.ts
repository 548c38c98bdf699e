/**
 * Finds and is found on the LAN: advertises this node on every usable interface, browses for others, follows interfaces
 * as they come and go, and hands every sighting on as a hint. Nothing it hears is believed beyond that.
 */
import type { Log } from '#core/log/log.ts';
import type { Millis } from '#core/time/time.ts';
import type { AddressHint } from '#mesh/driver/mesh-node.ts';
import { readInterfaceFacts } from '#provisioner/discover/interface-facts.ts';
import { type InterfaceVerdict, isOnInterface, judgeInterfaces } from '#provisioner/discover/interfaces.ts';
import { MdnsBrowser } from '#provisioner/discover/mdns/browser.ts';
import type { MdnsQuestion } from '#provisioner/discover/mdns/records.ts';
import type { ServiceSighting } from '#provisioner/discover/mdns/service-cache.ts';
import { type AgentProperties, decodeTxt, encodeTxt, instanceName, ROBONET_SERVICE } from '#provisioner/discover/mdns/txt.ts';

/** How often interfaces are looked at; there is no netlink in Node to be told. */
const INTERFACE_WATCH_MS: Millis = 2_000;

export interface DiscoveryOptions {
  /** Interfaces the configuration names; empty for all that face a LAN. */
  readonly chosen: readonly string[];
  /** False: interfaces are watched, but nothing is sent or heard by multicast. */
  readonly multicast: boolean;
  readonly onHint: (hint: AddressHint) => void;
  /** Usable interfaces or their addresses have changed. */
  readonly onInterfaces: (verdicts: readonly InterfaceVerdict[]) => void;
  readonly log: Log;
}

/** Another agent as its advertisement describes it. */
export interface AgentSighting {
  readonly properties: AgentProperties;
  readonly address: string;
  /** Every address it claims; hearsay, like the rest. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly interface: string;
  readonly lastSeenAt: Millis;
}

/** What one active look at the network showed. */
export interface MulticastProbe {
  /** Per interface used: whether our own question came back, and how many others were heard. */
  readonly interfaces: readonly { readonly name: string; readonly looped: boolean; readonly heard: number }[];
  /** Agents that answered this question. */
  readonly answered: readonly AgentSighting[];
}

export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #browser: MdnsBrowser;
  /** Addresses questions of ours came back from, and foreign ones heard, since the current probe began; by interface. */
  readonly #looped = new Set<string>();
  readonly #heard = new Map<string, Set<string>>();
  #verdicts: readonly InterfaceVerdict[] = [];
  #verdictsText = '';
  #ownFingerprint = '';
  #advertised = '';
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
    this.#browser = new MdnsBrowser({
      types: [ROBONET_SERVICE],
      onSeen: (service) => {
        this.#onSeen(service);
      },
      onGone: (service) => {
        options.log('debug', 'a neighbour has gone from multicast DNS', { instance: service.instance });
      },
      onRecords: (_records, from, interfaceName) => {
        this.#note(from, interfaceName);
      },
      onQuestions: (questions, from) => {
        this.#onQuestions(questions, from);
      },
      onProblem: (problem, interfaceName) => {
        options.log('debug', `multicast DNS on ${interfaceName}: ${problem}`);
      },
    });
  }

  /** Look at the interfaces now and from now on; browsing starts where one is usable. */
  async start(): Promise<void> {
    await this.#watch();
    this.#timer = setInterval(() => {
      this.#watch().catch((error: unknown) => {
        this.#options.log('warning', `interfaces could not be read: ${String(error)}`);
      });
    }, INTERFACE_WATCH_MS).unref();
  }

  /** Publish this node; called again whenever something of it changes. */
  advertise(properties: AgentProperties, aid: string, port: number): void {
    const instance = instanceName(aid);
    const text = JSON.stringify([properties, port]);
    this.#ownFingerprint = properties.fingerprint;
    if (text === this.#advertised) return;
    this.#advertised = text;
    this.#browser.advertise({ instance, type: ROBONET_SERVICE, host: `${instance}.local`, port, txt: encodeTxt(properties) });
  }

  /** Judgement of every interface, as of the last look. */
  verdicts(): readonly InterfaceVerdict[] {
    return this.#verdicts;
  }

  /** Agents in sight, this one not among them. */
  agents(): readonly AgentSighting[] {
    return this.#browser.services().flatMap((service) => this.#sighting(service) ?? []);
  }

  /** Ask the LAN at once. */
  refresh(): void {
    this.#browser.refresh();
  }

  /** Hand on once more where every agent in sight is: links may have been lost since. */
  hintAgain(): void {
    for (const agent of this.agents()) this.#hint(agent);
  }

  /** Ask, wait, and say who answered and whether our own question came back. */
  async probe(waitMs: Millis): Promise<MulticastProbe> {
    this.#looped.clear();
    this.#heard.clear();
    const began = Date.now();
    this.#browser.refresh();
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const used = this.#verdicts.filter((verdict) => verdict.used);
    return {
      interfaces: used.map((verdict) => ({
        name: verdict.name,
        looped: verdict.ipv4.some(({ address }) => this.#looped.has(address)),
        heard: this.#heard.get(verdict.name)?.size ?? 0,
      })),
      answered: this.agents().filter((agent) => agent.lastSeenAt >= began),
    };
  }

  /** Say goodbye on every link. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#browser.close();
  }

  async #watch(): Promise<void> {
    const verdicts = judgeInterfaces(readInterfaceFacts(), this.#options.chosen);
    const text = JSON.stringify(verdicts);
    if (text === this.#verdictsText) return;
    const before = this.#verdicts;
    this.#verdicts = verdicts;
    this.#verdictsText = text;
    for (const verdict of verdicts) {
      if (before.find((other) => other.name === verdict.name)?.text !== verdict.text) this.#options.log('info', `interface ${verdict.name}: ${verdict.text}`);
    }
    if (this.#options.multicast) await this.#browser.useInterfaces(verdicts);
    this.#options.onInterfaces(verdicts);
  }

  #onSeen(service: ServiceSighting): void {
    const sighting = this.#sighting(service);
    if (sighting !== undefined) this.#hint(sighting);
  }

  // Who belongs to no mesh has nothing to be dialled for: it dials when it wants to join. Besides the address a packet came
  // from, a machine's other addresses are tried where they lie on a network of ours.
  #hint({ properties, address, addresses, port }: AgentSighting): void {
    if (properties.meshTag === null) return;
    const used = this.#verdicts.filter((verdict) => verdict.used);
    const near = addresses.filter((candidate) => used.some((verdict) => isOnInterface(candidate, verdict.ipv4)));
    for (const host of new Set([...near, address])) this.#options.onHint({ host, port, meshTag: properties.meshTag, origin: 'mdns' });
  }

  #sighting(service: ServiceSighting): AgentSighting | undefined {
    const properties = decodeTxt(service.txt);
    if (properties === undefined || service.port === null || properties.fingerprint === this.#ownFingerprint) return undefined;
    return {
      properties,
      address: service.from,
      addresses: service.addresses,
      port: service.port,
      interface: service.interface,
      lastSeenAt: service.lastSeenAt,
    };
  }

  #onQuestions(questions: readonly MdnsQuestion[], from: string): void {
    if (!questions.some((question) => question.name.toLowerCase() === `${ROBONET_SERVICE}.local`)) return;
    const own = this.#verdicts.some((verdict) => verdict.ipv4.some(({ address }) => address === from));
    if (own) this.#looped.add(from);
    else this.#note(from, this.#verdicts.find((verdict) => isOnInterface(from, verdict.ipv4))?.name ?? '');
  }

  #note(from: string, interfaceName: string): void {
    if (this.#verdicts.some((verdict) => verdict.ipv4.some(({ address }) => address === from))) return;
    const known = this.#heard.get(interfaceName) ?? new Set<string>();
    if (known.size < 512) this.#heard.set(interfaceName, known.add(from));
  }
}
