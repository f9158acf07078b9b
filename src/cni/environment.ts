// The parameters of a call that come as environment variables.

import { parseCniArguments } from './cni-arguments.ts';
import { CniError, CniErrorCode } from './errors.ts';
import { hasSpaceOr, partsOf } from './parts.ts';
import { quoted, shortened } from './quoted.ts';
import type { Command, Request } from './request.ts';

export type Environment = Request['environment'];

type Parameters = Pick<
	Request,
	'command' | 'containerId' | 'ifname' | 'netns' | 'path' | 'cniArguments' | 'environment'
>;

/** The variables that a command cannot do without, in the order in which libcni names them. */
const REQUIRED: Readonly<Record<Command, readonly string[]>> = {
	ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
	DEL: ['CNI_CONTAINERID', 'CNI_IFNAME'],
	CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'],
	GC: [],
	STATUS: [],
};

const LETTERS_AND_DIGITS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Whether a text may be a container id or the name of a network, CNI SPEC 1.1 §2 "Parameters" and §1 "Plugin configuration objects". */
export function isIdentifier(text: string): boolean {
	for (let at = 0; at < text.length; at++) {
		const character = text.charAt(at);
		const mayBeHere = LETTERS_AND_DIGITS.includes(character) || (at > 0 && '_.-'.includes(character));
		if (!mayBeHere) return false;
	}
	return text !== '';
}

/** `CNI_COMMAND`; throws CniError 4. */
export function parseCommand(environment: Environment): Command {
	const command = environment['CNI_COMMAND'] ?? '';
	if (command === '') throw missing(['CNI_COMMAND']);
	if (!isCommand(command)) throw invalid(`unknown CNI_COMMAND: ${shortened(command)}`);
	return command;
}

/**
 * The parameters of CNI SPEC 1.1 §2 "Parameters"; what GC and STATUS have no use for is empty. CNI_PATH may be missing
 * here: only a delegate needs it. Throws CniError 4; a DEL is not stopped by CNI_ARGS, which it does not need.
 */
export function parseEnvironment(command: Command, environment: Environment): Parameters {
	const required = REQUIRED[command];
	const absent: string[] = [];
	for (const name of required) if (!environment[name]) absent.push(name);
	if (absent.length > 0) throw missing(absent);
	const path = partsOf(environment['CNI_PATH'] ?? '', ':');
	if (required.length === 0) {
		return { command, containerId: '', ifname: '', netns: '', path, cniArguments: new Map(), environment };
	}
	return {
		command,
		containerId: checkContainerId(environment['CNI_CONTAINERID'] ?? ''),
		ifname: checkIfname(environment['CNI_IFNAME'] ?? ''),
		netns: environment['CNI_NETNS'] ?? '',
		path,
		cniArguments: command === 'DEL' ? new Map() : parseCniArguments(environment['CNI_ARGS'] ?? ''),
		environment,
	};
}

/** Several variables may be missing; one error names them all. */
export function missing(variables: readonly string[]): CniError {
	return invalid(`required env variables [${variables.join(',')}] missing`);
}

function checkContainerId(containerId: string): string {
	if (!isIdentifier(containerId)) {
		throw invalid('reading CNI_CONTAINERID: invalid characters in containerID', shortened(containerId));
	}
	return containerId;
}

/** What the kernel takes as a name, `dev_valid_name` in net/core/dev.c. */
function checkIfname(ifname: string): string {
	if (new TextEncoder().encode(ifname).length > 15) {
		throw invalid(`reading CNI_IFNAME: interface name ${quoted(ifname)} is longer than 15 bytes`);
	}
	if (ifname === '.' || ifname === '..') {
		throw invalid(`reading CNI_IFNAME: interface name ${quoted(ifname)} is . or ..`);
	}
	if (hasSpaceOr('/:\u0085', ifname)) {
		throw invalid(`reading CNI_IFNAME: interface name ${quoted(ifname)} contains / or : or whitespace`);
	}
	return ifname;
}

function isCommand(text: string): text is Command {
	return Object.hasOwn(REQUIRED, text);
}

function invalid(message: string, details = ''): CniError {
	return new CniError(CniErrorCode.invalidEnvironment, message, { details });
}
