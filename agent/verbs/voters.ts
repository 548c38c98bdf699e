/** `voters`, `voters add`, `voters remove`: who decides in this mesh, and how many of them may be lost. */
import type { StatusAnswer } from '#agent/api/protocol.ts';
import { quorumMargin } from '#agent/status/problems.ts';
import { clientFor, sayWould } from '#agent/verbs/connection.ts';
import { findNode } from '#agent/verbs/show-node.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable } from '#core/terminal/table.ts';

/** How many of the voters may be lost, in words: "3 voters, quorum 2: one may fail". */
export function quorumWords({ voters, quorum }: { readonly voters: number; readonly quorum: number }): string {
  const spare = voters - quorum;
  const margin = spare === 0 ? (voters === 1 ? 'without it nothing is decided' : 'none may fail') : spare === 1 ? 'one may fail' : `${String(spare)} may fail`;
  return `${String(voters)} voter${voters === 1 ? '' : 's'}, quorum ${String(quorum)}: ${margin}`;
}

/** `robonet voters`. */
export async function showVoters(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const status = await clientFor(invocation).call('status', {}, { signal });
  const { mesh } = status;
  if (mesh === null) throw new Fault('RN-MESH-005', 'this node belongs to no mesh');
  const voters = status.nodes
    .filter((node) => node.voter)
    .map(({ aid, fingerprint, name, leader, liveness }) => ({ aid, fingerprint, name, leader, liveness }));
  output.document('voters', { quorum: mesh.quorum, term: mesh.term, leader: mesh.leader, voters });
  output.line(`${quorumWords(mesh)}; term ${String(mesh.term)}${reachableWords(status)}`);
  for (const { name, fingerprint, leader, liveness } of voters) output.line(`  ${printable(name)} (${fingerprint}) ${leader ? 'leads' : liveness}`);
  return undefined;
}

function reachableWords(status: StatusAnswer): string {
  const margin = quorumMargin(status) ?? 0;
  return margin < 0 ? `; read-only: ${String((status.mesh?.quorum ?? 0) + margin)} of ${String(status.mesh?.voters ?? 0)} can be reached` : '';
}

/** `robonet voters add NODE`. */
export async function addVoter(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const status = await client.call('status', {}, { signal: context.signal });
  const node = findNode(status, invocation.argument(0) ?? '');
  if (invocation.flag('dryRun')) return sayWould(context, `give ${node.name} (${node.fingerprint}) a vote as soon as it has caught up with the log`);
  const voter = await client.call('add-voter', { node: node.aid }, { signal: context.signal });
  context.output.document('voter-added', { node: voter });
  context.output.line(`${printable(voter.name)} (${voter.fingerprint}) gets the log, and votes as soon as it has kept up with it for 10 s.`);
  const voters = (status.mesh?.voters ?? 0) + 1;
  if (voters === 2) context.output.note('with two voters both are needed: add a third, so that one may fail');
  return undefined;
}

/** `robonet voters remove NODE`. */
export async function removeVoter(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const node = findNode(await client.call('status', {}, { signal: context.signal }), invocation.argument(0) ?? '');
  if (invocation.flag('dryRun')) return sayWould(context, `take the vote of ${node.name} (${node.fingerprint}); it stays a member`);
  const voter = await client.call('remove-voter', { node: node.aid }, { signal: context.signal });
  context.output.document('voter-removed', { node: voter });
  context.output.line(`${printable(voter.name)} (${voter.fingerprint}) has no vote any more; it stays a member.`);
  return undefined;
}
