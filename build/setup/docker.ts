// Docker's engine for the tests: unpacked, not installed, since an installed one would run on this machine from then on.

import { existsSync, renameSync, rmSync } from 'node:fs';
import { cacheDirectory } from '../project.ts';
import { findExecutable, unpackDebianPackages } from './debian.ts';

const DIRECTORY = `${cacheDirectory}/docker`;

/** Gets it if it is not there yet. Throws a BuildError when it cannot. */
export function unpackDocker(): void {
	if (findExecutable('dockerd') !== undefined || existsSync(DIRECTORY)) return;
	const temporary = `${DIRECTORY}.${process.pid}`;
	try {
		unpackDebianPackages(['docker.io', 'containerd', 'runc'], temporary);
		renameSync(temporary, DIRECTORY);
	} finally {
		rmSync(temporary, { recursive: true, force: true });
	}
}
