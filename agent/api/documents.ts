/**
 * The documents that `robonet … --json` prints: every field, what it means and in which unit. docs/JSON.md is generated from
 * here, and tests hold every document against it. Stable: fields are added, never renamed, never given another meaning.
 */
import * as z from 'zod';

const text = z.string();
const flag = z.boolean();
const count = z.number();
const millis = z.number();
const aid = text.describe('identity, `rn1…`');
const fingerprint = text.describe('`XXXX-XXXX-XXXX-XXXX`');
const name = text.describe('name in the mesh');
const wall = millis.describe('milliseconds since 1970');
const level = z.int().min(0).max(4).describe('0 stranger … 4 core');

const capabilities = z.strictObject({
  agentVersion: text,
  arch: text.describe('`arm64`, `x64`'),
  os: text,
  kernel: text,
  profile: text.describe('hardware profile'),
  model: text.nullable(),
  cpu: z.strictObject({ model: text.nullable(), cores: count, maxMhz: count.nullable() }),
  memoryBytes: count,
  gpu: text.nullable(),
  storage: z.strictObject({ kind: z.enum(['sd', 'emmc', 'nvme', 'ssd', 'hdd', 'virtual', 'unknown']), bytes: count, freeBytes: count }),
  skills: z.array(text),
  macs: z.array(text),
});

const condition = z.strictObject({
  kind: text.describe('`under-voltage`, `hot`, `storage-filling`, …'),
  severity: z.enum(['notice', 'warning', 'critical']),
  text,
  value: count.nullable(),
  worst: count.nullable(),
  unit: text.nullable(),
  since: wall.describe('milliseconds since 1970, clock of the reporting node'),
  until: wall.nullable().describe('null while it lasts'),
});

const position = z.strictObject({ incarnation: count, sequence: count.describe('frames') });

const trust = z.strictObject({
  score: z.number().describe('0 … 1'),
  level,
  lengthCredit: count.describe('ℓ, frames'),
  timeCreditMs: millis.describe('A, milliseconds'),
  debt: z.number().describe('D'),
  standing: z
    .enum(['clear', 'frozen', 'contested', 'convicted'])
    .describe('frozen earns nothing, contested is capped at 0.29 until the owner settles it, convicted is 0 for ever'),
  breaks: z.record(text, count).describe('breaks ever, by class: `{"B1": 2}`'),
  sent: position.describe('our direction of the link'),
  received: position.describe('its direction of the link'),
  lastCheckpointAt: wall.nullable().describe('its newest checkpoint that was accepted in this run'),
  may: z.array(text).describe('what it may do here now, by its level and role: `voter` among it where it may become one'),
});

const contest = z.strictObject({
  aid,
  name,
  since: wall,
  believed: flag.describe('this node acts on it: seen or verified here, told by a voter, or told by two members'),
  observers: z.array(text).describe('who saw it'),
  holders: z
    .array(
      z.strictObject({
        boot: text.describe('names the machine in `identity settle --copy`'),
        incarnation: count,
        address: text.nullable(),
        macs: z.array(text),
      }),
    )
    .describe('the two machines, the incumbent first'),
  text,
});

const barred = z.strictObject({
  aid,
  fingerprint,
  name,
  cause: z.enum(['equivocation', 'owner']),
  reason: text,
  evidence: text.nullable().describe('digest of the proof that convicts it'),
  hardware: text.nullable().describe('`otp` or `tpm` where the machine is barred with it'),
  at: wall,
});

const node = z.strictObject({
  aid,
  fingerprint,
  name,
  self: flag.describe('this node'),
  role: text.describe('`voter`, `member`, `observer`, `quarantine`, …; `none` outside a mesh'),
  voter: flag,
  leader: flag,
  liveness: z.enum(['up', 'suspect', 'down', 'left']),
  lastSeen: wall.nullable().describe('null: not in this run'),
  rttMs: z.number().nullable(),
  address: text.nullable().describe('`host:port` last used'),
  trust: trust.nullable().describe("this node's judgement of it; null of itself"),
  incarnation: count.nullable(),
  rotation: count.nullable().describe('how often its key has been rotated'),
  capabilities: capabilities.nullable(),
  conditions: z.array(condition),
  joinedAt: wall.nullable(),
  contest: contest.nullable().describe('one identity on two machines'),
});

