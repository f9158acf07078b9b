// An esbuild plugin: keeps the command line and the daemons out of what every call has to read.

import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';

/** What no call of a plugin needs. */
const ENCLOSED = /\/cli\/command-line\.ts$/;

/**
 * Bundles what is imported from there on its own, into one function. Node reads a record of each function at the top of a
 * bundle when it starts; of those within a function it knows nothing until that is called.
 */
export const enclosedBundle: Plugin = {
	name: 'enclosed-bundle',
	setup({ onLoad, onResolve, initialOptions: { minify, platform, target } }) {
		// Outside of the namespace of files, where every module is ESM, the text below may be CommonJS.
		onResolve({ filter: ENCLOSED }, ({ path, resolveDir }) => ({
			path: resolve(resolveDir, path),
			namespace: 'enclosed',
		}));
		onLoad({ filter: ENCLOSED, namespace: 'enclosed' }, async ({ path }) => {
			const { outputFiles } = await build({
				entryPoints: [path],
				bundle: true,
				write: false,
				format: 'cjs',
				logLevel: 'warning',
				plugins: [builtinModules],
				...{ minify, platform, target },
			});
			const [{ text = '' } = {}] = outputFiles;
			return {
				contents: `function enclosed() { const module = {}; ${text} return module.exports; }\nmodule.exports = enclosed();`,
			};
		});
	},
};
