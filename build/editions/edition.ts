// What an edition of the executable is: the same sources, built for another runtime.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cacheDirectory, executableDirectory, projectDirectory } from '../project.ts';
import { BuildError } from '../run.ts';

export interface Edition {
	/** The executable's name in build/bin. */
	readonly name: string;
	/** The runtime and its version. */
	readonly runtime: string;
	/** The flags and versions that the executable depends on, besides the sources. */
	readonly recipe: unknown;
	/** Builds the program that starts at the file `entry` into the file `output`. */
	readonly compile: (entry: string, output: string) => Promise<void> | void;
}

/** Builds the executable and the link that makes it the IPAM plugin; returns the executable's path. */
export async function buildEdition(edition: Edition): Promise<string> {
	const output = `${executableDirectory}/${edition.name}`;
	await compileTo(edition, `${projectDirectory}/src/main.ts`, output);
	replaceLink(edition.name, `${output}-ipam`);
	return output;
}

/** The path of a program that does nothing, built like the edition; kept in build/cache. */
export async function buildEmptyProgram(edition: Edition): Promise<string> {
	const recipe = createHash('sha256').update(JSON.stringify(edition.recipe)).digest('hex').slice(0, 12);
	const output = `${cacheDirectory}/empty/${edition.name}-${recipe}`;
	if (existsSync(output)) return output;
	const entry = `${cacheDirectory}/empty/main.ts`;
	mkdirSync(dirname(entry), { recursive: true });
	writeFileSync(entry, 'export {};\n');
	await compileTo(edition, entry, output);
	return output;
}

/** Builds under another name and renames, since the old executable may be running. */
async function compileTo(edition: Edition, entry: string, output: string): Promise<void> {
	const temporary = `${output}.${process.pid}`;
	for (const directory of [dirname(output), cacheDirectory]) mkdirSync(directory, { recursive: true });
	try {
		await edition.compile(entry, temporary);
		if (!existsSync(temporary)) throw new BuildError(`building ${output}: ${edition.runtime} wrote no executable`);
		renameSync(temporary, output);
	} finally {
		rmSync(temporary, { force: true });
	}
}

function replaceLink(target: string, path: string): void {
	const temporary = `${path}.${process.pid}`;
	symlinkSync(target, temporary);
	renameSync(temporary, path);
}

/** The size of a file in megabytes, as text. */
export function megabytes(path: string): string {
	return `${Math.round(statSync(path).size / 1e6)} MB`;
}
