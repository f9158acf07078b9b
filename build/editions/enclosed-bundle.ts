// An esbuild plugin: keeps the command line and the daemons out of what every call has to read.

import { resolve } from 'node:path';
import { build, type BuildOptions, type Plugin } from 'esbuild';

/** What no call of a plugin needs. */
const ENCLOSED = /\/cli\/command-line\.ts$/;

/**
 * Bundles what is imported from there on its own, into one function. Node reads a record of each function at the top of a
 * bundle when it starts; of those within a function it knows nothing until that is called.
 */
export function enclosedBundle(options: BuildOptions): Plugin {
	return {
		name: 'enclosed-bundle',
		setup(builder) {
			// Outside of the namespace of files, where every module is ESM, the text below may be CommonJS.
			builder.onResolve({ filter: ENCLOSED }, ({ path, resolveDir }) => ({
				path: resolve(resolveDir, path),
				namespace: 'enclosed',
			}));
			builder.onLoad({ filter: ENCLOSED, namespace: 'enclosed' }, async ({ path }) => {
				const built = await build({ ...options, entryPoints: [path], format: 'cjs', write: false });
				const text = built.outputFiles[0]?.text ?? '';
				return {
					contents: `function enclosed() { const module = {}; ${text} return module.exports; }\nmodule.exports = enclosed();`,
				};
			});
		},
	};
}
