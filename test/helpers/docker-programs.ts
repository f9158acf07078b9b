// Where the programs of Docker's engine are, and what is in its containers.
import { resolve } from 'node:path';

const cache = resolve(import.meta.dirname, '../../build/cache');

/** Of the engine, besides the directories of the system. */
export const dockerPath = `${cache}/docker/usr/sbin:${cache}/docker/usr/bin`;

/** Needs no library. */
export const busybox = `${cache}/busybox/bin/busybox`;

/** A shell's words that succeed where a container can be started: `ip netns exec` hides the control groups, so not behind it. */
export const containerProbe = `
nsenter --mount=/proc/${process.pid}/ns/mnt sh -e -c '
	PATH="$PATH:${dockerPath}"
	bundle=$(mktemp -d)
	trap "rm -rf $bundle" EXIT
	cd "$bundle"
	mkdir -p rootfs/bin
	cp "${busybox}" rootfs/bin/true
	runc spec
	sed -i "s/\\"terminal\\": true/\\"terminal\\": false/; s/\\"sh\\"/\\"true\\"/" config.json
	runc --root "$bundle/state" run "$(basename "$bundle")"
	unshare --mount sh -c "mount -t tmpfs none rootfs && mkdir rootfs/a rootfs/b &&
		mount -t overlay none -o lowerdir=/etc,upperdir=rootfs/a,workdir=rootfs/b /etc"
'`;
