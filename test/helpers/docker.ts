// Docker's engine on a host of a test, with directories of its own, and what people do with it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { EngineNetwork } from '../../src/agent/docker/docker-engine.ts';
import { ask } from '../../src/agent/master/http-request.ts';
import { until } from './cluster-process.ts';
import { runOrThrow, start, systemPath } from './command.ts';
import { type DockerMachine, startDockerMachine } from './docker-machine.ts';
import { dockerPath } from './docker-programs.ts';
import { type Namespace, namespaceOf } from './namespace.ts';
import { makeImage, type Runner, serveSeen } from './seen.ts';

/** The place of an engine, which may run or not. */
export interface DockerPlace {
	readonly socket: string;
	/** Starts the engine; the first time, with an image. */
	start(...options: readonly string[]): Promise<void>;
	stop(): Promise<void>;
	/** Makes a request of its API; gives what was answered, decoded. */
	call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
	/** A network by its name. */
	network(name: string): Promise<EngineNetwork | undefined>;
	/** Runs `docker` with these words; gives what it prints. */
	docker(...words: readonly string[]): string;
	/** Has `docker run` start a container with a web server, {@link serveSeen}. */
	run(network: string, ...options: readonly string[]): DockerContainer;
}

export interface DockerContainer {
	readonly name: string;
	readonly namespace: Namespace;
	/** Its addresses in the network. */
	readonly address: string;
	readonly address6: string | undefined;
	/** Runs a program in it. */
	readonly start: Runner;
}

const IMAGE = 'mesos-overlay-test';

export function createDockerPlace(t: ExecutionContext, at: Namespace): DockerPlace {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-docker-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const socket = `${directory}/docker.sock`;
	const environment = { PATH: `${dockerPath}:${systemPath}`, DOCKER_CONFIG: directory };
	const words = (...more: readonly string[]) => ['docker', '--host', `unix://${socket}`, ...more];
	let machine: DockerMachine | undefined;
	let child: ChildProcess | undefined;
	const call: DockerPlace['call'] = async (method, path, body) => {
		const { text } = await ask({ socketPath: socket }, { method, path, body, timeout: 5000 });
		return text === '' ? undefined : JSON.parse(text);
	};
	const answers = (): Promise<boolean> =>
		call('GET', '/version').then(
			() => true,
			() => false,
		);
	const docker = (...more: readonly string[]): string => runOrThrow(words(...more), { environment }).trim();
	const startEngine = async ({ store, controlGroup, spawn }: DockerMachine, options: readonly string[]) => {
		const places = ['--data-root', `${store}/data`, '--exec-root', `${store}/run`, '--pidfile', `${store}/pid`];
		const more = ['--host', `unix://${socket}`, '--bridge', 'none', '--storage-driver', 'vfs'];
		const engine = spawn(['dockerd', ...places, ...more, '--cgroup-parent', `/${controlGroup}`, ...options]);
		let said = '';
		engine.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
		await until('dockerd', async () => engine.exitCode !== null || (await answers()), 30_000).catch(() => {});
		if (!(await answers())) throw new Error(`dockerd does not answer: ${said.slice(-2000)}`);
		return engine;
	};
	return {
		socket,
		call,
		docker,
		network: async (name) => {
			const networks = (await call('GET', '/networks')) as EngineNetwork[];
			return networks.find(({ Name }) => Name === name);
		},
		start: async (...options) => {
			const isNew = machine === undefined;
			if (isNew) mkdirSync(`${directory}/store`);
			machine ??= await startDockerMachine(t, at, directory);
			child = await startEngine(machine, options);
			if (isNew) docker('import', makeImage(directory), IMAGE);
		},
		stop: async () => {
			if (child?.exitCode !== null) return;
			const ended = once(child, 'exit');
			machine?.terminate(`${machine.store}/pid`);
			await ended;
		},
		run: (network, ...options) => {
			const name = docker(
				'run',
				'--detach',
				'--stop-timeout=0',
				`--network=${network}`,
				...options,
				IMAGE,
				...serveSeen,
			);
			const shown = docker('inspect', '--format', '{{json .NetworkSettings}}', name);
			const { SandboxKey, Networks } = JSON.parse(shown) as {
				readonly SandboxKey: string;
				readonly Networks: Readonly<Record<string, { IPAddress: string; GlobalIPv6Address: string }>>;
			};
			const { IPAddress: address = '', GlobalIPv6Address: address6 } = Networks[network] ?? {};
			return {
				name,
				address,
				address6: address6 === '' ? undefined : address6,
				namespace: namespaceOf(machine?.outside(SandboxKey) ?? ''),
				start: (argv) => start(words('exec', name, ...argv), { environment }),
			};
		},
	};
}
