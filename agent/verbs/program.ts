/** Every verb of `robonet` as one table; what a verb does is loaded only when it runs, so that the program starts fast. */
import { nodeNames, socketOption } from '#agent/verbs/connection.ts';
import { EXIT } from '#core/errors/exit-codes.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import { type ArgumentSpec, dryRunOption, type OptionSpec, type ProgramSpec, type VerbSpec } from '#core/node/command-line/verb.ts';
import { parseHostPort, parsePort } from '#core/terminal/address.ts';
import { parseDuration } from '#core/terminal/duration.ts';
import { parsed, type Parsed, problem } from '#core/terminal/parsed.ts';

const nodeArgument: ArgumentSpec = { form: '<node>', text: 'name, fingerprint or identity of a node', complete: nodeNames };
const fingerprintArgument: ArgumentSpec = { form: '<fingerprint>', text: 'all 16 characters as the machine shows them, XXXX-XXXX-XXXX-XXXX' };
const peerOption: OptionSpec = { flags: '--peer <host[:port]>', text: 'also try this address (repeatable)', repeatable: true, parse: addressText };
const nextKeyOption: OptionSpec = { flags: '--next-key <file>', text: 'file with the next key or an escrow file, - for standard input' };
const noStartOption: OptionSpec = { flags: '--no-start', text: 'do not start the agent if it is not running' };
const noAgent = [EXIT.unavailable, 'the agent is not running'] as const;
const refused = [EXIT.notPermitted, 'the mesh or a person refuses'] as const;

function addressText(text: string): Parsed<string> {
  const place = parseHostPort(text);
  return place.kind === 'value' ? parsed(text) : place;
}

function parseCount(text: string): Parsed<number> {
  const count = Number(text);
  return /^\d{1,4}$/.test(text) && count >= 1 && count <= 1_000 ? parsed(count) : problem(`'${text}' is not a number from 1 to 1000`);
}

const serviceVerbs: readonly VerbSpec[] = [
  {
    name: 'install',
    summary: 'install the agent as a service and start it',
    options: [dryRunOption, noStartOption],
    examples: [
      ['sudo robonet agent install', 'service installed, started now and at every boot'],
      ['sudo robonet agent install --dry-run', 'what would be written and run'],
    ],
    exits: [[EXIT.notPermitted, 'not root']],
    run: async (invocation, context) => (await import('#agent/verbs/service.ts')).installAgent(invocation, context),
  },
  {
    name: 'uninstall',
    summary: 'stop the agent and remove its service',
    options: [dryRunOption, { flags: '--purge', text: 'also remove identity, state and configuration: everything the agent ever wrote' }],
    examples: [['sudo robonet agent uninstall --purge', 'leaves no trace; run `robonet leave` first']],
    exits: [[EXIT.notPermitted, 'not root']],
    run: async (invocation, context) => (await import('#agent/verbs/service.ts')).uninstallAgent(invocation, context),
  },
  {
    name: 'start',
    summary: 'start the installed agent',
    options: [dryRunOption],
    examples: [['sudo robonet agent start', 'returns when the agent answers']],
    exits: [[EXIT.unavailable, 'it did not come up']],
    run: async (invocation, context) => (await import('#agent/verbs/service.ts')).startAgent(invocation, context),
  },
  {
    name: 'stop',
    summary: 'stop the agent until it is started again',
    options: [dryRunOption],
    examples: [['sudo robonet agent stop', 'other nodes see this one as offline']],
    run: async (invocation, context) => (await import('#agent/verbs/service.ts')).stopAgent(invocation, context),
  },
  {
    name: 'supervise',
    summary: 'keep the agent running where there is no systemd',
    hidden: true,
    endsOnSignal: true,
    run: async (invocation, context) => (await import('#agent/verbs/service.ts')).superviseAgent(invocation, context),
  },
];

