// Calls the executable under test as a CNI runtime does.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Outcome, type RunOptions, systemPath } from './command.ts';
import type { Host } from './host.ts';
import type { Namespace } from './namespace.ts';
import type { Configuration } from './network-configuration.ts';

const root = resolve(import.meta.dirname, '../..');

/** The edition under test. */
export const executable = resolve(process.env['MESOS_OVERLAY'] ?? `${root}/build/bin/mesos-overlay`);

/** Where the reference plugins and cnitool are. */
export const toolDirectory = resolve(process.env['CNI_TOOLS'] ?? `${root}/build/cache/bin`);

export interface Address {
	readonly address: string;
	readonly gateway?: string;
	readonly interface?: number;
	readonly version?: string;
}
export interface Route {
	readonly dst: string;
	readonly gw?: string;
}
export interface AddressOfOldResult {
	readonly ip: string;
	readonly gateway?: string;
	readonly routes?: readonly Route[];
}

/** What a plugin prints, at any version; a test looks only at the keys that its version has. */
export interface Result {
	readonly cniVersion: string;
	readonly interfaces: readonly { name: string; mac?: string; mtu?: number; sandbox?: string }[];
	readonly ips: readonly Address[];
	readonly routes: readonly Route[];
	readonly dns?: Readonly<Record<string, unknown>>;
	readonly ip4?: AddressOfOldResult;
	readonly ip6?: AddressOfOldResult;
	readonly code?: number;
	readonly msg?: string;
	readonly details?: string;
	readonly supportedVersions?: readonly string[];
}

export interface Answer extends Outcome {
	/** stdout as one JSON object, if it is one. */
	readonly json: Result | undefined;
}

/** One call: the variables that are absent or undefined here are absent there. */
export interface Call {
	readonly command?: string | undefined;
	readonly containerId?: string | undefined;
	readonly netns?: string | undefined;
	readonly ifname?: string | undefined;
	readonly path?: string | undefined;
	readonly cniArguments?: string | undefined;
	/** More variables. */
	readonly environment?: Readonly<Record<string, string>>;
	/** The configuration, as an object or as the raw text, or the file descriptor to read it from. */
	readonly configuration?: Configuration | string | Buffer | number;
	/** Runs the executable by way of these words: `timeout`, `strace`, … */
	readonly by?: readonly string[];
	/** The executable, when it is not the one under test. */
	readonly executable?: string | undefined;
}

function prepare(call: Call): { argv: string[]; options: RunOptions } {
	const { configuration } = call;
	const named = {
		CNI_COMMAND: call.command,
		CNI_CONTAINERID: call.containerId,
		CNI_NETNS: call.netns,
		CNI_IFNAME: call.ifname,
		CNI_PATH: call.path,
		CNI_ARGS: call.cniArguments,
		PATH: systemPath,
		...call.environment,
	};
	const environment: Record<string, string> = {};
	for (const [name, value] of Object.entries(named)) if (value !== undefined) environment[name] = value;
	const input =
		typeof configuration === 'object' && !Buffer.isBuffer(configuration)
			? JSON.stringify(configuration)
			: configuration;
	return {
		argv: [...(call.by ?? []), call.executable ?? executable],
		options: input === undefined ? { environment } : { environment, input },
	};
}

function answerOf(outcome: Outcome): Answer {
	let json: Result | undefined;
	try {
		const value: unknown = JSON.parse(outcome.stdout);
		if (typeof value === 'object' && value !== null && !Array.isArray(value)) json = value as Result;
	} catch {}
	return { ...outcome, json };
}

/** Runs the executable once on a host. */
export function invoke(host: Namespace, call: Call): Answer {
	const { argv, options } = prepare(call);
	return answerOf(host.run(argv, options));
}

/** The same without waiting, for calls at once. */
export async function invokeLater(host: Namespace, call: Call): Promise<Answer> {
	const { argv, options } = prepare(call);
	return answerOf(await host.start(argv, options));
}

/** A container's interface in a network, and the calls that concern it, as a runtime makes them. */
export interface Attachment {
	readonly containerId: string;
	readonly ifname: string;
	/** The call for a command, with prevResult where a runtime gives one. */
	call(command: string, changes?: Call): Call;
	add(changes?: Call): Answer;
	del(changes?: Call): Answer;
	check(changes?: Call): Answer;
}

/** Describes an attachment; nothing is called yet. */
export function attachment(
	host: Host,
	container: Namespace,
	configuration: Configuration,
	{ containerId = randomBytes(16).toString('hex'), ifname = 'eth0' }: { containerId?: string; ifname?: string } = {},
): Attachment {
	let prevResult: Result | undefined;
	const call = (command: string, changes: Call = {}): Call => ({
		command,
		containerId,
		ifname,
		netns: container.path,
		path: toolDirectory,
		// a runtime hands the result on from version 0.4.0
		configuration:
			command !== 'ADD' && prevResult !== undefined && String(configuration['cniVersion']) >= '0.4.0'
				? { ...configuration, prevResult }
				: configuration,
		...changes,
	});
	return {
		containerId,
		ifname,
		call,
		add: (changes) => {
			const answer = invoke(host, call('ADD', changes));
			if (answer.status === 0) prevResult = answer.json;
			return answer;
		},
		del: (changes) => invoke(host, call('DEL', changes)),
		check: (changes) => invoke(host, call('CHECK', changes)),
	};
}
