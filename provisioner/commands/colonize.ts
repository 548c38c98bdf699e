/** `provision HOST…`, `--inventory`, and the second half of `--scan`: colonize the named hosts and say how it went. */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { findAgentImages } from '#provisioner/agents/agent-images.ts';
import { escrowFolder, EscrowStore } from '#provisioner/escrow/escrow-store.ts';
import { colonizeHost, type ColonizeOptions, type FleetHost } from '#provisioner/fleet/colonize-host.ts';
import { inParallel } from '#provisioner/fleet/fleet.ts';
import { exitOf, outcomeDocument, type HostOutcome } from '#provisioner/fleet/outcome.ts';
import { findRootAccess } from '#provisioner/inspect/inspect.ts';
import { describeStep, describeUndo, shellLines } from '#provisioner/plan/describe.ts';
import { printable } from '#core/terminal/table.ts';
import { FleetScreen, recapLines } from '#provisioner/screens/fleet-screen.ts';
import { Sponsor } from '#provisioner/sponsor/sponsor.ts';
import { asRoot } from '#provisioner/ssh/as-root.ts';
import { sessionHere } from '#provisioner/ssh/here.ts';
import type { Session } from '#provisioner/ssh/session.ts';
import { executablePath } from '#provisioner/plan/paths.ts';
import { undoHost } from '#provisioner/undo/undo-host.ts';
import { hostOf } from './targets.ts';
import type { NamedHost } from './reach.ts';
import type { Workbench } from './workbench.ts';

const parallelDefault = 10;

/** Colonize, print the recap, return the exit code. */
export async function colonize(hosts: readonly NamedHost[], invocation: Invocation, context: VerbContext, bench: Workbench): Promise<ExitCode> {
  const { output } = context;
  const images = findAgentImages(invocation.text('agents') ?? null);
  const fleet = hosts.map((host) => bench.reach.bind(host));
  const dryRun = invocation.flag('dryRun');
  const found = invocation.text('found') ?? null;
  const kept: Session[] = [];
  const screen = new FleetScreen(output, bench.live, fleet);
  const escrow = invocation.flag('escrow') ? new EscrowStore(escrowFolder(context.env)) : null;
  const common: Omit<ColonizeOptions, 'sponsor' | 'found'> = {
    images,
    escrow,
    dryRun,
    report: (host, news) => screen.news(host, news),
    signal: context.signal,
  };
  const outcomes: HostOutcome[] = [];
  let sponsor: Sponsor | null = null;
  try {
    let rest = fleet;
    if (found === null) sponsor = await findSponsor(invocation, context, bench, kept);
    else {
      const [first, ...others] = fleet;
      if (first === undefined) return EXIT.ok;
      const founder: { root: Session | null; address: string } = { root: null, address: '' };
      const outcome = await colonizeHost(first, {
        ...common,
        sponsor: null,
        found,
        onFounder: (root, address) => {
          founder.root = root;
          founder.address = address;
          kept.push(root);
        },
      });
      outcomes.push(outcome);
      screen.ended(outcome);
      rest = others;
      if (founder.root !== null) sponsor = await Sponsor.at(founder.root, { program: executablePath, address: founder.address });
      else if (rest.length > 0) {
        const cause = outcome.kind === 'failed' ? `the first host did not found the mesh: ${outcome.fault.message}` : `the mesh "${found}" does not exist yet`;
        outcomes.push(...(dryRun && outcome.kind !== 'failed' ? [] : rest.map((host) => notStarted(host, cause))));
        if (dryRun && outcome.kind !== 'failed') output.note(`the other ${rest.length} hosts would then join "${found}"`);
        rest = [];
      }
    }
    const settled = await inParallel(rest, parallelOf(invocation), async (host) => {
      const outcome = context.signal.aborted
        ? notStarted(host, 'interrupted before it began', 'RN-PROV-031')
        : await colonizeHost(host, { ...common, sponsor, found: null });
      screen.ended(outcome);
      return outcome;
    });
    outcomes.push(...settled);
  } finally {
    screen.close();
    for (const session of kept) await session.close();
  }
  return finish(outcomes, { dryRun, mesh: sponsor === null ? null : { id: sponsor.meshId, name: sponsor.meshName, sponsor: sponsor.where } }, context);
}

