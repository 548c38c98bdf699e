/** The outcome of reading something a person wrote: a value, or the sentence that says what was expected. */

/** Reading never throws: what is wrong comes back as a sentence that fits after "…: ". */
export type Parsed<Value> = { readonly kind: 'value'; readonly value: Value } | { readonly kind: 'problem'; readonly problem: string };

/** A successful reading. */
export function parsed<Value>(value: Value): Parsed<Value> {
  return { kind: 'value', value };
}

/** A failed reading. */
export function problem(text: string): Parsed<never> {
  return { kind: 'problem', problem: text };
}
