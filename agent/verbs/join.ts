/** `init`, `join`, `leave`: this node's way into and out of a mesh. */
import { type AgentClient, SOCKET_PATH } from '#agent/api/client.ts';
import type { StatusAnswer } from '#agent/api/protocol.ts';
import { clientFor, runningAgent, sayWould, socketPath } from '#agent/verbs/connection.ts';
import { printStatus } from '#agent/verbs/show-status.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { readTextFile } from '#core/node/read-text-file.ts';
import { formatDuration } from '#core/terminal/duration.ts';
import { printable } from '#core/terminal/table.ts';
import { meshNameFault } from '#mesh/admission/names.ts';
import type { AdmissionMode, FoundOptions, JoinOptions, TrustProfile } from '#mesh/swarm/views.ts';

export const admissionModes = ['approve', 'closed', 'token', 'open'] as const satisfies readonly AdmissionMode[];
export const trustProfiles = ['home', 'lab', 'fleet'] as const satisfies readonly TrustProfile[];

const TOKEN_BYTES_MAX = 4_096;
/** An invitation may stand in a mail; more than that is another file. */
const TOKEN_FILE_BYTES_MAX = 65_536;
const POLL_MS = 300;
/** A join with a token is answered within this, unless --wait says otherwise. */
const JOIN_MS_DEFAULT = 60_000;

/** `robonet init NAME`. */
export async function initMesh(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const options: FoundOptions = {
    name: invocation.argument(0) ?? '',
    admission: oneOf(admissionModes, invocation.text('admission')),
    trustProfile: oneOf(trustProfiles, invocation.text('trustProfile')),
  };
  const unfit = meshNameFault(options.name);
  if (unfit !== undefined) throw new Fault('RN-CLI-001', `a mesh cannot be called '${printable(options.name)}': ${unfit}`, { next: 'Choose another name.' });
  if (invocation.flag('dryRun'))
    return sayWould(
      context,
      ...(await firstSteps(invocation, context)),
      `found the mesh ${options.name} with this node as its only voter (admission ${options.admission}, trust profile ${options.trustProfile})`,
    );
  const client = await runningAgent(invocation, context);
  const status = await client.call('init', options, { signal: context.signal });
  context.output.line(`founded the mesh ${printable(options.name)}; this node is ${printable(status.self.name)} (${status.self.fingerprint}).`);
  context.output.note('invite others with `robonet invite`, or run `robonet join` there and `robonet approve` here.');
  printStatus(status, context.output);
  return undefined;
}

/** For a dry run: what comes before, and the refusal that the real run would meet. */
async function firstSteps(invocation: Invocation, context: VerbContext): Promise<readonly string[]> {
  try {
    const { mesh, state } = await clientFor(invocation).call('status', {}, { signal: context.signal });
    if (mesh === null) return [];
    throw new Fault('RN-MESH-004', state === 'member' ? `this node belongs to the mesh "${mesh.name}"` : `this node is ${state} of the mesh "${mesh.name}"`);
  } catch (error) {
    if (!isFault(error, 'RN-AGENT-001') || !invocation.flag('start') || socketPath(invocation) !== SOCKET_PATH) throw error;
    return ['start the agent, which is not running'];
  }
}

function oneOf<Choice extends string>(choices: readonly [Choice, ...Choice[]] | readonly Choice[], text: string | undefined): Choice {
  const choice = choices.find((candidate) => candidate === text) ?? choices[0];
  if (choice === undefined) throw new Fault('RN-CLI-001', `'${text ?? ''}' is not one of ${choices.join(', ')}`);
  return choice;
}

/** `robonet join [MESH]`. */
export async function joinMesh(invocation: Invocation, context: VerbContext): Promise<ExitCode | undefined> {
  const { output } = context;
  const options = joinOptions(invocation);
  if (invocation.flag('dryRun')) {
    const how =
      options.mode === 'token'
        ? 'join the mesh of the invitation'
        : `ask ${options.mesh === null ? 'the only mesh in sight' : `the mesh ${options.mesh}`} for admission`;
    return sayWould(context, ...(await firstSteps(invocation, context)), how);
  }
  const client = await runningAgent(invocation, context);
  const waitMs = invocation.number('wait');
  const stopNotes = remindOfWaiting(context, options);
  try {
    let status = await answered(client, options, waitMs, context);
    stopNotes();
    if (status.state === 'lobby') sayFingerprint(status, context);
    if (waitMs !== undefined) status = await untilMember(client, waitMs, context);
    if (status.state === 'member')
      output.line(`joined the mesh ${printable(status.mesh?.name ?? '')} as ${printable(status.self.name)} (${status.self.fingerprint}).`);
    printStatus(status, output);
    return status.state === 'refused' || status.state === 'contested' ? EXIT.notPermitted : EXIT.ok;
  } finally {
    stopNotes();
  }
}

