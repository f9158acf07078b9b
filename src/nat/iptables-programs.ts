// Runs the programs of iptables, which alone know what is in the tables of a kernel without nf_tables.

import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { CniError, CniErrorCode } from '../cni/errors.ts';
import { quoted } from '../cni/quoted.ts';
import { heldLock } from './record-files.ts';

/** Mesos hands on no more of its environment than a PATH, and not always one with these. */
export const SYSTEM_PATH = '/usr/sbin:/sbin:/usr/bin:/bin';

const LARGEST_OUTPUT = 64 * 1024 * 1024;
/** Of what a program says in a message. */
const LONGEST_QUOTE = 400;

/** Where programs are, and when they are killed. */
export interface Programs {
	readonly path: string;
	/** Milliseconds of performance.now(). */
	readonly deadline: number;
}

/** The file of a program; undefined when it is in none of the directories. */
export function findProgram(name: string, path: string): string | undefined {
	return path
		.split(':')
		.map((directory) => `${directory}/${name}`)
		.find((file) => {
			try {
				accessSync(file, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

/** Runs a program without a shell; gives what it prints. Throws CniError 100, or 11 when it takes too long. */
export function runProgram(
	{ path, deadline }: Programs,
	name: string,
	parameters: readonly string[],
	input = '',
): string {
	const file = findProgram(name, path);
	if (file === undefined) {
		throw new CniError(
			CniErrorCode.kernelRefused,
			`running ${name}: it is not in ${path}; install iptables, or set natBackend to "nftables" where the kernel has nf_tables`,
		);
	}
	const timeout = Math.ceil(deadline - performance.now());
	if (timeout <= 0) throw outOfTime(name, 'no time was left for it');
	const { status, signal, stdout, stderr, error } = spawnSync(file, parameters, {
		input,
		env: { PATH: path },
		timeout,
		killSignal: 'SIGKILL',
		maxBuffer: LARGEST_OUTPUT,
		encoding: 'utf8',
		// What a killed call has started goes on all the same: nobody else may come between.
		stdio: ['pipe', 'pipe', 'pipe', heldLock() ?? 'ignore'],
	});
	if (status === 0) return stdout;
	if (error !== undefined && 'code' in error && error.code === 'ETIMEDOUT') {
		throw outOfTime(name, `killed after ${(timeout / 1000).toFixed(1)} s`);
	}
	const said = stderr?.trim().replaceAll(/\n+/g, '; ') ?? '';
	if (said.includes('xtables lock')) throw outOfTime(name, 'another program holds the xtables lock');
	const end = signal === null ? (error?.message ?? `exit status ${status}`) : `killed by ${signal}`;
	throw new CniError(
		CniErrorCode.kernelRefused,
		`running ${name}: ${end}${said === '' ? '' : `: ${quoted(said, LONGEST_QUOTE)}`}`,
		{ cause: error },
	);
}

/** Has a variant of iptables-restore change tables, all that its input says of each, or nothing. Throws as {@link runProgram}. */
export function runRestore(programs: Programs, name: string, input: string): void {
	// Others that change tables at this moment are waited for, but not for ever.
	const seconds = Math.max(1, Math.floor((programs.deadline - performance.now()) / 1000));
	runProgram(programs, name, ['--noflush', '-w', `${seconds}`], input);
}

function outOfTime(name: string, why: string): CniError {
	return new CniError(
		CniErrorCode.tryAgainLater,
		`running ${name}: ${why}; "timeout" in the configuration gives more seconds`,
	);
}
