/**
 * The offline check of an exported trust history, for the command line: `trust --verify FILE`. Needs no agent and no
 * network. What does not hold is named by file, line and place.
 */
import { LineCounter, parseDocument } from 'yaml';
import { Fault } from '#core/errors/fault.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { readTextFile } from '#core/node/read-text-file.ts';
import { checkTrustExport, type ExportFault, type ExportVerdict } from '#mesh/trust/export/check-export.ts';
import type { ItemPath } from '#mesh/trust/export/read-export.ts';
import { scoreNumber } from '#mesh/trust/score.ts';

const EXPORT_BYTES_MAX = 4 * 1024 * 1024;

/** What `--verify` shows of a document that holds. */
export interface TrustCheck {
  readonly score: number;
  readonly level: number;
  readonly observer: string;
  readonly peer: string;
  readonly verified: Extract<ExportVerdict, { kind: 'consistent' }>['verified'];
  /** The explanation, then what was verified. */
  readonly lines: readonly string[];
}

const TITLES: Readonly<Record<ExportFault, string>> = {
  malformed: 'not a trust export',
  identity: 'an identity does not hold',
  history: 'the history does not hold',
  evidence: 'the signed evidence does not hold',
  signature: 'the signature does not hold',
  result: 'the number does not follow',
};

/** Check a file, `-` for standard input. Throws a fault that names the first item that does not hold. */
export function checkTrustFile(file: string): TrustCheck {
  const text = readText(file);
  const verdict = checkTrustExport(createNodeCrypto(), parseJson(file, text));
  if (verdict.kind === 'refused') {
    const { fault, at, why } = verdict;
    throw new Fault('RN-AGENT-014', `${file}${lineOf(text, at)}: ${TITLES[fault]}: ${at.length === 0 ? '' : `${placeText(at)}: `}${why}`);
  }
  const { score, level, observer, peer, verified } = verdict;
  const conclusion = `Holds: ${observer} trusts ${peer} with ${scoreNumber(score).toFixed(4)} (level T${String(level)}).`;
  const counts = `Verified: the chain of ${counted(verdict.events, 'event')}, ${counted(verified.rotations, 'rotation')}, ${counted(verified.boots, 'boot event')}, ${counted(verified.statements, 'statement')} and ${counted(verified.checkpoints, 'checkpoint')} of both, ${counted(verified.proofs, 'proof')} against the peer, the observer's signature; the number was recomputed.`;
  return { score: scoreNumber(score), level, observer, peer, verified, lines: [...verdict.lines, counts, conclusion] };
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function readText(file: string): string {
  const read = readTextFile(file, EXPORT_BYTES_MAX);
  if (read.kind === 'text') return read.text;
  throw new Fault('RN-AGENT-012', `${file === '-' ? 'standard input' : file}: ${read.why}`);
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Fault('RN-AGENT-012', `${file} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

/** `peer.checkpoints[1]`, as `jq` writes it. */
function placeText(at: ItemPath): string {
  return at.map((step, index) => (typeof step === 'number' ? `[${String(step)}]` : index === 0 ? step : `.${step}`)).join('');
}

/** `:17` for the line on which the item, or the nearest one around it, begins. JSON is YAML, whose reader remembers places. */
function lineOf(text: string, at: ItemPath): string {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, uniqueKeys: false });
  for (let length = at.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(at.slice(0, length), true);
    if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) continue;
    const start: unknown = node.range[0];
    if (typeof start === 'number') return `:${String(counter.linePos(start).line)}`;
  }
  return '';
}
