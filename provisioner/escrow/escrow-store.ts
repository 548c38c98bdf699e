/**
 * Next keys in escrow on this machine (protocol.md §2.14 "Rotation"): one file per identity below the user's data folder,
 * readable by the user alone. The file is the identity document of `robonet identity export-next` with the host it came
 * from; it is all that is needed to take the identity back when the device is lost, so it is only ever replaced as a whole,
 * by a later one.
 */
import { readdirSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { textOf, utf8 } from '#core/bytes/bytes.ts';
import { Fault } from '#core/errors/fault.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { ensureDirectory, readWholeFile, replaceFile } from '#core/node/disk.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { IDENTITY_DOCUMENT_CHARACTERS_MAX, type IdentityDocument, readIdentityDocument } from '#mesh/hcth/identity-document.ts';

/** What a file holds: the document, the host it was taken from, when. */
export interface EscrowFile extends IdentityDocument {
  readonly nextKey: string;
  /** As the host was named on the command line. */
  readonly host: string;
  /** Wall clock of this machine. */
  readonly escrowedAt: number;
}

/** One file, or what is wrong with it. */
export type EscrowEntry =
  { readonly kind: 'escrow'; readonly path: string; readonly file: EscrowFile } | { readonly kind: 'damaged'; readonly path: string; readonly why: string };

/** How this machine is called in the device's own note of where its key went. */
export function escrowPlace(): string {
  return `provision on ${hostname()}`;
}

/** `$XDG_DATA_HOME/robonet/escrow`, by default below `~/.local/share`. */
export function escrowFolder(env: Readonly<Record<string, string | undefined>>): string {
  const data = env['XDG_DATA_HOME'];
  const base = data !== undefined && data.startsWith('/') ? data : join(env['HOME'] ?? homedir(), '.local', 'share');
  return join(base, 'robonet', 'escrow');
}

/** See the header. */
export class EscrowStore {
  readonly folder: string;
  readonly #crypto = createNodeCrypto();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** All files, by name of the machine. */
  list(): readonly EscrowEntry[] {
    const names = this.#names().map((name) => this.#read(join(this.folder, name)));
    return names.sort((a, b) => (labelOf(a) < labelOf(b) ? -1 : 1));
  }

  /** The file that a person means by name, host, fingerprint or identity. */
  find(typed: string): EscrowFile & { readonly path: string } {
    const entries = this.list();
    const wanted = typed.toLowerCase();
    const found = entries.filter((entry) => entry.kind === 'escrow' && handles(entry.file).includes(wanted));
    const [entry, second] = found;
    if (entry?.kind === 'escrow' && second === undefined) return { ...entry.file, path: entry.path };
    if (second !== undefined) throw new Fault('RN-PROV-061', `${String(found.length)} identities are called '${typed}'; use a fingerprint`);
    const known = entries.flatMap((each) => (each.kind === 'escrow' ? [each.file.name] : []));
    const suggestion = nearest(typed, known);
    throw new Fault('RN-PROV-061', `no next key of '${typed}' is in escrow here${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`);
  }

  /** Judge what a device handed over, without writing; the digest by which the device knows the key. */
  judge(document: unknown): { readonly document: IdentityDocument & { readonly nextKey: string }; readonly digest: string } {
    const read = readIdentityDocument(this.#crypto, document);
    if (typeof read === 'string') throw new Fault('RN-PROV-062', `what the device sent is not usable: ${read}`);
    const given = document as IdentityDocument;
    if (read.nextKey === null || given.nextKey === undefined) throw new Fault('RN-PROV-062', 'the device sent its identity without the next key');
    const publicKey = this.#crypto.signKey(read.nextKey.seed).publicKey;
    const digest = Buffer.from(this.#crypto.sha256(publicKey)).toString('hex');
    if (digest !== Buffer.from(read.established.nextDigest).toString('hex'))
      throw new Fault('RN-PROV-062', 'the key that the device sent is not the one its identity has committed to');
    return { document: { ...given, nextKey: given.nextKey }, digest };
  }

  /** Keep it: on the disk and read back when this returns. An earlier file of the identity is replaced, a later one never. */
  keep(document: IdentityDocument & { readonly nextKey: string }, host: string, now: number): string {
    const path = join(this.folder, `${document.aid}.json`);
    const before = this.#names().includes(`${document.aid}.json`) ? this.#read(path) : null;
    if (before?.kind === 'escrow' && before.file.rotation > document.rotation)
      throw new Fault('RN-PROV-063', `the key in escrow is for rotation ${before.file.rotation + 1}, the device's for rotation ${document.rotation + 1}`);
    const file: EscrowFile = { ...document, host, escrowedAt: now };
    ensureDirectory(this.folder);
    replaceFile(path, utf8(`${JSON.stringify(file, undefined, 1)}\n`));
    // The device deletes its only copy on our word.
    const kept = this.#read(path);
    if (kept.kind !== 'escrow' || kept.file.nextKey !== document.nextKey)
      throw new Fault('RN-PROV-062', `${path} does not read back as it was written: ${kept.kind === 'damaged' ? kept.why : 'another key is in it'}`, {
        effect: 'Nothing was deleted on the device.',
      });
    return path;
  }

  #names(): readonly string[] {
    try {
      return readdirSync(this.folder).filter((name) => /^rn1[a-z2-7]{52}\.json$/.test(name));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
      throw new Fault('RN-PROV-062', `${this.folder} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  #read(path: string): EscrowEntry {
    const bytes = readWholeFile(path, IDENTITY_DOCUMENT_CHARACTERS_MAX * 2);
    const text = bytes === undefined ? undefined : textOf(bytes);
    let value: unknown;
    try {
      value = JSON.parse(text ?? '');
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    const read = readIdentityDocument(this.#crypto, value);
    if (typeof read === 'string') return { kind: 'damaged', path, why: read };
    const file = value as Partial<EscrowFile>;
    if (typeof file.nextKey !== 'string') return { kind: 'damaged', path, why: 'it holds no next key' };
    return {
      kind: 'escrow',
      path,
      file: { ...(file as IdentityDocument), nextKey: file.nextKey, host: String(file.host ?? '-'), escrowedAt: Number(file.escrowedAt ?? 0) },
    };
  }
}

function handles(file: EscrowFile): readonly string[] {
  return [file.name, file.host, file.fingerprint, file.aid].map((text) => text.toLowerCase());
}

function labelOf(entry: EscrowEntry): string {
  return entry.kind === 'escrow' ? entry.file.name : entry.path;
}
