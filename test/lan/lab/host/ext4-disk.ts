/**
 * A small ext4 of a host's own, in an image behind a loop device: it can be filled to the last block and freed, and turned
 * read-only by its own kernel, as a dying card is. It stays through power cuts, as a card does.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runChecked, runCommand } from '../command.ts';

/** Where it is mounted, and how large it is. */
export interface Ext4Place {
  readonly path: string;
  readonly bytes: number;
}

const BLOCK_BYTES = 1_024;
const BALLAST = 'ballast';

/** See the file's head. */
export class Ext4Disk {
  readonly #mountPoint: string;
  readonly #image: string;

  private constructor(mountPoint: string, image: string) {
    this.#mountPoint = mountPoint;
    this.#image = image;
  }

  /** Makes it and mounts it into the tree of a host that is off. */
  static async make(tree: string, image: string, place: Ext4Place): Promise<Ext4Disk> {
    writeFileSync(image, '');
    truncateSync(image, place.bytes);
    // Nothing is kept back for root: the agent is root.
    await runChecked(['mkfs.ext4', '-q', '-F', '-m', '0', '-b', String(BLOCK_BYTES), image]);
    const disk = new Ext4Disk(join(tree, place.path), image);
    mkdirSync(disk.#mountPoint, { recursive: true });
    await disk.#mount();
    return disk;
  }

  /** Takes every block that is left; how many bytes that were. */
  fillUp(): number {
    const file = openSync(join(this.#mountPoint, BALLAST), 'a');
    const block = Buffer.alloc(BLOCK_BYTES, 0xff);
    let bytes = 0;
    try {
      for (;;) bytes += writeSync(file, block);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      fsyncSync(file);
      return bytes;
    } finally {
      closeSync(file);
    }
  }

  /** Gives them back. */
  makeRoom(): void {
    rmSync(join(this.#mountPoint, BALLAST), { force: true });
  }

  /** The kernel finds an error in the file system and goes on read-only (`errors=remount-ro`). */
  async failReadOnly(): Promise<void> {
    writeFileSync(join('/sys/fs/ext4', basename(await this.#device()), 'trigger_fs_error'), '1\n');
  }

  /** What a boot does after that: checks and mounts it again. The host is off. */
  async repair(): Promise<void> {
    await runChecked(['umount', this.#mountPoint]);
    const { code, stdout, stderr } = await runCommand(['e2fsck', '-f', '-y', this.#image]);
    // 1: errors were found and corrected.
    if (code !== 0 && code !== 1) throw new Error(`e2fsck ended with ${String(code)}: ${stdout}${stderr}`);
    await this.#mount();
  }

  async #mount(): Promise<void> {
    await runChecked(['mount', '-o', 'loop,errors=remount-ro', this.#image, this.#mountPoint]);
  }

  async #device(): Promise<string> {
    return (await runChecked(['findmnt', '-no', 'SOURCE', this.#mountPoint])).stdout.trim();
  }
}
