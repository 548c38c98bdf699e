/** Makes the mesh node of the agent from the driver; the one place that knows the driver's options. */
import type { MeshNodeSetup } from '#agent/runtime/runtime.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { createMeshNode as createDriverNode } from '#mesh/driver/create-mesh-node.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';

/** A node that is not started yet. */
export function createMeshNode({ stateDirectory, port, name, binding, clockRate, log, fatal }: MeshNodeSetup): MeshNode {
  return createDriverNode({ stateDirectory, port, name, binding, clockRate, log, fatal, software: `robonet ${buildIdentity.version}` });
}
