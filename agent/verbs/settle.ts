/** `node bar`, `node unbar`, `identity settle`: what the owner decides about identities in the wrong hands, or in two. */
import { clientFor, sayWould } from '#agent/verbs/connection.ts';
import { findNode } from '#agent/verbs/show-node.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable } from '#core/terminal/table.ts';
import type { ContestView } from '#mesh/swarm/views.ts';

/** `robonet node bar NAME`. */
export async function barNode(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const typed = invocation.argument(0) ?? '';
  const reason = invocation.text('reason') ?? 'barred by the owner';
  // An identity that is no member is named in full; whoever is one may be named as people do.
  const node = typed.startsWith('rn1') ? null : findNode(await client.call('status', {}, { signal: context.signal }), typed);
  const what = node === null ? typed : `${node.name} (${node.fingerprint})`;
  if (invocation.flag('dryRun'))
    return sayWould(context, `bar ${what} from the mesh: ${reason}; its links are cut and every member refuses it until \`robonet node unbar\``);
  const barred = await client.call('bar', { node: node?.aid ?? typed, reason }, { signal: context.signal });
  context.output.document('barred', { node: barred, reason });
  context.output.line(`${printable(barred.name)} (${barred.fingerprint}) is barred: ${printable(reason)}. Every member refuses it from now on.`);
  context.output.note(`to lift it: \`robonet node unbar ${printable(barred.name)}\`; it would begin at trust 0`);
  return undefined;
}

/** `robonet node unbar NAME`. */
export async function unbarNode(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const typed = invocation.argument(0) ?? '';
  if (invocation.flag('dryRun')) return sayWould(context, `lift the bar of ${typed}; it would be a member again, at trust 0`);
  const node = await client.call('unbar', { node: typed }, { signal: context.signal });
  context.output.document('unbarred', { node });
  context.output.line(`${printable(node.name)} (${node.fingerprint}) may come back; it begins at trust 0.`);
  return undefined;
}

/** `robonet identity settle NAME`. */
export async function settleIdentity(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const copy = invocation.text('copy') ?? null;
  const restored = invocation.flag('restored');
  if ((copy === null) === !restored)
    throw new Fault('RN-CLI-001', 'say either which machine is the copy (--copy) or that there is only one (--restored)', {
      next: '`robonet status` names both machines; `robonet identity settle --help` has examples.',
    });
  const node = findNode(await client.call('status', {}, { signal: context.signal }), invocation.argument(0) ?? '');
  if (invocation.flag('dryRun')) {
    const effect =
      copy === null
        ? `declare that ${node.name} is one machine: its trust grows again`
        : `declare ${copy} the copy of ${node.name}: that machine gives the identity up and asks to be let in as a new one`;
    return sayWould(context, effect, ...(node.contest === null ? [] : machinesOf(node.contest)));
  }
  await client.call('settle', { node: node.aid, copy }, { signal: context.signal });
  context.output.document('settled', { node: { aid: node.aid, fingerprint: node.fingerprint, name: node.name }, copy });
  if (copy === null) context.output.line(`${printable(node.name)} is one machine; its trust grows again.`);
  else {
    context.output.line(
      `${printable(copy)} is the copy of ${printable(node.name)}. As soon as it is reached it gives the identity up and asks to be let in as a new machine.`,
    );
    context.output.note('`robonet requests` shows it then; approve it there if you want it');
  }
  return undefined;
}

function machinesOf(contest: ContestView): readonly string[] {
  return contest.holders.map(({ boot, address, macs }) => {
    const where = address === null ? '' : ` at ${address}`;
    return `choose between two machines, one of them ${boot}${where}${macs.length === 0 ? '' : ` (${macs.join(', ')})`}`;
  });
}
