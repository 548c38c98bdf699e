/**
 * Domain separation of everything that is signed or hashed (protocol.md §2.1). A signature covers `label ‖ 00 ‖ body`,
 * so bytes signed for one purpose never verify for another. A label is never reused with another meaning.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';

/** Labels of signed objects. `gen`, `adm`, `exp`, `seal`, `rec`, `req` and `out` are ours (docs/protocols/hcth.md, divergences). */
export const LABELS = {
  inception: 'HCTH1:icp',
  rotation: 'HCTH1:rot',
  boot: 'HCTH1:boot',
  statement: 'HCTH1:stm',
  checkpoint: 'HCTH1:ck',
  binding: 'HCTH1:bind',
  genesis: 'HCTH1:gen',
  admission: 'HCTH1:adm',
  trustExport: 'HCTH1:exp',
  seal: 'HCTH1:seal',
  record: 'HCTH1:rec',
  request: 'HCTH1:req',
  decision: 'HCTH1:qc',
  outcome: 'HCTH1:out',
} as const;

/** One of the labels. */
export type Label = (typeof LABELS)[keyof typeof LABELS];

const ZERO = new Uint8Array(1);

const PREFIXES: ReadonlyMap<string, Uint8Array> = new Map(Object.values(LABELS).map((label) => [label, concat(utf8(label), ZERO)]));

/** `label ‖ 00`: the prefix of what is signed or hashed. Shared: not to be written to. */
export function labelled(label: string): Uint8Array {
  return PREFIXES.get(label) ?? concat(utf8(label), ZERO);
}
