/** The arguments of the command that changes how many must approve a command (`quorum-set`). */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { type OperationName, operationOf } from './catalogue.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';

/** One command's quorum; null goes back to the mesh's own. */
export interface QuorumSetting {
  readonly operation: OperationName;
  readonly quorum: number | null;
}

/** RMP array by position: name, number (0 for the mesh's own). */
export function writeQuorumArgs({ operation, quorum }: QuorumSetting): Uint8Array {
  const writer = new RmpWriter(48);
  writer.arrayHead(2);
  writer.str(operation);
  writer.int(quorum ?? 0);
  return writer.copy();
}

/** The counterpart of {@link writeQuorumArgs}; `undefined` where it is none, or names no command of the catalogue. */
export function readQuorumArgs(args: Uint8Array): QuorumSetting | undefined {
  const reader = new RmpReader(args);
  if (reader.arrayHead() !== 2) return undefined;
  const operation = operationOf(reader.str(32) ?? '')?.name;
  const quorum = reader.uint(LIMITS.votersMax);
  return operation === undefined || quorum === undefined || !reader.atEnd ? undefined : { operation, quorum: quorum === 0 ? null : quorum };
}
