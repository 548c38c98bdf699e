/**
 * The running agent: lock, hardware, mesh node, discovery and local API, started in this order and stopped in the reverse
 * one. The composition is here and nowhere else; nothing is a singleton.
 */
import { join } from 'node:path';
import type { IdentityView, StatusAnswer } from '#agent/api/protocol.ts';
import { lockState } from '#agent/api/lock.ts';
import { type ApiHandlers, serveApi } from '#agent/api/server.ts';
import type { EffectiveSettings } from '#agent/config/load-config.ts';
import { Discovery } from '#agent/discovery/discovery.ts';
import { runDoctor } from '#agent/doctor/doctor.ts';
import { chooseBinding } from '#agent/hardware/binding/choose-binding.ts';
import { openFacts } from '#agent/hardware/facts/facts-root.ts';
import { SOCKET_NAME } from '#agent/paths.ts';
import { HardwareWatch, type OwnEvent } from '#agent/runtime/hardware-watch.ts';
import { problemsOf } from '#agent/status/problems.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Log } from '#core/log/log.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { ensureDirectory } from '#core/node/disk.ts';
import { parseHostPort } from '#core/terminal/address.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';
import type { BindingKind, HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { StatusView } from '#mesh/swarm/views.ts';

/** A mesh node that also takes the agent's own events into its stream. */
export type AgentNode = MeshNode & { record(event: OwnEvent): void };

/** What the agent needs from the mesh to make its node. */
export interface MeshNodeSetup {
  readonly stateDirectory: string;
  readonly port: number;
  readonly name: string;
  /** Null asks for the binding of a new identity; a kind asks for the one an existing identity is bound to. */
  readonly binding: (kind: BindingKind | null) => Promise<HardwareBinding>;
  readonly clockRate: number;
  readonly log: Log;
}

export interface AgentOptions {
  readonly settings: EffectiveSettings;
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly createNode: (setup: MeshNodeSetup) => Promise<AgentNode> | AgentNode;
  readonly log: Log;
  /** The mesh turned out to forbid how this agent is set up; it must stop. */
  readonly onFatal: (fault: Fault) => void;
}

/** A started agent. */
export interface Agent {
  readonly socketPath: string;
  readonly node: MeshNode;
  stop(): Promise<void>;
}

/** Start everything; what was started is stopped again when a later part fails. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const stops: (() => Promise<void> | void)[] = [];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
  };
  try {
    return await startParts(options, stops, stopAll);
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function startParts(options: AgentOptions, stops: (() => Promise<void> | void)[], stopAll: () => Promise<void>): Promise<Agent> {
  const { settings, stateDirectory, log } = options;
  const began = performance.now();
  ensureDirectory(stateDirectory);
  const lock = await lockState(stateDirectory);
  stops.push(() => {
    lock.release();
  });

  const facts = openFacts(settings.facts ?? null);
  const crypto = createNodeCrypto();
  let bound: { readonly kind: string; readonly reason: string; readonly facts: Readonly<Record<string, string>> } = {
    kind: 'none',
    reason: 'not read yet',
    facts: {},
  };
  const pending: OwnEvent[] = [];
  let record = (event: OwnEvent): void => void pending.push(event);

  const hardware = await HardwareWatch.open({
    facts,
    stateDirectory,
    agentVersion: buildIdentity.version,
    onChange: (capabilities, conditions) => {
      node.announceSelf({ name: settings.name, capabilities, conditions });
    },
    onEvent: (event) => {
      log(event.severity === 'critical' ? 'error' : event.severity === 'warning' ? 'warning' : 'notice', `${event.code}: ${event.text}`);
      record(event);
    },
    log,
  });

  const node = await options.createNode({
    stateDirectory,
    port: settings.port,
    name: settings.name,
    clockRate: settings.clock_rate,
    log,
    binding: async (kind) => {
      const { binding, reason } = await chooseBinding(kind ?? settings.hardware_binding, { root: facts, crypto });
      bound = { kind: binding.kind, reason, facts: Object.fromEntries(binding.facts) };
      return binding;
    },
  });
  await node.start();
  stops.push(() => node.stop());
  const forbidClockRate = (status: StatusView): void => {
    if (settings.clock_rate !== 1 && status.mesh !== null && status.mesh.trustProfile !== 'lab') {
      throw new Fault(
        'RN-AGENT-015',
        `clock_rate is ${String(settings.clock_rate)}, but the trust profile of ${status.mesh.name} is ${status.mesh.trustProfile}`,
      );
    }
  };
  forbidClockRate(node.status());
  record = (event) => {
    node.record(event);
  };
  for (const event of pending) record(event);
  node.announceSelf({ name: settings.name, capabilities: hardware.capabilities, conditions: hardware.conditions });
  hardware.start();
  stops.push(() => {
    hardware.stop();
  });

  let lastUsed: string | null = null;
  const discovery = new Discovery({
    chosen: settings.interfaces,
    onHint: (hint) => {
      node.hint(hint);
    },
    onInterfaces: (verdicts) => {
      const used = verdicts.filter((verdict) => verdict.used).map((verdict) => `${verdict.name} (${verdict.ipv4.map(({ address }) => address).join(', ')})`);
      const text = used.length === 0 ? 'no network interface that faces a LAN is left' : `network interfaces in use: ${used.join(', ')}`;
      if (lastUsed !== null && text !== lastUsed)
        record({ code: used.length === 0 ? 'NO_INTERFACE' : 'INTERFACE_CHANGED', severity: used.length === 0 ? 'critical' : 'notice', text });
      lastUsed = text;
      hintPeers();
    },
    log,
  });
  const hintPeers = (): void => {
    for (const text of settings.peers) {
      const place = parseHostPort(text);
      if (place.kind === 'value') node.hint({ host: place.value.host, port: place.value.port ?? settings.port, meshTag: null, origin: 'typed' });
    }
  };
  const advertise = (): void => {
    if (!settings.discovery) return;
    const status = node.status();
    discovery.advertise(
      {
        meshTag: status.mesh?.tag ?? null,
        state: status.state === 'member' || status.state === 'contested' ? 'member' : status.state === 'lobby' ? 'lobby' : 'unjoined',
        name: settings.name,
        fingerprint: status.self.fingerprint,
        protocolVersion: 1,
        agentVersion: buildIdentity.version,
      },
      status.self.aid,
      node.port,
    );
  };
  advertise();
  if (settings.discovery) await discovery.start();
  stops.push(() => discovery.stop());
  hintPeers();
  // The state that is advertised changes only with events of the mesh.
  stops.push(
    node.onEvent(() => {
      setImmediate(advertise);
    }),
  );

  const answer = (): StatusAnswer => {
    const status = node.status();
    const verdicts = discovery.verdicts();
    const used = settings.discovery ? verdicts.filter((verdict) => verdict.used).length : null;
    return {
      ...status,
      agent: {
        version: buildIdentity.version,
        build: buildIdentity.build,
        pid: process.pid,
        uptimeMs: Math.round(performance.now() - began),
        port: node.port,
        stateDirectory,
        configuration: settings.source,
        interfaces: verdicts.map(({ name, used: isUsed, text }) => ({ name, used: isUsed, text })),
        rssBytes: process.memoryUsage.rss(),
      },
      problems: problemsOf(status, used, Date.now()),
    };
  };
  const changed = (): StatusAnswer => {
    advertise();
    try {
      forbidClockRate(node.status());
    } catch (error) {
      if (error instanceof Fault) options.onFatal(error);
      throw error;
    }
    return answer();
  };
  const identity = (): IdentityView => {
    const { self } = node.status();
    return { aid: self.aid, fingerprint: self.fingerprint, name: settings.name, binding: bound, incarnation: self.incarnation };
  };
  const handlers: ApiHandlers = {
    status: answer,
    init: async (request) => {
      if (settings.clock_rate !== 1 && request.trustProfile !== 'lab')
        throw new Fault('RN-AGENT-015', `clock_rate is ${String(settings.clock_rate)}, but the trust profile asked for is ${request.trustProfile}`, {
          effect: 'No mesh was founded.',
        });
      await node.found(request);
      return changed();
    },
    join: async (request) => {
      if (settings.discovery) discovery.refresh();
      await node.join({ ...request, peers: withPorts([...request.peers, ...settings.peers], settings.port) });
      return changed();
    },
    leave: async () => {
      await node.leave();
      return changed();
    },
    invite: (request) => node.invite(request),
    invitations: () => node.invitations(),
    'revoke-invitation': async ({ tokenId }) => {
      await node.revokeInvitation(tokenId);
      return {};
    },
    approve: ({ fingerprint }) => node.approve(fingerprint),
    deny: ({ fingerprint, reason }) => node.deny(fingerprint, reason),
    forget: ({ node: reference }) => node.forget(reference),
    trust: ({ node: reference }) => node.explainTrust(reference),
    identity,
    events: ({ limit }) => node.recentEvents(limit),
    ping: ({ node: reference }) => node.ping(reference),
    doctor: ({ peers }) =>
      runDoctor({
        selfName: settings.name,
        discovery,
        discoveryEnabled: settings.discovery,
        status: () => node.status(),
        ping: (aid) => node.ping(aid),
        peers: [...settings.peers, ...peers],
        portDefault: settings.port,
        stateDirectory,
        binding: `identity ${node.status().self.fingerprint} is bound to ${bound.kind}: ${bound.reason}; profile: ${hardware.profileReason}`,
      }),
  };
  const socketPath = join(options.runDirectory, SOCKET_NAME);
  const api = await serveApi({
    path: socketPath,
    handlers,
    events: node,
    onProblem: (text) => {
      log('warning', text);
    },
  });
  stops.push(() => api.close());
  return { socketPath, node, stop: stopAll };
}

function withPorts(peers: readonly string[], port: number): readonly string[] {
  return peers.map((text) => {
    const place = parseHostPort(text);
    if (place.kind === 'problem' || place.value.port !== undefined) return text;
    return place.value.host.includes(':') ? `[${place.value.host}]:${String(port)}` : `${place.value.host}:${String(port)}`;
  });
}
