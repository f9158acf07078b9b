// The virtual machine: QEMU, a kernel of Debian's, and busybox, which finds everything else on this machine.

import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { cacheDirectory } from '../project.ts';
import { BuildError, run } from '../run.ts';
import { installDebianPackages, unpackDebianPackages } from './debian.ts';

/** Where the guest's kernel, its modules and busybox are unpacked. */
export const guestDirectory = `${cacheDirectory}/vm/guest`;

/** Gets what is not there yet. Throws a BuildError when it cannot. */
export function installGuest(): void {
	if (process.arch !== 'x64') {
		throw new BuildError(`setting up the virtual machine: there is one for x64 only, not for ${process.arch}`);
	}
	installDebianPackages([{ file: 'qemu-system-x86_64', debianPackage: 'qemu-system-x86' }]);
	if (existsSync(guestDirectory)) return;
	const temporary = `${guestDirectory}.${process.pid}`;
	try {
		unpackDebianPackages(['linux-image-amd64', 'busybox-static'], temporary);
		run(`${temporary}/bin/busybox`, ['depmod', '-b', temporary, guestRelease(temporary)]);
		renameSync(temporary, guestDirectory);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
}

/** The release of the guest's kernel, as `uname -r` prints it there. */
export function guestRelease(directory = guestDirectory): string {
	const [release] = readdirSync(`${directory}/lib/modules`);
	if (release === undefined) throw new BuildError(`looking for a kernel in ${directory}: there is none; delete it`);
	return release;
}
