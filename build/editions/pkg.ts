// The second edition, for hosts where Bun does not run: esbuild and @yao-pkg/pkg, on Node.

import { rmSync } from 'node:fs';
import pkg from '@yao-pkg/pkg/lib-es5/sea.js';
import { build, type BuildOptions } from 'esbuild';
import { builtinModules } from './builtin-modules.ts';
import type { Edition } from './edition.ts';
import { enclosedBundle } from './enclosed-bundle.ts';

const SEA_CONFIGURATION = {
	mainFormat: 'module',
	useCodeCache: true,
	useSnapshot: false,
	disableExperimentalSEAWarning: true,
	// node:ffi is experimental, and says so on stderr.
	execArgv: ['--no-warnings'],
	// Ignores NODE_OPTIONS.
	execArgvExtension: 'none',
};

/** The Node that runs this is the one that goes into the executable: pkg's own would be downloaded. */
export function pkgEdition(): Edition {
	return {
		name: 'mesos-overlay-pkg',
		runtime: `Node ${process.versions.node}`,
		recipe: [process.version, SEA_CONFIGURATION],
		compile: async (entry, output) => {
			const bundle = `${output}.mjs`;
			const options: BuildOptions = {
				bundle: true,
				minify: true,
				platform: 'node',
				target: `node${process.versions.node}`,
				logLevel: 'warning',
			};
			await build({
				...options,
				entryPoints: [entry],
				outfile: bundle,
				format: 'esm',
				plugins: [builtinModules, enclosedBundle({ ...options, plugins: [builtinModules] })],
			});
			try {
				const nodeRange = `node${process.versions.node}`;
				const targets = [{ nodeRange, platform: 'linux' as const, arch: process.arch, output }];
				await pkg.default(bundle, { useLocalNode: true, seaConfig: SEA_CONFIGURATION, targets });
			} finally {
				rmSync(bundle, { force: true });
			}
		},
	};
}
