// Speaks with the master: registers and reports, and watches.

import type { IncomingMessage } from 'node:http';
import { messageOf } from '../../ipam/lease-error.ts';
import {
	decodeRegistrationAnswer,
	type RegistrationAnswer,
	type RegistrationReport,
} from '../../overlay/registration-wire.ts';
import type { WatchEvent } from '../../overlay/watch-wire.ts';
import type { AgentOptions } from '../agent-options.ts';
import { type Credentials, readCredentials } from './credentials.ts';
import { ask, openReply, type Question, type Reply } from './http-request.ts';
import { readEvents } from './watch.ts';

/** Milliseconds until an answer begins. */
const TIMEOUT = 2000;
/** Of a stream on which nothing comes: the master sends something every ten seconds. */
const SILENCE = 25_000;

/** Why the master did not do something: it could not be reached (no status), or says so itself. */
export class MasterError extends Error {
	override readonly name = 'MasterError';
	/** The master's own code, or that of the system. */
	readonly code: string;
	readonly status: number | undefined;
	/** Milliseconds before which the master does not want to be asked again. */
	readonly retryAfter: number | undefined;

	constructor(
		message: string,
		{ code, status, retryAfter }: { code: string; status?: number | undefined; retryAfter?: number | undefined },
	) {
		super(message);
		this.code = code;
		this.status = status;
		this.retryAfter = retryAfter;
	}
}

export interface MasterClient {
	/** Registers, or reports, unless `signal` comes first. Throws MasterError. */
	register(report: RegistrationReport, signal: AbortSignal): Promise<RegistrationAnswer>;
	/**
	 * Tells what changes, from a revision on if there is one, until `signal`, or until the master is away. Throws MasterError;
	 * after `signal` it just ends.
	 */
	watch(from: string | undefined, onEvent: (event: WatchEvent) => void, signal: AbortSignal): Promise<void>;
}

/** Credentials are read for every connection, so that new ones count without a restart. */
export function createMasterClient({
	master: url,
	ip,
	credentials: files,
}: Pick<AgentOptions, 'master' | 'ip' | 'credentials'>): MasterClient {
	const agent = encodeURIComponent(ip);
	const prepare = (question: Omit<Question, 'timeout'>): [Credentials['target'], Question] => {
		const { target, headers } = readCredentials(files, url);
		return [target, { ...question, headers, timeout: TIMEOUT }];
	};
	const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
		try {
			return await work();
		} catch (error) {
			if (error instanceof MasterError) throw error;
			const code = error instanceof Error && 'code' in error ? String(error.code) : 'failed';
			throw new MasterError(`${what}: ${messageOf(error)}`, { code });
		}
	};
	return {
		register: (report, signal) =>
			attempt(`registering at ${url.origin}`, async () => {
				const reply = await ask(
					...prepare({ method: 'PUT', path: `/v1/agents/${agent}`, body: report, signal }),
				);
				if (reply.status !== 200) throw refusal('registering', reply);
				return decodeRegistrationAnswer(reply.text);
			}),
		watch: (from, onEvent, signal) =>
			attempt(`watching at ${url.origin}`, async () => {
				const query = `?agent=${agent}${from === undefined ? '' : `&from=${encodeURIComponent(from)}`}`;
				const response = await openReply(...prepare({ method: 'GET', path: `/v1/watch${query}`, signal }));
				if (response.statusCode !== 200) {
					response.resume();
					throw refusal('watching', {
						status: response.statusCode ?? 0,
						headers: response.headers,
						text: '',
					});
				}
				await readStream(response, onEvent, signal);
			}),
	};
}

async function readStream(
	response: IncomingMessage,
	onEvent: (event: WatchEvent) => void,
	signal: AbortSignal,
): Promise<void> {
	const stop = (): void => void response.destroy();
	signal.addEventListener('abort', stop, { once: true });
	try {
		if (signal.aborted) stop();
		await readEvents(response, onEvent, SILENCE);
		if (!signal.aborted) throw new MasterError('watching: the master ended the stream', { code: 'ended' });
	} catch (error) {
		if (!signal.aborted) throw error;
	} finally {
		signal.removeEventListener('abort', stop);
		response.destroy();
	}
}

function refusal(what: string, { status, headers, text }: Reply): MasterError {
	const { code = `HTTP ${status}`, message = `status ${status}` } = refusalOf(text);
	const seconds = Number(headers['retry-after']);
	return new MasterError(`${what}: the master refuses: ${message}`, {
		code,
		status,
		retryAfter: Number.isFinite(seconds) ? seconds * 1000 : undefined,
	});
}

function refusalOf(text: string): { code?: string; message?: string } {
	try {
		const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown };
		return typeof code === 'string' && typeof message === 'string' ? { code, message } : {};
	} catch {
		return {};
	}
}
