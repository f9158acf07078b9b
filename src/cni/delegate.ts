// Runs another IPAM plugin, CNI SPEC 1.1 §4 "Plugin Delegation".

import type { SpawnSyncReturns } from 'node:child_process';
import fs from 'node:fs';
import { missing } from './environment.ts';
import { CniError, CniErrorCode, toCniError } from './errors.ts';
import { fieldsOf, readInteger, readString } from './fields.ts';
import { quoted } from './quoted.ts';
import type { Command, Request } from './request.ts';
import { type Result, decodeResult } from './result.ts';

const LARGEST_OUTPUT = 16 * 1024 * 1024;
/** Of a delegate's stderr in a message. */
const LONGEST_QUOTE = 400;
/** A plugin that is being installed over itself cannot be executed: milliseconds between tries, and their number. */
const BUSY_PAUSE = 100;
const BUSY_TRIES = 10;

/**
 * The result of the configuration's IPAM plugin for an ADD. Throws CniError: the delegate's own code; 4 without CNI_PATH;
 * 7 for a type with a slash; 11 when it was killed at the deadline; 106 when it is not found or answers no valid result.
 */
export async function delegateAdd(request: Request): Promise<Result> {
	const stdout = await run(request, 'ADD');
	const tried = attempt(request);
	if (stdout.trim() === '') throw new CniError(CniErrorCode.delegateFailed, `${tried}: it printed no result`);
	const value = decoded(stdout);
	if (value === undefined) {
		throw new CniError(CniErrorCode.delegateFailed, `${tried}: it printed no JSON but ${quoted(stdout)}`);
	}
	try {
		return decodeResult(value, request.configuration.cniVersion, 'result.');
	} catch (error) {
		throw new CniError(CniErrorCode.delegateFailed, `${tried}: ${toCniError(error).message}`, { cause: error });
	}
}

/** Has the configuration's IPAM plugin do what has no result. Throws as {@link delegateAdd}. */
export async function delegate(request: Request, command: Exclude<Command, 'ADD'>): Promise<void> {
	await run(request, command);
}

/** The executable of a plugin in the directories of CNI_PATH. Throws CniError 4, 7 or 106. */
export function findExecutable(path: readonly string[], type: string): string {
	if (type === '' || type.includes('/')) {
		throw new CniError(CniErrorCode.invalidConfiguration, `reading ipam.type: invalid plugin name ${quoted(type)}`);
	}
	if (path.length === 0) throw missing(['CNI_PATH']);
	const found = path.map((directory) => `${directory}/${type}`).find(isRegularFile);
	if (found === undefined) {
		throw new CniError(
			CniErrorCode.delegateFailed,
			`running IPAM plugin ${quoted(type)}: failed to find it in path [${path.join(' ')}]`,
		);
	}
	return found;
}

async function run(request: Request, command: Command): Promise<string> {
	const file = findExecutable(request.path, request.configuration.ipamType);
	const { spawnSync } = await import('node:child_process');
	const tried = attempt(request);
	const input = JSON.stringify(request.configuration.decoded);
	const env = { ...request.environment, CNI_COMMAND: command };
	for (let tries = 1; ; tries++) {
		const timeout = Math.ceil(request.deadline - performance.now());
		if (timeout <= 0) throw outOfTime(tried, 'no time was left for it');
		const child = spawnSync(file, [], {
			input,
			env,
			timeout,
			killSignal: 'SIGKILL',
			maxBuffer: LARGEST_OUTPUT,
			encoding: 'utf8',
		});
		passOn(child.stderr);
		const failure = codeOf(child.error);
		if (failure === 'ETXTBSY' && tries < BUSY_TRIES) {
			await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE));
		} else if (failure === 'ETIMEDOUT') {
			throw outOfTime(tried, `killed after ${(timeout / 1000).toFixed(1)} s without an answer`);
		} else if (child.status === 0) {
			return child.stdout;
		} else {
			throw failureOf(tried, child);
		}
	}
}

/** What a failed delegate says: the error on its stdout, or else what can be seen from outside. */
function failureOf(
	tried: string,
	child: Pick<SpawnSyncReturns<string>, 'status' | 'signal' | 'error' | 'stdout' | 'stderr'>,
): CniError {
	const answer = decoded(child.stdout ?? '');
	if (isObject(answer)) {
		const fields = fieldsOf(answer, '', true);
		const code = readInteger(fields, 'code', 1, 0xffff_ffff) ?? CniErrorCode.delegateFailed;
		const message = readString(fields, 'msg') ?? 'it failed with no message';
		return new CniError(code, `${tried}: ${message}`, { details: readString(fields, 'details') ?? '' });
	}
	const end = child.signal === null ? `exit status ${child.status}` : `killed by ${child.signal}`;
	const said = child.stdout?.trim() || child.stderr?.trim();
	// A plugin may end before it has read all of its configuration.
	const error = codeOf(child.error) === 'EPIPE' ? undefined : child.error;
	const why = error?.message ?? (said ? `${end}: ${quoted(said, LONGEST_QUOTE)}` : `${end} with no error message`);
	return new CniError(CniErrorCode.delegateFailed, `${tried}: ${why}`, { cause: error });
}

function outOfTime(tried: string, why: string): CniError {
	return new CniError(
		CniErrorCode.tryAgainLater,
		`${tried}: ${why}; "timeout" in the configuration gives more seconds`,
	);
}

function attempt(request: Request): string {
	return `running IPAM plugin ${quoted(request.configuration.ipamType)}`;
}

function decoded(stdout: string): unknown {
	try {
		return JSON.parse(stdout);
	} catch {
		return undefined;
	}
}

function isObject(value: unknown): value is object {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nobody may be listening on our stderr, which is no reason to fail. */
function passOn(stderr: string | null): void {
	try {
		if (stderr) fs.writeSync(2, stderr);
	} catch {}
}

function isRegularFile(file: string): boolean {
	try {
		return fs.statSync(file).isFile();
	} catch {
		return false;
	}
}

function codeOf(error: Error | undefined): unknown {
	return error !== undefined && 'code' in error ? error.code : undefined;
}
