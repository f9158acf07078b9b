// A master to be measured: started, asked, watched.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { createInterface } from 'node:readline';
import { executableDirectory } from '../build/project.ts';
import { BuildError } from '../build/run.ts';

export interface Master {
	readonly process: ChildProcess;
	readonly port: number;
}

export interface Reply {
	readonly status: number;
	readonly headers: IncomingHttpHeaders;
	readonly bytes: number;
	/** From the request to the first byte of the answer: milliseconds. */
	readonly firstByteMs: number;
}

const connections = new Agent({ keepAlive: true, maxSockets: 256 });

/** Starts a master on the configuration and state in a directory, and waits until it serves. */
export async function startMaster(directory: string): Promise<Master> {
	const files = ['--config', `${directory}/overlay.yaml`, '--state', `${directory}/master.db`];
	const options = [...files, '--listen', '127.0.0.1:0', '--ignore-host-networks'];
	const child = spawn(`${executableDirectory}/mesos-overlay`, ['master', ...options], {
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	const lines = createInterface(child.stderr);
	for await (const line of lines) {
		const { event, port } = line.startsWith('{') ? (JSON.parse(line) as { event: string; port: number }) : {};
		if (event !== 'master started') continue;
		// What follows is read and left alone, or else the master would have to wait for its reader.
		child.stderr.resume();
		return { process: child, port: port ?? 0 };
	}
	throw new BuildError('starting the master: it has ended at once');
}

/** Ends a master and waits for its end. */
export async function endMaster({ process: child }: Master, signal: NodeJS.Signals): Promise<void> {
	const closed = once(child, 'close');
	child.kill(signal);
	await closed;
}

/** Makes a request and takes the whole answer. */
export function ask(
	{ port }: Master,
	method: string,
	path: string,
	{ body = '', headers = {} }: { readonly body?: string; readonly headers?: OutgoingHttpHeaders } = {},
): Promise<Reply> {
	const { promise, resolve, reject } = Promise.withResolvers<Reply>();
	const begin = performance.now();
	const sent = request({ port, method, path, headers, agent: connections }, (response) => {
		const { statusCode: status = 0, headers: answered } = response;
		const firstByteMs = performance.now() - begin;
		let bytes = 0;
		response.on('data', (chunk: Buffer) => (bytes += chunk.length));
		response.on('end', () => resolve({ status, headers: answered, bytes, firstByteMs }));
	});
	sent.on('error', reject);
	sent.end(body);
	return promise;
}

/** Registers an agent. Throws a BuildError when that is refused. */
export async function register(master: Master, ip: string): Promise<void> {
	const body = JSON.stringify({ instance: ip, networks: { dcos: { status: 'STATUS_OK', containers: 3 } } });
	const { status } = await ask(master, 'PUT', `/v1/agents/${ip}`, { body });
	if (status !== 200) throw new BuildError(`registering ${ip}: status ${status}`);
}

/** Opens a stream of changes, and waits for the first event; `onData` is called when something comes after it. */
export async function watch({ port }: Master, onData: () => void): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const sent = request({ port, path: '/v1/watch', agent: false }, (response) => {
		let isFirst = true;
		let last = '';
		response.on('data', (chunk: Buffer) => {
			last = chunk.toString('latin1', chunk.length - 2);
			if (last !== '\n\n') return;
			if (!isFirst) onData();
			isFirst = false;
			resolve();
		});
	});
	sent.on('error', reject);
	sent.end();
	return promise;
}

/** What the kernel says of a process's memory: `VmRSS` now, or `VmHWM` at most; bytes. */
export function memoryOf({ process: child }: Master, field: 'VmRSS' | 'VmHWM'): number {
	const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
	return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}
