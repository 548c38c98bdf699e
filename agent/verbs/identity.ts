/** `identity …`: this node's identity, its next key, rotating and recovering it. */
import type { IdentityView } from '#agent/api/protocol.ts';
import { clientFor, sayWould } from '#agent/verbs/connection.ts';
import { readSecretText, writeSecretFile } from '#agent/verbs/secret-file.ts';
import { closedWords } from '#agent/verbs/words.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { Output } from '#core/node/command-line/output.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable, renderPairs } from '#core/terminal/table.ts';
import type { IdentityDocument } from '#mesh/hcth/identity-document.ts';
import { NEXT_KEY_PREFIX } from '#mesh/hcth/next-key.ts';

/** A new key is told and the node begins an incarnation: some writes and a moment. */
const ROTATE_MS_MAX = 30_000;

/** `robonet identity show`. */
export async function showIdentity(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const identity = await clientFor(invocation).call('identity', {}, { signal });
  output.document('identity', identity);
  output.line(
    ...renderPairs([
      ['name', printable(identity.name)],
      ['fingerprint', output.palette.bold(identity.fingerprint)],
      ['identity', identity.aid],
      ['bound to', printable(`${identity.binding.kind}: ${identity.binding.reason}`)],
      ...Object.entries(identity.binding.facts).map(([name, value]) => [`  ${printable(name)}`, printable(value)] as const),
      ['incarnation', identity.incarnation === null ? '-' : String(identity.incarnation)],
      ['key', identity.rotation === 0 ? 'the first one' : `rotation ${String(identity.rotation)}`],
      ['next key', nextKeyWords(identity, output)],
      ...identity.replaces.map((closed) => ['replaces', closedWords(closed)] as const),
    ]),
  );
  if (identity.nextKey.where === 'device')
    output.note(
      'whoever steals this device has the next key, too: collect it with `provision escrow pull HOST`, or export it with `robonet identity export-next FILE`',
    );
  output.note('the fingerprint is what people compare before they approve this machine');
  return undefined;
}

function nextKeyWords({ nextKey }: IdentityView, { palette }: Output): string {
  if (nextKey.where === 'device') return palette.warn('on this device');
  if (nextKey.place === null) return 'not on this device';
  return printable(`${nextKey.place.how} at ${formatTimestamp(nextKey.place.at)}: ${nextKey.place.place}`);
}

/** `robonet identity rotate`. */
export async function rotateIdentity(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const given = givenKey(invocation);
  const dryRun = invocation.flag('dryRun');
  const client = clientFor(invocation);
  const request = { nextKey: given?.text ?? null, recovery: false, document: null, dryRun };
  const done = await client.call('rotate', request, { signal: context.signal, timeoutMs: ROTATE_MS_MAX });
  if (dryRun)
    return sayWould(context, `replace the key of this node by its next key (rotation ${String(done.rotation)}), signed by both, and tell every member`);
  context.output.document('rotation', done);
  context.output.line(`this node has a new key (rotation ${String(done.rotation)}); its name, membership and the trust in it stay.`);
  sayNextKey(context.output);
  return undefined;
}

/** `robonet identity recover`. */
export async function recoverIdentity(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const given = givenKey(invocation);
  if (given === null) throw new Fault('RN-CLI-001', 'a recovery needs the next key: --next-key FILE');
  const client = clientFor(invocation);
  const own = await client.call('identity', {}, { signal: context.signal });
  const document = documentFor(invocation, given, own.aid);
  const dryRun = invocation.flag('dryRun');
  const request = { nextKey: given.text, recovery: true, document, dryRun };
  const done = await client.call('rotate', request, { signal: context.signal, timeoutMs: ROTATE_MS_MAX });
  const who = done.aid === own.aid ? 'this node' : done.aid;
  if (dryRun) return sayWould(context, `take the identity of ${who} back with its next key alone (rotation ${String(done.rotation)}), and tell every member`);
  context.output.document('rotation', { ...done, recovered: true });
  context.output.line(
    `${who} is this device's identity, with a new key (rotation ${String(done.rotation)}); whoever holds the former key is refused from now on.`,
  );
  sayNextKey(context.output);
  return undefined;
}

/** Which log the rotation continues: this device's own, a member's account of it, or (nobody is left to ask) the escrow's. */
function documentFor(invocation: Invocation, given: GivenKey, ownAid: string): string | null {
  const file = invocation.text('identity');
  if (file !== undefined) return readSecretText(file, 'the identity document');
  if (given.document === null || given.document.aid === ownAid) return null;
  if (invocation.flag('alone')) return given.json;
  throw new Fault('RN-CLI-001', `the next key belongs to ${printable(String(given.document.fingerprint))}, which is not this device`, {
    effect: 'Nothing was changed. A second rotation at one place would convict that identity for ever.',
    next: 'On a member write what the mesh knows of it, `robonet identity document NAME > FILE`, and give it here as --identity FILE; or --alone when no member is left.',
  });
}