const mesh = z.strictObject({
  id: text.describe('64 hexadecimal digits'),
  tag: text.describe('the first 16 of them'),
  name: text,
  admission: z.enum(['closed', 'approve', 'token', 'open']),
  trustProfile: z.enum(['lab', 'home', 'fleet']),
  quorum: count,
  voters: count,
  leader: text.nullable(),
  term: count,
  commitIndex: count,
  foundedAt: wall,
});

const request = z.strictObject({
  fingerprint,
  aid,
  name: text.describe('what the machine calls itself'),
  address: text,
  since: wall,
  expiresAt: wall,
  capabilities: capabilities.nullable(),
});

const closed = z.strictObject({
  aid,
  fingerprint,
  name,
  closedAt: wall,
  successor: z.strictObject({ aid, fingerprint, name: name.nullable() }).nullable().describe('who has taken its place'),
});

const strangers = z.strictObject({
  mac: text.nullable().describe("hardware address from this node's neighbour table"),
  addresses: z.array(text).describe('network addresses it came from, oldest first'),
  identities: count.describe('strange identities that proved themselves'),
  turnedAway: count.describe('attempts from there that were refused'),
  firstAt: wall,
  lastAt: wall,
});

const raft = z.strictObject({
  role: z.enum(['leader', 'follower', 'learner']).describe('a learner follows the log without a vote'),
  term: count,
  commitIndex: count,
  lease: wall.nullable().describe("end of the leader's lease; null where none is in use"),
});

const sandbox = z.strictObject({
  available: flag,
  walls: z.array(text).describe('what a plugin could be run in here'),
  reason: text.nullable().describe('why there is nothing'),
});

const agent = z.strictObject({
  version: text,
  build: text,
  pid: count,
  uptimeMs: millis,
  port: count,
  stateDirectory: text,
  configuration: text.nullable(),
  interfaces: z.array(z.strictObject({ name: text, used: flag, text })),
  rssBytes: count,
});

const problem = z.strictObject({ code: text, severity: z.enum(['notice', 'warning', 'critical']), text, next: text.describe('what to do') });

/** The fields of a status, as the API gives them. */
const statusFields = {
  state: z.enum(['unjoined', 'joining', 'lobby', 'member', 'contested', 'refused']),
  stateReason: text.nullable().describe('null for a healthy member'),
  self: node,
  startReason: text.describe('why this incarnation began: `first`, `start`, `restore`, `unreadable`, `clock-jump`'),
  degraded: z.array(text).describe('what of the stored state is damaged'),
  mesh: mesh.nullable(),
  nodes: z.array(node).describe('all members, this node too'),
  requests: z.array(request),
  closed: z.array(closed).describe('identities that are used up, the newest first'),
  strangers: z.array(strangers).describe('machines that came with one strange identity after another'),
  barred: z.array(barred).describe('identities that may never come back'),
  raft: raft.nullable(),
  sandbox,
  agent,
  problems: z.array(problem).describe('worst first'),
};

const finding = z.strictObject({
  check: text,
  subject: text,
  level: z.enum(['ok', 'notice', 'warning', 'critical']),
  text,
  next: text.nullable(),
});

const step = z.strictObject({
  kind: z.enum(['credited', 'connected', 'absent', 'break', 'settled']),
  fromMs: millis.describe("the observer's running time since first contact when it began"),
  untilMs: millis.describe('… and ended'),
  at: wall.nullable().describe('milliseconds since 1970, of breaks and settlements'),
  class: text.nullable().describe('`B1`, `PV`, … of breaks'),
  text,
  before: z.number().describe('score before'),
  after: z.number().describe('score after'),
  levelBefore: level,
  levelAfter: level,
  next: text.nullable().describe('what to do about it'),
});

const ping = z.strictObject({ count, minMs: z.number(), medianMs: z.number(), maxMs: z.number() });
const tokenFields = {
  tokenId: text,
  meshId: text,
  meshName: text,
  expiresAt: wall,
  uses: count.describe('what is left of them'),
  role: text,
  standing: z.enum(['open', 'used', 'revoked', 'expired']),
  label: text.nullable().describe('the note it was made with'),
  usedBy: z.array(aid),
};

