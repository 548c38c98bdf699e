/**
 * What a person should know first: everything wrong in a status, worst first, each with what to do. Pure. The list is what
 * decides the exit code of `robonet status`.
 */
import type { Problem } from '#agent/api/protocol.ts';
import { formatRelative } from '#core/terminal/duration.ts';
import type { Millis } from '#core/time/time.ts';
import type { NodeView, StatusView } from '#mesh/swarm/views.ts';

const ORDER = ['critical', 'warning', 'notice'] as const;

/** How many more voters may fall silent before nothing can be decided; negative when that has happened. */
export function quorumMargin(status: StatusView): number | null {
  if (status.mesh === null) return null;
  const voters = status.nodes.filter((node) => node.voter);
  return voters.filter((node) => node.self || node.liveness === 'up' || node.liveness === 'suspect').length - status.mesh.quorum;
}

/** All problems, worst first. `interfacesUsed` is null where nobody looked. */
export function problemsOf(status: StatusView, interfacesUsed: number | null, now: Millis): readonly Problem[] {
  const problems = [
    ...ownProblems(status, interfacesUsed),
    ...meshProblems(status),
    ...status.nodes.flatMap((node) => nodeProblems(node, now)),
    ...waiting(status),
    ...strangers(status),
  ];
  return problems.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function ownProblems(status: StatusView, interfacesUsed: number | null): readonly Problem[] {
  const problems: Problem[] = [];
  if (interfacesUsed === 0)
    problems.push(
      problem('NO_INTERFACE', 'critical', 'no network interface that faces a LAN is left', 'Run `robonet doctor` to see why each was passed over.'),
    );
  for (const flag of status.degraded)
    problems.push(problem('STATE_DEGRADED', 'critical', `stored state is degraded: ${flag}`, 'See `robonet explain STATE_DEGRADED`.'));
  if (status.startReason === 'restore' && status.state === 'member')
    problems.push(
      problem(
        'ROLLED_BACK',
        'notice',
        'this machine went on from an older state (a restored disk, or writes lost in a power cut); its peers gave back what it had forgotten',
        'Nothing, if you restored it. If it happens by itself the card or disk loses writes: replace it.',
      ),
    );
  const reason = status.stateReason;
  switch (status.state) {
    case 'unjoined':
      problems.push(
        problem('UNJOINED', 'notice', reason ?? 'this node belongs to no mesh', 'Found one with `robonet init NAME`, or join one with `robonet join`.'),
      );
      break;
    case 'joining':
      problems.push(problem('JOINING', 'notice', reason ?? 'this node is joining', 'Wait a moment; `robonet doctor` explains silence.'));
      break;
    case 'lobby':
      problems.push(
        problem(
          'WAITING_FOR_APPROVAL',
          'notice',
          reason ?? 'this node waits for approval',
          `Compare the fingerprint ${status.self.fingerprint} on a member (\`robonet requests\`) and approve it there.`,
        ),
      );
      break;
    case 'refused':
      problems.push(problem('REFUSED', 'critical', reason ?? 'the mesh has refused this node', 'Ask for a new invitation and run `robonet join` again.'));
      break;
    case 'contested':
      problems.push(
        problem(
          'IDENTITY_CONTESTED',
          'critical',
          status.self.contest?.text ?? reason ?? 'another machine with this identity is alive',
          settleWords(status.self, 'On a voter, or on the machine that is to stay if that is a voter: '),
        ),
      );
      break;
    case 'member':
      break;
  }
  return problems;
}

function meshProblems(status: StatusView): readonly Problem[] {
  const { mesh } = status;
  if (mesh === null || status.state !== 'member') return [];
  const problems: Problem[] = [];
  const margin = quorumMargin(status) ?? 0;
  if (margin < 0) {
    const up = mesh.quorum + margin;
    problems.push(
      problem(
        'QUORUM_UNREACHABLE',
        'critical',
        `only ${String(up)} of ${String(mesh.voters)} voters can be reached, ${String(mesh.quorum)} are needed: nothing can be decided`,
        'Bring a voter back; everything local goes on meanwhile.',
      ),
    );
  }
  const others = status.nodes.filter((node) => !node.self);
  if (others.length > 0 && others.every((node) => node.liveness === 'down'))
    problems.push(problem('ISOLATED', 'critical', `none of the ${String(others.length)} other nodes can be reached`, 'Run `robonet doctor`.'));
  return problems;
}

function nodeProblems(node: NodeView, now: Millis): readonly Problem[] {
  const problems: Problem[] = [];
  if (!node.self && node.liveness === 'down') {
    const since = node.lastSeen === null ? 'not seen since this node started' : `last seen ${formatRelative(node.lastSeen, now)}`;
    problems.push(
      problem(
        'NODE_DOWN',
        'warning',
        `${node.name} is offline, ${since}`,
        `Check its power and network; if it will not come back: \`robonet node forget ${node.name}\`.`,
      ),
    );
  }
  if (!node.self && node.contest !== null)
    problems.push(problem('IDENTITY_CONTESTED', 'critical', node.contest.text, settleWords(node, 'Decide which machine is the copy; then, on a voter: ')));
  if (node.trust?.standing === 'frozen')
    problems.push(
      problem(
        'TRUST_FROZEN',
        'warning',
        `${node.name} used an incarnation twice, as after a restored backup; its trust is frozen`,
        `If it is one machine: \`robonet identity settle ${node.name} --restored\` on a voter. If you restored nothing, look for a copy of its disk.`,
      ),
    );
  if (node.trust?.standing === 'convicted')
    problems.push(
      problem(
        'EQUIVOCATION',
        'critical',
        `${node.name} signed two different things for one place; its identity is worth nothing any more`,
        'Its memory was copied while it ran, or its key is in other hands. Reinstall the machine: it comes back with a new identity.',
      ),
    );
  if (!node.self && node.liveness === 'suspect')
    problems.push(problem('NODE_SUSPECT', 'notice', `${node.name} has fallen silent`, 'Wait a few seconds: it is being asked.'));
  for (const condition of node.conditions) {
    if (condition.until !== null) continue;
    problems.push(
      problem(
        condition.kind.toUpperCase().replaceAll('-', '_'),
        condition.severity,
        `${node.name}: ${condition.text}`,
        `\`robonet node ${node.name}\` shows values and duration.`,
      ),
    );
  }
  return problems;
}

function settleWords(node: NodeView, lead: string): string {
  const [first, second] = node.contest?.holders ?? [];
  return `${lead}\`robonet identity settle ${node.name} --copy ${second?.boot ?? 'BOOT'}\` if the one that came later is the copy${first === undefined ? '' : `, \`--copy ${first.boot}\` if the first one is`}.`;
}

function waiting({ requests }: StatusView): readonly Problem[] {
  const [first] = requests;
  if (first === undefined) return [];
  const who = requests.length === 1 ? `${first.name} (${first.fingerprint}) asks` : `${String(requests.length)} machines ask`;
  return [
    problem('REQUESTS_WAITING', 'notice', `${who} to join`, "Compare the fingerprint with the machine's own screen, then `robonet approve FINGERPRINT`."),
  ];
}

function strangers(status: StatusView): readonly Problem[] {
  return status.strangers.map(({ mac, addresses, identities, turnedAway }) => {
    const from = mac === null ? addresses.join(', ') : `one machine, MAC ${mac} (${addresses.join(', ')})`;
    return problem(
      'SYBIL_SUSPECTED',
      'warning',
      `${String(identities)} strange identities asked to join from ${from}; ${String(turnedAway)} attempts were turned away`,
      'Find that machine; approve only a fingerprint you have read from the screen of a machine of your own.',
    );
  });
}

function problem(code: string, severity: Problem['severity'], text: string, next: string): Problem {
  return { code, severity, text, next };
}
