/**
 * What installing and removing the service means, as steps that can be printed before they are done. Pure. Every step is
 * idempotent; a plan for a machine that is already as wanted is empty.
 */

/** One small change of the system. */
export type ServiceStep =
  | { readonly kind: 'write-unit'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove-file'; readonly path: string }
  | { readonly kind: 'remove-directory'; readonly path: string }
  | { readonly kind: 'systemctl'; readonly arguments: readonly string[]; readonly optional: boolean }
  | { readonly kind: 'start-supervised' }
  | { readonly kind: 'stop-supervised' };

/** What is on the machine now. */
export interface ServiceFacts {
  readonly systemd: boolean;
  /** Text of the installed unit, or null. */
  readonly unit: string | null;
  readonly enabled: boolean;
  readonly active: boolean;
  /** The running agent is of another build than this program. */
  readonly outdated: boolean;
  readonly supervised: boolean;
}

export interface InstallTarget {
  readonly unitPath: string;
  readonly unitName: string;
  readonly unit: string;
  readonly start: boolean;
}

/** Steps to "installed, enabled, and running this build". */
export function planInstall(facts: ServiceFacts, target: InstallTarget): readonly ServiceStep[] {
  if (!facts.systemd) {
    if (!target.start || (facts.supervised && !facts.outdated)) return [];
    return facts.supervised ? [{ kind: 'stop-supervised' }, { kind: 'start-supervised' }] : [{ kind: 'start-supervised' }];
  }
  const steps: ServiceStep[] = [];
  const changed = facts.unit !== target.unit;
  if (facts.supervised) steps.push({ kind: 'stop-supervised' });
  if (changed) steps.push({ kind: 'write-unit', path: target.unitPath, text: target.unit }, systemctl('daemon-reload'));
  if (!facts.enabled) steps.push(systemctl('enable', target.unitName));
  if (target.start) {
    if (!facts.active) steps.push(systemctl('start', target.unitName));
    else if (changed || facts.outdated) steps.push(systemctl('restart', target.unitName));
  }
  return steps;
}

/** Steps to "not there"; with `purge` nothing the agent ever wrote is left. */
export function planUninstall(
  facts: ServiceFacts,
  target: { readonly unitPath: string; readonly unitName: string; readonly purge: readonly string[] },
): readonly ServiceStep[] {
  const steps: ServiceStep[] = [];
  if (facts.supervised) steps.push({ kind: 'stop-supervised' });
  if (facts.systemd) {
    if (facts.active) steps.push(systemctl('stop', target.unitName));
    if (facts.enabled) steps.push(systemctl('disable', target.unitName));
    if (facts.unit !== null)
      steps.push({ kind: 'remove-file', path: target.unitPath }, systemctl('daemon-reload'), { ...systemctl('reset-failed', target.unitName), optional: true });
  } else if (facts.unit !== null) steps.push({ kind: 'remove-file', path: target.unitPath });
  return [...steps, ...target.purge.map((path): ServiceStep => ({ kind: 'remove-directory', path }))];
}

function systemctl(...words: readonly string[]): ServiceStep & { readonly kind: 'systemctl' } {
  return { kind: 'systemctl', arguments: words, optional: false };
}

/** One line for `--dry-run` and progress. */
export function describeStep(step: ServiceStep): string {
  switch (step.kind) {
    case 'write-unit':
      return `write ${step.path}`;
    case 'remove-file':
    case 'remove-directory':
      return `remove ${step.path}`;
    case 'systemctl':
      return `run systemctl ${step.arguments.join(' ')}`;
    case 'start-supervised':
      return 'start the agent as a supervised process (there is no systemd)';
    case 'stop-supervised':
      return 'stop the supervised agent';
  }
}
