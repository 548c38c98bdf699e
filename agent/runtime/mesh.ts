/** Makes the mesh node of the agent from the driver; the one place that knows the driver's options. */
import type { AgentNode, MeshNodeSetup } from '#agent/runtime/runtime.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { createMeshNode as createDriverNode } from '#mesh/driver/create-mesh-node.ts';

/** A node that is not started yet. */
export async function createMeshNode({ stateDirectory, port, name, binding, clockRate, log }: MeshNodeSetup): Promise<AgentNode> {
  return createDriverNode({ stateDirectory, port, name, binding, clockRate, log, software: buildIdentity.version });
}
