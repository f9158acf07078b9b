// Where things lie in this project, and what they are called on this machine.

import { fileURLToPath } from 'node:url';

/** The project's directory, absolute. */
export const projectDirectory = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** What the build makes. */
export const executableDirectory = `${projectDirectory}/build/bin`;

/** What the build downloads or makes for itself; may be deleted at any time. */
export const cacheDirectory = `${projectDirectory}/build/cache`;

/** Where the tests and benchmarks find `cnitool` and the reference plugins. */
export const toolDirectory = `${cacheDirectory}/bin`;

/** The search path without the executables of npm packages (one of them is called `nft`), with our tools. */
export function systemPath(): string {
	const directories = (process.env.PATH ?? '')
		.split(':')
		.filter((directory) => !directory.endsWith('node_modules/.bin'));
	return [...new Set([toolDirectory, ...directories, '/usr/sbin', '/sbin'])].join(':');
}
