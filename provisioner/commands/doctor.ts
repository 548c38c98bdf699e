/** `provision doctor`: is everything here that a colonization needs? Looks at this machine only; changes nothing. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { isFault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { formatBytes } from '#core/terminal/size.ts';
import { findAgentImages } from '#provisioner/agents/agent-images.ts';
import { readInterfaceFacts } from '#provisioner/discover/interface-facts.ts';
import { judgeInterfaces } from '#provisioner/discover/interfaces.ts';
import { Sponsor } from '#provisioner/sponsor/sponsor.ts';
import { loadClientConfig } from '#provisioner/ssh/client-config.ts';
import { sessionHere } from '#provisioner/ssh/here.ts';
import { readKnownHosts } from '#provisioner/ssh/host-keys.ts';

interface Finding {
  readonly subject: string;
  readonly state: 'ok' | 'note' | 'problem';
  readonly text: string;
}

/** Look at everything, print it, and exit 1 when something would stop a colonization. */
export async function doctor(invocation: Invocation, context: VerbContext): Promise<ExitCode> {
  const home = process.env['HOME'] ?? homedir();
  const findings = [
    ...network(),
    ...(await agents(invocation.text('agents') ?? null)),
    ...(await sshAgent()),
    ...(await knownHosts(join(home, '.ssh', 'known_hosts'))),
    ...clientConfig(home),
    ...(await sponsor()),
  ];
  const paint = context.output.palette;
  const mark = { ok: paint.good('ok     '), note: paint.dim('note   '), problem: paint.bad('problem') };
  context.output.line(...findings.map(({ subject, state, text }) => `${mark[state]}  ${subject}: ${text}`));
  context.output.document('doctor', { findings });
  return findings.some((finding) => finding.state === 'problem') ? EXIT.failed : EXIT.ok;
}

function network(): readonly Finding[] {
  const verdicts = judgeInterfaces(readInterfaceFacts());
  const rows = verdicts.map((verdict): Finding => ({ subject: `interface ${verdict.name}`, state: verdict.used ? 'ok' : 'note', text: verdict.text }));
  return verdicts.some((verdict) => verdict.used)
    ? rows
    : [...rows, { subject: 'network', state: 'problem', text: 'no interface faces a LAN; connect this machine first' }];
}

async function agents(folder: string | null): Promise<readonly Finding[]> {
  try {
    const images = findAgentImages(folder);
    if (images.available.length === 0)
      return [{ subject: 'agents', state: 'problem', text: `none found (${images.where}); name their folder with --agents DIR` }];
    return await Promise.all(
      images.available.map(async (arch): Promise<Finding> => {
        const image = await images.describe(arch);
        return {
          subject: `agent for ${arch}`,
          state: 'ok',
          text: `${formatBytes(image.gzipBytes)} compressed, ${formatBytes(image.bytes)}, SHA-256 ${image.sha256.slice(0, 16)}…, ${images.where}`,
        };
      }),
    );
  } catch (error) {
    if (!isFault(error)) throw error;
    return [{ subject: 'agents', state: 'problem', text: error.message }];
  }
}

async function sshAgent(): Promise<readonly Finding[]> {
  const socket = process.env['SSH_AUTH_SOCK'];
  if (socket === undefined) return [{ subject: 'ssh agent', state: 'note', text: 'none (SSH_AUTH_SOCK is not set); key files and passwords are used' }];
  const result = await sessionHere().run({ argv: ['ssh-add', '-l'], timeoutMs: 5_000 });
  const exists = await stat(socket).then(
    (info) => info.isSocket(),
    () => false,
  );
  if (!exists) return [{ subject: 'ssh agent', state: 'note', text: `SSH_AUTH_SOCK names ${socket}, which is not there` }];
  const count = result.exitCode === 0 ? result.stdout.trim().split('\n').length : 0;
  return [
    {
      subject: 'ssh agent',
      state: count > 0 ? 'ok' : 'note',
      text: count > 0 ? `answers with ${count} key${count === 1 ? '' : 's'}` : 'holds no keys (ssh-add adds some)',
    },
  ];
}

async function knownHosts(file: string): Promise<readonly Finding[]> {
  try {
    return [{ subject: 'known hosts', state: 'ok', text: `${file} with ${(await readKnownHosts([file])).length} keys` }];
  } catch (error) {
    if (!isFault(error)) throw error;
    return [{ subject: 'known hosts', state: 'problem', text: error.message }];
  }
}

function clientConfig(home: string): readonly Finding[] {
  const file = join(home, '.ssh', 'config');
  try {
    return [{ subject: 'ssh configuration', state: 'ok', text: loadClientConfig(file, home) === null ? `no ${file}` : file }];
  } catch (error) {
    if (!isFault(error)) throw error;
    return [{ subject: 'ssh configuration', state: 'problem', text: error.message }];
  }
}

async function sponsor(): Promise<readonly Finding[]> {
  try {
    const found = await Sponsor.at(sessionHere());
    return [{ subject: 'sponsor', state: 'ok', text: `the agent here is a member of ${found.meshName}` }];
  } catch (error) {
    if (!isFault(error)) throw error;
    return [{ subject: 'sponsor', state: 'note', text: `${error.message}; use --via HOST or --found NAME` }];
  }
}
