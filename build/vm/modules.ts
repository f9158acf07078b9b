// Which of the kernel's modules have to be loaded, and in what order. modules.dep(5)

import { basename } from 'node:path';
import { BuildError } from '../run.ts';

/**
 * The files of the modules of these names and of those that they need, each after what it needs. `dependencies` is the
 * text of modules.dep. Names of `builtin`, the text of modules.builtin, are left out. Throws a BuildError for others.
 */
export function modulesInOrder(names: readonly string[], dependencies: string, builtin: string): string[] {
	const needs = new Map<string, readonly string[]>();
	for (const line of dependencies.split('\n').filter((each) => each !== '')) {
		const [file = '', needed = ''] = line.split(':');
		needs.set(
			file,
			needed.split(' ').filter((each) => each !== ''),
		);
	}
	const files = new Map([...needs.keys()].map((file) => [nameOf(file), file]));
	const builtinNames = new Set(builtin.split('\n').map(nameOf));

	const ordered = new Set<string>();
	const add = (file: string): void => {
		for (const needed of needs.get(file) ?? []) add(needed);
		ordered.add(file);
	};
	for (const name of names) {
		const file = files.get(name);
		if (file !== undefined) add(file);
		else if (!builtinNames.has(name)) throw new BuildError(`loading the module "${name}": this kernel has none`);
	}
	return [...ordered];
}

/** `kernel/net/9p/9pnet.ko.xz` is `9pnet`. */
function nameOf(file: string): string {
	return basename(file)
		.replace(/\.ko(\.\w+)?$/, '')
		.replaceAll('-', '_');
}
