/**
 * The running agent: mesh node, hardware, discovery and local API, started in this order and stopped in the reverse one.
 * The composition is here and nowhere else; nothing is a singleton.
 */
import { join } from 'node:path';
import { serveApi } from '#agent/api/server.ts';
import type { EffectiveSettings } from '#agent/config/load-config.ts';
import { chooseBinding } from '#agent/hardware/binding/choose-binding.ts';
import { openFacts } from '#agent/hardware/facts/facts-root.ts';
import { SOCKET_NAME } from '#agent/paths.ts';
import { type BindingView, createHandlers, forbidClockRate } from '#agent/runtime/handlers.ts';
import { HeapCare } from '#agent/runtime/heap-care.ts';
import { HardwareWatch, type OwnEvent } from '#agent/runtime/hardware-watch.ts';
import { Presence } from '#agent/runtime/presence.ts';
import type { Log } from '#core/log/log.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';
import type { BindingKind, HardwareBinding } from '#mesh/hcth/hardware-binding.ts';

/** What the agent gives the mesh to make its node. */
export interface MeshNodeSetup {
  readonly stateDirectory: string;
  readonly port: number;
  readonly name: string;
  /** Null asks for the binding of a new identity; a kind asks for the one an existing identity is bound to. */
  readonly binding: (kind: BindingKind | null) => Promise<HardwareBinding>;
  readonly clockRate: number;
  readonly log: Log;
  /** State could not be kept: the node is no longer to be trusted and has stopped speaking. */
  readonly fatal: (error: unknown) => void;
}

export interface AgentOptions {
  readonly settings: EffectiveSettings;
  readonly stateDirectory: string;
  readonly runDirectory: string;
  readonly createNode: (setup: MeshNodeSetup) => MeshNode;
  readonly log: Log;
  /** The agent must stop: state cannot be kept, or the mesh forbids how it is set up. */
  readonly onFatal: (error: unknown) => void;
}

/** A started agent. */
export interface Agent {
  readonly socketPath: string;
  readonly node: MeshNode;
  stop(): Promise<void>;
}

type Stop = () => Promise<void> | void;

/** Start everything; what was started is stopped again when a later part fails. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (const part of stops.splice(0).toReversed()) {
      try {
        await part();
      } catch (error) {
        faults.push(error); // the others are stopped all the same
      }
    }
    if (faults.length > 0) throw faults[0];
  };
  try {
    return { ...(await startParts(options, stops)), stop };
  } catch (error) {
    await stop().catch((reason: unknown) => {
      options.log('warning', `not everything could be closed: ${messageOf(reason)}`);
    });
    throw error;
  }
}

async function startParts(options: AgentOptions, stops: Stop[]): Promise<Omit<Agent, 'stop'>> {
  const { settings, stateDirectory, log } = options;
  const facts = openFacts(settings.facts ?? null);
  const crypto = createNodeCrypto();
  let binding: BindingView = { kind: 'none', reason: 'not read', facts: {} };
  // The node takes the lock of the state directory when it starts: nothing may touch the directory before.
  const node = options.createNode({
    stateDirectory,
    port: settings.port,
    name: settings.name,
    clockRate: settings.clock_rate,
    log,
    fatal: options.onFatal,
    binding: async (kind) => {
      const chosen = await chooseBinding(kind ?? settings.hardware_binding, { root: facts, crypto });
      binding = { kind: chosen.binding.kind, reason: chosen.reason, facts: Object.fromEntries(chosen.binding.facts) };
      return chosen.binding;
    },
  });
  await node.start();
  stops.push(() => node.stop());
  forbidClockRate(settings, node.status());

  const record = (event: OwnEvent): void => {
    node.record(event);
  };
  const hardware = await HardwareWatch.open({
    facts,
    stateDirectory,
    agentVersion: buildIdentity.version,
    onChange: (capabilities, conditions) => {
      node.announceSelf({ name: settings.name, capabilities, conditions });
    },
    onEvent: record,
    log,
  });
  hardware.start();
  stops.push(() => {
    hardware.stop();
  });
  stops.push(
    node.onEvent((event) => {
      if (event.code === 'JOINED') hardware.acknowledge();
    }),
  );

  const presence = new Presence({ node, settings, log, onEvent: record });
  await presence.start();
  stops.push(() => presence.stop());

  const socketPath = join(options.runDirectory, SOCKET_NAME);
  const handlers = createHandlers({ node, settings, stateDirectory, presence, hardware, binding: () => binding, onFatal: options.onFatal });
  const api = await serveApi({
    path: socketPath,
    handlers,
    events: node,
    onProblem: (text) => {
      log('warning', text);
    },
  });
  stops.push(() => api.close());
  const heapCare = new HeapCare();
  stops.push(() => {
    heapCare.stop();
  });
  return { socketPath, node };
}
