// Docker's engine on a host of a test, with directories of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';
import { ask } from '../../src/agent/http-request.ts';
import type { EngineNetwork } from '../../src/agent/docker-engine.ts';
import { until } from './cluster-process.ts';
import { systemPath } from './command.ts';
import type { Namespace } from './namespace.ts';

const unpacked = resolve(import.meta.dirname, '../../build/cache/docker/usr');

/** Where it is, besides the directories of the system. */
export const dockerPath = `${unpacked}/sbin:${unpacked}/bin`;

/** The place of an engine, which may run or not. */
export interface DockerPlace {
	readonly socket: string;
	start(): Promise<void>;
	stop(): Promise<void>;
	/** Makes a request of its API; gives what was answered, decoded. */
	call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
	/** A network by its name. */
	network(name: string): Promise<EngineNetwork | undefined>;
}

export function createDockerPlace(t: ExecutionContext, at: Namespace): DockerPlace {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-docker-'));
	const socket = `${directory}/docker.sock`;
	let child: ChildProcess | undefined;
	const stop = async (): Promise<void> => {
		if (child === undefined || child.exitCode !== null) return;
		const ended = once(child, 'exit');
		child.kill('SIGTERM');
		await ended;
	};
	t.teardown(async () => {
		await stop();
		rmSync(directory, { recursive: true, force: true });
	});
	const call: DockerPlace['call'] = async (method, path, body) => {
		const { text } = await ask({ socketPath: socket }, { method, path: `/v1.41${path}`, body, timeout: 5000 });
		return text === '' ? undefined : JSON.parse(text);
	};
	const place: DockerPlace = {
		socket,
		stop,
		call,
		network: async (name) => {
			const networks = (await call('GET', '/networks')) as EngineNetwork[];
			return networks.find(({ Name }) => Name === name);
		},
		start: async () => {
			for (const name of ['data', 'run']) mkdirSync(`${directory}/${name}`, { recursive: true });
			// Not by `ip netns exec`: that hides the control groups, without which the engine does not start.
			const enter = [`--net=${at.path}`, 'unshare', '--mount', '--propagation', 'private'];
			const options = ['--data-root', `${directory}/data`, '--exec-root', `${directory}/run`, '--bridge', 'none'];
			const more = ['--host', `unix://${socket}`, '--pidfile', `${directory}/pid`, '--storage-driver', 'vfs'];
			child = spawn('nsenter', [...enter, 'dockerd', ...options, ...more], {
				env: { PATH: `${dockerPath}:${systemPath}` },
				stdio: ['ignore', 'ignore', 'pipe'],
			});
			let said = '';
			child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
			const { exitCode } = child;
			if (exitCode !== null) throw new Error(`dockerd ended with status ${exitCode}: ${said}`);
			const answers = () =>
				call('GET', '/version').then(
					() => true,
					() => false,
				);
			await until('dockerd', answers, 20_000).catch(() => {
				throw new Error(`dockerd does not answer: ${said.slice(-2000)}`);
			});
		},
	};
	return place;
}
