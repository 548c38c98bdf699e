/**
 * Where the agent executables come from: a folder named by the person, inside this very program, or beside it. One port
 * for all three. What is sent is the compressed file as it is; what is promised is the SHA-256 of its content.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import * as z from 'zod';
import { Fault } from '#core/errors/fault.ts';
import { embeddedAsset } from '#core/node/embedded-asset.ts';
import type { AgentArch } from '#provisioner/inspect/judge.ts';
import type { AgentImage } from '#provisioner/plan/step.ts';

/** A place with agents in it. */
export interface AgentImages {
  /** For messages: `inside this program`, `/opt/agents`. */
  readonly where: string;
  readonly available: readonly AgentArch[];
  /** Size and digest; measured once per run. */
  describe(arch: AgentArch): Promise<AgentImage>;
  /** The compressed bytes, from the beginning. */
  open(image: AgentImage): Readable;
}

const arches: readonly AgentArch[] = ['x64', 'arm64'];
const indexName = 'agents.json';
const indexSchema = z.object({
  agents: z.partialRecord(
    z.enum(['x64', 'arm64']),
    z.object({ bytes: z.number().int().positive(), sha256: z.string().regex(/^[0-9a-f]{64}$/), gzipBytes: z.number().int().positive() }),
  ),
});
const chunkBytes = 262_144;

/** Find the agents: `--agents DIR` first, then inside the program, then beside it. */
export function findAgentImages(folder: string | null, programPath: string = process.execPath): AgentImages {
  if (folder !== null) {
    const found = fromFolder(folder);
    if (found.available.length === 0) throw new Fault('RN-PROV-026', `${folder} holds no agent (looked for ${arches.map(fileName).join(', ')})`);
    return found;
  }
  const embedded = fromAssets();
  return embedded.available.length > 0 ? embedded : fromFolder(dirname(programPath));
}

function fileName(arch: AgentArch): string {
  return `robonet-linux-${arch}.gz`;
}

function fromFolder(folder: string): AgentImages {
  const path = (arch: AgentArch): string => join(folder, fileName(arch));
  const index = existsSync(join(folder, indexName)) ? readFileSync(join(folder, indexName), 'utf8') : null;
  return imagesOf(folder, (arch) => existsSync(path(arch)), {
    index,
    gzipBytes: (arch) => statSync(path(arch)).size,
    open: (arch) => createReadStream(path(arch), { highWaterMark: chunkBytes }),
  });
}

function fromAssets(): AgentImages {
  const bytes = (arch: AgentArch): Uint8Array => embeddedAsset(fileName(arch)) ?? new Uint8Array(0);
  const index = embeddedAsset(indexName);
  return imagesOf('inside this program', (arch) => embeddedAsset(fileName(arch)) !== undefined, {
    index: index === undefined ? null : Buffer.from(index).toString('utf8'),
    gzipBytes: (arch) => bytes(arch).length,
    open: (arch) => Readable.from(slices(bytes(arch)), { objectMode: false }),
  });
}

interface Source {
  readonly index: string | null;
  readonly gzipBytes: (arch: AgentArch) => number;
  readonly open: (arch: AgentArch) => Readable;
}

function imagesOf(where: string, has: (arch: AgentArch) => boolean, source: Source): AgentImages {
  const known = new Map<AgentArch, Promise<AgentImage>>();
  const available = arches.filter(has);
  return {
    where,
    available,
    open: (image) => source.open(image.arch),
    describe: (arch) => {
      if (!available.includes(arch)) {
        const there = available.length === 0 ? 'none' : available.join(', ');
        return Promise.reject(new Fault('RN-PROV-026', `there is no agent for ${arch} (${where} has: ${there})`));
      }
      const described = known.get(arch) ?? describe(arch, where, source);
      known.set(arch, described);
      return described;
    },
  };
}

/** From the index of the build when it fits the file at hand; measured otherwise. */
async function describe(arch: AgentArch, where: string, source: Source): Promise<AgentImage> {
  const gzipBytes = source.gzipBytes(arch);
  const entry = source.index === null ? undefined : indexSchema.safeParse(parseIndex(source.index)).data?.agents[arch];
  if (entry !== undefined && entry.gzipBytes === gzipBytes) return { arch, bytes: entry.bytes, gzipBytes, sha256: entry.sha256 };
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    await pipeline(source.open(arch), createGunzip(), async (unpacked: AsyncIterable<Buffer>) => {
      for await (const chunk of unpacked) {
        bytes += chunk.length;
        hash.update(chunk);
      }
    });
  } catch (error) {
    throw new Fault('RN-PROV-026', `${fileName(arch)} (${where}) cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  return { arch, bytes, gzipBytes, sha256: hash.digest('hex') };
}

function parseIndex(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function* slices(bytes: Uint8Array): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(chunkBytes, bytes.length - at));
}
