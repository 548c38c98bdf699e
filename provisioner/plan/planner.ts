/**
 * From what a host is to the steps that are missing. Pure: it walks backwards from the goal through the contracts of
 * `step.ts` and leaves out everything that already holds, so that a second run plans only what is not yet done.
 */
import { assert } from '#core/errors/assert.ts';
import type { Facts } from '#provisioner/inspect/facts.ts';
import type { Manifest } from './manifest.ts';
import { executablePath, stateDir, touchedPaths } from './paths.ts';
import { contracts, type AgentImage, type Condition, type Step, type StepKind } from './step.ts';

/** What the run wants. */
export interface Goal {
  readonly label: string;
  readonly image: AgentImage;
  /** Folder on this machine that keeps the device's next key; null where the device keeps it. */
  readonly escrow: string | null;
  /** Become a member by invitation, or found a mesh of this name. */
  readonly way: { readonly kind: 'join'; readonly meshId: string } | { readonly kind: 'found'; readonly name: string };
}

/** The missing steps in an order that respects every contract. */
export function plan(facts: Facts, goal: Goal): readonly Step[] {
  const holds = new Set(held(facts, goal));
  const ordered: StepKind[] = [];
  const reach = (condition: Condition, path: readonly Condition[]): void => {
    if (holds.has(condition)) return;
    assert(!path.includes(condition), `the contracts lead in a circle: ${[...path, condition].join(' → ')}`);
    const kind = providerOf(condition, goal);
    for (const need of contracts[kind].needs) reach(need, [...path, condition]);
    ordered.push(kind);
    holds.add(condition);
  };
  reach('closed', []);
  return ordered.map((kind) => stepOf(kind, facts, goal));
}

function held(facts: Facts, goal: Goal): readonly Condition[] {
  const conditions: Condition[] = goal.escrow === null ? ['escrowed'] : [];
  if (facts.leftovers.length === 0) conditions.push('clean');
  if (facts.agent?.running === true) conditions.push('executable', 'service', 'verified', 'pushed');
  else if (facts.agent?.sha256 === goal.image.sha256 && facts.manifest !== null) conditions.push('executable', 'verified', 'pushed');
  // An agent somebody installed by hand is not ours to remove: no manifest, so undo will leave it alone.
  if (facts.manifest !== null || facts.agent?.running === true) conditions.push('manifest');
  return conditions;
}

function providerOf(condition: Condition, goal: Goal): StepKind {
  if (condition === 'member') return goal.way.kind === 'join' ? 'join-mesh' : 'found-mesh';
  const [kind] = kinds().filter((each) => contracts[each].gives === condition);
  assert(kind !== undefined, `some step brings about "${condition}"`);
  return kind;
}

function kinds(): readonly StepKind[] {
  return Object.keys(contracts).filter((key): key is StepKind => key in contracts);
}

function stepOf(kind: StepKind, facts: Facts, goal: Goal): Step {
  const created = touchedPaths.filter((path) => !facts.existing.includes(path));
  const ours = facts.manifest?.created ?? created;
  switch (kind) {
    case 'clear-leftovers':
      return { kind, paths: facts.leftovers.map(({ path }) => path) };
    case 'open-staging':
      return { kind, createsFolder: created.includes('/usr/local/bin') };
    case 'push-agent':
    case 'verify-agent':
      return { kind, image: goal.image };
    case 'write-manifest':
      return { kind, manifest: manifestOf('begun', facts, goal) };
    case 'install-service':
      return { kind, created: ours, purge: ours.includes('/etc/robonet') && ours.includes(stateDir) && ours.includes(executablePath) };
    case 'make-invitation':
      return { kind, label: goal.label };
    case 'found-mesh':
      return { kind, name: goal.way.kind === 'found' ? goal.way.name : goal.label, manifest: completed(facts, goal) };
    case 'join-mesh':
      return { kind, manifest: completed(facts, goal) };
    case 'escrow-next-key':
      return { kind, folder: goal.escrow ?? '' };
    case 'install-executable':
    case 'confirm-membership':
    case 'close-staging':
      return { kind };
  }
}

function manifestOf(state: Manifest['state'], facts: Facts, goal: Goal): Manifest {
  return {
    v: 1,
    state,
    label: goal.label,
    agentSha256: goal.image.sha256,
    meshId: goal.way.kind === 'join' ? goal.way.meshId : null,
    // What an earlier, interrupted run created is ours too, although it exists by now.
    created: [...(facts.manifest?.created ?? touchedPaths.filter((path) => !facts.existing.includes(path)))],
    installedService: true,
  };
}

/** Null when the agent was there before us and without a manifest: then it is not ours to list, nor to remove. */
function completed(facts: Facts, goal: Goal): Manifest | null {
  return facts.agent?.running === true && facts.manifest === null ? null : manifestOf('complete', facts, goal);
}