/** The agent's answer to the wish to join; a person who said how long to wait gets what is known when that time is over. */
async function answered(client: AgentClient, options: JoinOptions, waitMs: number | undefined, { signal }: VerbContext): Promise<StatusAnswer> {
  try {
    return await client.call('join', options, { signal, timeoutMs: waitMs ?? JOIN_MS_DEFAULT });
  } catch (error) {
    if (waitMs === undefined || !isFault(error, 'RN-AGENT-002')) throw error;
    const status = await client.call('status', {}, { signal });
    if (status.state === 'member') return status;
    throw new Fault('RN-AGENT-016', `this node is not a member after ${formatDuration(waitMs)}: ${status.stateReason ?? status.state}`, { cause: error });
  }
}

function joinOptions(invocation: Invocation): JoinOptions {
  const file = invocation.text('tokenFile');
  const mesh = invocation.argument(0) ?? null;
  const peers = invocation.texts('peer');
  if (file !== undefined) {
    if (invocation.flag('request')) throw new Fault('RN-CLI-001', '--token-file and --request exclude each other: an invitation needs no approval');
    return { mode: 'token', token: readToken(file), peers };
  }
  if (mesh?.startsWith('rnj1.') === true) {
    throw new Fault('RN-CLI-001', 'an invitation on the command line could be read by every user of this machine', {
      next: 'Put it into a file and use --token-file FILE, or pipe it: `… | robonet join --token-file -`.',
    });
  }
  return { mode: 'request', mesh, expect: invocation.text('expect') ?? null, peers };
}

/** The invitation in a file or on standard input, wherever in the text it stands. */
function readToken(file: string): string {
  const where = file === '-' ? 'standard input' : file;
  const read = readTextFile(file, TOKEN_FILE_BYTES_MAX);
  if (read.kind === 'problem') throw new Fault('RN-AGENT-012', `the invitation cannot be read from ${where}: ${read.why}`);
  const token = read.text.split(/\s+/).find((word) => word.startsWith('rnj1.'));
  if (token === undefined || token.length > TOKEN_BYTES_MAX) throw new Fault('RN-AGENT-018', `${where} holds no invitation (a text that begins with rnj1.)`);
  return token;
}

function sayFingerprint(status: StatusAnswer, { output }: VerbContext): void {
  output.note(
    `this machine waits for approval. Its fingerprint is ${output.notePalette.bold(status.self.fingerprint)}`,
    'compare it with `robonet requests` on a member, then run there: `robonet approve ' + status.self.fingerprint + '`',
  );
  if (status.stateReason !== null) output.note(printable(status.stateReason));
}

// Anything that takes longer than a second says what it is doing.
function remindOfWaiting({ output }: VerbContext, options: JoinOptions): () => void {
  const began = performance.now();
  const what = options.mode === 'token' ? 'joining with the invitation' : 'looking for a member and asking for admission';
  const timer = setInterval(() => {
    output.note(`${what}: ${formatDuration(performance.now() - began)} so far; \`robonet doctor\` in another window explains silence`);
  }, 3_000);
  const first = setTimeout(() => {
    output.note(`${what} …`);
  }, 1_000);
  return () => {
    clearInterval(timer);
    clearTimeout(first);
  };
}

async function untilMember(client: AgentClient, waitMs: number, { output, signal }: VerbContext): Promise<StatusAnswer> {
  const deadline = performance.now() + waitMs;
  let nextNote = performance.now() + 5_000;
  for (;;) {
    const status = await client.call('status', {}, { signal });
    if (status.state === 'member' || status.state === 'refused' || status.state === 'contested') return status;
    const now = performance.now();
    if (now >= deadline) throw new Fault('RN-AGENT-016', `this node is not a member after ${formatDuration(waitMs)}: ${status.stateReason ?? status.state}`);
    if (now >= nextNote) {
      output.note(`still waiting (${status.state}), ${formatDuration(deadline - now)} left`);
      nextNote = now + 5_000;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** `robonet leave`. */
export async function leaveMesh(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const before = await client.call('status', {}, { signal: context.signal });
  const name = before.mesh?.name;
  if (invocation.flag('dryRun'))
    return sayWould(
      context,
      name === undefined ? 'do nothing: this node belongs to no mesh' : `leave the mesh ${name} in order and remove its secrets from this machine`,
    );
  if (name === undefined && before.state === 'unjoined') {
    context.output.line('nothing to do: this node belongs to no mesh.');
    context.output.document('status', before);
    return undefined;
  }
  const status = await client.call('leave', {}, { signal: context.signal, timeoutMs: JOIN_MS_DEFAULT });
  context.output.line(`left the mesh ${printable(name ?? '')}; this node belongs to no mesh now.`);
  context.output.document('status', status);
  return undefined;
}
