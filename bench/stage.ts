// Where the benchmark takes place: network namespaces that play hosts and their containers, and a directory.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { systemPath } from '../build/project.ts';
import { BuildError } from '../build/run.ts';

export interface Stage {
	/** For the configurations and for what the plugins store. */
	readonly directory: string;
	/** Adds a host with so many containers. Throws a BuildError when it cannot. */
	readonly addHost: (containerCount: number) => Host;
}

/** A namespace that plays a host, and those of its containers, by their paths. */
export interface Host {
	readonly namespace: string;
	readonly containers: readonly string[];
}

/** Makes a stage below a directory, passes it on, and removes it with everything on it; returns what `play` does. */
export function withStage<T>(parent: string, play: (stage: Stage) => T): T {
	const directory = mkdtempSync(`${parent}/mesos-overlay-bench-`);
	const name = basename(directory);
	const namespaces: string[] = [];
	const addNamespace = (): string => {
		const path = `/run/netns/${name}-${namespaces.length}`;
		namespaces.push(path);
		return path;
	};
	// An interrupt ends the program that is running; without this, it would end us before the cleaning.
	const ignore = (): void => {};
	process.on('SIGINT', ignore);
	try {
		return play({
			directory,
			addHost(containerCount) {
				const namespace = addNamespace();
				const containers = Array.from({ length: containerCount }, addNamespace);
				const failure = ip([namespace, ...containers].map((path) => `netns add ${nameOf(path)}`));
				if (failure !== '') throw new BuildError(`making network namespaces: ${failure}`);
				return { namespace, containers };
			},
		});
	} finally {
		const failure = ip(namespaces.toReversed().map((path) => `netns delete ${nameOf(path)}`));
		// Not thrown, since it would hide the error that brought us here.
		if (failure !== '') console.error(`removing network namespaces: ${failure}`);
		rmSync(directory, { recursive: true });
		process.off('SIGINT', ignore);
	}
}

/** The name of a namespace, given by its path. */
export function nameOf(namespace: string): string {
	return basename(namespace);
}

/** Runs commands of `ip`, whatever becomes of one; returns what it says of those that failed. */
export function ip(commands: readonly string[], parameters: readonly string[] = []): string {
	const { status, stderr, error } = spawnSync('ip', [...parameters, '-force', '-batch', '-'], {
		input: commands.join('\n'),
		encoding: 'utf8',
		env: { PATH: systemPath() },
	});
	return status === 0 ? '' : (error?.message ?? stderr);
}
