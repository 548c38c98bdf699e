/**
 * The one question asked of a target: a fixed POSIX sh script that only reads. It is sent as a whole on stdin (`sh -s`),
 * takes no parameters, and answers with `key=value` lines between two marks, so that a chatty login cannot be mistaken
 * for an answer.
 */
import { executablePath, manifestPath, stagingPrefix, stateDir, touchedPaths } from '#provisioner/plan/paths.ts';

export const factsBegin = 'robonet-facts-1';
export const factsEnd = 'robonet-facts-end';

/** Runs as root (after `as-root.ts`) so that it may ask the agent there for its state. */
export const inspectScript = `
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
say() { printf '%s=%s\\n' "$1" "$(printf '%s' "$2" | tr -d '\\000-\\037\\177' | cut -c1-"\${3:-400}")"; }
has() { command -v "$1" >/dev/null 2>&1; }
near() { p=$1; while [ ! -e "$p" ]; do p=$(dirname "$p"); done; printf '%s' "$p"; }
echo ${factsBegin}
say machine "$(uname -m)"
say kernel "$(uname -r)"
say hostname "$(uname -n)"
say uid "$(id -u)"
bits=$(getconf LONG_BIT 2>/dev/null)
if [ -z "$bits" ]; then
  case "$(head -c 5 /proc/$$/exe 2>/dev/null | tail -c 1 | od -An -tu1 | tr -d ' ')" in 2) bits=64 ;; 1) bits=32 ;; esac
fi
say bits "$bits"
say libc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
for f in /lib/ld-musl-*; do [ -e "$f" ] && say musl "$f"; done
for l in libstdc++.so.6 libgcc_s.so.1; do
  found=
  for d in /lib /usr/lib /lib64 /usr/lib64 /lib/*-linux-gnu* /usr/lib/*-linux-gnu*; do [ -e "$d/$l" ] && found=$d/$l; done
  say "library.$l" "$found"
done
[ -r /etc/os-release ] && say os "$( . /etc/os-release 2>/dev/null; printf '%s' "\${PRETTY_NAME:-$ID}" )"
if [ -r /proc/device-tree/model ]; then say model "$(tr -d '\\000' </proc/device-tree/model)"
elif [ -r /sys/class/dmi/id/product_name ]; then say model "$(cat /sys/class/dmi/id/sys_vendor 2>/dev/null) $(cat /sys/class/dmi/id/product_name)"; fi
say memory.kib "$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)"
for pair in programs:/usr/local/bin state:/var/lib; do
  name=\${pair%%:*}; at=$(near "\${pair#*:}")
  say "disk.$name.free.kib" "$(df -Pk "$at" 2>/dev/null | sed -n '2p' | tr -s ' ' | cut -d' ' -f4)"
  if [ -w "$at" ]; then say "disk.$name.writable" yes; else say "disk.$name.writable" no; fi
done
if [ -d /run/systemd/system ]; then say init systemd; else say init "$(cat /proc/1/comm 2>/dev/null)"; fi
say clock "$(date +%s)"
for t in sha256sum gzip mktemp setsid; do has "$t" && say "tool.$t" yes; done
${touchedPaths.map((path) => `[ -e ${path} ] && say "exists.${path}" yes`).join('\n')}
for d in ${stagingPrefix}*; do
  [ -d "$d" ] || continue
  if [ -s "$d/guard.pid" ] && kill -0 "$(cat "$d/guard.pid")" 2>/dev/null; then say "leftover.$d" guarded; else say "leftover.$d" stale; fi
done
if [ -x ${executablePath} ]; then
  has sha256sum && say agent.sha256 "$(sha256sum ${executablePath} | cut -d' ' -f1)"
  limit=; has timeout && limit='timeout 20'
  status=$($limit ${executablePath} status --json 2>/dev/null </dev/null); say agent.exit "$?"
  say agent.status "$status" 400000
fi
[ -e ${stateDir}/ledger.journal ] && say agent.ledger yes
[ -r ${manifestPath} ] && say manifest "$(cat ${manifestPath})" 20000
echo ${factsEnd}
`;
