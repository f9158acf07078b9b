# Boots systemd as the first process of a container, on a copy of this machine's files, and again when it reboots:
# sh systemd-machine.sh DIRECTORY. It is started in the network namespace of the machine, and in a mount namespace of its own.
set -eu
directory=$1

# The first process of the machine.
if [ "${2:-}" = inside ]; then
	# This /proc is still the one outside.
	read -r pid _ </proc/self/stat
	cd "$directory/root"
	mount -t proc none proc
	# All of these are the whole machine's, but for those of the network.
	mount --bind proc/sys proc/sys
	mount --bind proc/sys/net proc/sys/net
	mount -o remount,bind,ro proc/sys
	mount -t sysfs -o ro none sys
	mount -t cgroup2 none sys/fs/cgroup
	for place in dev run tmp var/log; do mount -t tmpfs -o mode=755 none $place; done
	mkdir dev/pts dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none dev/pts
	for device in null zero full random urandom tty; do
		: >dev/$device
		mount --bind /dev/$device dev/$device
	done
	ln -s /proc/self/fd dev/fd
	ln -s pts/ptmx dev/ptmx
	mkdir run/outside
	pivot_root . run/outside
	echo "$pid" >"run/outside$directory/booting"
	mv "run/outside$directory/booting" "run/outside$directory/pid"
	umount -l run/outside
	exec setpriv --bounding-set -sys_time,-sys_module,-sys_rawio,-syslog \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=test /lib/systemd/systemd --system --unit=multi-user.target
fi

mount -t tmpfs -o mode=755 none "$directory/scratch"
cd "$directory/scratch"
mkdir upper work cgroup
mount -t cgroup2 none cgroup
group="cgroup/${directory##*/}"
mkdir "$group"
mount -t overlay -o "lowerdir=/,upperdir=upper,workdir=work" none "$directory/root"
# Of what this machine starts at a boot, the journal is enough.
units="$directory/root/lib/systemd"
configured="$directory/root/etc/systemd"
rm -rf "$units/system-generators" "$units"/system/*.wants "$configured"/*
mkdir -p "$configured/system/sysinit.target.wants"
ln -s /lib/systemd/system/systemd-journald.service "$configured/system/sysinit.target.wants/"

finish() {
	kill -s KILL ${job:-} $(find "$group" -name cgroup.procs -exec cat {} +) || true
	wait
	# Some of them may still be ending.
	for _ in $(seq 50); do
		find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && return
		sleep 0.1
	done
	exit 1
}
trap finish EXIT
trap 'exit 0' TERM INT HUP

# 129 is SIGHUP, by which the kernel ends the namespace of one that reboots.
status=129
while [ "$status" = 129 ]; do
	rm -f "$directory/pid"
	sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' in-group "$group" unshare \
		--cgroup --pid --fork --kill-child --uts --ipc --mount --propagation private sh "$0" "$directory" inside &
	job=$!
	status=0
	wait "$job" || status=$?
done
