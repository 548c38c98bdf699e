/** Types of complete-lockfile.mjs, which must stay plain JavaScript. */

/** An optional package that a lock entry asks for and the lockfile lacks. */
export interface Absent {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly dev: boolean;
}

export function absentOptionalPackages(packages: object): readonly Absent[];
export function foreignEntry(wanted: { name: string; version: string; dev: boolean }): object;
