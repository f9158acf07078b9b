// Measures the master with many agents, simulated over HTTP: `node bench/master.ts [--agents N]`.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { BuildError, runScript } from '../build/run.ts';
import { ask, endMaster, type Master, memoryOf, register, startMaster, watch } from './master-process.ts';
import { summarise } from './statistics.ts';

/** How many registrations are under way at once. */
const CONCURRENCY = 64;
/** How many streams of changes are open, and how many changes are made meanwhile. */
const WATCHERS = 1000;
const CHANGES = 30;

const CONFIGURATION = {
	dcos_overlay_network: {
		vtep_subnet: '44.128.0.0/16',
		vtep_subnet6: 'fd01:a::/64',
		vtep_mac_oui: '70:B3:D5:00:00:00',
		overlays: [
			{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 24 },
			{ name: 'dcos6', subnet6: 'fd01:b::/64', prefix6: 80 },
		],
	},
};

await runScript(async () => {
	const { values } = parseArgs({ options: { agents: { type: 'string', default: '10000' } } });
	const count = Number(values.agents);
	if (!Number.isInteger(count) || count < 1 || count > 60_000) {
		throw new BuildError(`reading --agents: "${values.agents}" is no number from 1 to 60000`);
	}
	const agents = Array.from({ length: count }, (_, at) => `10.0.${at >> 8}.${at & 0xff}`);
	const directory = mkdtempSync(`${tmpdir()}/mesos-overlay-bench-`);
	writeFileSync(`${directory}/overlay.yaml`, JSON.stringify(CONFIGURATION));
	const masters: Master[] = [];
	try {
		masters.push(await startMaster(directory));
		await measure(directory, agents, masters);
	} finally {
		for (const master of masters) await endMaster(master, 'SIGKILL');
		rmSync(directory, { recursive: true, force: true });
	}
});

async function measure(directory: string, agents: readonly string[], masters: Master[]): Promise<void> {
	const [master] = masters;
	if (master === undefined) return;
	show('memory, without agents', megabytes(memoryOf(master, 'VmRSS')));
	show(`registering ${agents.length} agents, ${CONCURRENCY} at once`, await rate(master, agents));
	show('the same reports again', await rate(master, agents));
	show('memory', megabytes(memoryOf(master, 'VmRSS')));
	show('state on the disk', megabytes(statSync(`${directory}/master.db`).size));
	await measureState(master);
	await measureWatchers(master);
	show('memory, at most', megabytes(memoryOf(master, 'VmHWM')));

	await endMaster(master, 'SIGKILL');
	masters.length = 0;
	const begin = performance.now();
	masters.push(await startMaster(directory));
	show('start after a kill, until it serves', milliseconds(performance.now() - begin));
}

async function measureState(master: Master): Promise<void> {
	const path = '/overlay-master/state';
	let tag = '';
	for (const [title, headers] of [
		['plain', {}],
		['compressed', { 'accept-encoding': 'gzip' }],
	] as const) {
		// A change before each, so that nothing is kept of the last one.
		await register(master, `10.255.255.${title.length}`);
		const first = await ask(master, 'GET', path, { headers });
		const again = await ask(master, 'GET', path, { headers });
		show(`state, ${title}: size`, megabytes(first.bytes));
		show(`state, ${title}: first byte after a change`, milliseconds(first.firstByteMs));
		show(`state, ${title}: first byte again`, milliseconds(again.firstByteMs));
		tag = again.headers.etag ?? '';
	}
	const unchanged = await ask(master, 'GET', path, { headers: { 'if-none-match': tag } });
	show(`state, unchanged (status ${unchanged.status}): first byte`, milliseconds(unchanged.firstByteMs));
}

/** From the answer to whoever has made a change until the last of many watchers knows it. */
async function measureWatchers(master: Master): Promise<void> {
	let missing = 0;
	let known = Promise.withResolvers<void>();
	const tell = (): void => {
		if (--missing === 0) known.resolve();
	};
	await inParallel(
		Array.from({ length: WATCHERS }, () => () => watch(master, tell)),
		CONCURRENCY,
	);
	show(`memory, with ${WATCHERS} watching`, megabytes(memoryOf(master, 'VmRSS')));
	const latencies: number[] = [];
	for (let change = 0; change < CHANGES; change++) {
		missing = WATCHERS;
		known = Promise.withResolvers();
		await register(master, `10.255.0.${change}`);
		const begin = performance.now();
		await known.promise;
		latencies.push(performance.now() - begin);
	}
	const { median, upper } = summarise(latencies);
	show(
		`a change, until the last of ${WATCHERS} watchers knows it`,
		`${milliseconds(median)} (3/4: ${milliseconds(upper)})`,
	);
}

async function rate(master: Master, agents: readonly string[]): Promise<string> {
	const begin = performance.now();
	await inParallel(
		agents.map((ip) => () => register(master, ip)),
		CONCURRENCY,
	);
	return `${Math.round((agents.length * 1000) / (performance.now() - begin))} a second`;
}

/** Does all of it, so many at once. */
async function inParallel(work: readonly (() => Promise<void>)[], width: number): Promise<void> {
	const rest = work.values();
	await Promise.all(
		Array.from({ length: width }, async () => {
			for (const one of rest) await one();
		}),
	);
}

function show(what: string, figure: string): void {
	console.log(`${what.padEnd(56)}${figure}`);
}

function milliseconds(value: number): string {
	return `${value.toFixed(1)} ms`;
}

function megabytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(1)} MB`;
}
