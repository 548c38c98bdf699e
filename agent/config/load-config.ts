/**
 * Where settings come from: built-in defaults, then the file, then the command line. The file is optional at its usual
 * place and required where it was asked for.
 */
import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { Fault } from '#core/errors/fault.ts';
import { readTextFile } from '#core/node/read-text-file.ts';
import { PORT_DEFAULT, type Settings } from '#agent/config/settings.ts';

/** Usual place of the file. */
export const CONFIG_PATH = '/etc/robonet/config.yaml';
const CONFIG_BYTES_MAX = 64 * 1024;

/** Settings with a name filled in. */
export interface EffectiveSettings extends Settings {
  readonly name: string;
  /** The file read, or null where there was none. */
  readonly source: string | null;
}

/** What the command line may override. */
export interface Overrides {
  readonly port?: number | undefined;
  readonly facts?: string | undefined;
  readonly name?: string | undefined;
}

/** Read the file at `path` (required) or at the usual place (optional) and apply the overrides. */
export async function loadConfig(path: string | undefined, overrides: Overrides): Promise<EffectiveSettings> {
  const text = readText(path ?? CONFIG_PATH, path !== undefined);
  const settings = text === undefined ? defaults() : await parse(text, path ?? CONFIG_PATH);
  const facts = overrides.facts ?? settings.facts;
  // Staged facts that are not there would make a machine without any: no board, no memory, no disk.
  if (facts !== undefined && !(existsSync(facts) && statSync(facts).isDirectory()))
    throw new Fault('RN-AGENT-006', `${facts} is not a folder of staged facts`, {
      next: 'Name an existing folder with --facts (or `facts:`), or leave it out to read this machine.',
    });
  return {
    ...settings,
    port: overrides.port ?? settings.port,
    name: overrides.name ?? settings.name ?? nodeNameOf(hostname()),
    ...(facts === undefined ? {} : { facts }),
    source: text === undefined ? null : (path ?? CONFIG_PATH),
  };
}

// The parser and the schema are loaded only where there is something to read: both are large.
async function parse(text: string, path: string): Promise<Settings> {
  const { parseConfig } = await import('#agent/config/read-config.ts');
  return parseConfig(text, path);
}

function defaults(): Settings {
  return { port: PORT_DEFAULT, interfaces: [], discovery: true, peers: [], labels: {}, hardware_binding: 'auto', log_level: 'info', clock_rate: 1 };
}

function readText(path: string, required: boolean): string | undefined {
  const read = readTextFile(path, CONFIG_BYTES_MAX);
  if (read.kind === 'text') return read.text;
  if (!required && read.missing) return undefined;
  throw new Fault('RN-AGENT-006', `${path}: ${read.why}`);
}

/** A valid node name made from a host name: the first label, other characters replaced. */
export function nodeNameOf(hostName: string): string {
  const name = (hostName.split('.')[0] ?? '')
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 63);
  return name === '' ? 'node' : name;
}
