/** `status` and `nodes`: the mesh at a glance, problems first. */
import type { Problem, StatusAnswer } from '#agent/api/protocol.ts';
import { quorumMargin } from '#agent/status/problems.ts';
import { clientFor } from '#agent/verbs/connection.ts';
import { quorumWords } from '#agent/verbs/voters.ts';
import { closedWords, conditionWords, machineWords, onlineWords, roleWords, rttWords, trustWords } from '#agent/verbs/words.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { Output } from '#core/node/command-line/output.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable, renderTable } from '#core/terminal/table.ts';

/** `robonet status`. */
export async function showStatus(invocation: Invocation, { output, signal }: VerbContext): Promise<ExitCode> {
  const status = await clientFor(invocation).call('status', {}, { signal });
  printStatus(status, output);
  return status.problems.some((problem) => problem.severity === 'critical') ? EXIT.failed : EXIT.ok;
}

/** The status document or page; also what `init` and `join` end with. */
export function printStatus(status: StatusAnswer, output: Output): void {
  output.document('status', status);
  if (output.json) return;
  const paint = output.palette;
  output.line(headline(status), ...problemLines(status.problems, output));
  if (status.nodes.length > 0) output.line('', ...nodeTable(status, output));
  if (output.verbose) {
    const { agent } = status;
    output.line(
      '',
      paint.dim(
        `agent ${agent.version} (${agent.build}), process ${String(agent.pid)}, port ${String(agent.port)}, state in ${agent.stateDirectory}, started: ${status.startReason}`,
      ),
    );
  }
}

function headline(status: StatusAnswer): string {
  const { mesh, self } = status;
  if (mesh === null) return `${printable(self.name)} (${self.fingerprint}): ${status.state}`;
  const up = status.nodes.filter((node) => node.self || node.liveness === 'up').length;
  const leader = status.nodes.find((node) => node.leader)?.name ?? 'none';
  const margin = quorumMargin(status) ?? 0;
  const losing =
    margin < 0 ? `read-only: ${String(mesh.quorum + margin)} of ${String(mesh.voters)} voters can be reached, ${quorumWords(mesh)}` : quorumWords(mesh);
  const nodes = `${String(status.nodes.length)} node${status.nodes.length === 1 ? '' : 's'}, ${String(up)} online`;
  const state = status.state === 'member' ? '' : ` (this node: ${status.state})`;
  return `mesh ${printable(mesh.name)}${state}: ${nodes}; leader ${printable(leader)}, term ${String(mesh.term)}; ${losing}`;
}

function problemLines(problems: readonly Problem[], output: Output): readonly string[] {
  const paint = output.palette;
  if (problems.length === 0) return [paint.good('no problems')];
  return problems.flatMap((problem) => {
    const colour = problem.severity === 'critical' ? paint.bad : problem.severity === 'warning' ? paint.warn : paint.accent;
    return [`${colour(problem.severity.padEnd(8))} ${printable(problem.text)}`, `         ${paint.dim(printable(problem.next))}`];
  });
}

function nodeTable(status: StatusAnswer, output: Output): readonly string[] {
  const now = Date.now();
  const rows = status.nodes.map((node) => [
    printable(node.name),
    onlineWords(node, now, output.palette),
    roleWords(node),
    trustWords(node),
    node.self ? '-' : printable(node.address ?? '-'),
    conditionWords(node, output.palette),
  ]);
  return renderTable(
    ['NAME', 'ONLINE', 'ROLE', 'TRUST', 'ADDRESS', 'CONDITION'].map((heading) => ({ heading })),
    rows,
    output.palette.dim,
  );
}

/** `robonet nodes`. */
export async function showNodes(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const status = await clientFor(invocation).call('status', {}, { signal });
  output.document('nodes', { mesh: status.mesh, nodes: status.nodes, closed: status.closed, barred: status.barred });
  const now = Date.now();
  const rows = status.nodes.map((node) => [
    printable(node.name),
    node.fingerprint,
    onlineWords(node, now, output.palette),
    roleWords(node),
    trustWords(node),
    rttWords(node),
    machineWords(node),
    conditionWords(node, output.palette),
  ]);
  output.line(
    ...renderTable(
      ['NAME', 'FINGERPRINT', 'ONLINE', 'ROLE', 'TRUST', 'RTT', 'MACHINE', 'CONDITION'].map((heading) => ({ heading })),
      rows,
      output.palette.dim,
    ),
    ...(status.barred.length === 0
      ? []
      : [
          '',
          'barred identities:',
          ...status.barred.map(({ name, fingerprint, reason, hardware }) =>
            printable(`  ${name} (${fingerprint}): ${reason}${hardware === null ? '' : `; its machine too (${hardware})`}`),
          ),
        ]),
    ...(status.closed.length === 0 ? [] : ['', 'closed identities:', ...status.closed.map((closed) => `  ${closedWords(closed)}`)]),
  );
  return undefined;
}
