// The launcher: a small Go program that starts the plugins and measures them, since Node's own way to start programs
// costs more than what is to be measured, and does not tell the CPU time of each.

import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cacheDirectory, projectDirectory, systemPath } from '../build/project.ts';
import { run } from '../build/run.ts';
import { findExecutable } from '../build/setup/debian.ts';
import { goToolchain } from '../build/setup/go-toolchain.ts';

const SOURCES = `${projectDirectory}/bench/launcher`;

/** Where it is after `buildLauncher`. */
export const LAUNCHER = `${cacheDirectory}/bench/launcher`;

/** A program to start. */
export interface Call {
	readonly program: string;
	readonly parameters?: readonly string[];
	/** The whole environment, `NAME=value`. */
	readonly environment: readonly string[];
	/** The path of the file that becomes stdin. */
	readonly input: string;
}

/** Calls that are started at once, after a pause, or one after the other as a chain. */
export interface Step {
	/** The path of the network namespace in which they run. */
	readonly namespace: string;
	readonly pauseMs: number;
	readonly calls: readonly Call[];
	readonly chain?: Chain;
	/** Each call has to fail, and this has to be in what it prints. */
	readonly refusal?: string;
}

/** What a runtime does with a list of plugins, CNI SPEC 1.1 §3: each gets the result of the one before as `prevResult`. */
export interface Chain {
	/** The last result is kept under this name. */
	readonly attachment: string;
	/** False: each plugin gets the result that was kept. */
	readonly begins: boolean;
}

/** What a step cost. */
export interface Sample {
	/** From before the first start to after the last end. */
	readonly wallMs: number;
	/** User and system time of all calls, and of the programs that they ran. */
	readonly cpuMs: number;
	/** Resident memory of the largest process. */
	readonly peakKiB: number;
}

/** Builds the launcher unless it is there. Throws a BuildError when it cannot. */
export async function buildLauncher(): Promise<void> {
	const sources = globSync(`${SOURCES}/*`);
	if (existsSync(LAUNCHER) && sources.every((file) => statSync(file).mtimeMs < statSync(LAUNCHER).mtimeMs)) return;
	mkdirSync(`${cacheDirectory}/bench`, { recursive: true });
	run(await findGo(), ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', LAUNCHER, '.'], {
		cwd: SOURCES,
		environment: goEnvironment(),
	});
}

/** The version of the Go module that an executable was built from. Throws a BuildError when it is none of Go's. */
export async function goModuleVersion(executable: string): Promise<string> {
	const text = run(await findGo(), ['version', '-m', executable], { environment: goEnvironment() });
	return /^\tmod\t\S+\t(\S+)/m.exec(text)?.[1] ?? 'of an unknown version';
}

/**
 * Runs the steps one after the other and returns a sample for each. `planFile` is a path to write them to. Throws a
 * BuildError, with what was printed, as soon as a call fails, or succeeds where a refusal is expected.
 */
export function measure(steps: readonly Step[], planFile: string): Sample[] {
	writeFileSync(planFile, steps.map((step) => `${JSON.stringify(step)}\n`).join(''));
	return JSON.parse(run(LAUNCHER, [planFile])) as Sample[];
}

async function findGo(): Promise<string> {
	return findExecutable('go') ?? (await goToolchain());
}

function goEnvironment(): NodeJS.ProcessEnv {
	return {
		...process.env,
		PATH: systemPath(),
		GOPATH: `${cacheDirectory}/go-path`,
		GOCACHE: `${cacheDirectory}/bench/go-build`,
		GOTOOLCHAIN: 'local',
		CGO_ENABLED: '0',
	};
}
