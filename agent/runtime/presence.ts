/**
 * This node on the LAN: what is advertised of it follows the mesh's state, what is seen of others becomes hints, and the
 * addresses from the configuration are hinted again whenever the interfaces change.
 */
import type { EffectiveSettings } from '#agent/config/load-config.ts';
import { Discovery } from '#agent/discovery/discovery.ts';
import type { OwnEvent } from '#agent/runtime/hardware-watch.ts';
import type { Log } from '#core/log/log.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { parseHostPort } from '#core/terminal/address.ts';
import { SECOND } from '#core/time/time.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';
import type { StatusView } from '#mesh/swarm/views.ts';
import type { InterfaceVerdict } from '#provisioner/discover/interfaces.ts';
import type { AdvertisedState } from '#provisioner/discover/mdns/txt.ts';

const PROTOCOL_VERSION = 1;
/** While somebody is missing, what is known of addresses is handed on this often, and the LAN asked every third time. */
const SEEK_MS = 5 * SECOND;
const SEEK_ROUNDS_PER_QUESTION = 3;

export interface PresenceOptions {
  readonly node: MeshNode;
  readonly settings: EffectiveSettings;
  readonly onEvent: (event: OwnEvent) => void;
  readonly log: Log;
}

export class Presence {
  readonly discovery: Discovery;
  readonly #options: PresenceOptions;
  #interfacesText: string | null = null;
  #unsubscribe: () => void = () => undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #seekRounds = 0;

  constructor(options: PresenceOptions) {
    const { settings, node, log } = options;
    this.#options = options;
    this.discovery = new Discovery({
      chosen: settings.interfaces,
      multicast: settings.discovery,
      onHint: (hint) => {
        node.hint(hint);
      },
      onInterfaces: (verdicts) => {
        this.#onInterfaces(verdicts);
      },
      log,
    });
  }

  async start(): Promise<void> {
    this.refreshAdvertisement();
    await this.discovery.start();
    this.#hintConfigured();
    // What is advertised changes only when something has happened in the mesh.
    this.#unsubscribe = this.#options.node.onEvent(() => {
      setImmediate(() => {
        this.refreshAdvertisement();
      });
    });
    this.#timer = setInterval(() => {
      this.#seek();
    }, SEEK_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#unsubscribe();
    await this.discovery.stop();
  }

  /** Advertise the node as it is now; nothing is sent when nothing changed. */
  refreshAdvertisement(): void {
    const { node, settings } = this.#options;
    if (!settings.discovery) return;
    const { mesh, state, self } = node.status();
    this.discovery.advertise(
      {
        meshTag: mesh?.tag ?? null,
        state: advertisedState(state),
        name: settings.name,
        fingerprint: self.fingerprint,
        protocolVersion: PROTOCOL_VERSION,
        agentVersion: buildIdentity.version,
      },
      self.aid,
      node.port,
    );
  }

  #onInterfaces(verdicts: readonly InterfaceVerdict[]): void {
    const used = verdicts.filter((verdict) => verdict.used).map((verdict) => `${verdict.name} (${verdict.ipv4.map(({ address }) => address).join(', ')})`);
    const text = used.length === 0 ? 'no usable network interface is left' : `network interfaces in use: ${used.join(', ')}`;
    const changed = this.#interfacesText !== null && text !== this.#interfacesText;
    if (changed) {
      this.#options.onEvent({ code: used.length === 0 ? 'NO_INTERFACE' : 'INTERFACE_CHANGED', severity: used.length === 0 ? 'critical' : 'notice', text });
    }
    this.#interfacesText = text;
    this.#hintConfigured();
    this.discovery.hintAgain();
    if (changed) this.#options.node.networkChanged();
  }

  // Multicast answers come when they come; a link that is lost afterwards would have to wait for the next one.
  #seek(): void {
    const { state, nodes } = this.#options.node.status();
    if (state !== 'joining' && nodes.every((node) => node.self || node.liveness === 'up')) return;
    this.#hintConfigured();
    this.discovery.hintAgain();
    this.#seekRounds += 1;
    if (this.#options.settings.discovery && this.#seekRounds % SEEK_ROUNDS_PER_QUESTION === 0) this.discovery.refresh();
  }

  #hintConfigured(): void {
    const { node, settings } = this.#options;
    for (const text of settings.peers) {
      const place = parseHostPort(text);
      if (place.kind === 'value') node.hint({ host: place.value.host, port: place.value.port ?? settings.port, meshTag: null, origin: 'typed' });
    }
  }
}

function advertisedState(state: StatusView['state']): AdvertisedState {
  switch (state) {
    case 'member':
    case 'contested':
      return 'member';
    case 'lobby':
      return 'lobby';
    case 'unjoined':
    case 'joining':
    case 'refused':
      return 'unjoined';
  }
}
