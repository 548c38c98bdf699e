/**
 * States in which a host may be found: each makes a blank root worse in one way that real machines are bad in, so that
 * the programs under test meet it without knowing it is staged.
 */
import { chmod, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked } from '../command.ts';
import type { Alteration } from './root.ts';

/** `uname -m` answers another machine, e.g. `armv6l` of a Raspberry Pi 1. */
export function pretendMachine(machine: string): Alteration {
  return async (root) => {
    await wrap(
      root,
      'usr/bin/uname',
      `case "$*" in -m|-p|-i|--machine) echo ${machine};; *) exec /usr/bin/uname.real "$@" | sed "s/x86_64/${machine}/g";; esac`,
    );
  };
}

/** A 64-bit kernel under a 32-bit userland, as an early Raspberry Pi OS on a Pi 4 is found. */
export const pretend32BitUserland: Alteration = async (root) => {
  await wrap(root, 'usr/bin/getconf', 'case "$1" in LONG_BIT|WORD_BIT) echo 32;; *) exec /usr/bin/getconf.real "$@";; esac');
  await wrap(root, 'usr/bin/dpkg', 'case "$1" in --print-architecture) echo i386;; *) exec /usr/bin/dpkg.real "$@";; esac');
};

/** No `sudo` at all. */
export const withoutSudo: Alteration = async (root) => {
  await rm(join(root, 'usr/bin/sudo'), { force: true });
};

/** `sudo` is there, but nobody except root may use it. */
export const withoutSudoRights: Alteration = async (root) => {
  await rm(join(root, 'etc/sudoers.d/010-admin'), { force: true });
  await runChecked(['sed', '-i', 's/^%sudo.*//', join(root, 'etc/sudoers')]);
};

/** No libstdc++, which the agent's runtime needs. */
export const withoutStandardCxx: Alteration = async (root) => {
  for (const folder of await readdir(join(root, 'usr/lib'))) {
    if (!folder.endsWith('-linux-gnu')) continue;
    for (const file of await readdir(join(root, 'usr/lib', folder))) {
      if (file.startsWith('libstdc++.so')) await rm(join(root, 'usr/lib', folder, file));
    }
  }
};

/** The host says its address on `_workstation._tcp` and `_ssh._tcp` as some distributions do. */
export const announcingServices: Alteration = async (root) => {
  await runChecked(['sed', '-i', 's/^publish-workstation=.*/publish-workstation=yes/', join(root, 'etc/avahi/avahi-daemon.conf')]);
  await writeFile(
    join(root, 'etc/avahi/services/ssh.service'),
    '<?xml version="1.0" standalone="no"?><!DOCTYPE service-group SYSTEM "avahi-service.dtd">\n<service-group><name replace-wildcards="yes">%h</name><service><type>_ssh._tcp</type><port>22</port></service></service-group>\n',
  );
};

async function wrap(root: string, program: string, script: string): Promise<void> {
  await rename(join(root, program), join(root, `${program}.real`));
  await writeFile(join(root, program), `#!/bin/sh\n${script}\n`);
  await chmod(join(root, program), 0o755);
}
