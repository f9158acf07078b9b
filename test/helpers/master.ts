// A master of a test's own: the executable, with its configuration, its state and a port that is free.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { DocumentAgent } from '../../src/overlay/document-shape.ts';
import type { RegistrationAnswer } from '../../src/overlay/registration-wire.ts';
import { decodeWatchEvent, type WatchEvent } from '../../src/overlay/watch-wire.ts';
import { executable } from './cni.ts';
import { start, systemPath } from './command.ts';

/** An event of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly event: string };

export interface Master {
	/** Where it is reached, `http://127.0.0.1:40123`. */
	readonly url: string;
	readonly process: ChildProcess;
	readonly log: readonly LogLine[];
	/** Lines on stderr that are no events. */
	readonly notes: readonly string[];
	/** Ends it and gives how it ended. */
	end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export const documentExample = {
	vtep_subnet: '44.128.0.0/20',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26 },
		{ name: 'dcos-1', subnet: '192.168.0.0/16', prefix: 24 },
	],
};

/** Where a master's files are. */
export interface Place {
	readonly directory: string;
	readonly configuration: string;
	readonly state: string;
	/** Writes another `dcos_overlay_network`. */
	configure(members: object): void;
}

export function createPlace(t: ExecutionContext, members: object = documentExample): Place {
	const directory = mkdtempSync(join(tmpdir(), 'mesos-overlay-master-'));
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	const place: Place = {
		directory,
		configuration: join(directory, 'overlay.yaml'),
		state: join(directory, 'master.db'),
		configure: (other) => writeFileSync(place.configuration, JSON.stringify({ dcos_overlay_network: other })),
	};
	place.configure(members);
	return place;
}

/** The words that start a master. */
export function masterCommand({ configuration, state }: Place, ...options: readonly string[]): string[] {
	const listen = options.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
	return [
		executable,
		'master',
		'--config',
		configuration,
		'--state',
		state,
		...listen,
		'--ignore-host-networks',
		...options,
	];
}

/** Starts a master and waits until it serves. Throws with what it said if it does not. */
export async function startMaster(t: ExecutionContext, place: Place, ...options: readonly string[]): Promise<Master> {
	const [program = '', ...words] = masterCommand(place, ...options);
	// it must not outlive the tests, however they end
	const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...words], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'ignore', 'pipe'],
	});
	t.teardown(() => child.kill('SIGKILL'));
	const log: LogLine[] = [];
	const notes: string[] = [];
	const { promise, resolve, reject } = Promise.withResolvers<LogLine>();
	createInterface(child.stderr).on('line', (line) => {
		if (!line.startsWith('{')) {
			notes.push(line);
			return;
		}
		const event = JSON.parse(line) as LogLine;
		log.push(event);
		if (event.event === 'master started') resolve(event);
	});
	const closed = once(child, 'close');
	child.on('close', (status) => reject(new Error(`the master ended with ${status}: ${notes.join('\n')}`)));
	const { port, tls } = await promise;
	return {
		url: `http${tls === true ? 's' : ''}://127.0.0.1:${String(port)}`,
		process: child,
		log,
		notes,
		end: async (signal = 'SIGTERM') => {
			child.kill(signal);
			await closed;
			return child.signalCode ?? child.exitCode;
		},
	};
}

/** What a master answers, as far as tests look: which of it is there depends on the request. */
export interface Body extends RegistrationAnswer {
	readonly code: string;
	readonly message: string;
	readonly agents: readonly DocumentAgent[];
	readonly network: unknown;
	/** Of a network. */
	readonly state: string;
	readonly overlay: string;
	/** Of all networks. */
	readonly removed: readonly { readonly name: string }[];
	/** Of the OpenAPI document. */
	readonly openapi: string;
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
	readonly requestBody: {
		readonly content: Readonly<Record<string, { readonly schema: { readonly required: string[] } }>>;
	};
	readonly responses: object;
}

export interface Reply {
	readonly status: number;
	readonly headers: Headers;
	readonly text: string;
	/** Undefined when it is no JSON. */
	readonly json: Body;
}

/** Makes a request of JSON. */
export async function ask(
	{ url }: Pick<Master, 'url'>,
	method: string,
	path: string,
	body?: unknown,
	headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	const response = await fetch(url + path, {
		method,
		headers,
		...(body !== undefined && { body: text }),
		signal: AbortSignal.timeout(30_000),
	});
	const answer = await response.text();
	const isJson = response.headers.get('content-type')?.includes('json') ?? false;
	const json = (isJson ? JSON.parse(answer) : undefined) as Body;
	return { status: response.status, headers: response.headers, text: answer, json };
}

/** Registers an agent; gives its VTEP address and its subnets, the first network first. */
export async function register(master: Pick<Master, 'url'>, ip: string, report: object = {}): Promise<string[]> {
	const { status, json } = await ask(master, 'PUT', `/v1/agents/${ip}`, { instance: `of-${ip}`, ...report });
	if (status !== 200) throw new Error(`registering ${ip}: ${status} ${JSON.stringify(json)}`);
	return [json.agent.vtep.ip, ...Object.values(json.agent.networks).map(({ subnet = '' }) => subnet)];
}

export interface Watch {
	/** Waits for the next event. */
	next(): Promise<WatchEvent>;
	end(): void;
}

/** Watches until the test ends. */
export async function watch(
	t: ExecutionContext,
	{ url }: Pick<Master, 'url'>,
	query = '',
	headers = {},
): Promise<Watch> {
	const controller = new AbortController();
	t.teardown(() => controller.abort());
	const response = await fetch(`${url}/v1/watch${query}`, { signal: controller.signal, headers });
	if (response.status !== 200 || response.body === null) throw new Error(`watching: ${response.status}`);
	const events = eventsOf(response.body);
	return {
		next: async () => {
			const { value } = await events.next();
			if (value === undefined) throw new Error('the stream has ended');
			return value;
		},
		end: () => controller.abort(),
	};
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<WatchEvent> {
	let text = '';
	for await (const chunk of body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
		const parts = (text + chunk).split('\n\n');
		text = parts.pop() ?? '';
		for (const part of parts) {
			const event = decodeWatchEvent(part);
			if (event !== undefined) yield event;
		}
	}
}

/** Waits until the master has told of something; throws when it has not within ten seconds. */
export async function told({ log }: Master, event: string, times = 1): Promise<void> {
	const end = performance.now() + 10_000;
	while (log.filter((line) => line.event === event).length < times) {
		if (performance.now() > end) throw new Error(`waiting for "${event}": not within ten seconds`);
		await wait(5);
	}
}

/** Starts a master that ends by itself: its exit status, and what it has said besides events. */
export async function failingMaster(place: Place, ...options: readonly string[]): Promise<[number | null, string[]]> {
	const { status, stderr } = await start(masterCommand(place, ...options), { until: AbortSignal.timeout(10_000) });
	const lines = stderr.replaceAll(place.directory, '').trimEnd().split('\n');
	return [status, lines.filter((line) => !line.startsWith('{'))];
}
