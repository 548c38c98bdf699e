/**
 * Which proposals have been applied, and where: a retry under a known key is answered with its first index and never
 * applied again (protocol.md §3.3 rule 11). Part of the replicated state: everybody's is the same at the same index, and
 * it travels in snapshots.
 */
import { fromHex, hex } from '#core/bytes/bytes.ts';
import type { RmpReader } from '#core/msgpack/reader.ts';
import type { RmpWriter } from '#core/msgpack/writer.ts';
import { LOG_LIMITS } from '../limits.ts';
import type { ProposalKey } from '../log.ts';

/** A key as text, for maps. */
export function proposalText(key: ProposalKey): string {
  return `${hex(key.aid)}/${key.incarnation}/${key.request}`;
}

/** See the header. In the order of application; the oldest are forgotten. */
export class ProposalTable {
  readonly #applied = new Map<string, number>();

  indexOf(key: ProposalKey): number | undefined {
    return this.#applied.get(proposalText(key));
  }

  /** Applied for the first time. */
  add(key: ProposalKey, index: number): void {
    this.#applied.set(proposalText(key), index);
    if (this.#applied.size <= LOG_LIMITS.proposalsMax) return;
    const oldest = this.#applied.keys().next().value;
    if (oldest !== undefined) this.#applied.delete(oldest);
  }

  encodeInto(writer: RmpWriter): void {
    writer.arrayHead(this.#applied.size);
    for (const [text, index] of this.#applied) {
      const [aid = '', incarnation, request] = text.split('/');
      writer.arrayHead(4);
      writer.bin(fromHex(aid) ?? new Uint8Array(0));
      writer.int(Number(incarnation));
      writer.int(Number(request));
      writer.int(index);
    }
  }

  /** The counterpart of {@link encodeInto}; `undefined` where it is none. */
  static decodeFrom(reader: RmpReader): ProposalTable | undefined {
    const count = reader.arrayHead();
    if (count === undefined || count > LOG_LIMITS.proposalsMax) return undefined;
    const table = new ProposalTable();
    for (let at = 0; at < count; at += 1) {
      const fields = reader.arrayHead();
      const aid = reader.bin();
      const incarnation = reader.uint();
      const request = reader.uint();
      const index = reader.uint();
      if (fields !== 4 || aid === undefined || incarnation === undefined || request === undefined || index === undefined) return undefined;
      table.add({ aid, incarnation, request }, index);
    }
    return table;
  }
}
