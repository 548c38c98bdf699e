/** `provision` for laptops on other systems. */
import type { Made } from '#scripts/executable/stamp.ts';

export async function buildLaptop(_options: {
  root: string;
  output: string;
  provisionEntry: string;
  progress: (line: string) => void;
}): Promise<readonly Made[]> {
  return await Promise.resolve([]);
}
