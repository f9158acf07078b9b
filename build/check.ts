// Checks all that can be checked without running the program: `node build/check.ts`.

import { spawnSync } from 'node:child_process';
import { findForbiddenImports } from './dependencies.ts';
import { projectDirectory } from './project.ts';

/** Each prints what it finds and returns whether all is well. */
const CHECKS: Record<string, () => boolean> = {
	types: () => runTool('tsc', ['--noEmit']),
	lint: () => runTool('oxlint', ['--quiet']),
	dependencies: () => {
		const forbidden = findForbiddenImports(projectDirectory);
		if (forbidden.length > 0) console.log(forbidden.join('\n'));
		return forbidden.length === 0;
	},
	'format (npm run format)': () => runTool('oxfmt', ['--list-different']),
	'unused code': () => runTool('knip', ['--no-progress', '--no-config-hints']),
};

function runTool(name: string, parameters: readonly string[]): boolean {
	const { status, error } = spawnSync(`${projectDirectory}/node_modules/.bin/${name}`, parameters, {
		cwd: projectDirectory,
		stdio: ['ignore', 'inherit', 'inherit'],
	});
	if (error !== undefined) console.log(`running ${name}: ${error.message}`);
	return status === 0;
}

// Goes on after a failed check, since each says something else.
for (const [name, check] of Object.entries(CHECKS)) {
	const succeeded = check();
	console.log(`${name}: ${succeeded ? 'ok' : 'FAILED'}`);
	if (!succeeded) process.exitCode = 1;
}
