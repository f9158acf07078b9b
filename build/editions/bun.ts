// The default edition: Bun.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cacheDirectory, projectDirectory } from '../project.ts';
import { run } from '../run.ts';
import type { Edition } from './edition.ts';

const BUN = `${projectDirectory}/node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`;

const FLAGS = [
	'--compile',
	'--minify',
	// Code that is not imported costs nothing at start, and what is imported needs no parsing.
	'--bytecode',
	'--splitting',
	'--format=esm',
	// Otherwise the executable obeys the files of the directory that it is started in, as root.
	'--no-compile-autoload-dotenv',
	'--no-compile-autoload-bunfig',
];

/** Throws a BuildError when Bun's package is missing. */
export function bunEdition(): Edition {
	const version = run(BUN, ['--version'], { remedy: 'has "sh build/bootstrap.sh" been run on this machine?' }).trim();
	return {
		name: 'mesos-overlay',
		runtime: `Bun ${version}`,
		recipe: [version, FLAGS],
		compile: (entry, output) => {
			// Bun leaves its intermediate file in the current directory when it is killed.
			run(BUN, ['build', ...FLAGS, entry, '--outfile', output], { cwd: cacheDirectory });
			writeAtOnce(output);
		},
	};
}

/**
 * Bun writes its output in small pieces, and the kernel keeps such a file in memory by small pages: until it is read anew, each
 * start takes 2 ms more of 10 than with a file that was written at once.
 */
function writeAtOnce(path: string): void {
	const whole = `${path}.whole`;
	writeFileSync(whole, readFileSync(path), { mode: 0o755 });
	renameSync(whole, path);
}
