# PID 1 of a light host: takes over the prepared root, starts what a blank Debian has, and reaps orphans.
# $1 root directory, $2 host name, $3 directory (outside) for the log of sshd, then "no-avahi" or nothing
root=$1 name=$2 logs=$3 avahi=$4
hostname "$name"
mount --rbind "$root" "$root"
cd "$root" || exit 1
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 dev dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
exec 2>>"$logs/sshd.log"
while read -r point size; do [ -n "$point" ] && mount -t tmpfs -o "size=$size,mode=755" small "$root$point"; done <"$logs/small-disks"
[ -e "$logs/read-only" ] && mount -o remount,bind,ro "$root"
mkdir -p run/sshd run/dbus run/lock
# The outer tree is kept where only PID 1 of the lab could reach it, then let go.
mkdir run/outer
pivot_root . run/outer
cd /
umount -l /run/outer
rmdir /run/outer
power_off() {
  kill -TERM -1
  for _ in {1..50}; do left=(/proc/[0-9]*); [ ${#left[@]} -le 1 ] && break; sleep 0.1; done
  exit 0
}
trap power_off TERM
dbus-daemon --system --fork --nopidfile
[ "$avahi" = no-avahi ] || { mkdir -p /run/avahi-daemon; avahi-daemon -D; }
/usr/sbin/sshd -D -e -o LogLevel=VERBOSE &
while :; do wait; sleep 3600 & wait; done
