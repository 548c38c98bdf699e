/**
 * The fixed POSIX sh scripts that run on a target (as root). They take parameters, never text pasted into them.
 *
 * The staging folder protects the target from us: before a step acts it puts its undo script into `undo/`, and a guard
 * process there, which nothing but silence can trigger, runs those scripts backwards when the lease is not renewed. So a
 * cable pulled at any moment leaves no trace, and nobody has to come back for it. The one moment that decides between
 * "no trace" and "working node" is `mkdir verdict`: exactly one of join and guard can make that folder.
 */

/** `$1` the folder. Runs the undo scripts backwards and removes the folder; only the folder when the join had won. */
export const rollbackScript = `
dir=$1; cd /
[ -d "$dir" ] || exit 0
if [ -e "$dir/done" ]; then rm -rf "$dir"; exit 0; fi
if mkdir "$dir/verdict" 2>/dev/null; then : > "$dir/verdict/rollback"
elif [ ! -e "$dir/verdict/rollback" ]; then exit 0
fi
limit=; command -v timeout >/dev/null 2>&1 && limit='timeout 40'
for f in "$dir"/pid.*; do [ -s "$f" ] && kill -9 "$(cat "$f")" 2>/dev/null; done
for f in $(ls -r "$dir/undo" 2>/dev/null); do $limit sh "$dir/undo/$f" "$dir" >/dev/null 2>&1 </dev/null; done
rm -rf "$dir"
exit 0
`;

/** `$1` the folder, `$2` seconds of patience. Counts its own seconds, so a clock that jumps does not matter. */
export const guardScript = `
dir=$1; patience=$2; cd /
trap '' HUP INT TERM
echo $$ > "$dir/guard.new" && mv "$dir/guard.new" "$dir/guard.pid"
last=; quiet=0
while [ -d "$dir" ]; do
  sleep 1
  now=$(cat "$dir/lease" 2>/dev/null)
  if [ "$now" = "$last" ]; then quiet=$((quiet + 1)); else quiet=0; last=$now; fi
  [ "$quiet" -lt "$patience" ] || sh "$dir/rollback.sh" "$dir"
done
`;

/** `$1` prefix, `$2` patience, `$3` guard script, `$4` rollback script. Prints the folder made. */
export const openStagingScript = `
set -eu; umask 022
parent=$(dirname "$1"); made=no
if [ ! -d "$parent" ]; then mkdir -p "$parent"; made=yes; fi
umask 077
dir=$(mktemp -d "$1XXXXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/undo"
if [ $made = yes ]; then printf '(sleep 2; rmdir %s) >/dev/null 2>&1 &\\n' "$parent" > "$dir/undo/00-parent"; fi
printf '%s' "$3" > "$dir/guard.sh"; printf '%s' "$4" > "$dir/rollback.sh"; echo 0 > "$dir/lease"
if command -v setsid >/dev/null 2>&1; then setsid sh "$dir/guard.sh" "$dir" "$2" </dev/null >/dev/null 2>&1 &
else nohup sh "$dir/guard.sh" "$dir" "$2" </dev/null >/dev/null 2>&1 &
fi
tries=0
while [ ! -s "$dir/guard.pid" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
[ -s "$dir/guard.pid" ]
trap - EXIT
printf '%s\\n' "$dir"
`;

/** `$1` the folder, `$2` a new number. Fails when the folder is gone: then the target has taken everything back. */
export const leaseScript = `[ -d "$1" ] && [ ! -e "$1/verdict/rollback" ] && echo "$2" > "$1/lease"`;

/** `$1` the folder; the compressed agent on stdin. The pid is noted so that a stuck writer can be ended by the guard. */
export const pushScript = `set -eu; umask 077; echo $$ > "$1/pid.push"; exec gzip -dc > "$1/agent"`;

/** `$1` the folder. Reads the copy with a program and a process of its own. */
export const verifyScript = `rm -f "$1/pid.push"; sync "$1/agent" 2>/dev/null || sync; sha256sum < "$1/agent"`;

/** `$1` the folder, `$2` state folder, `$3` manifest path; the manifest on stdin. */
export const manifestScript = `
set -eu; umask 077
printf 'rm -f %s; rmdir %s\\n' "$3" "$2" > "$1/undo/20-manifest"
mkdir -p "$2"; cat > "$3.new"; mv -f "$3.new" "$3"
`;

/** `$1` the folder, `$2` the executable's path. */
export const installScript = `
set -eu
if [ -e "$2" ]; then ln "$2" "$1/previous" 2>/dev/null || cp -p "$2" "$1/previous"; printf 'mv -f "$1/previous" %s\\n' "$2" > "$1/undo/30-executable"
else printf 'rm -f %s\\n' "$2" > "$1/undo/30-executable"; fi
chmod 0755 "$1/agent"; chown 0:0 "$1/agent"; mv -f "$1/agent" "$2"
`;

/** `$1` the folder, `$2` the executable, `$3` purge or keep, then the paths created by us. */
export const serviceScript = `
set -eu
dir=$1; program=$2; purge=$3; shift 3
{ if [ "$purge" = purge ]; then printf '%s agent uninstall --purge\\n' "$program"; else printf '%s agent uninstall\\n' "$program"; fi
  for path in "$@"; do case $path in "$program"|/usr/local/bin) ;; *) printf 'rm -rf %s\\n' "$path" ;; esac; done
} > "$dir/undo/40-service"
exec "$program" agent install --json
`;

/**
 * `$1` the folder, `$2` the executable, `$3` manifest path, then the arguments of the agent's verb; a token on stdin.
 * The agent's answer goes to files first, so that a lost connection cannot end it half-way through.
 */
export const joinScript = `
dir=$1; program=$2; manifest=$3; shift 3
printf '%s leave\\n' "$program" > "$dir/undo/50-membership"
echo $$ > "$dir/pid.join"
"$program" "$@" > "$dir/join.out" 2> "$dir/join.err"; code=$?
rm -f "$dir/pid.join"
if [ $code -eq 0 ]; then
  mkdir "$dir/verdict" 2>/dev/null || exit 75
  [ -s "$dir/manifest.complete" ] && mv -f "$dir/manifest.complete" "$manifest"
  : > "$dir/done"
fi
cat "$dir/join.out"; cat "$dir/join.err" >&2
exit $code
`;

/** `$1` the folder, `$2` the file; content on stdin. */
export const depositScript = `umask 077; cat > "$1/$2"`;

/** `$1` the folder. Takes back even a completed join: both ends could not be made to agree. */
export const revertScript = `rm -f "$1/done"; rm -rf "$1/verdict"; exec sh "$1/rollback.sh" "$1"`;
