/** From facts to what a node can do. Pure. Unknown stays null; a skill is claimed only for a device or a size that was seen. */
import type { Capabilities } from '#mesh/swarm/views.ts';
import type { HardwareRecord } from '../facts/facts.ts';
import type { Allowance } from '../facts/allowance.ts';
import type { Space } from '../facts/facts-root.ts';

/** Memory and cores from which a node counts as fit to process data for others. */
const DATA_PROCESSING = { cores: 2, memoryBytes: 900 * 1024 * 1024 };
/** Makers whose graphics processors run inference with the usual software. */
const COMPUTE_GPUS = new Set(['NVIDIA', 'AMD']);

/** What is known beside the hardware itself. */
export interface Circumstances {
  readonly profile: string;
  readonly agentVersion: string;
  /** Where the agent keeps its state. */
  readonly space: Space | null;
  /** What control groups leave of the machine. */
  readonly allowance: Allowance;
}

/** What a node announces of itself: never more than it may really use. */
export function judgeCapabilities(machine: HardwareRecord, facts: Circumstances): Capabilities {
  const record = within(machine, facts.allowance);
  const disk = record.disks.find((candidate) => candidate.root) ?? record.disks[0];
  return {
    agentVersion: facts.agentVersion,
    arch: record.arch,
    os: record.os,
    kernel: record.kernel,
    profile: facts.profile,
    model: record.model,
    cpu: record.cpu,
    memoryBytes: record.memoryBytes,
    gpu: record.npu ?? record.gpu,
    storage: { kind: disk?.kind ?? 'unknown', bytes: facts.space?.bytes ?? disk?.bytes ?? 0, freeBytes: facts.space?.freeBytes ?? 0 },
    skills: judgeSkills(record),
    macs: record.interfaces.map((networkInterface) => networkInterface.mac).sort(),
  };
}

/** The machine as far as this node may use it. */
function within(record: HardwareRecord, { memoryBytes, cores }: Allowance): HardwareRecord {
  return {
    ...record,
    cpu: { ...record.cpu, cores: Math.min(record.cpu.cores, cores ?? record.cpu.cores) },
    memoryBytes: Math.min(record.memoryBytes, memoryBytes ?? record.memoryBytes),
  };
}

/** Named skills, sorted (docs/HARDWARE.md lists each with its condition). */
export function judgeSkills(record: HardwareRecord): readonly string[] {
  const skills = new Set<string>(['code-execution']);
  if (record.cpu.cores >= DATA_PROCESSING.cores && record.memoryBytes >= DATA_PROCESSING.memoryBytes) skills.add('data-processing');
  if (record.interfaces.length > 0) skills.add('network-io');
  if (record.npu !== null || (record.gpu !== null && COMPUTE_GPUS.has(record.gpu))) skills.add('ai-inference');
  for (const device of record.devices) skills.add(device);
  return [...skills].sort();
}
