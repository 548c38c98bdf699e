/** `invite`, `requests`, `approve`, `deny`: letting others in. */
import { clientFor, sayWould } from '#agent/verbs/connection.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { formatRelative } from '#core/terminal/duration.ts';
import { printable, renderTable } from '#core/terminal/table.ts';
import type { InviteOptions } from '#mesh/swarm/views.ts';

export const inviteRoles = ['member', 'voter', 'observer'] as const satisfies readonly InviteOptions['role'][];

/** `robonet invite`. */
export async function invite(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const { output, signal } = context;
  const role = inviteRoles.find((candidate) => candidate === invocation.text('role')) ?? 'member';
  const options: InviteOptions = {
    role,
    uses: invocation.number('uses') ?? 1,
    expiresInMs: invocation.number('expires') ?? 3_600_000,
    label: invocation.text('label') ?? null,
  };
  if (invocation.flag('dryRun'))
    return sayWould(
      context,
      `make an invitation for ${String(options.uses)} ${role}${options.uses === 1 ? '' : 's'}, valid until ${formatTimestamp(Date.now() + options.expiresInMs)}`,
    );
  const invitation = await clientFor(invocation).call('invite', options, { signal });
  output.document('invitation', invitation);
  output.line(invitation.token);
  output.note(
    `invitation ${invitation.tokenId} to ${printable(invitation.meshName)}: ${String(invitation.uses)} use${invitation.uses === 1 ? '' : 's'}, role ${invitation.role}, expires ${formatRelative(invitation.expiresAt, Date.now())} (${formatTimestamp(invitation.expiresAt)})`,
    'it is a secret: on the new machine run `robonet join --token-file FILE` (or pipe it to `--token-file -`)',
  );
  return undefined;
}

/** `robonet invite list`. */
export async function listInvitations(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const invitations = await clientFor(invocation).call('invitations', {}, { signal });
  output.document('invitations', { invitations });
  const now = Date.now();
  const rows = invitations.map(({ tokenId, role, uses, expiresAt, standing, label }) => [
    tokenId,
    role,
    String(uses),
    standing === 'open' ? formatRelative(expiresAt, now) : standing,
    printable(label ?? ''),
  ]);
  output.line(
    ...renderTable(
      [{ heading: 'ID' }, { heading: 'ROLE' }, { heading: 'USES LEFT', align: 'right' }, { heading: 'EXPIRES' }, { heading: 'LABEL' }],
      rows,
      output.palette.dim,
    ),
  );
  if (rows.length === 0) output.note('no invitations; `robonet invite` makes one');
  return undefined;
}

/** `robonet invite revoke ID`. */
export async function revokeInvitation(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const tokenId = invocation.argument(0) ?? '';
  if (invocation.flag('dryRun')) return sayWould(context, `revoke the invitation ${tokenId}`);
  await clientFor(invocation).call('revoke-invitation', { tokenId }, { signal: context.signal });
  context.output.document('revoked', { tokenId });
  context.output.line(`invitation ${printable(tokenId)} is revoked: nobody can join with it any more.`);
  return undefined;
}

/** `robonet requests`. */
export async function listRequests(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const { requests } = await clientFor(invocation).call('status', {}, { signal });
  output.document('requests', { requests });
  const now = Date.now();
  const rows = requests.map((request) => [
    request.fingerprint,
    printable(request.name),
    printable(request.address),
    printable(request.capabilities?.model ?? request.capabilities?.profile ?? '-'),
    formatRelative(request.since, now),
    formatRelative(request.expiresAt, now),
  ]);
  output.line(
    ...renderTable(
      ['FINGERPRINT', 'NAME', 'ADDRESS', 'MACHINE', 'WAITING SINCE', 'EXPIRES'].map((heading) => ({ heading })),
      rows,
      output.palette.dim,
    ),
  );
  if (rows.length === 0) output.note('nobody waits for approval');
  else output.note("compare each fingerprint with the machine's own screen (`robonet identity show` there), then `robonet approve FINGERPRINT`");
  return undefined;
}

/** `robonet approve FINGERPRINT`. */
export async function approve(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const fingerprint = completeFingerprint(invocation.argument(0) ?? '');
  const client = clientFor(invocation);
  const replaces = invocation.text('replaces');
  if (invocation.flag('dryRun'))
    return sayWould(
      context,
      `approve the machine with fingerprint ${fingerprint} if it waits`,
      ...(replaces === undefined ? [] : [`close the identity of ${printable(replaces)} for good, as replaced by it`]),
    );
  const request = await client.call('approve', { fingerprint, ...(replaces === undefined ? {} : { replaces }) }, { signal: context.signal });
  context.output.document('approved', { request });
  context.output.line(`${printable(request.name)} (${request.fingerprint}) at ${printable(request.address)} is approved.`);
  if (replaces !== undefined) context.output.line(`the former identity of ${printable(replaces)} is closed, on every node, for good.`);
  return undefined;
}

/** `robonet deny FINGERPRINT`. */
export async function deny(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const fingerprint = completeFingerprint(invocation.argument(0) ?? '');
  const client = clientFor(invocation);
  if (invocation.flag('dryRun')) return sayWould(context, `turn away the machine with fingerprint ${fingerprint} and record it`);
  const request = await client.call('deny', { fingerprint, reason: invocation.text('reason') ?? 'denied by a person' }, { signal: context.signal });
  context.output.document('denied', { request });
  context.output.line(`${printable(request.name)} (${request.fingerprint}) at ${printable(request.address)} is turned away; the attempt is recorded.`);
  return undefined;
}

// Part of a fingerprint is never enough: comparing it is the whole point.
function completeFingerprint(text: string): string {
  if (text.replace(/[^0-9A-Za-z]/g, '').length === 16) return text;
  throw new Fault('RN-CLI-001', `'${printable(text)}' is not a complete fingerprint of 16 characters, XXXX-XXXX-XXXX-XXXX`, {
    next: 'Copy it from the screen of the machine that wants to join (`robonet identity show` there).',
  });
}
