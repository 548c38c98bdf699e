/**
 * The built executables under test. The use cases drive these and nothing else of the product; a missing one is a failure
 * with the line to type, never a skip.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** `ROBONET_DIST` lets a developer test executables built elsewhere (`npm run build -- --out DIR`). */
const DIST = process.env['ROBONET_DIST'] ?? join(import.meta.dirname, '../../../dist');

/** Path of the agent executable for this machine's architecture. */
export function robonetProgram(): string {
  return built(`robonet-linux-${process.arch}`);
}

/** Path of the provisioner executable for this machine's architecture. */
export function provisionProgram(): string {
  return built(`provision-linux-${process.arch}`);
}

/** What a laptop has installed. */
export function laptopPrograms(): Readonly<Record<string, string>> {
  return { robonet: robonetProgram(), provision: provisionProgram() };
}

function built(name: string): string {
  const path = join(DIST, name);
  if (!existsSync(path)) throw new Error(`${path} is missing; build it first: npm run build`);
  return path;
}
