/** What an SSH server says of itself before anybody logs in (RFC 4253 §4.2): enough to guess the operating system. Pure. */

const debianNames = new Map([
  ['13', 'trixie'],
  ['12', 'bookworm'],
  ['11', 'bullseye'],
  ['10', 'buster'],
  ['9', 'stretch'],
]);

/** The operating system behind a banner; null when it does not say. */
export function osOfBanner(banner: string): string | null {
  const release = /deb(\d+)u/.exec(banner)?.[1];
  const named = (system: string): string =>
    release === undefined ? system : `${system} ${release}${debianNames.has(release) ? ` (${debianNames.get(release) ?? ''})` : ''}`;
  if (/Raspbian/i.test(banner)) return named('Raspbian');
  if (/Debian/i.test(banner)) return named('Debian');
  if (/Ubuntu/i.test(banner)) return 'Ubuntu';
  if (/FreeBSD/i.test(banner)) return 'FreeBSD';
  if (/OpenSSH_for_Windows/i.test(banner)) return 'Windows';
  if (/dropbear/i.test(banner)) return 'embedded Linux (dropbear)';
  if (/ROSSSH/i.test(banner)) return 'RouterOS';
  return null;
}

/** A banner is one line of printable ASCII; anything else is not SSH. */
export function bannerIn(text: string): string | null {
  return /^(SSH-(?:2\.0|1\.99)-[\x20-\x7e]{1,240})\r?\n/m.exec(text)?.[1]?.trimEnd() ?? null;
}
