// Where the benchmark takes place: network namespaces that play a host and its containers, and a directory.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { systemPath } from '../build/project.ts';
import { BuildError } from '../build/run.ts';

export interface Stage {
	/** For the configurations and for what the plugins store. */
	readonly directory: string;
	/** Paths of network namespaces. */
	readonly host: string;
	readonly containers: readonly string[];
}

/**
 * Makes a stage with so many containers, passes it on, and removes it with everything on it; returns what `play` does.
 * Throws a BuildError when the stage cannot be made.
 */
export function withStage<T>(containerCount: number, play: (stage: Stage) => T): T {
	// Not in the temporary directory: /run is in memory on most machines, so no disk gets measured.
	const directory = mkdtempSync('/run/mesos-overlay-bench-');
	const name = directory.slice('/run/'.length);
	const host = `${name}-host`;
	const containers = Array.from({ length: containerCount }, (_, index) => `${name}-${index}`);
	// An interrupt ends the program that is running; without this, it would end us before the cleaning.
	const ignore = (): void => {};
	process.on('SIGINT', ignore);
	try {
		const failure = ip([host, ...containers].map((namespace) => `netns add ${namespace}`));
		if (failure !== '') throw new BuildError(`making network namespaces: ${failure}`);
		return play({
			directory,
			host: `/run/netns/${host}`,
			containers: containers.map((container) => `/run/netns/${container}`),
		});
	} finally {
		const failure = ip([...containers, host].map((namespace) => `netns delete ${namespace}`));
		// Not thrown, since it would hide the error that brought us here.
		if (failure !== '') console.error(`removing network namespaces: ${failure}`);
		rmSync(directory, { recursive: true });
		process.off('SIGINT', ignore);
	}
}

/** Runs them all, whatever becomes of one; returns what `ip` says of those that failed. */
function ip(commands: readonly string[]): string {
	const { status, stderr, error } = spawnSync('ip', ['-force', '-batch', '-'], {
		input: commands.join('\n'),
		encoding: 'utf8',
		env: { PATH: systemPath() },
	});
	return status === 0 ? '' : (error?.message ?? stderr);
}
