// Docker's engine, by its HTTP API on a socket of this host (docs.docker.com/reference/api/engine).

import { systemCode } from '../../linux/errno.ts';
import { ask, type Reply } from '../master/http-request.ts';

/** Milliseconds; making a network waits for the kernel, and for iptables. */
const TIMEOUT = 5000;

/** The API is spoken as it was in 1.41, with all engines that still know it so. */
const API = 41;

/** A network as the engine shows it and takes it, as far as the agent looks. */
export interface EngineNetwork {
	readonly Name: string;
	readonly Id?: string;
	readonly Driver: string;
	readonly EnableIPv6: boolean;
	readonly IPAM: { readonly Config: readonly { readonly Subnet?: string }[] | null };
	readonly Options: Readonly<Record<string, string>> | null;
	readonly Labels: Readonly<Record<string, string>> | null;
	/** The containers that are attached and run. */
	readonly Containers?: Readonly<Record<string, unknown>> | null;
}

/** Why the engine did not do something; `code` is the HTTP status, or the system's own code. */
class EngineError extends Error {
	override readonly name = 'EngineError';
	readonly code: string;

	constructor(code: string, message: string) {
		super(message);
		this.code = code;
	}
}

export interface Listing {
	/** All of them, without their containers. */
	readonly networks: readonly EngineNetwork[];
	/** The newest version of the API that the engine has: 41 for 1.41. */
	readonly api: number;
}

export interface Engine {
	/** To be called first; undefined when there is no engine. All of these throw EngineError. */
	list(): Promise<Listing | undefined>;
	/** One network, with its containers. */
	inspect(id: string): Promise<EngineNetwork>;
	create(network: EngineNetwork): Promise<void>;
	remove(id: string): Promise<void>;
}

export function engineAt(socketPath: string): Engine {
	let version = API;
	const call = async (
		what: string,
		method: 'GET' | 'POST' | 'DELETE',
		path: string,
		body?: unknown,
	): Promise<Reply> => {
		let reply: Reply;
		try {
			reply = await ask({ socketPath }, { method, path, body, timeout: TIMEOUT });
		} catch (error) {
			const code = systemCode(error) ?? 'failed';
			throw new EngineError(code, `${what} by Docker at "${socketPath}": ${code}`);
		}
		if (reply.status < 300) return reply;
		throw new EngineError(String(reply.status), `${what}: Docker refuses: ${messageIn(reply.text)}`);
	};
	const pathOf = (path: string): string => `/v1.${version}${path}`;
	return {
		list: async () => {
			try {
				// This alone has no version in its path.
				const about = await call('listing networks', 'GET', '/version');
				const { ApiVersion, MinAPIVersion } = JSON.parse(about.text) as Record<string, string>;
				const api = minorOf(ApiVersion);
				version = Math.min(api, Math.max(API, minorOf(MinAPIVersion)));
				const { text } = await call('listing networks', 'GET', pathOf('/networks'));
				return { networks: JSON.parse(text) as EngineNetwork[], api };
			} catch (error) {
				if (error instanceof EngineError && isAbsent(error.code)) return undefined;
				throw error;
			}
		},
		inspect: async (id) => {
			const { text } = await call('inspecting a network', 'GET', pathOf(`/networks/${encodeURIComponent(id)}`));
			return JSON.parse(text) as EngineNetwork;
		},
		create: async (network) => {
			const what = `creating the Docker network "${network.Name}"`;
			await call(what, 'POST', pathOf('/networks/create'), { ...network, CheckDuplicate: true });
		},
		remove: async (id) => {
			await call('removing a network', 'DELETE', pathOf(`/networks/${encodeURIComponent(id)}`));
		},
	};
}

function minorOf(version: string | undefined): number {
	return Number(version?.split('.')[1] ?? API);
}

/** No socket, or nobody at it; Bun says the latter in its own words. */
function isAbsent(code: string): boolean {
	return ['ENOENT', 'ECONNREFUSED', 'FailedToOpenSocket', 'ConnectionRefused'].includes(code);
}

function messageIn(text: string): string {
	try {
		const { message } = JSON.parse(text) as { message?: unknown };
		return typeof message === 'string' ? message : text;
	} catch {
		return text.slice(0, 200);
	}
}
