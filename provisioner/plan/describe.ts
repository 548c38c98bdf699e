/** Steps as sentences and as shell lines a person could type, for `--dry-run`. Pure text; the executor never reads it back. */
import { formatBytes } from '#core/terminal/size.ts';
import { quoteArgv } from '#provisioner/ssh/quoting.ts';
import { executablePath, manifestPath, stagingPrefix } from './paths.ts';
import type { Step } from './step.ts';

/** One line, imperative, with the numbers. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'clear-leftovers':
      return `remove what an interrupted run left behind (${step.paths.length} folder${step.paths.length === 1 ? '' : 's'})`;
    case 'open-staging':
      return `make a private staging folder ${stagingPrefix}… that cleans itself up when we fall silent`;
    case 'push-agent':
      return `send the agent for ${step.image.arch}: ${formatBytes(step.image.gzipBytes)} compressed, ${formatBytes(step.image.bytes)} there`;
    case 'verify-agent':
      return `read it back there and compare SHA-256 ${step.image.sha256.slice(0, 16)}…`;
    case 'write-manifest':
      return `note in ${manifestPath} what will be created (${step.manifest.created.length} paths), for undo`;
    case 'install-executable':
      return `move the agent to ${executablePath} in one step`;
    case 'install-service':
      return 'install and start the service robonet';
    case 'make-invitation':
      return `have the sponsor make a single-use invitation labelled "${step.label}"`;
    case 'join-mesh':
      return 'join the mesh with the invitation, given on standard input';
    case 'found-mesh':
      return `found the mesh "${step.name}"`;
    case 'confirm-membership':
      return 'compare the fingerprints shown by the host and by the sponsor';
    case 'escrow-next-key':
      return `take its next key into escrow, to ${step.folder}, and have the device delete its copy`;
    case 'close-staging':
      return 'remove the staging folder';
  }
}

/** How the step is taken back; null when there is nothing to take back. */
export function describeUndo(step: Step): string | null {
  switch (step.kind) {
    case 'open-staging':
      return 'remove the staging folder';
    case 'write-manifest':
      return `remove ${manifestPath}`;
    case 'install-executable':
      return `remove ${executablePath} (or put the previous one back)`;
    case 'install-service':
      return 'stop and remove the service and its files';
    case 'make-invitation':
      return 'revoke the invitation';
    case 'join-mesh':
    case 'found-mesh':
      return 'leave the mesh';
    case 'clear-leftovers':
    case 'push-agent':
    case 'verify-agent':
    case 'confirm-membership':
    case 'escrow-next-key':
    case 'close-staging':
      return null;
  }
}

/** Equivalent commands; `$staging` stands for the folder made by the first, `root@host` for a root shell there. */
export function shellLines(step: Step, host: string): readonly string[] {
  const there = (...argv: string[]): string => `ssh ${host} sudo ${quoteArgv(argv)}`;
  switch (step.kind) {
    case 'clear-leftovers':
      return step.paths.map((path) => there('rm', '-rf', path));
    case 'open-staging':
      return [`staging=$(ssh ${host} sudo mktemp -d ${stagingPrefix}XXXXXXXX)`];
    case 'push-agent':
      return [`ssh ${host} "gzip -dc | sudo tee $staging/agent >/dev/null" < robonet-linux-${step.image.arch}.gz`];
    case 'verify-agent':
      return [`ssh ${host} "echo '${step.image.sha256}  $staging/agent' | sudo sha256sum -c"`];
    case 'write-manifest':
      return [`ssh ${host} sudo tee ${manifestPath} < provisioned.json`];
    case 'install-executable':
      return [`ssh ${host} "sudo chmod 755 $staging/agent && sudo mv $staging/agent ${executablePath}"`];
    case 'install-service':
      return [there(executablePath, 'agent', 'install')];
    case 'make-invitation':
      return [`robonet invite --uses 1 --expires 1h --label ${quoteArgv([step.label])} > token`];
    case 'join-mesh':
      return [`${there(executablePath, 'join', '--token-file', '-')} < token`];
    case 'found-mesh':
      return [there(executablePath, 'init', step.name)];
    case 'confirm-membership':
      return [there(executablePath, 'identity', 'show'), 'robonet nodes'];
    case 'escrow-next-key':
      return [
        `(umask 077; ${there(executablePath, 'identity', 'export-next', '-', '--json')} > ${quoteArgv([`${step.folder}/next-key.json`])})`,
        there(executablePath, 'identity', 'forget-next', 'DIGEST', '--escrowed'),
      ];
    case 'close-staging':
      return [`ssh ${host} sudo rm -rf $staging`];
  }
}