/** Take the colonization of hosts back, in parallel as well. */
export async function undo(hosts: readonly NamedHost[], invocation: Invocation, context: VerbContext, bench: Workbench): Promise<ExitCode> {
  const fleet = hosts.map((host) => bench.reach.bind(host));
  const screen = new FleetScreen(context.output, bench.live, fleet);
  const dryRun = invocation.flag('dryRun');
  let outcomes: readonly HostOutcome[] = [];
  try {
    outcomes = await inParallel(fleet, parallelOf(invocation), async (host) => {
      const outcome = await undoHost(host, { dryRun, report: (about, news) => screen.news(about, news), signal: context.signal });
      screen.ended(outcome);
      return outcome;
    });
  } finally {
    screen.close();
  }
  for (const outcome of outcomes) {
    if (outcome.kind === 'undo-planned') {
      const leaving = outcome.leaves === null ? '' : `leave the mesh ${printable(outcome.leaves)}, `;
      context.output.line(`${printable(outcome.label)}: would ${leaving}remove the service and`, ...outcome.paths.map((path) => `  remove ${printable(path)}`));
    }
    if (outcome.kind === 'undone') context.output.note(`${printable(outcome.label)}: left alone: ${outcome.left.join(', ')}`);
  }
  return finish(outcomes, { dryRun, mesh: null }, context);
}

/** The member that makes the invitations: named by `--via`, or the agent of this machine. */
async function findSponsor(invocation: Invocation, context: VerbContext, bench: Workbench, kept: Session[]): Promise<Sponsor> {
  const via = invocation.text('via');
  if (via === undefined) return await Sponsor.at(sessionHere(), {});
  const host = bench.reach.bind(hostOf(via));
  const session = await host.connect(context.signal);
  kept.push(session);
  const root = asRoot(session, await findRootAccess(session, host.sudoPassword, context.signal));
  return await Sponsor.at(root, { program: executablePath, address: session.address });
}

function parallelOf(invocation: Invocation): number {
  const value = invocation.value('parallel');
  return typeof value === 'number' ? value : parallelDefault;
}

function notStarted(host: FleetHost, why: string, code: 'RN-PROV-022' | 'RN-PROV-031' = 'RN-PROV-022'): HostOutcome {
  return { label: host.label, address: null, seconds: 0, kind: 'failed', fault: new Fault(code, `${host.label} was not touched: ${why}`) };
}

function finish(
  outcomes: readonly HostOutcome[],
  about: { dryRun: boolean; mesh: { id: string; name: string; sponsor: string } | null },
  context: VerbContext,
): ExitCode {
  const { output } = context;
  const count = (kind: HostOutcome['kind']): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  const exit = exitOf(outcomes);
  for (const outcome of outcomes)
    if (outcome.kind === 'planned') {
      output.line(`${outcome.label}: ${outcome.steps.length} steps`);
      for (const [index, step] of outcome.steps.entries()) {
        const back = describeUndo(step);
        output.line(`  ${String(index + 1).padStart(2)}. ${describeStep(step)}${back === null ? '' : `  [undo: ${back}]`}`);
        if (output.verbose) output.line(...shellLines(step, outcome.label).map((line) => `      $ ${line}`));
      }
    }
  output.line(...recapLines(outcomes, output));
  output.document('provision', {
    mesh: about.mesh,
    dryRun: about.dryRun,
    hosts: outcomes.map(outcomeDocument),
    summary: {
      joined: count('joined'),
      alreadyMember: count('already-member'),
      planned: count('planned') + count('undo-planned'),
      undone: count('undone'),
      failed: count('failed'),
    },
    exit,
  });
  return exit;
}
