// Runs other programs, and says why one failed.

import { spawnSync } from 'node:child_process';

/** A step of the build that failed; its message is all that the user needs. */
export class BuildError extends Error {
	override name = 'BuildError';
}

interface RunOptions {
	readonly cwd?: string;
	/** The whole environment; this process's by default. */
	readonly environment?: NodeJS.ProcessEnv;
	/** What to do when the program fails. */
	readonly remedy?: string;
}

/**
 * Runs a program to its end and returns what it wrote to stdout.
 * Throws a BuildError with the end of its output when it cannot be started or fails.
 */
export function run(command: string, parameters: readonly string[], options: RunOptions = {}): string {
	const { status, signal, error, stdout, stderr } = spawnSync(command, parameters, {
		cwd: options.cwd,
		env: options.environment ?? process.env,
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 2 ** 28,
	});
	if (status === 0) return stdout;
	const reason = error?.message ?? (signal === null ? `exit status ${status}` : `killed by ${signal}`);
	const output = `${stdout ?? ''}${stderr ?? ''}`.trimEnd().split('\n').slice(-30).join('\n');
	const remedy = options.remedy === undefined ? '' : `; ${options.remedy}`;
	throw new BuildError(`running "${[command, ...parameters].join(' ')}": ${reason}${remedy}\n${output}`.trimEnd());
}

/** Runs a script's steps; a failed one ends the process with its message alone, a defect with its stack trace. */
export async function runScript(steps: () => Promise<void> | void): Promise<void> {
	try {
		await steps();
	} catch (error) {
		console.error(error instanceof BuildError ? error.message : error);
		process.exitCode = 1;
	}
}
