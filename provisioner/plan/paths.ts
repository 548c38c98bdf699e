/** Where things lie on a target. One list, so that inspection, plan, manifest and undo speak of the same files. */

/** The installed executable. */
export const executablePath = '/usr/local/bin/robonet';
/** The agent's state; the manifest lies in it. */
export const stateDir = '/var/lib/robonet';
/** What a colonization created, for undo. */
export const manifestPath = `${stateDir}/provisioned.json`;
/** Beside the executable, because only a rename within one file system is atomic. */
export const stagingPrefix = '/usr/local/bin/.robonet-staging.';
/** Everything an installation may create; the inspection notes which of them were there before. */
export const touchedPaths = [
  '/usr/local/bin',
  executablePath,
  '/etc/robonet',
  stateDir,
  '/etc/systemd/system/robonet.service',
  '/etc/systemd/system/multi-user.target.wants/robonet.service',
  '/run/robonet',
  '/var/log/robonet.log',
] as const;
