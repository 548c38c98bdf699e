/**
 * The replicated state of the consensus world: named settings that are set, or swapped if they are what one thinks. Small
 * on purpose: what it has become is compared on every server at every index.
 */
import { textOf, utf8 } from '#core/bytes/bytes.ts';

/** What a client may want. */
export type Operation =
  | { readonly kind: 'set'; readonly key: string; readonly value: number }
  | { readonly kind: 'swap'; readonly key: string; readonly from: number; readonly value: number }
  | { readonly kind: 'get'; readonly key: string };

/** What it comes to: the value read, or whether the write took place. */
export type Result = number | boolean;

/** Entries of this kind are operations. */
export const OPERATION_KIND = 'operation';

export function encodeOperation(operation: Operation): Uint8Array {
  return utf8(JSON.stringify(operation));
}

/** See the header. */
export class Settings {
  readonly #values = new Map<string, number>();
  /** Changes with every operation and its place; equal histories have equal sums. */
  sum = 0;

  get(key: string): number {
    return this.#values.get(key) ?? 0;
  }

  apply(body: Uint8Array): Result {
    const operation = JSON.parse(textOf(body) ?? '') as Operation;
    if (operation.kind === 'get') return this.get(operation.key);
    const takes = operation.kind === 'set' || this.get(operation.key) === operation.from;
    if (takes) this.#values.set(operation.key, operation.value);
    this.sum = (Math.imul(this.sum, 31) + operation.value * 7 + (takes ? 1 : 2)) | 0;
    return takes;
  }

  encode(): Uint8Array {
    return utf8(JSON.stringify({ sum: this.sum, values: [...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)) }));
  }

  static decode(bytes: Uint8Array): Settings {
    const { sum, values } = JSON.parse(textOf(bytes) ?? '') as { sum: number; values: [string, number][] };
    const settings = new Settings();
    settings.sum = sum;
    for (const [key, value] of values) settings.#values.set(key, value);
    return settings;
  }
}
