/**
 * Writes the text of `embedded.ts` from the names of the profile files, so that a board is added by adding its file.
 * Used by the profile test (`REWRITE=1` renews the file); the agent never imports it.
 */

/** The module that embeds these profiles; `names` are file names without `.json`, sorted. */
export function embeddedModule(names: readonly string[]): string {
  const variable = (name: string): string => name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return [
    '/** Every file of hw-profiles/, embedded. Generated (docs/HARDWARE.md, "Adding a board"): do not edit. */',
    ...names.map((name) => `import ${variable(name)} from '../../../hw-profiles/${name}.json' with { type: 'json' };`),
    "import type { HardwareProfile } from './profile.ts';",
    '',
    '// A decoder: JSON imports widen literals to string; the profile test holds every file against the schema.',
    'const embedded: readonly unknown[] = [',
    ...names.map((name) => `  ${variable(name)},`),
    '];',
    '',
    '/** All hardware profiles known to this build. */',
    'export const profiles = embedded as readonly HardwareProfile[];',
    '',
  ].join('\n');
}
