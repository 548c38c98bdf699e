/** The command line of `provision` as data, and which code answers what. */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { completionVerb } from '#core/node/command-line/completion.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { dryRunOption, type ProgramSpec, type VerbContext } from '#core/node/command-line/verb.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { colonize, undo } from './colonize.ts';
import { doctor } from './doctor.ts';
import { listEscrow, pullEscrow, showEscrow } from './escrow.ts';
import { loginOptions, runOptions, scanOptions } from './options.ts';
import { scanAndChoose } from './scan.ts';
import { hostsOf } from './targets.ts';
import { makeWorkbench } from './workbench.ts';

/** Time to take back what was begun after Ctrl-C: the undo of an installation on a slow host. */
const cleanUpMsMax = 60_000;

export const program: ProgramSpec = {
  name: 'provision',
  summary: 'make members of a mesh out of machines on the LAN that run nothing of ours',
  description:
    'It finds machines, logs in over SSH, installs the agent, and lets a member invite each of them. What it begins and cannot finish it takes back; what it finished it can undo.',
  version: buildIdentity.version,
  cleanUpMsMax,
  arguments: [{ form: '[host...]', text: 'name, address, user@host, user@host:port, or an alias of ~/.ssh/config' }],
  options: [...scanOptions, ...runOptions, ...loginOptions],
  examples: [
    ['provision --scan', 'list the machines of the LAN and choose which shall join'],
    ['provision pi@192.168.1.20 pi@192.168.1.21 --ask-password', 'colonize two machines with one password'],
    ['provision --inventory hosts.yaml --dry-run', 'show what would be done on each host'],
    ['provision --found home kitchen garage', 'let the first host found the mesh, and the second join it'],
    ['provision --undo kitchen', 'leave the mesh in good order and leave the host as it was'],
  ],
  exits: [
    [EXIT.failed, 'no host could be finished'],
    [EXIT.partlyFailed, 'some hosts failed, the others are done'],
    [EXIT.badInput, 'the inventory or a file is wrong'],
    [EXIT.unavailable, 'a host does not answer, no agent fits it, or a scan found nothing'],
    [EXIT.tryAgain, 'too little disk, or a lost connection'],
    [EXIT.notPermitted, 'login, sudo or host key refused'],
    [EXIT.interrupted, 'stopped by the person; what was begun was taken back'],
  ],
  run,
  verbs: [
    {
      name: 'doctor',
      summary: 'check this machine: network, agents, SSH keys, sponsor',
      examples: [['provision doctor', 'what is missing here before machines can be colonized']],
      exits: [[EXIT.failed, 'something would stop a colonization']],
      run: doctor,
    },
    {
      name: 'version',
      summary: 'print the version of this program',
      run: (_invocation, { output }) => {
        output.line(`provision ${buildIdentity.version} (${buildIdentity.build})`);
        output.document('version', { program: 'provision', ...buildIdentity });
        return EXIT.ok;
      },
    },
    {
      name: 'escrow',
      summary: 'the next keys that this machine keeps for others',
      description:
        'The next key alone may replace the key of an identity, and takes it back from a thief. It is kept in $XDG_DATA_HOME/robonet/escrow (default: ~/.local/share), one file per identity, for you alone. Keep a copy of that folder.',
      verbs: [
        {
          name: 'list',
          summary: 'whose next keys are here',
          examples: [['provision escrow list', 'name, fingerprint, mesh, which rotation, since when']],
          exits: [[EXIT.failed, 'a file is damaged']],
          run: listEscrow,
        },
        {
          name: 'show',
          summary: 'print one next key: a secret',
          arguments: [{ form: '<name>', text: 'name, host, fingerprint or identity' }],
          examples: [
            ['provision escrow show attic | ssh attic sudo robonet identity rotate --next-key -', 'rotate the key of attic'],
            ['provision escrow show attic --json > attic.escrow', 'the whole file, for `robonet identity recover` on another device'],
          ],
          exits: [[EXIT.badInput, 'no such key']],
          run: showEscrow,
        },
        {
          name: 'pull',
          summary: 'take the next key from a device, which then deletes its copy',
          arguments: [{ form: '[host...]', text: 'as for colonizing' }],
          options: [
            { flags: '--inventory <file>', text: 'take the hosts from a YAML file' },
            { flags: '-y, --yes', text: 'ask nothing' },
            dryRunOption,
            ...loginOptions,
          ],
          examples: [['provision escrow pull attic', 'after a rotation, or for a device that somebody installed by hand']],
          exits: [
            [EXIT.badInput, 'the key is not on the device'],
            [EXIT.unavailable, 'a host does not answer'],
          ],
          run: pullEscrow,
        },
      ],
    },
    completionVerb('provision'),
  ],
};

async function run(invocation: Invocation, context: VerbContext): Promise<ExitCode> {
  const scanning = invocation.flag('scan');
  const hosts = hostsOf(invocation);
  if (scanning && hosts.length > 0)
    throw new Fault('RN-CLI-001', 'hosts were named together with --scan', {
      next: 'Leave out one of them: --scan looks for machines, names colonize them at once.',
    });
  if (!scanning && hosts.length === 0)
    throw new Fault('RN-CLI-001', 'no host was named', {
      next: 'Name hosts, give --inventory FILE, or find some with `provision --scan`; `provision --help` shows examples.',
    });
  sayVerbsMeant(invocation.arguments, context);
  const bench = makeWorkbench(invocation, context);
  if (scanning) return await scanAndChoose(invocation, context, bench);
  if (invocation.flag('undo')) return await undo(hosts, invocation, context, bench);
  return await colonize(hosts, invocation, context, bench);
}

/** `provision doctr` names a host; that is said, since it may have been meant for the verb. */
function sayVerbsMeant(hosts: readonly string[], { output }: VerbContext): void {
  for (const host of hosts) {
    const meant = /^[a-z]+$/.test(host) ? nearest(host, [...(program.verbs ?? []).map((verb) => verb.name), 'help']) : undefined;
    if (meant !== undefined) output.note(`"${host}" is taken for the name of a host; the verb is \`provision ${meant}\``);
  }
}
