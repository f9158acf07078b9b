// Debian packages, installed when what they bring is missing.

import { accessSync, constants, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { systemPath } from '../project.ts';
import { BuildError, run } from '../run.ts';

/** What has to be there, an executable's name or a file's absolute path, and the Debian package that brings it. */
export interface DebianNeed {
	readonly file: string;
	readonly debianPackage: string;
}

/** The absolute path of an executable of this machine, undefined when there is none of that name. */
export function findExecutable(name: string): string | undefined {
	return systemPath()
		.split(':')
		.map((directory) => `${directory}/${name}`)
		.find((path) => isAccessible(path, constants.X_OK));
}

/** Installs the packages of those needs that are missing. Throws a BuildError when it cannot. */
export function installDebianPackages(needs: readonly DebianNeed[]): void {
	const missing = needs.filter(({ file }) =>
		file.startsWith('/') ? !isAccessible(file, constants.R_OK) : findExecutable(file) === undefined,
	);
	if (missing.length === 0) return;

	const packages = [...new Set(missing.map((need) => need.debianPackage))];
	const remedy = `install ${packages.join(', ')} yourself`;
	const tried = `installing ${packages.join(', ')} (for ${missing.map(({ file }) => file).join(', ')})`;
	if (process.getuid?.() !== 0) throw new BuildError(`${tried}: not root; ${remedy}, or run this as root`);
	if (findExecutable('apt-get') === undefined) {
		throw new BuildError(`${tried}: there is no apt-get on this machine; ${remedy}`);
	}

	console.log(tried);
	const environment = { ...process.env, PATH: systemPath(), DEBIAN_FRONTEND: 'noninteractive' };
	run('apt-get', ['--quiet', 'update'], { environment, remedy });
	const parameters = ['--quiet', '--yes', '--no-install-recommends', 'install', ...packages];
	run('apt-get', parameters, { environment, remedy });
}

/**
 * Unpacks packages into a directory, without installing them. An empty one such as `linux-image-amd64` stands for the
 * newest kernel, which it depends on. Throws a BuildError when it cannot.
 */
export function unpackDebianPackages(packages: readonly string[], directory: string): void {
	const tried = `downloading ${packages.join(', ')}`;
	for (const tool of ['apt-get', 'dpkg-deb']) {
		if (findExecutable(tool) === undefined) throw new BuildError(`${tried}: there is no ${tool} on this machine`);
	}
	console.log(tried);
	mkdirSync(directory, { recursive: true });
	// Others do with the lists that root has fetched.
	if (process.getuid?.() === 0) run('apt-get', ['--quiet', 'update']);
	run('apt-get', ['--quiet', 'download', ...packages.map(withContent)], { cwd: directory });
	for (const file of readdirSync(directory).filter((name) => name.endsWith('.deb'))) {
		run('dpkg-deb', ['--extract', `${directory}/${file}`, directory]);
		rmSync(`${directory}/${file}`);
	}
}

function withContent(name: string): string {
	if (!/^linux-image-[a-z\d]+$/.test(name)) return name;
	return /Depends: (linux-image-\S+)/.exec(run('apt-cache', ['depends', name]))?.[1] ?? name;
}

function isAccessible(path: string, mode: number): boolean {
	try {
		accessSync(path, mode);
		return true;
	} catch {
		return false;
	}
}
