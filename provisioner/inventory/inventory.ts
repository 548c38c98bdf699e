/**
 * `hosts.yaml`: the machines of a site, read strictly. Two forms are understood, our own and the part of Ansible's that
 * says how to reach a host. Every complaint names line and column; secrets in the file are refused. Pure.
 */
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, visit, type Node, type Pair } from 'yaml';
import { nearest } from '#core/terminal/suggest.ts';
import { parseHostTarget, userProblem } from '#provisioner/ssh/host-name.ts';

/** One machine of the file. */
export interface InventoryHost {
  /** Its name in the file; also the label of its invitation. */
  readonly label: string;
  readonly host: string;
  readonly user: string | null;
  readonly port: number | null;
  readonly identityFiles: readonly string[];
  /** Files whose first line is the secret. */
  readonly passwordFile: string | null;
  readonly sudoPasswordFile: string | null;
}

export interface InventoryProblem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

export type InventoryResult =
  { readonly kind: 'hosts'; readonly hosts: readonly InventoryHost[] } | { readonly kind: 'problems'; readonly problems: readonly InventoryProblem[] };

/** More hosts than this in one file are refused: it is a typing mistake, or a job for several runs. */
export const hostCountMax = 500;
/** More complaints than this help nobody; the rest comes after the first are mended. */
export const problemCountMax = 20;
/** A larger file is not an inventory. */
export const inventoryBytesMax = 1_048_576;

const hostKeys = [
  'host',
  'user',
  'port',
  'identity',
  'password_file',
  'sudo_password_file',
  'ansible_host',
  'ansible_user',
  'ansible_port',
  'ansible_ssh_private_key_file',
];
const secretKeys = ['password', 'sudo_password', 'ansible_password', 'ansible_ssh_pass', 'ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'];
/** Ansible variables that change nothing about reaching the host are passed over in silence. */
const ignoredAnsible = /^ansible_(python_interpreter|become|become_method|become_user|connection)$/;

/** Read the text of an inventory. */
export function parseInventory(text: string): InventoryResult {
  if (text.length > inventoryBytesMax)
    return {
      kind: 'problems',
      problems: [{ line: 1, column: 1, text: `the file has ${text.length} characters, more than the ${inventoryBytesMax} that are read` }],
    };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, schema: 'core', uniqueKeys: true, prettyErrors: false });
  const reader = new Reader(lines);
  for (const error of document.errors) reader.complainAt(error.pos[0], plainly(error.message.split('\n')[0] ?? 'not YAML'));
  visit(document, {
    Alias: (_key, node) => reader.complainAt(node.range?.[0] ?? 0, `aliases (*${node.source}) are not understood here; write the value out`),
  });
  if (reader.problems.length === 0) reader.root(document.contents);
  return reader.problems.length > 0
    ? { kind: 'problems', problems: reader.problems.slice(0, problemCountMax) }
    : { kind: 'hosts', hosts: reader.hosts.map(({ node: _node, ...host }) => host) };
}

/** The parser's words where they speak to a programmer. */
function plainly(message: string): string {
  if (message.includes('call stack')) return 'the file is nested far too deeply';
  if (message.includes('multiple documents')) return 'a second document begins here (---); an inventory is one';
  return message;
}

/** A machine as it was named, and where. */
interface Named extends InventoryHost {
  readonly node: unknown;
}

