// One call of a plugin from its environment to its answer, CNI SPEC 1.1 §2 "Execution Protocol".

import { type Environment, parseCommand, parseEnvironment } from './environment.ts';
import { CniError, CniErrorCode, encodeError, toCniError } from './errors.ts';
import { fieldsOf } from './fields.ts';
import { DEFAULT_TIMEOUT, answerVersion, readNetworkConfiguration, readTimeout } from './network-configuration.ts';
import type { Plugin } from './plugin.ts';
import { decodeConfiguration, readWhole } from './reading.ts';
import type { Request } from './request.ts';
import { encodeResult } from './result.ts';
import { newestVersion } from './versions.ts';

/** Milliseconds for taking back an attachment whose result could not be delivered, whatever is left of the call's time. */
const UNDO_TIME = 10_000;

type Answer = (object: Record<string, unknown>) => void;

/** The three streams of a process. */
export interface Streams {
	/** Fills a buffer and returns the number of bytes, 0 at the end. Throws when none came before `deadline`. */
	readonly readStdin: (buffer: Uint8Array, deadline: number) => number;
	readonly writeStdout: (text: string) => void;
	/** Tells the operator; never throws. */
	readonly note: (message: string) => void;
}

/**
 * Serves the call that `environment` describes and prints one JSON object at most: the result, or what went wrong. All
 * that the call says is checked before the plugin works, and an attachment whose result cannot be printed is taken back.
 * Returns the exit status.
 */
export async function dispatch(
	plugin: Plugin,
	environment: Environment,
	{ readStdin, writeStdout, note }: Streams,
): Promise<number> {
	const started = performance.now();
	let version = newestVersion;
	let hasAnswered = false;
	const answer: Answer = (object) => {
		hasAnswered = true;
		try {
			writeStdout(`${JSON.stringify(object, undefined, 4)}\n`);
		} catch (error) {
			throw new CniError(CniErrorCode.ioFailure, `writing the answer to stdout: ${toCniError(error).message}`, {
				cause: error,
			});
		}
	};
	try {
		const command = parseCommand(environment);
		const parameters = parseEnvironment(command, environment);
		const stdin = readWhole((buffer) => readStdin(buffer, started + DEFAULT_TIMEOUT));
		const decoded = decodeConfiguration(stdin);
		const fields = fieldsOf(decoded, '', command === 'DEL');
		version = answerVersion(fields);
		const configuration = readNetworkConfiguration(decoded, fields, command);
		await serve(plugin, { ...parameters, configuration, deadline: started + readTimeout(fields) }, answer);
		return 0;
	} catch (error) {
		const failure = toCniError(error);
		try {
			// A second object would make what is already on stdout unreadable.
			if (hasAnswered) {
				note(failure.message);
			} else {
				answer(encodeError(failure, version));
			}
		} catch {
			// The exit status is all that is left to say it.
		}
		return 1;
	}
}

async function serve(plugin: Plugin, request: Request, answer: Answer): Promise<void> {
	switch (request.command) {
		case 'ADD':
			return attach(plugin, request, answer);
		case 'DEL':
			return plugin.del(request);
		case 'CHECK':
			return plugin.check(request);
		case 'GC':
			return plugin.gc(request);
		case 'STATUS':
			return plugin.status(request);
	}
}

async function attach(plugin: Plugin, request: Request, answer: Answer): Promise<void> {
	const { cniVersion, mesos } = request.configuration;
	const result = await plugin.add(request);
	try {
		answer(encodeResult(result, cniVersion, { mesos: mesos !== undefined }));
	} catch (error) {
		await takeBack(plugin, request, error);
	}
}

async function takeBack(plugin: Plugin, request: Request, reason: unknown): Promise<never> {
	try {
		await plugin.del({ ...request, command: 'DEL', deadline: performance.now() + UNDO_TIME });
	} catch (error) {
		throw new AggregateError([reason, error], undefined, { cause: error });
	}
	throw reason;
}
