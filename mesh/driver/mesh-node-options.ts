/** What a mesh node is made from. */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { DiskCalls } from '#core/node/disk.ts';
import type { Log } from '#core/log/log.ts';
import type { Entropy } from '#core/random/random.ts';
import type { LevelRate } from '#mesh/session/limits.ts';
import type { Capabilities, TrustLevel } from '#mesh/swarm/views.ts';
import type { Transport } from '#mesh/transport/transport.ts';
import type { DriverClock } from './clock.ts';
import type { BindingSource } from './identity-store.ts';

/** What a node is made from; everything but the folder and the binding has a sensible default. */
export interface MeshNodeOptions {
  /** State folder, made with mode 0700 where it does not exist. */
  readonly stateDirectory: string;
  readonly binding: BindingSource;
  /** What this machine is called until `announceSelf` says otherwise. */
  readonly name: string;
  /** TCP port; 0 for any. */
  readonly port?: number;
  /** Addresses to listen on; all of the machine's by default. */
  readonly listenHosts?: readonly string[];
  /** `robonet 0.1.0`, for the boot event. */
  readonly software?: string;
  readonly capabilities?: Capabilities;
  /** Typed addresses of members. */
  readonly peers?: readonly string[];
  /** Accelerated time; refused unless the mesh's trust profile is `lab`. */
  readonly clockRate?: number;
  readonly clock?: DriverClock;
  readonly crypto?: CryptoPort;
  readonly entropy?: Entropy;
  readonly transport?: Transport;
  /** The disk under the state folder; tests record what goes through it, or let it fail. */
  readonly disk?: DiskCalls;
  /** What members may send per second by level T0 … T4 (§2.13 by default). */
  readonly rates?: readonly LevelRate[];
  /** Treat every member as having at least this level: laboratories and benchmarks only. */
  readonly levelFloor?: TrustLevel;
  readonly log?: Log;
  /** The node cannot go on (state could not be written). By default the error is thrown outside of any caller. */
  readonly fatal?: (error: unknown) => void;
}

/** The default port. */
export const MESH_PORT = 7_411;

/** What is announced before anybody has looked at the machine. */
export const UNKNOWN_CAPABILITIES: Capabilities = {
  agentVersion: '0.0.0',
  arch: process.arch,
  os: process.platform,
  kernel: 'unknown',
  profile: 'unknown',
  model: null,
  cpu: { model: null, cores: 1, maxMhz: null },
  memoryBytes: 0,
  gpu: null,
  storage: { kind: 'unknown', bytes: 0, freeBytes: 0 },
  skills: [],
  macs: [],
};
