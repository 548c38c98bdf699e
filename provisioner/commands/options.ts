/** The options of `provision`, by topic; one table for parser, help and completion. */
import type { OptionSpec } from '#core/node/command-line/verb.ts';
import { dryRunOption } from '#core/node/command-line/verb.ts';
import { parsePort } from '#core/terminal/address.ts';
import { parseDuration } from '#core/terminal/duration.ts';
import { parsed, problem, type Parsed } from '#core/terminal/parsed.ts';
import { userProblem } from '#provisioner/ssh/host-name.ts';

/** More hosts at a time than this do not make a run faster; they make its links and the sponsor slower. */
export const parallelMax = 64;

export const scanOptions: readonly OptionSpec[] = [
  { flags: '--scan', text: 'look for machines on the LAN; changes nothing and logs into nothing' },
  { flags: '--sweep', text: 'with --scan: also look at port 22 of every address of the local subnets, gently' },
  { flags: '--timeout <time>', text: 'with --scan: how long to look (default 10s, at most 10m; rows appear as they are found)', parse: parseScanTime },
];

export const loginOptions: readonly OptionSpec[] = [
  { flags: '-u, --user <name>', text: 'log in as this user (default: ~/.ssh/config, else your own name)', parse: parseUser },
  { flags: '-p, --port <number>', text: 'SSH port', parse: parsePort },
  { flags: '-i, --identity <file>', text: 'private key to offer first', repeatable: true },
  { flags: '--password-file <file>', text: 'the login password is the first line of this file (- for standard input)' },
  { flags: '--ask-password', text: 'ask once for the login password of all hosts', conflicts: ['passwordFile'] },
  { flags: '--sudo-password-file <file>', text: 'the sudo password is the first line of this file (default: the login password)' },
  { flags: '--ask-sudo-password', text: 'ask once for the sudo password of all hosts', conflicts: ['sudoPasswordFile'] },
  {
    flags: '--host-keys <mode>',
    text: 'unknown host keys: strict refuses, ask shows and asks, accept-new shows and records',
    choices: ['strict', 'ask', 'accept-new'],
  },
  { flags: '--accept-new', text: 'the same as --host-keys accept-new; changed keys are refused always', conflicts: ['hostKeys'] },
];

export const runOptions: readonly OptionSpec[] = [
  { flags: '--inventory <file>', text: 'take the hosts from a YAML file' },
  { flags: '--via <host>', text: 'let this voter of the mesh (over SSH) make the invitations', conflicts: ['found'] },
  { flags: '--found <name>', text: 'let the first host found a mesh of this name' },
  { flags: '--no-escrow', text: 'leave the next key of each identity on its device (default: keep it here, `provision escrow list`)' },
  { flags: '--agents <dir>', text: 'folder with robonet-linux-x64.gz and robonet-linux-arm64.gz (default: inside this program)' },
  { flags: '--parallel <number>', text: `hosts at a time (default 10, at most ${parallelMax})`, parse: parseParallel },
  { flags: '-y, --yes', text: 'ask nothing: with --scan take every candidate' },
  { flags: '--undo', text: 'take the colonization of the hosts back' },
  dryRunOption,
];

function parseParallel(text: string): Parsed<number> {
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= parallelMax ? parsed(number) : problem(`'${text}' is not a number from 1 to ${parallelMax}`);
}

/** Nobody waits longer for a machine to say its name, and a scan of no time sees nothing. */
const scanMsMin = 1_000;
const scanMsMax = 600_000;

function parseScanTime(text: string): Parsed<number> {
  const span = parseDuration(text);
  if (span.kind === 'problem' || (span.value >= scanMsMin && span.value <= scanMsMax)) return span;
  return problem(`'${text}' is not between 1 second and 10 minutes`);
}

function parseUser(text: string): Parsed<string> {
  const why = userProblem(text);
  return why === null ? parsed(text) : problem(`'${text}' ${why}`);
}
