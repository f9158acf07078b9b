// What a master is started with.

import type { CredentialFiles } from './authentication.ts';
import type { ListenAddress } from './listen.ts';

export interface MasterOptions {
	/** The configuration of the virtual networks. */
	readonly configuration: string;
	/** The file with the state. */
	readonly state: string;
	/** Undefined: all addresses when there are credentials, else the loopback. */
	readonly listen: ListenAddress | undefined;
	readonly credentials: CredentialFiles;
	readonly certificate: { readonly certificate: string; readonly key: string } | undefined;
	/** How long what was freed is not given again: milliseconds. */
	readonly quarantine: number;
	/** Removes networks that the configuration does not name at once. */
	readonly force: boolean;
	/** Compares the configuration with the networks of this host. */
	readonly besideHost: boolean;
}

/** The port of the master, unless told otherwise. */
const DEFAULT_PORT = 5055;

/** Options that do not go together. */
export class OptionError extends Error {
	override readonly name = 'OptionError';
	readonly code = 'options';
}

/** Reads `10.0.0.1:5055`, `[::1]:5055`, or a port alone for all addresses. Throws OptionError. */
export function readListenAddress(text: string): ListenAddress {
	const [, bracketed, plain, digits = ''] = /^(?:\[([^\]]+)\]:|([^:]+):|)(\d{1,5})$/.exec(text) ?? [];
	const port = Number(digits);
	if (digits === '' || port > 65_535) {
		throw new OptionError(
			`reading --listen: "${text}" is no address with a port, write it as "10.0.0.1:${DEFAULT_PORT}"`,
		);
	}
	return { host: bracketed ?? plain ?? '::', port };
}

/** Reads seconds, as milliseconds. Throws OptionError. */
export function readQuarantine(text: string): number {
	const seconds = Number(text);
	if (/^\d+$/.test(text) && seconds <= 604_800) return seconds * 1000;
	throw new OptionError(`reading --quarantine: "${text}" is no number of seconds from 0 to 604800`);
}

/** Where to listen. Throws OptionError when that would let anybody in. */
export function listenAddressOf({ listen, credentials }: MasterOptions): ListenAddress {
	const isGuarded = Object.values(credentials).some((file) => file !== undefined);
	const address = listen ?? { host: isGuarded ? '::' : '127.0.0.1', port: DEFAULT_PORT };
	if (isGuarded || isLoopback(address.host)) return address;
	throw new OptionError(
		`listening on ${address.host}: without credentials only on the loopback; set --agent-tokens and --operator-tokens, or --agent-ca and --operator-ca with --tls-certificate and --tls-key`,
	);
}

export function isLoopback(host: string): boolean {
	return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
