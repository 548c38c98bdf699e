/**
 * Files that the build put inside the executable, read back by name. Outside an executable there are none, and the caller falls back
 * to a file on disk. It must never copy: an agent inside `provision` is tens of megabytes.
 */
import { getRawAsset, isSea } from 'node:sea';

/** The bytes stored under `name` at build time, not copied and not to be written to; undefined when there are none. */
export function embeddedAsset(name: string): Uint8Array | undefined {
  if (!isSea()) return undefined;
  try {
    return new Uint8Array(getRawAsset(name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_SINGLE_EXECUTABLE_APPLICATION_ASSET_NOT_FOUND') return undefined;
    throw error;
  }
}
