// Docker's engine, by its HTTP API on a socket of this host (docs.docker.com/reference/api/engine, 1.41).

import { systemCode } from '../linux/errno.ts';
import { ask, type Reply } from './http-request.ts';

/** Milliseconds; making a network waits for the kernel, and for iptables. */
const TIMEOUT = 5000;

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

export interface Engine {
	/** All networks, without their containers; undefined when there is no engine. All of these throw EngineError. */
	list(): Promise<readonly EngineNetwork[] | undefined>;
	/** One network, with its containers. */
	inspect(id: string): Promise<EngineNetwork>;
	create(network: EngineNetwork): Promise<void>;
	remove(id: string): Promise<void>;
}

export function engineAt(socketPath: string): Engine {
	const call = async (
		what: string,
		method: 'GET' | 'POST' | 'DELETE',
		path: string,
		body?: unknown,
	): Promise<Reply> => {
		let reply: Reply;
		try {
			reply = await ask({ socketPath }, { method, path: `/v1.41${path}`, body, timeout: TIMEOUT });
		} catch (error) {
			const code = systemCode(error) ?? 'failed';
			throw new EngineError(code, `${what} by Docker at "${socketPath}": ${code}`);
		}
		if (reply.status < 300) return reply;
		throw new EngineError(String(reply.status), `${what}: Docker refuses: ${messageIn(reply.text)}`);
	};
	return {
		list: async () => {
			try {
				const { text } = await call('listing networks', 'GET', '/networks');
				return JSON.parse(text) as EngineNetwork[];
			} catch (error) {
				if (error instanceof EngineError && isAbsent(error.code)) return undefined;
				throw error;
			}
		},
		inspect: async (id) => {
			const { text } = await call('inspecting a network', 'GET', `/networks/${encodeURIComponent(id)}`);
			return JSON.parse(text) as EngineNetwork;
		},
		create: async (network) => {
			const what = `creating the Docker network "${network.Name}"`;
			await call(what, 'POST', '/networks/create', { ...network, CheckDuplicate: true });
		},
		remove: async (id) => {
			await call('removing a network', 'DELETE', `/networks/${encodeURIComponent(id)}`);
		},
	};
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
