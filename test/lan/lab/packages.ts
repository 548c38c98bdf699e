/**
 * What the virtual LAN needs from the machine it runs on, as Debian packages. Node itself and the built executables come
 * from elsewhere; this list must never name a package registry or a host.
 */

/** Debian packages whose commands the lab calls. */
export const labPackages: readonly string[] = ['mmdebstrap', 'systemd-container', 'iproute2', 'nftables', 'tcpdump', 'openssh-client', 'util-linux', 'procps'];

/** One command per package that proves it is there. */
export const labCommands: readonly string[] = ['mmdebstrap', 'systemd-nspawn', 'ip', 'nft', 'tcpdump', 'ssh-keygen', 'unshare', 'nsenter'];
