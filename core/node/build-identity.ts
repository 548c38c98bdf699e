/**
 * Which build is running. The bundler replaces the two names below (scripts/executable/bundle.ts); run from source they do not exist,
 * and the program says "development". It must never guess a version from the machine it runs on.
 */

declare const ROBONET_VERSION: string;
declare const ROBONET_BUILD: string;

/** What `version` prints and what a node announces to its peers. */
export interface BuildIdentity {
  /** The version in package.json. */
  readonly version: string;
  /** The first 12 hex digits of the SHA-256 of the program text; equal sources give equal builds. */
  readonly build: string;
  /** True inside one of our executables, false when run from source. */
  readonly packaged: boolean;
}

/** The identity of this process's program. */
export const buildIdentity: BuildIdentity =
  typeof ROBONET_VERSION === 'string' && typeof ROBONET_BUILD === 'string'
    ? { version: ROBONET_VERSION, build: ROBONET_BUILD, packaged: true }
    : { version: '0.0.0-development', build: 'development', packaged: false };
