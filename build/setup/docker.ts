// Docker's engine for the tests, and what its images are made of: unpacked, not installed, since an installed engine would
// run on this machine from then on.

import { existsSync, renameSync, rmSync } from 'node:fs';
import { cacheDirectory } from '../project.ts';
import { findExecutable, unpackDebianPackages } from './debian.ts';

/** Gets what is not there yet. Throws a BuildError when it cannot. */
export function unpackDocker(): void {
	if (findExecutable('dockerd') === undefined) unpack('docker', ['docker.io', 'containerd', 'runc']);
	// Linked statically, it is all that a container needs.
	unpack('busybox', ['busybox-static']);
}

function unpack(name: string, packages: readonly string[]): void {
	const directory = `${cacheDirectory}/${name}`;
	if (existsSync(directory)) return;
	const temporary = `${directory}.${process.pid}`;
	try {
		unpackDebianPackages(packages, temporary);
		renameSync(temporary, directory);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
}
