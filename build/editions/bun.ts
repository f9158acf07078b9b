// The default edition: Bun.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cacheDirectory, projectDirectory } from '../project.ts';
import { run } from '../run.ts';
import type { Edition } from './edition.ts';

const BUN = `${projectDirectory}/node_modules/@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`;

/** Has Bun bundle, since only there plugins have a say. */
const BUNDLER = `${projectDirectory}/build/editions/bun-bundle.ts`;

/** Throws a BuildError when Bun's package is missing. */
export function bunEdition(): Edition {
	const version = run(BUN, ['--version'], { remedy: 'has "sh build/bootstrap.sh" been run on this machine?' }).trim();
	return {
		name: 'mesos-overlay',
		runtime: `Bun ${version}`,
		recipe: [version, readFileSync(BUNDLER, 'utf8')],
		compile: (entry, output) => {
			// Bun leaves its intermediate file in the current directory when it is killed.
			run(BUN, [BUNDLER, entry, output], { cwd: cacheDirectory });
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
