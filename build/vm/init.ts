// What the virtual machine does: a shell script that busybox runs as process 1.

/** Under which the emulator offers this machine's files. */
export const MACHINE_TAG = 'machine';

/** What the guest writes after all output of the command: this, and the exit status. */
export const END_OF_RUN = 'guest: exit status ';

interface Work {
	/** Modules to load first, as absolute paths in the initramfs, in order. */
	readonly modules: readonly string[];
	/** Directory with the other modules, which the kernel asks for when it needs them; on this machine. */
	readonly moduleDirectory: string;
	/** Where the command is run; on this machine. */
	readonly directory: string;
	readonly command: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
}

/**
 * The script. The command sees this machine's files; what it writes stays in memory, and what it prints goes to the second
 * serial port. The script itself remains in the initramfs, which is where the kernel looks for modprobe.
 */
export function initScript({ modules, moduleDirectory, directory, command, environment }: Work): string {
	const variables = Object.entries(environment).map(([name, value]) => quote(`${name}=${value}`));
	return `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /lib /machine /changes /root
/bin/busybox --install -s /bin
export PATH=/bin
set -o pipefail

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in ${modules.map(quote).join(' ')}; do insmod "$module"; done

mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro ${MACHINE_TAG} /machine
mount -t tmpfs changes /changes
mkdir /changes/upper /changes/work
mount -t overlay -o lowerdir=/machine,upperdir=/changes/upper,workdir=/changes/work root /root
ln -s ${quote(`/machine${moduleDirectory}`)} /lib/modules
echo /bin/modprobe > /proc/sys/kernel/modprobe

mount -t proc proc /root/proc
mount -t sysfs sysfs /root/sys
mount -t devtmpfs devtmpfs /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts devpts /root/dev/pts
mount -t tmpfs shm /root/dev/shm
mount -t tmpfs run /root/run
ip link set lo up

chroot /root /usr/bin/env -i ${variables.join(' ')} \\
	sh -c 'cd "$0" && exec "$@"' ${[directory, ...command].map(quote).join(' ')} 2>&1 </dev/null | cat >/dev/ttyS1
echo "${END_OF_RUN}$?" >/dev/ttyS1
poweroff -f
`;
}

function quote(word: string): string {
	return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
