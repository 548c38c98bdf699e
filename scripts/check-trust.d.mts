/** Types of check-trust.mjs, which must stay plain JavaScript in one file. */

export type TrustCheck =
  | { readonly holds: true; readonly score: number; readonly level: number; readonly standing: string; readonly events: number }
  | { readonly holds: false; readonly at: string; readonly why: string };

export function checkTrustDocument(document: unknown): TrustCheck;
