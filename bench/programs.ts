// The executables that are measured: copies, since a file's way into memory shows in the start of a program.
//
// A file that was written in one go, or read from its beginning, lies in larger pieces of the page cache than one of which
// the kernel got hold piece by piece, as a program was run. On file systems with large folios (ext4 since Linux 6.16) this
// makes 2 ms of 10 for an executable of 100 MB. All copies are written in the same way, shortly before they are measured.

import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { bunEdition } from '../build/editions/bun.ts';
import { cacheDirectory, executableDirectory, toolDirectory } from '../build/project.ts';
import { BuildError } from '../build/run.ts';
import { goModuleVersion } from './launcher.ts';

/** Where the copies of this run are: the CNI_PATH of all calls. */
export const PROGRAMS = `${cacheDirectory}/bench/programs-${process.pid}`;

const OURS = ['mesos-overlay', 'mesos-overlay-pkg'];
const REFERENCES = ['bridge', 'host-local', 'portmap', 'firewall'];

/** An executable and where it comes from. */
export interface Program {
	readonly path: string;
	readonly version: string;
}

/**
 * Copies all executables, calls `use`, and removes the copies. Our second edition may be missing. Throws a BuildError when
 * another one is.
 */
export async function withPrograms<T>(use: () => Promise<T>): Promise<T> {
	try {
		mkdirSync(PROGRAMS, { recursive: true });
		for (const name of OURS) copy(`${executableDirectory}/${name}`, name);
		for (const name of REFERENCES) copy(`${toolDirectory}/${name}`, name);
		symlinkSync('mesos-overlay', `${PROGRAMS}/mesos-overlay-ipam`);
		return await use();
	} finally {
		rmSync(PROGRAMS, { recursive: true, force: true });
	}
}

/** One of ours, by the name of its executable. Throws a BuildError when it has not been built. */
export function ourProgram(name: 'mesos-overlay' | 'mesos-overlay-ipam'): Program {
	return { path: existing(name), version: bunEdition().runtime };
}

/** Our second edition, if it has been built. */
export function ourSecondProgram(): Program | undefined {
	const path = `${PROGRAMS}/mesos-overlay-pkg`;
	return existsSync(path) ? { path, version: `Node ${process.versions.node}` } : undefined;
}

/** A reference plugin. Throws a BuildError when it is not there. */
export async function referenceProgram(name: string): Promise<Program> {
	const path = existing(name);
	return { path, version: await goModuleVersion(path) };
}

/** In one go: node:fs has its own ways to copy files, of which nobody knows how they write. */
function copy(source: string, name: string): void {
	if (!existsSync(source)) return;
	const target = `${PROGRAMS}/${name}`;
	writeFileSync(target, readFileSync(source));
	chmodSync(target, 0o755);
}

function existing(name: string): string {
	const path = `${PROGRAMS}/${name}`;
	if (existsSync(path)) return path;
	throw new BuildError(`looking for the executable "${name}": it is not there; "npm run bench" makes it`);
}
