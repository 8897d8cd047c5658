#!/bin/sh
# Boots the system in the folder $1 as far as a container of its own goes: its systemd is the first
# process, in new namespaces and an empty control group that the caller has made. What is active,
# and what is below /run, is gone with the power.
set -e
cd "$1"
mount --bind . .
mount --make-private .
cd "$1"
mount -t proc proc proc
for read in proc/sys proc/sysrq-trigger; do
	mount --bind "$read" "$read" && mount -o remount,bind,ro "$read"
done
# The nodes of a machine with a GPU are files of the folder.
mount --bind sys sys
mkdir -p sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup
for new in dev run state/active; do mount -t tmpfs tmpfs "$new"; done
mkdir dev/net dev/pts dev/shm run/lock
for device in full net/tun null random tty urandom zero; do
	: >"dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mkdir -p old
pivot_root . old
umount -l /old
# Without the right to load modules, to set the clock, and to restart the machine.
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	setpriv --bounding-set=-sys_module,-sys_time,-sys_boot,-syslog,-sys_rawio \
	/lib/systemd/systemd