/** One document: `v` is 1, `type` its name. */
function documentOf<Shape extends z.ZodRawShape>(type: string, fields: Shape) {
  return z.strictObject({ v: z.literal(1), type: z.literal(type), ...fields });
}

/** Every document by its type, with the verbs that print it. */
export const documentSchemas = {
  status: documentOf('status', statusFields).describe('`status`, `init`, `join`'),
  nodes: documentOf('nodes', {
    mesh: mesh.nullable(),
    nodes: z.array(node),
    closed: z.array(closed).describe('identities that are used up, the newest first'),
    barred: z.array(barred).describe('identities that may never come back'),
  }).describe('`nodes`'),
  node: documentOf('node', { ...node.shape, ping: ping.optional().describe('with `--ping`') }).describe('`node NAME`, `node forget`'),
  trust: z
    .union([
      documentOf('trust', { peers: z.array(z.strictObject({ aid, fingerprint, name, trust: trust.nullable() })).describe('without a peer: all of them') }),
      documentOf('trust', {
        peer: node,
        beginning: text.describe('where the events begin'),
        steps: z.array(step).describe('one per event, oldest first'),
        result: z.array(text).describe('what the number consists of, the number, what it permits'),
        lines: z.array(text).describe('all of it in sentences'),
        evidence: z
          .array(
            z.strictObject({
              name: text.describe('file in `evidence/` beside the state'),
              class: text,
              why: text,
              objects: z.array(z.strictObject({ body: text, sig: text })).describe('signed objects of both sides, hexadecimal'),
            }),
          )
          .describe('kept about its breaks; what convicts it is in the export'),
        exported: z.record(text, z.unknown()).nullable().optional().describe('the signed export (protocols/trust.md), without `--export`'),
        file: text.optional().describe('with `--export`'),
      }),
    ])
    .describe('`trust [PEER]`'),
  barred: documentOf('barred', { node: z.strictObject({ aid, fingerprint, name }), reason: text }).describe('`node bar`'),
  voters: documentOf('voters', {
    quorum: count,
    term: count,
    leader: name.nullable(),
    voters: z.array(z.strictObject({ aid, fingerprint, name, leader: z.boolean(), liveness: z.string() })),
  }).describe('`voters`'),
  'voter-added': documentOf('voter-added', { node: z.strictObject({ aid, fingerprint, name }) }).describe('`voters add`'),
  'voter-removed': documentOf('voter-removed', { node: z.strictObject({ aid, fingerprint, name }) }).describe('`voters remove`'),
  unbarred: documentOf('unbarred', { node: z.strictObject({ aid, fingerprint, name }) }).describe('`node unbar`'),
  settled: documentOf('settled', {
    node: z.strictObject({ aid, fingerprint, name }),
    copy: text.nullable().describe('as typed; null with `--restored`'),
  }).describe('`identity settle`'),
  'trust-verification': documentOf('trust-verification', {
    file: text,
    valid: z.literal(true).describe('else the document is an `error` with exit 65'),
    score: z.number(),
    level,
    observer: aid,
    peer: aid,
    verified: z.strictObject({
      rotations: count,
      boots: count,
      statements: count,
      checkpoints: count,
      proofs: count.describe('that the peer contradicted itself'),
    }),
    lines: z.array(text),
  }).describe('`trust --verify FILE`'),
  identity: documentOf('identity', {
    aid,
    fingerprint,
    name: text,
    binding: z.strictObject({ kind: text.describe('`none`, `soft`, `otp`, `tpm`'), reason: text, facts: z.record(text, text) }),
    incarnation: count.nullable(),
    rotation: count.describe('how often its key has been rotated'),
    nextKey: z
      .strictObject({
        where: z.enum(['device', 'away']),
        rotation: count.describe('the rotation that it is for'),
        digest: text.describe('which key: SHA-256 of the public key, 64 hexadecimal digits'),
        place: z
          .strictObject({ how: z.enum(['escrowed', 'exported']), place: text, at: wall })
          .nullable()
          .optional()
          .describe('away: where it went, as far as known'),
      })
      .describe('the key that alone may replace the one in use'),
    replaces: z.array(closed).describe('closed identities whose place this node has taken'),
  }).describe('`identity show`'),
  rotation: documentOf('rotation', {
    rotation: count.describe('its number'),
    aid,
    recovered: z.literal(true).optional().describe('with the next key alone'),
  }).describe('`identity rotate`, `identity recover`'),
  'robonet-identity': documentOf('robonet-identity', {
    aid,
    fingerprint,
    name,
    mesh: z.strictObject({ id: text, name: text }).nullable(),
    rotation: count.describe('rotations so far'),
    establishment: z.array(z.strictObject({ body: text, sig: text })).describe('the establishment log, base64url'),
    membership: text.nullable().describe('genesis and membership record, base64url'),
    peers: z.array(text).describe('`host:port` where members were last reached'),
    nextKey: text.optional().describe('`rnk1.…`, a secret: only from `export-next -`'),
    takenAt: wall,
  }).describe('`identity document`, `identity export-next -`; what `identity recover --identity` takes'),
  'next-key': z
    .union([
      documentOf('next-key', { file: text, fingerprint, rotation: count.describe('the rotation that it is for'), kept: flag.describe('also on the device') }),
      documentOf('next-key', { digest: text, how: z.enum(['escrowed', 'exported']), place: text }),
    ])
    .describe('`identity export-next FILE`, `identity forget-next`'),
  'closed-node': documentOf('closed-node', closed.shape).describe('`node close`, `node NAME` of a closed identity'),
  event: documentOf('event', {
    at: wall,
    code: text.describe('`robonet explain CODE`'),
    severity: z.enum(['info', 'notice', 'warning', 'critical']),
    text,
    aid: text.nullable().describe('identity concerned, when authenticated'),
    source: text.nullable().describe('network address it came from'),
    data: z.record(text, z.union([text, z.number(), flag, z.null()])),
  }).describe('`events`: one a line'),
  doctor: documentOf('doctor', { findings: z.array(finding), tookMs: millis, healthy: flag.describe('nothing critical') }).describe('`doctor`'),
  invitation: documentOf('invitation', { token: text.describe('a secret'), ...tokenFields }).describe('`invite`'),
  invitations: documentOf('invitations', { invitations: z.array(z.strictObject(tokenFields)) }).describe('`invite list`: without secrets'),
  revoked: documentOf('revoked', { tokenId: text }).describe('`invite revoke`'),
  requests: documentOf('requests', { requests: z.array(request) }).describe('`requests`'),
  approved: documentOf('approved', { request }).describe('`approve`'),
  denied: documentOf('denied', { request }).describe('`deny`'),
  service: documentOf('service', {
    action: text,
    steps: z.array(text).optional(),
    running: flag.optional(),
    changed: flag.optional(),
  }).describe('`agent install`, `uninstall`, `start`, `stop`'),
  'dry-run': documentOf('dry-run', { would: z.array(text) }).describe('every verb with `--dry-run`'),
  codes: documentOf('codes', { codes: z.array(z.strictObject({ code: text, title: text })) }).describe('`explain`'),
  explanation: documentOf('explanation', {
    code: text,
    kind: z.enum(['fault', 'refusal', 'event']),
    title: text,
    why: text.optional(),
    effect: text.optional(),
    next: text.optional(),
    retry: z.enum(['never', 'later', 'now']).optional(),
    exit: count.optional(),
  }).describe('`explain CODE`'),
  version: documentOf('version', { version: text, build: text, packaged: flag, node: text, arch: text, platform: text }).describe('`version`'),
  error: documentOf('error', {
    error: z.strictObject({
      code: text.describe('ERRORS.md'),
      message: text,
      effect: text.describe('what was left unchanged, or done'),
      next: text.describe('what to do'),
      retry: z.enum(['never', 'later', 'now']),
      exit: count.describe('exit code of the program'),
    }),
  }).describe('every verb that fails'),
} as const;

/** What is wrong with a printed document, with its place; `undefined` where it is as documented. */
export function documentFault(document: unknown): string | undefined {
  const type = z.looseObject({ type: z.string() }).safeParse(document);
  const schema = type.success ? Object.entries(documentSchemas).find(([name]) => name === type.data.type)?.[1] : undefined;
  if (schema === undefined) return 'it has no documented type';
  const checked = schema.safeParse(document);
  return checked.success ? undefined : z.prettifyError(checked.error);
}
