// Run by Bun itself: builds the program that starts at a file into an executable, `bun bun-bundle.ts ENTRY OUTPUT`.

import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

interface Import {
	readonly path: string;
	readonly importer: string;
}

interface Builder {
	onResolve(filter: { filter: RegExp }, resolve: (found: Import) => { path: string } | undefined): void;
	onLoad(filter: { filter: RegExp }, load: (found: { path: string }) => { contents: string; loader: 'ts' }): void;
}

/** The part of Bun that is used here; @types/bun would put Bun's globals into code that Node runs, too. */
declare const Bun: {
	build(options: Record<string, unknown>): Promise<unknown>;
	resolveSync(specifier: string, directory: string): string;
};

/** What serves a call: `src/serve-bridge.ts` and the like. */
const CALL = /\/serve-\w+\.ts$/;

/**
 * Gives each kind of call copies of its own of all modules that it reaches, told apart by what stands behind the `?`. Shared
 * with another call or with the command line, they would lie in several chunks, of which each costs a call 0.1 ms and more.
 */
const ownCopies = {
	name: 'own-copies',
	setup(build: Builder): void {
		build.onResolve({ filter: /^[.#]/ }, ({ path, importer }) => {
			const [from = '', ofCall] = importer.split('?');
			const call = ofCall ?? CALL.exec(path)?.[0];
			return call === undefined ? undefined : { path: `${Bun.resolveSync(path, dirname(from))}?${call}` };
		});
		build.onLoad({ filter: /\?/ }, ({ path }) => ({
			contents: readFileSync(path.slice(0, path.indexOf('?')), 'utf8'),
			loader: 'ts',
		}));
	},
};

const [entry, outfile] = process.argv.slice(2);
await Bun.build({
	entrypoints: [entry],
	target: 'bun',
	format: 'esm',
	minify: true,
	// Code that is not imported costs nothing at start, and what is imported needs no parsing.
	bytecode: true,
	splitting: true,
	// Otherwise the executable obeys the files of the directory that it is started in, as root.
	compile: { outfile, autoloadDotenv: false, autoloadBunfig: false },
	plugins: [ownCopies],
});
