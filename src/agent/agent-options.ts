// What an agent is started with.

import { isIP } from 'node:net';
import { formatIp, parseIp } from '../ip/address.ts';
import type { FurtherKeys } from './plugin/further-keys.ts';
import type { RulesOptions } from './plugin/network-records.ts';

export interface AgentOptions {
	/** Where the master is. */
	readonly master: URL;
	/** The address of this host on the underlay, by which the master knows it. */
	readonly ip: string;
	readonly credentials: CredentialFiles;
	readonly listen: ListenAddress;
	/** Of VTEP and bridges, in bytes, in place of what the underlay leaves and what the master says. */
	readonly mtu: number | undefined;
	readonly places: Places;
	readonly network: NetworkOptions;
	/** The socket of Docker's engine; undefined: Docker is left alone. */
	readonly dockerSocket: string | undefined;
	/** Whether Docker's containers have IPv6 addresses on the networks that have them. */
	readonly dockerIpv6: boolean;
}

/** Files by which the agent shows who it is, and knows the master. */
export interface CredentialFiles {
	readonly token: string | undefined;
	/** Who issues the certificate of the master, if it is none of the authorities that everybody knows. */
	readonly authority: string | undefined;
	readonly certificate: string | undefined;
	readonly key: string | undefined;
}

/** The directories that an agent writes to. */
export interface Places {
	/** The network configurations, which Mesos reads; undefined: Mesos launches nothing here, none are written. */
	readonly cni: string | undefined;
	/** What outlasts the boot: the last state, and who this agent is. */
	readonly state: string;
	/** What ends with the boot: agent.json, leases, records of rules. */
	readonly run: string;
}

/** What every network configuration says besides its name. */
export interface NetworkOptions {
	readonly addressing: 'bridged' | 'routed';
	readonly backend: RulesOptions['backend'];
	/** What an operator adds. */
	readonly further?: FurtherKeys;
}

export interface ListenAddress {
	readonly host: string;
	readonly port: number;
}

/** The port of the agent, unless told otherwise. */
export const DEFAULT_PORT = 5056;

/** Where what ends with the boot is, unless told otherwise: the plugin looks there by itself. */
export const RUN_DIRECTORY = '/run/mesos-overlay';

/** An option that cannot be used; nothing changes by starting again. */
export class OptionError extends Error {
	override readonly name = 'OptionError';
	readonly code = 'options';
}

/** The paths of what ends with the boot. */
export function runPaths({ run }: Pick<Places, 'run'>): { agentFile: string; leases: string; rules: string } {
	return { agentFile: `${run}/agent.json`, leases: `${run}/leases`, rules: `${run}/nat` };
}

/** Reads `http://10.0.0.1:5055`. Throws OptionError. */
export function readMasterUrl(text: string): URL {
	const url = URL.parse(text);
	if (url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/') return url;
	throw new OptionError(`reading --master: "${text}" is no address of a master, write it as "http://10.0.0.1:5055"`);
}

/** Reads the address of this host. Throws OptionError. */
export function readHostAddress(text: string): string {
	const bytes = parseIp(text);
	if (bytes !== undefined) return formatIp(bytes);
	throw new OptionError(`reading --ip: "${text}" is no IP address, give the one by which other hosts reach this one`);
}

/** Reads `127.0.0.1:5056`, `[::1]:5056`, or a port of the loopback. Throws OptionError. */
export function readListenAddress(text: string): ListenAddress {
	const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]:|([^:]+):|)(\d{1,5})$/.exec(text) ?? [];
	const host = bracketed ?? plain ?? '127.0.0.1';
	const port = Number(digits);
	if (digits !== '' && port <= 65_535 && isIP(host) !== 0) return { host, port };
	throw new OptionError(
		`reading --listen: "${text}" is no address with a port, write it as "127.0.0.1:${DEFAULT_PORT}"`,
	);
}

/** Reads an MTU in bytes. Throws OptionError. */
export function readMtu(text: string): number {
	const mtu = Number(text);
	if (/^\d+$/.test(text) && mtu >= 576 && mtu <= 65_535) return mtu;
	throw new OptionError(`reading --mtu: "${text}" is no number of bytes from 576 to 65535`);
}

/** Reads one of some words, the value of `option`. Throws OptionError. */
export function readWord<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
	const found = words.find((word) => word === text);
	if (found !== undefined) return found;
	throw new OptionError(`reading --${option}: "${text}" is none of ${words.join(', ')}`);
}

/** Reads an absolute path, the value of `option`. Throws OptionError: where a daemon is started from says nothing. */
export function readDirectory(option: string, text: string): string {
	if (text.startsWith('/')) return text.replace(/(?<=.)\/+$/, '');
	throw new OptionError(`reading --${option}: "${text}" is no absolute path`);
}
