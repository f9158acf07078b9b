// The processes of a cluster: daemons that tell what they do, and a peer that makes requests for the test.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ExecutionContext } from 'ava';
import { systemPath } from './command.ts';
import type { LogLine } from './master.ts';
import type { Namespace } from './namespace.ts';

export interface Daemon {
	readonly log: readonly LogLine[];
	/** Lines on stderr that are no events. */
	readonly notes: readonly string[];
	isRunning(): boolean;
	/** Waits for an event from the nth line of the log on. */
	event(name: string, from?: number, milliseconds?: number): Promise<LogLine>;
	/** Ends it, and gives how it ended. */
	end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** Starts a daemon in a namespace. */
export function startDaemon(t: ExecutionContext, at: Namespace, argv: readonly string[]): Daemon {
	// Not by `ip netns exec`, which does not pass on signals until it has started the program.
	const child = spawn('nsenter', [`--net=${at.path}`, ...argv], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'inherit', 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const log: LogLine[] = [];
	const notes: string[] = [];
	createInterface(child.stderr).on('line', (line) => {
		if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
		else notes.push(line);
	});
	const closed = once(child, 'close');
	return {
		log,
		notes,
		isRunning: () => child.exitCode === null && child.signalCode === null,
		event: async (name, from = 0, milliseconds = 5000) => {
			const find = () => log.slice(from).find(({ event }) => event === name);
			await until(`event "${name}"`, () => find() !== undefined || !isAlive(child), milliseconds);
			const found = find();
			if (found === undefined) throw new Error(`the daemon ended without "${name}": ${notes.join('\n')}`);
			return found;
		},
		end: async (signal = 'SIGTERM') => {
			child.kill(signal);
			await closed;
			return child.signalCode ?? child.exitCode;
		},
	};
}

function isAlive(child: ChildProcess): boolean {
	return child.exitCode === null && child.signalCode === null;
}

export interface Reply {
	readonly status: number;
	/** What was answered, decoded if it is JSON. */
	readonly json: unknown;
}

export type Requester = (
	method: string,
	url: string,
	body?: unknown,
	headers?: Record<string, string>,
) => Promise<Reply>;

/** Makes requests from a namespace until the test ends. */
export function startRequester(t: ExecutionContext, at: Namespace): Requester {
	const peer = join(import.meta.dirname, 'request-peer.ts');
	const child = spawn('nsenter', [`--net=${at.path}`, process.execPath, '--no-warnings', peer], {
		env: { PATH: systemPath },
		stdio: ['pipe', 'pipe', 'inherit'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const waiting = new Map<number, (reply: Reply) => void>();
	createInterface(child.stdout).on('line', (line) => {
		const { id, status, text } = JSON.parse(line) as { id: number; status: number; text: string };
		const json: unknown = /^[[{]/.test(text) ? JSON.parse(text) : text;
		waiting.get(id)?.({ status, json });
	});
	let id = 0;
	return (method, url, body, headers = {}) => {
		id++;
		const { promise, resolve } = Promise.withResolvers<Reply>();
		waiting.set(id, resolve);
		const text = body === undefined ? undefined : JSON.stringify(body);
		child.stdin.write(`${JSON.stringify({ id, method, url, headers, body: text })}\n`);
		return promise;
	};
}

/** Tries until the condition holds; gives how many milliseconds that took. Throws when it has not within the time. */
export async function until(
	what: string,
	condition: () => boolean | Promise<boolean>,
	milliseconds = 2000,
): Promise<number> {
	const begin = performance.now();
	while (!(await condition())) {
		if (performance.now() - begin > milliseconds) {
			throw new Error(`waiting for ${what}: not within ${milliseconds} ms`);
		}
		await new Promise((resolve) => setTimeout(resolve, 15));
	}
	return performance.now() - begin;
}
