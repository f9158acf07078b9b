// Checks what the files of src import: dependencies point downwards only, and the way of every call stays short.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SYSTEM = ['cni', 'ip', 'linux', 'netlink'];
const ROLE = [...SYSTEM, 'ipam', 'nat', 'overlay', 'shaping'];
const DAEMON = [...ROLE, 'bridge'];

/** What each directory may import from, in whatever way, besides itself. */
const DOWNWARDS: Partial<Record<string, readonly string[]>> = {
	ip: [],
	linux: [],
	cni: ['ip'],
	netlink: ['ip', 'linux'],
	ipam: SYSTEM,
	nat: SYSTEM,
	shaping: SYSTEM,
	overlay: [...SYSTEM, 'ipam'],
	bridge: ROLE,
	master: DAEMON,
	agent: DAEMON,
	cli: [...DAEMON, 'master', 'agent', 'package.json'],
	'serve.ts': ['cni', 'linux'],
	'serve-bridge.ts': ['bridge', 'serve.ts'],
	'serve-ipam.ts': ['ipam', 'serve.ts'],
	'main.ts': [...DAEMON, 'master', 'agent', 'cli', 'serve-bridge.ts', 'serve-ipam.ts'],
};

/** What every ADD and DEL loads; an import statement here is paid for by each of them, one by `import()` is not. */
const HOT_PATH = [
	'main.ts',
	'serve.ts',
	'serve-bridge.ts',
	'serve-ipam.ts',
	'cni',
	'bridge',
	'ipam',
	'nat',
	'shaping',
	'netlink',
	'linux',
	'ip',
];
const CHEAP = ['#libc', '#print'];

/** Files in these directories that are loaded by `import()` only, and may therefore import what they like. */
const LAZY = ['cni/delegate.ts', 'nat/forward-policy-change.ts', 'nat/iptables.ts', 'nat/iptables-programs.ts'];

/** Which of our own directories main.ts may import at once: the roles are loaded when they are picked. */
const AT_START = ['cni', 'linux'];

const IMPORT =
	/\b(?:import|export)\s(?<clause>[^'"();=]*?)\bfrom\s*'(?<from>[^']+)'|\bimport\s*(?<call>\(\s*)?'(?<bare>[^']+)'/g;

interface Import {
	readonly specifier: string;
	readonly way: 'statement' | 'type' | 'call';
	/** The path in src of what is our own. */
	readonly path: string | undefined;
	/** The directory, or file, directly in src. */
	readonly part: string | undefined;
}

/** Returns a line for each forbidden import; `directory` is the one that holds `src`. */
export function findForbiddenImports(directory: string): string[] {
	return globSync('**/*.ts', { cwd: `${directory}/src` })
		.toSorted()
		.flatMap((file) => forbiddenImports(file, readFileSync(`${directory}/src/${file}`, 'utf8')));
}

/** The same for one file, by its path in src and its text. */
export function forbiddenImports(file: string, text: string): string[] {
	const importer = partOf(file);
	const downwards = DOWNWARDS[importer];
	if (downwards === undefined) return [`src/${file}: build/dependencies.ts knows no "${importer}"`];
	return importsOf(file, text).flatMap(({ specifier, way, path, part }) => {
		const problem =
			part !== undefined && part !== importer && !downwards.includes(part)
				? `"${importer}" may import from ${downwards.join(', ') || 'nothing else'}`
				: way === 'statement' && HOT_PATH.includes(importer) && !isCheap(file, specifier, path, part)
					? 'every call would pay for it; load it by import() in the place that needs it'
					: undefined;
		return problem === undefined ? [] : [`src/${file}: imports "${specifier}": ${problem}`];
	});
}

function importsOf(file: string, text: string): Import[] {
	return [...text.matchAll(IMPORT)].map(({ groups = {} }) => {
		const specifier = groups['from'] ?? groups['bare'] ?? '';
		const way =
			groups['call'] !== undefined ? 'call' : groups['clause']?.startsWith('type ') ? 'type' : 'statement';
		const path = specifier.startsWith('.') ? join(dirname(file), specifier).replace(/^\.\.\//, '') : undefined;
		const part = specifier.startsWith('#') ? 'linux' : path && partOf(path);
		return { specifier, way, path, part };
	});
}

function isCheap(file: string, specifier: string, path: string | undefined, part: string | undefined): boolean {
	if (LAZY.includes(file)) return true;
	// In Node, its own modules cost nothing, see build/editions/builtin-modules.ts.
	if (file === 'linux/print.node.ts') return specifier === 'node:fs';
	if (path !== undefined && LAZY.includes(path)) return false;
	if (/^linux\/libc\.\w+\.ts$/.test(file)) return /^(bun|node):ffi$/.test(specifier);
	if (part === undefined) return CHEAP.includes(specifier);
	return file !== 'main.ts' || AT_START.includes(part);
}

function partOf(path: string): string {
	return path.split('/')[0] ?? path;
}
