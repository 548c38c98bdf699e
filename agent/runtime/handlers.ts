/** What each method of the local API does with the running parts. Thin: the parts decide. */
import type { AgentView, IdentityView, RotateRequest, StatusAnswer } from '#agent/api/protocol.ts';
import type { ApiHandlers } from '#agent/api/server.ts';
import type { EffectiveSettings } from '#agent/config/load-config.ts';
import { runDoctor } from '#agent/doctor/doctor.ts';
import type { HardwareWatch } from '#agent/runtime/hardware-watch.ts';
import type { Presence } from '#agent/runtime/presence.ts';
import { problemsOf } from '#agent/status/problems.ts';
import { raftOf, SANDBOX } from '#agent/status/self-report.ts';
import { Fault } from '#core/errors/fault.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { readIdentityDocument } from '#mesh/hcth/identity-document.ts';
import { parseNextKey } from '#mesh/hcth/next-key.ts';
import { formatHostPort, parseHostPort } from '#core/terminal/address.ts';
import type { MeshNode, RotationOrder } from '#mesh/driver/mesh-node.ts';
import type { StatusView } from '#mesh/swarm/views.ts';

/** What the identity of this node is bound to, in words. */
export type BindingView = IdentityView['binding'];

export interface HandlerParts {
  readonly node: MeshNode;
  readonly settings: EffectiveSettings;
  readonly stateDirectory: string;
  readonly presence: Presence;
  readonly hardware: HardwareWatch;
  readonly binding: () => BindingView;
  readonly onFatal: (fault: Fault) => void;
}

/** Fault when the clock is accelerated in a mesh that does not permit it. */
export function forbidClockRate(settings: EffectiveSettings, status: StatusView): void {
  const { mesh } = status;
  if (settings.clock_rate === 1 || mesh === null || mesh.trustProfile === 'lab') return;
  throw new Fault('RN-AGENT-015', `clock_rate is ${String(settings.clock_rate)}, but the trust profile of ${mesh.name} is ${mesh.trustProfile}`);
}

/** The table the API server dispatches on. */
export function createHandlers(parts: HandlerParts): ApiHandlers {
  const { node, settings, presence } = parts;
  const began = performance.now();
  const answer = (): StatusAnswer => {
    const status = node.status();
    const interfacesUsed = presence.discovery.verdicts().filter((verdict) => verdict.used).length;
    return {
      ...status,
      raft: raftOf(status),
      sandbox: SANDBOX,
      agent: agentView(parts, performance.now() - began),
      problems: problemsOf(status, interfacesUsed, Date.now()),
    };
  };
  // After founding, joining and leaving another mesh's rules apply.
  const changed = (): StatusAnswer => {
    presence.refreshAdvertisement();
    try {
      forbidClockRate(settings, node.status());
    } catch (error) {
      if (error instanceof Fault) parts.onFatal(error);
      throw error;
    }
    return answer();
  };
  return {
    status: answer,
    init: async (request) => {
      if (settings.clock_rate !== 1 && request.trustProfile !== 'lab') {
        throw new Fault('RN-AGENT-015', `clock_rate is ${String(settings.clock_rate)}, but the trust profile asked for is ${request.trustProfile}`, {
          effect: 'No mesh was founded.',
        });
      }
      await node.found(request);
      return changed();
    },
    join: async (request) => {
      if (settings.discovery) presence.discovery.refresh();
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
    approve: ({ fingerprint, replaces }) => node.approve(fingerprint, replaces),
    deny: ({ fingerprint, reason }) => node.deny(fingerprint, reason),
    forget: ({ node: reference }) => node.forget(reference),
    close: ({ node: reference, replacedBy }) => node.closeIdentity(reference, replacedBy),
    rotate: async (request) => {
      const done = await node.rotate(rotationOrder(request));
      presence.refreshAdvertisement();
      return done;
    },
    'identity-document': ({ node: reference }) => node.identityDocument(reference),
    'export-next-key': () => node.exportNextKey(),
    'forget-next-key': async ({ digest, how, place }) => {
      await node.letNextKeyGo(digest, { how, place, at: Date.now() });
      return {};
    },
    bar: ({ node: reference, reason }) => node.bar(reference, reason),
    unbar: ({ node: reference }) => node.unbar(reference),
    'add-voter': ({ node: reference }) => node.addVoter(reference),
    'remove-voter': ({ node: reference }) => node.removeVoter(reference),
    settle: async ({ node: reference, copy }) => {
      await node.settle(reference, copy);
      return {};
    },
    trust: ({ node: reference }) => node.explainTrust(reference),
    identity: () => {
      const { self, closed } = node.status();
      const { rotation, nextKey } = node.identity();
      const replaces = closed.filter(({ successor }) => successor?.aid === self.aid);
      const { aid, fingerprint, incarnation } = self;
      return { aid, fingerprint, name: settings.name, binding: parts.binding(), incarnation, rotation, nextKey, replaces };
    },
    events: ({ limit }) => node.recentEvents(limit),
    ping: ({ node: reference }) => node.ping(reference),
    doctor: ({ peers }) => {
      const { kind, reason } = parts.binding();
      return runDoctor({
        selfName: settings.name,
        discovery: presence.discovery,
        discoveryEnabled: settings.discovery,
        status: () => node.status(),
        ping: (aid) => node.ping(aid),
        peers: [...settings.peers, ...peers],
        portDefault: settings.port,
        stateDirectory: parts.stateDirectory,
        binding: `identity ${node.status().self.fingerprint} is bound to ${kind}: ${reason}; profile: ${parts.hardware.profileReason}`,
      });
    },
  };
}

/** The texts of the command line, judged; a fault says which of them is wrong. */
function rotationOrder({ nextKey, recovery, document, dryRun }: RotateRequest): RotationOrder {
  const crypto = createNodeCrypto();
  const key = nextKey === null ? null : parseNextKey(crypto, nextKey);
  if (key?.kind === 'bad') throw new Fault('RN-MESH-060', `the next key cannot be read: ${key.why}`);
  const identity = document === null ? null : readIdentityDocument(crypto, parsedJson(document));
  if (typeof identity === 'string') throw new Fault('RN-MESH-065', identity);
  return { nextKey: key?.key ?? null, recovery, document: identity, dryRun };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function agentView({ node, settings, stateDirectory, presence }: HandlerParts, uptimeMs: number): AgentView {
  return {
    version: buildIdentity.version,
    build: buildIdentity.build,
    pid: process.pid,
    uptimeMs: Math.round(uptimeMs),
    port: node.port,
    stateDirectory,
    configuration: settings.source,
    interfaces: presence.discovery.verdicts().map(({ name, used, text }) => ({ name, used, text })),
    rssBytes: process.memoryUsage.rss(),
  };
}

function withPorts(peers: readonly string[], port: number): readonly string[] {
  return peers.map((text) => {
    const place = parseHostPort(text);
    return place.kind === 'problem' || place.value.port !== undefined ? text : formatHostPort(place.value.host, port);
  });
}