const verbs: readonly VerbSpec[] = [
  {
    name: 'status',
    summary: 'who is here, what is wrong, what to do',
    examples: [
      ['robonet status', 'problems first, then every node'],
      ['robonet status --json | jq .problems', 'for scripts'],
    ],
    exits: [[EXIT.ok, 'no critical problem'], [EXIT.failed, 'something critical is wrong'], noAgent],
    run: async (invocation, context) => (await import('#agent/verbs/show-status.ts')).showStatus(invocation, context),
  },
  {
    name: 'nodes',
    summary: 'every node with machine, trust and condition',
    examples: [['robonet nodes --json | jq -r ".nodes[].name"', 'names only']],
    exits: [noAgent],
    run: async (invocation, context) => (await import('#agent/verbs/show-status.ts')).showNodes(invocation, context),
  },
  {
    name: 'voters',
    summary: 'who decides here, and how many of them may be lost',
    description: 'Decisions of the mesh (who is a member, invitations, bars) need a quorum of its voters. Every node passes commands on to the leader.',
    examples: [
      ['robonet voters', '"3 voters, quorum 2: one may fail"'],
      ['robonet voters add attic-pi', 'it votes as soon as it has caught up with the log'],
    ],
    exits: [noAgent],
    verbs: [
      {
        name: 'add',
        summary: 'give a member a vote',
        description: 'One machine in three may fail, two in five; an even number gives nothing over the odd one below it.',
        arguments: [nodeArgument],
        options: [dryRunOption],
        examples: [['robonet voters add attic-pi', 'it gets the log first, and votes some ten seconds later']],
        exits: [noAgent, refused, [EXIT.badInput, 'no such node']],
        run: async (invocation, context) => (await import('#agent/verbs/voters.ts')).addVoter(invocation, context),
      },
      {
        name: 'remove',
        summary: 'take a vote away; the member stays, and the last vote too',
        arguments: [nodeArgument],
        options: [dryRunOption],
        examples: [['robonet voters remove attic-pi', 'before the machine is taken away']],
        exits: [noAgent, refused, [EXIT.badInput, 'no such node']],
        run: async (invocation, context) => (await import('#agent/verbs/voters.ts')).removeVoter(invocation, context),
      },
    ],
    run: async (invocation, context) => (await import('#agent/verbs/voters.ts')).showVoters(invocation, context),
  },
  {
    name: 'node',
    summary: 'one node from close by, or forget one',
    arguments: [nodeArgument],
    options: [{ flags: '--ping <count>', text: 'measure the round trip over the link so many times', parse: parseCount }],
    examples: [
      ['robonet node attic-pi', 'machine, skills, conditions with start, end and worst value'],
      ['robonet node attic-pi --ping 20', 'and round-trip times'],
      ['robonet node forget attic-pi', 'remove a member that will not come back'],
      ['robonet node close attic-pi', 'the same for one whose keys are gone, told as such'],
    ],
    exits: [noAgent, [EXIT.badInput, 'no such node']],
    verbs: [
      {
        name: 'forget',
        summary: 'remove a member that will not come back',
        arguments: [nodeArgument],
        options: [dryRunOption],
        examples: [['robonet node forget attic-pi --dry-run', 'says what would be removed']],
        exits: [noAgent, refused],
        run: async (invocation, context) => (await import('#agent/verbs/show-node.ts')).forgetNode(invocation, context),
      },
      {
        name: 'bar',
        summary: 'refuse an identity everywhere, for example of a stolen machine',
        arguments: [nodeArgument],
        options: [{ flags: '--reason <text>', text: 'shown wherever it is refused' }, dryRunOption],
        examples: [
          ['robonet node bar attic-pi --reason "stolen from the shed"', 'links are cut; with a TPM or a burnt-in key the machine is barred too'],
          ['robonet node bar attic-pi --dry-run', 'says what would happen'],
        ],
        exits: [noAgent, refused, [EXIT.badInput, 'no such node']],
        run: async (invocation, context) => (await import('#agent/verbs/settle.ts')).barNode(invocation, context),
      },
      {
        name: 'unbar',
        summary: 'lift a bar; a conviction is never lifted',
        arguments: [{ form: '<node>', text: 'name, fingerprint or identity, as `robonet nodes` shows it' }],
        options: [dryRunOption],
        examples: [['robonet node unbar attic-pi', 'it is a member again, at trust 0']],
        exits: [noAgent, refused, [EXIT.badInput, 'nobody of that name is barred']],
        run: async (invocation, context) => (await import('#agent/verbs/settle.ts')).unbarNode(invocation, context),
      },
      {
        name: 'close',
        summary: 'close the identity of a member that lost its keys',
        description: 'Run on a voter. Every node refuses the identity from then on and shows it as closed, with date and successor.',
        arguments: [nodeArgument],
        options: [{ flags: '--replaced-by <node>', text: 'the member that has taken its place' }, dryRunOption],
        examples: [
          ['robonet node close attic-pi --replaced-by attic-pi-2', 'after the machine came back with a new identity'],
          ['robonet approve ABCD-EFGH-IJKL-MNOP --replaces attic-pi', 'the same in one step, when it asks to join'],
        ],
        exits: [noAgent, refused],
        run: async (invocation, context) => (await import('#agent/verbs/show-node.ts')).closeNode(invocation, context),
      },
    ],
    run: async (invocation, context) => (await import('#agent/verbs/show-node.ts')).showNode(invocation, context),
  },
  {
    name: 'init',
    summary: 'found a mesh with this node as its first member',
    arguments: [{ form: '<name>', text: 'what the mesh is called' }],
    options: [
      {
        flags: '--admission <mode>',
        text: 'who may join: approve (a person confirms), token (invitation only), closed, open',
        choices: ['approve', 'closed', 'token', 'open'],
        default: 'approve',
      },
      { flags: '--trust-profile <profile>', text: 'how fast trust grows', choices: ['home', 'lab', 'fleet'], default: 'home' },
      noStartOption,
      dryRunOption,
    ],
    examples: [
      ['robonet init home', 'a mesh of one; others join by invitation or approval'],
      ['robonet init lab --admission token --trust-profile lab', 'for experiments'],
    ],
    exits: [noAgent, [EXIT.failed, 'this node already belongs to a mesh']],
    run: async (invocation, context) => (await import('#agent/verbs/join.ts')).initMesh(invocation, context),
  },
  {
    name: 'join',
    summary: 'become a member of a mesh',
    description:
      'With an invitation (--token-file) this node is admitted at once. Without one it asks a member and waits until a person has compared its fingerprint and approved it.',
    arguments: [{ form: '[mesh]', text: 'name, tag or id of the mesh; default: the only one in sight' }],
    options: [
      { flags: '--token-file <file>', text: 'file with an invitation, - for standard input' },
      { flags: '--request', text: 'ask for approval (the default without an invitation)' },
      { flags: '--expect <fingerprint>', text: 'accept only the member with this fingerprint, seen on its own screen' },
      peerOption,
      { flags: '--wait <duration>', text: 'wait until this node is a member; a bare number counts seconds', parse: parseDuration },
      noStartOption,
      dryRunOption,
    ],
    examples: [
      ['robonet join', 'asks the only mesh in sight; approve on a member'],
      ['ssh attic robonet invite | robonet join --token-file - --wait 30s', 'with an invitation, no questions'],
      ['robonet join home --peer 192.168.1.7 --expect ABCD-EFGH-IJKL-MNOP', 'through one typed address, to one known member'],
    ],
    exits: [noAgent, refused, [EXIT.tryAgain, 'not a member within --wait'], [EXIT.badInput, 'the invitation cannot be read']],
    run: async (invocation, context) => (await import('#agent/verbs/join.ts')).joinMesh(invocation, context),
  },
  {
    name: 'leave',
    summary: 'leave the mesh in order',
    options: [dryRunOption],
    examples: [['robonet leave', 'the others see an orderly departure']],
    exits: [noAgent],
    run: async (invocation, context) => (await import('#agent/verbs/join.ts')).leaveMesh(invocation, context),
  },
  {
    name: 'invite',
    summary: 'make an invitation for a new machine',
    options: [
      { flags: '--role <role>', text: 'what the newcomer may become', choices: ['member', 'voter', 'observer'], default: 'member' },
      { flags: '--uses <count>', text: 'how many machines may use it', parse: parseCount, default: 1 },
      { flags: '--expires <duration>', text: 'how long it is valid', parse: parseDuration, default: 3_600_000, defaultText: '1h' },
      { flags: '--label <text>', text: 'a note for the list, for example the machine it is for' },
      dryRunOption,
    ],
    examples: [
      ['robonet invite > token', 'the invitation alone is on standard output'],
      ['robonet invite --uses 5 --expires 2d --label classroom', 'one invitation for five machines'],
      ['robonet invite revoke 3fa9c2', 'nobody can use it any more'],
    ],
    exits: [noAgent, refused],
    verbs: [
      {
        name: 'list',
        summary: 'invitations that can still be used, without their secrets',
        examples: [['robonet invite list', 'id, role, uses left, expiry']],
        exits: [noAgent],
        run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).listInvitations(invocation, context),
      },
      {
        name: 'revoke',
        summary: 'make an invitation worthless',
        arguments: [{ form: '<id>', text: 'as shown by `robonet invite list`' }],
        options: [dryRunOption],
        examples: [['robonet invite revoke 3fa9c2', 'nobody can use it any more']],
        exits: [noAgent],
        run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).revokeInvitation(invocation, context),
      },
    ],
    run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).invite(invocation, context),
  },
  {
    name: 'requests',
    summary: 'machines that wait for approval',
    examples: [['robonet requests', "compare each fingerprint with the machine's own screen"]],
    exits: [noAgent],
    run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).listRequests(invocation, context),
  },
  {
    name: 'approve',
    summary: 'let a waiting machine in',
    arguments: [fingerprintArgument],
    options: [{ flags: '--replaces <node>', text: 'the member whose place it takes, because its keys are gone: that identity is closed' }, dryRunOption],
    examples: [
      ['robonet approve ABCD-EFGH-IJKL-MNOP', "the fingerprint on the machine's own screen"],
      ['robonet approve ABCD-EFGH-IJKL-MNOP --replaces attic-pi', 'a reinstalled machine: new identity, trust 0, and the old one is closed'],
    ],
    exits: [noAgent, [EXIT.notPermitted, 'no machine with this fingerprint waits']],
    run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).approve(invocation, context),
  },
  {
    name: 'deny',
    summary: 'turn a waiting machine away',
    arguments: [fingerprintArgument],
    options: [{ flags: '--reason <text>', text: 'recorded, and told to the machine' }, dryRunOption],
    examples: [['robonet deny ABCD-EFGH-IJKL-MNOP --reason "not ours"', 'the attempt is recorded']],
    exits: [noAgent, [EXIT.notPermitted, 'no machine with this fingerprint waits']],
    run: async (invocation, context) => (await import('#agent/verbs/admit.ts')).deny(invocation, context),
  },
  {
    name: 'trust',
    summary: 'how far this node trusts others, and why',
    arguments: [{ form: '[peer]', text: 'name, fingerprint or identity of a node', complete: nodeNames }],
    options: [
      { flags: '--explain', text: 'list the events from which the score follows' },
      { flags: '--export <file>', text: 'write the history for the offline check' },
      { flags: '--verify <file>', text: 'recompute an exported history; needs no agent and no network' },
    ],
    examples: [
      ['robonet trust', 'every peer with its score'],
      ['robonet trust attic-pi --explain', 'the events behind one score'],
      ['robonet trust attic-pi --export history.json && robonet trust --verify history.json', 'the same number, recomputed'],
    ],
    exits: [noAgent, [EXIT.badInput, 'no such node or file; --verify: the document does not hold']],
    run: async (invocation, context) => (await import('#agent/verbs/show-node.ts')).showTrust(invocation, context),
  },
  {
    name: 'identity',
    summary: "this node's own identity, its keys, and taking one back",
    description:
      'An identity has a key in use and a next key, which it has committed to and which alone may replace the one in use. Keep the next key away from the device: `provision` escrows it when it colonizes.',
    verbs: [
      {
        name: 'show',
        summary: 'fingerprint, identity, what it is bound to, where the next key is',
        examples: [['robonet identity show', 'what people compare before they approve this machine']],
        exits: [noAgent],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).showIdentity(invocation, context),
      },
      {
        name: 'settle',
        summary: 'end a dispute about an identity: which of two machines is the copy, or that there is only one',
        description:
          'Run it on a voter. The copy leaves the identity as soon as it is reached, keeps it aside, and asks to be let in as a new machine; the original goes on as before. Where a voter itself is on two machines, run it on the one that is to stay.',
        arguments: [nodeArgument],
        options: [
          { flags: '--copy <machine>', text: 'the copy: its boot id as `robonet status` shows it, its address or its MAC' },
          { flags: '--restored', text: 'there is no second machine: its disk was restored, its trust may grow again' },
          dryRunOption,
        ],
        examples: [
          ['robonet identity settle attic-pi --copy 4-ab12cd34', 'of two machines this one is the copy'],
          ['robonet identity settle attic-pi --copy 192.168.1.9', 'the same, by its address'],
          ['robonet identity settle attic-pi --restored', 'one machine, restored from a backup'],
        ],
        exits: [noAgent, refused, [EXIT.badInput, 'no such node or machine, or nothing in dispute']],
        run: async (invocation, context) => (await import('#agent/verbs/settle.ts')).settleIdentity(invocation, context),
      },
      {
        name: 'rotate',
        summary: 'replace the key in use by the next one',
        options: [nextKeyOption, dryRunOption],
        examples: [
          ['robonet identity rotate', 'where the next key is still on this device'],
          ['provision escrow show attic | ssh attic sudo robonet identity rotate --next-key -', 'with the key from escrow'],
        ],
        exits: [noAgent, [EXIT.badInput, 'not the next key of this identity'], [EXIT.tryAgain, 'no member was reached yet']],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).rotateIdentity(invocation, context),
      },
      {
        name: 'recover',
        summary: 'take an identity back with its next key alone',
        description:
          'For a device whose key may be in other hands, or is lost. On the device itself the next key is enough; on another device the identity comes from a document that a member writes now. Members refuse the former key from then on.',
        options: [
          nextKeyOption,
          { flags: '--identity <file>', text: 'on another device: what a member knows of the identity, from `robonet identity document NAME`' },
          { flags: '--alone', text: 'on another device, when no member is left to ask: trust the escrow file that this is all', conflicts: ['identity'] },
          dryRunOption,
        ],
        examples: [
          ['robonet identity recover --next-key attic.key', 'on the device itself, after its card was copied'],
          ['robonet identity recover --next-key attic.escrow --identity attic.json', 'on a new device, after the old one was lost'],
        ],
        exits: [noAgent, refused, [EXIT.badInput, 'not the next key of this identity']],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).recoverIdentity(invocation, context),
      },
      {
        name: 'export-next',
        summary: 'write the next key to a file, and delete it here',
        arguments: [{ form: '<file>', text: 'a new file; - for standard output' }],
        options: [
          { flags: '--keep', text: 'with a file: keep the copy on this device as well' },
          { flags: '--delete', text: 'with -: delete the copy here although nobody can check where it went' },
          dryRunOption,
        ],
        examples: [
          ['robonet identity export-next /media/usb/attic.key', 'written, read back, then deleted here'],
          ['robonet identity export-next - | lp', 'on paper; then `robonet identity forget-next DIGEST`'],
        ],
        exits: [noAgent, [EXIT.badInput, 'the next key is not here, or the file cannot be written']],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).exportNextKey(invocation, context),
      },
      {
        name: 'forget-next',
        summary: 'delete the next key here, once it is safe elsewhere',
        arguments: [{ form: '<digest>', text: 'which key is meant, as `export-next -` says' }],
        options: [
          { flags: '--escrowed', text: 'it is in escrow (default: exported)' },
          { flags: '--place <text>', text: 'where it is, for `identity show`' },
          dryRunOption,
        ],
        examples: [['robonet identity forget-next 3fa9… --place "the safe"', 'a thief of this device does not get it']],
        exits: [noAgent, [EXIT.badInput, 'not the next key of this device']],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).forgetNextKey(invocation, context),
      },
      {
        name: 'document',
        summary: 'what is public of an identity, for recovering it elsewhere',
        arguments: [{ form: '[node]', text: 'name, fingerprint or identity of a member; default: this node', complete: nodeNames }],
        examples: [['robonet identity document attic > attic.json', 'on any member; no secret']],
        exits: [noAgent, [EXIT.badInput, 'no such node']],
        run: async (invocation, context) => (await import('#agent/verbs/identity.ts')).printDocument(invocation, context),
      },
    ],
  },
  {
    name: 'events',
    summary: 'what has happened, with stable codes',
    options: [
      { flags: '-f, --follow', text: 'and what happens from now on' },
      { flags: '--limit <count>', text: 'how many past events', parse: parseCount, default: 50 },
    ],
    examples: [
      ['robonet events --follow', 'until Ctrl-C'],
      ['robonet events --json | jq -c "select(.severity==\\"critical\\")"', 'one JSON document per line'],
    ],
    exits: [noAgent],
    run: async (invocation, context) => (await import('#agent/verbs/look.ts')).showEvents(invocation, context),
  },
  {
    name: 'doctor',
    summary: 'explain what is wrong, first of all silence',
    description:
      'Looks at every network interface, multicast in and out, TCP to each known or typed node, clock, versions, identity and disk. Works, with less to say, when the agent is not running.',
    options: [peerOption],
    examples: [
      ['robonet doctor', 'a few seconds'],
      ['robonet doctor --peer 192.168.1.7', 'why is this machine not found?'],
    ],
    exits: [
      [EXIT.ok, 'nothing critical'],
      [EXIT.failed, 'something critical was found'],
    ],
    run: async (invocation, context) => (await import('#agent/verbs/look.ts')).runDoctorVerb(invocation, context),
  },
  {
    name: 'explain',
    summary: 'what a code means and what to do',
    arguments: [{ form: '[code]', text: 'RN-…, a refusal code or an event code; without one, all are listed' }],
    examples: [
      ['robonet explain TOKEN_EXPIRED', 'a refusal of the mesh'],
      ['robonet explain RN-AGENT-001', 'an error of a program'],
    ],
    exits: [[EXIT.badInput, 'no such code']],
    run: async (invocation, context) => (await import('#agent/verbs/look.ts')).explain(invocation, context),
  },
  {
    name: 'version',
    summary: 'which build this is',
    examples: [['robonet version --json', 'version, build, architecture']],
    run: async (invocation, context) => (await import('#agent/verbs/look.ts')).showVersion(invocation, context),
  },
  {
    name: 'agent',
    summary: 'run the node in the foreground, or manage it as a service',
    options: [
      { flags: '--config <file>', text: 'configuration (default: /etc/robonet/config.yaml)' },
      { flags: '--state-dir <folder>', text: 'identity, journals, events (default: /var/lib/robonet)' },
      { flags: '--run-dir <folder>', text: 'the socket (default: /run/robonet)' },
      { flags: '--port <port>', text: 'TCP port for other nodes', parse: parsePort },
      { flags: '--name <name>', text: "the node's name (default: the host name)" },
      { flags: '--facts <folder>', text: 'tests: a folder in front of /sys and /proc' },
      { flags: '--log-level <level>', text: 'how much is logged', choices: ['error', 'warning', 'notice', 'info', 'debug'] },
    ],
    examples: [
      ['robonet agent', 'until Ctrl-C'],
      ['robonet agent --state-dir ./a --run-dir ./a --port 7500', 'a second agent beside the first, for experiments'],
      ['sudo robonet agent install', 'as a service, now and at every boot'],
    ],
    exits: [
      [EXIT.badConfiguration, 'the configuration is wrong'],
      [EXIT.failed, 'another agent runs on this state'],
      [EXIT.unavailable, 'state or port cannot be used'],
    ],
    endsOnSignal: true,
    verbs: serviceVerbs,
    run: async (invocation, context) => (await import('#agent/verbs/run-agent.ts')).runAgent(invocation, context),
  },
  {
    name: 'completion',
    summary: 'print a script that teaches a shell to complete this program',
    arguments: [{ form: '<shell>', text: 'which shell', choices: ['bash', 'zsh', 'fish', 'powershell'] }],
    examples: [['source <(robonet completion bash)', 'complete in this shell, now']],
    run: () => EXIT.ok,
  },
];

/** The whole program. */
export const robonetProgram: ProgramSpec = {
  name: 'robonet',
  version: buildIdentity.version,
  summary: 'Small computers on a LAN become one mesh, without a server, an account or the internet.',
  options: [socketOption],
  examples: [
    ['robonet init home', 'found a mesh'],
    ['robonet join', 'become a member of the mesh in sight'],
    ['robonet status', 'who is here and what is wrong'],
    ['robonet doctor', 'explain silence'],
  ],
  cleanUpMsMax: 15_000,
  verbs,
};