function sayNextKey(output: Output): void {
  output.note('its next key is on this device again: collect it with `provision escrow pull HOST`, or export it with `robonet identity export-next FILE`');
}

interface GivenKey {
  readonly text: string;
  /** Where the key came in an escrow file: the file itself. */
  readonly document: IdentityDocument | null;
  readonly json: string;
}

/** The next key in a file or on standard input: the short text, or an escrow file that holds it. */
function givenKey(invocation: Invocation): GivenKey | null {
  const file = invocation.text('nextKey');
  if (file === undefined) return null;
  if (file.toLowerCase().startsWith(NEXT_KEY_PREFIX)) {
    throw new Fault('RN-CLI-001', 'a next key on the command line could be read by every user of this machine', {
      next: 'Put it into a file and use --next-key FILE, or pipe it: `… | robonet identity rotate --next-key -`.',
    });
  }
  const text = readSecretText(file, 'the next key');
  if (!text.trimStart().startsWith('{')) return { text, document: null, json: '' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Fault('RN-MESH-060', `${file} is neither a next key nor an escrow file`, { cause: error });
  }
  const document = value as Partial<IdentityDocument> | null;
  if (typeof document?.nextKey !== 'string' || typeof document.aid !== 'string') throw new Fault('RN-MESH-060', `${file} holds no next key`);
  return { text: document.nextKey, document: document as IdentityDocument, json: text };
}

/** `robonet identity export-next FILE`. */
export async function exportNextKey(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const { output, signal } = context;
  const file = invocation.argument(0) ?? '';
  const toPipe = file === '-';
  const keep = toPipe ? !invocation.flag('delete') : invocation.flag('keep');
  if (toPipe && invocation.flag('keep') && invocation.flag('delete')) throw new Fault('RN-CLI-001', '--keep and --delete exclude each other');
  if (!toPipe && invocation.flag('delete'))
    throw new Fault('RN-CLI-001', '--delete is for standard output; a file is read back, and the copy here goes by itself');
  if (invocation.flag('dryRun'))
    return sayWould(context, `write the next key to ${toPipe ? 'standard output' : file}${keep ? '' : ', and delete the copy on this device'}`);
  const client = clientFor(invocation);
  const document = await client.call('export-next-key', {}, { signal });
  const { nextKey: where } = await client.call('identity', {}, { signal });
  if (toPipe) {
    output.document('next-key', document);
    output.line(document.nextKey ?? '');
  } else {
    writeSecretFile(file, keyFile(document));
    output.document('next-key', { file, fingerprint: document.fingerprint, rotation: document.rotation + 1, kept: keep });
    output.line(`the next key of ${printable(document.name)} (${document.fingerprint}) is in ${file}, for rotation ${String(document.rotation + 1)}.`);
  }
  if (keep) {
    output.note(
      toPipe
        ? `this device keeps its copy until you say that yours is safe: \`robonet identity forget-next ${where.digest}\``
        : 'this device keeps its copy, as asked; a thief of it has the key, too',
    );
    return undefined;
  }
  await client.call('forget-next-key', { digest: where.digest, how: 'exported', place: toPipe ? 'standard output' : file }, { signal });
  output.note(
    'the copy on this device is deleted. Keep the file elsewhere: who has it can take the identity over, and without it a stolen key is never taken back',
  );
  return undefined;
}

function keyFile(document: IdentityDocument): string {
  const mesh = document.mesh === null ? 'no mesh' : `the mesh ${printable(document.mesh.name)}`;
  return `# roboNet: next key of ${printable(document.name)} (${document.fingerprint}), ${mesh}, for rotation ${String(document.rotation + 1)}
# Whoever has this can take the identity over. Keep it away from the device; paper will do.
${document.nextKey ?? ''}
`;
}

/** `robonet identity forget-next DIGEST`. */
export async function forgetNextKey(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const digest = invocation.argument(0) ?? '';
  const how = invocation.flag('escrowed') ? 'escrowed' : 'exported';
  const place = invocation.text('place') ?? 'a place that a person knows';
  if (invocation.flag('dryRun')) return sayWould(context, 'delete the copy of the next key on this device');
  await clientFor(invocation).call('forget-next-key', { digest, how, place }, { signal: context.signal });
  context.output.document('next-key', { digest, how, place });
  context.output.line(`the next key is no longer on this device: ${how} (${printable(place)}).`);
  return undefined;
}

/** `robonet identity document [NODE]`. */
export async function printDocument(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const document = await clientFor(invocation).call('identity-document', { node: invocation.argument(0) ?? null }, { signal });
  output.document('identity-document', document);
  output.line(JSON.stringify(document, undefined, 1));
  output.note('no secret: with the next key of this identity it lets another device take it over (`robonet identity recover --identity FILE`)');
  return undefined;
}