class Reader {
  readonly problems: InventoryProblem[] = [];
  readonly hosts: Named[] = [];
  readonly #lines: LineCounter;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  complainAt(offset: number, text: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.problems.push({ line, column: col, text });
  }

  /** `hosts: …`, a bare list, or Ansible's groups. */
  root(node: unknown): void {
    if (isSeq(node)) return this.list(node);
    if (!isMap(node)) return this.#complain(node, 'expected "hosts:" with a list or a map of machines');
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (key === 'hosts') this.collection(pair.value);
      else if (isMap(pair.value) && pair.value.items.some((item) => ['hosts', 'children', 'vars'].includes(keyOf(item)))) this.group(pair.value);
      else this.#complain(pair.key, unknownKey(key, ['hosts', 'all']));
    }
    if (this.hosts.length === 0 && this.problems.length === 0) this.#complain(node, 'no machine is named');
    if (this.hosts.length > hostCountMax) this.#complain(node, `${this.hosts.length} machines are named, more than ${hostCountMax}`);
    const labels = new Set<string>();
    const places = new Map<string, string>();
    for (const { label, host, port, node: at } of this.hosts) {
      const place = `${host.toLowerCase()}:${port ?? 22}`;
      const other = places.get(place);
      if (labels.has(label)) this.#complain(at, `"${label}" is named twice`);
      else if (other !== undefined) this.#complain(at, `"${label}" is the same machine as "${other}"`);
      labels.add(label);
      places.set(place, label);
    }
  }

  group(node: unknown): void {
    if (!isMap(node)) return this.#complain(node, 'expected a group with "hosts:"');
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (key === 'hosts') this.collection(pair.value);
      else if (key === 'children' && isMap(pair.value)) for (const child of pair.value.items) this.group(child.value);
      else if (key === 'vars') this.#complain(pair.key, 'group variables are not understood here; write them at each host');
      else this.#complain(pair.key, unknownKey(key, ['hosts', 'children']));
    }
  }

  collection(node: unknown): void {
    if (isSeq(node)) return this.list(node);
    if (!isMap(node)) return this.#complain(node, 'expected a list or a map of machines');
    for (const pair of node.items) {
      const label = keyOf(pair);
      if (label === '' || (isScalar(pair.key) && pair.key.value === null)) {
        this.#complain(pair.key, 'the name of a machine must be a plain text');
        continue;
      }
      if (isMap(pair.value)) this.machine(label, pair.key, pair.value);
      else if (isScalar(pair.value) && typeof pair.value.value === 'string') this.#named(label, pair.value.value, pair.value);
      else if (pair.value === null || (isScalar(pair.value) && pair.value.value === null)) this.#named(label, label, pair.key);
      else this.#complain(pair.value, `"${label}" must be an address or a map of its settings`);
    }
  }

  list(node: unknown): void {
    if (!isSeq(node)) return;
    for (const item of node.items) {
      if (isScalar(item) && typeof item.value === 'string') this.#named(item.value, item.value, item);
      else if (isMap(item)) this.machine(null, item, item);
      else this.#complain(item, 'expected a host (name, address or user@host) or a map of its settings');
    }
  }

  machine(label: string | null, at: unknown, node: unknown): void {
    if (!isMap(node)) return;
    const settings = new Map<string, { text: string; node: unknown }>();
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (label === null && key === 'name' && isScalar(pair.value)) settings.set('name', { text: String(pair.value.value), node: pair.value });
      else if (secretKeys.includes(key))
        this.#complain(
          pair.key,
          `"${key}" puts a secret into the file; use ${key.includes('become') || key.includes('sudo') ? 'sudo_password_file' : 'password_file'}, or --ask-password`,
        );
      else if (hostKeys.includes(key)) {
        if (isScalar(pair.value) && (typeof pair.value.value === 'string' || typeof pair.value.value === 'number'))
          settings.set(key.replace(/^ansible_ssh_private_key_file$/, 'identity').replace(/^ansible_/, ''), {
            text: String(pair.value.value),
            node: pair.value,
          });
        else this.#complain(pair.value ?? pair.key, `"${key}" needs a text or a number`);
      } else if (!ignoredAnsible.test(key)) this.#complain(pair.key, unknownKey(key, label === null ? ['name', ...hostKeys] : hostKeys));
    }
    const host = settings.get('host');
    const name = label ?? settings.get('name')?.text ?? host?.text;
    if (name === undefined) return this.#complain(at, 'this machine has neither "host" nor "name"');
    const parsed = parseHostTarget(host?.text ?? name);
    if (parsed.kind === 'problem') return this.#complain(host?.node ?? at, parsed.why);
    const user = settings.get('user');
    if (user !== undefined && userProblem(user.text) !== null) return this.#complain(user.node, `"${user.text}" ${userProblem(user.text) ?? ''}`);
    const port = settings.get('port');
    const portNumber = port === undefined ? parsed.target.port : Number(port.text);
    if (portNumber !== null && (!Number.isInteger(portNumber) || portNumber < 1 || portNumber > 65_535))
      return this.#complain(port?.node, `"${port?.text ?? ''}" is not a port between 1 and 65535`);
    this.hosts.push({
      node: host?.node ?? at,
      label: name,
      host: parsed.target.host,
      user: user?.text ?? parsed.target.user,
      port: portNumber,
      identityFiles: settings.has('identity') ? [settings.get('identity')?.text ?? ''] : [],
      passwordFile: settings.get('password_file')?.text ?? null,
      sudoPasswordFile: settings.get('sudo_password_file')?.text ?? null,
    });
  }

  #named(label: string, text: string, node: unknown): void {
    const parsed = parseHostTarget(text);
    if (parsed.kind === 'problem') return this.#complain(node, parsed.why);
    this.hosts.push({ label, ...parsed.target, identityFiles: [], passwordFile: null, sudoPasswordFile: null, node });
  }

  #complain(node: unknown, text: string): void {
    this.complainAt(isNode(node) ? (node.range?.[0] ?? 0) : 0, text);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

function keyOf(pair: Pair<unknown, unknown>): string {
  return isPair(pair) && isScalar(pair.key) ? String(pair.key.value) : '';
}

function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  return `"${key}" is not known here${near === undefined ? `; known are ${known.filter((each) => !each.startsWith('ansible_')).join(', ')}` : ` (did you mean "${near}"?)`}`;
}
