/** The offline check of an exported trust history, in words for the command line. Needs no agent and no network. */
import { createNodeCrypto } from '#core/node/crypto.ts';
import { unreachable } from '#core/errors/assert.ts';
import { checkTrustExport } from '#mesh/trust/check-export.ts';
import { scoreNumber } from '#mesh/trust/score.ts';

/** What the check found; `lines` end with the conclusion. */
export interface TrustCheck {
  readonly holds: boolean;
  readonly score: number | null;
  readonly level: number | null;
  readonly lines: readonly string[];
}

/** Recompute a parsed export. */
export function checkTrust(document: unknown): TrustCheck {
  const verdict = checkTrustExport(createNodeCrypto(), document);
  const fails = (line: string): TrustCheck => ({ holds: false, score: null, level: null, lines: [line] });
  switch (verdict.kind) {
    case 'consistent': {
      const score = scoreNumber(verdict.score);
      const conclusion = `holds: ${verdict.observer} trusts ${verdict.peer} with ${score.toFixed(4)} (level T${String(verdict.level)}), recomputed from its events; ${String(verdict.checkpoints)} signed checkpoints verified`;
      return { holds: true, score, level: verdict.level, lines: [...verdict.lines, conclusion] };
    }
    case 'differs':
      return fails(`the document states ${verdict.stated}, but its own events give ${verdict.recomputed}`);
    case 'not-signed':
      return fails(verdict.why);
    case 'malformed':
      return fails(`not a trust export: ${verdict.why}`);
    default:
      return unreachable(verdict);
  }
}
