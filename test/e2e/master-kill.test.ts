// The master is killed at any instant, or its disk is full: what was answered is there, and nothing is given twice.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import ava, { type ExecutionContext } from 'ava';
import { runOrThrow } from '../helpers/command.ts';
import {
	ask,
	createPlace,
	documentExample,
	type Master,
	masterCommand,
	register,
	startMaster,
} from '../helpers/master.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { testOn } from '../helpers/requirements.ts';

// one master at a time
const test = ava.serial;

const ROUNDS = 15;
const CLIENTS = 8;
/** Milliseconds from the start of a round to the kill, at most. */
const LONGEST_ROUND = 60;

/** What the clients know: of each agent what it was answered; undefined while an answer is missing. */
type Known = Map<string, readonly string[] | 'removed' | undefined>;

/** Registers and removes agents until the master is gone. */
async function disturb(master: Master, known: Known, client: number, random: () => number): Promise<void> {
	for (;;) {
		const ip = `10.${client}.0.${Math.floor(random() * 30)}`;
		const before = known.get(ip);
		known.set(ip, undefined);
		try {
			if (Array.isArray(before) && random() < 0.3) {
				await ask(master, 'POST', '/overlay-master/agents/delete', { agents: [ip], force: true });
				known.set(ip, 'removed');
			} else {
				known.set(ip, await register(master, ip));
			}
		} catch {
			return;
		}
	}
}

async function allocations(master: Master): Promise<Map<string, readonly string[]>> {
	const { json } = await ask(master, 'GET', '/overlay-master/state');
	return new Map(
		json.agents.map(({ ip, overlays }) => [
			ip,
			[
				overlays[0]?.backend.vxlan.vtep_ip.replace(/\/.*/, '') ?? '',
				...overlays.map(({ subnet = '' }) => subnet),
			],
		]),
	);
}

test('killed at random instants', async (t) => {
	const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
	t.log(`SEED=${seed}`);
	const random = randomNumbers(seed);
	const place = createPlace(t);
	const known: Known = new Map();
	/** Who was ever answered to have something: nobody else may have it, since all of it is younger than the quarantine. */
	const owners = new Map<string, string>();
	for (let round = 0; round < ROUNDS; round++) {
		const master = await startMaster(t, place);
		const state = await allocations(master);
		for (const [ip, answered] of known) {
			if (answered === undefined) continue;
			t.deepEqual(state.get(ip), answered === 'removed' ? undefined : answered, `${ip} in round ${round}`);
		}
		for (const [ip, blocks] of state) {
			for (const block of blocks) t.is(owners.getOrInsert(block, ip), ip, `${block} in round ${round}`);
			known.set(ip, blocks);
		}
		const clients = Array.from({ length: CLIENTS }, (_, client) => disturb(master, known, client, random));
		await wait(random() * LONGEST_ROUND);
		t.is(await master.end('SIGKILL'), 'SIGKILL');
		await Promise.all(clients);
	}
	t.true(owners.size > 100, `${owners.size}`);
});

test('killed while it starts, before and after it has followed a changed configuration', async (t) => {
	const random = randomNumbers(Number(process.env['SEED'] ?? 1));
	const place = createPlace(t);
	const first = await startMaster(t, place);
	const before = new Map<string, readonly string[]>();
	for (let at = 0; at < 50; at++) before.set(`10.0.0.${at}`, await register(first, `10.0.0.${at}`));
	await first.end('SIGKILL');
	for (let round = 0; round < 12; round++) {
		const more = { name: `n${round}`, subnet: `10.${64 + round}.0.0/16`, prefix: 24 };
		place.configure({ ...documentExample, overlays: [...documentExample.overlays, more] });
		const [program = '', ...words] = masterCommand(place, '--force');
		const child = spawn(program, words, { stdio: 'ignore' });
		const closed = once(child, 'close');
		await wait(random() * 150);
		child.kill('SIGKILL');
		await closed;
	}
	place.configure(documentExample);
	const last = await startMaster(t, place, '--force');
	t.deepEqual(await allocations(last), before);
});

testOn('strace', 'what is answered is on the disk before', async (t) => {
	const place = createPlace(t);
	const master = await startMaster(t, place);
	const trace = join(place.directory, 'trace');
	const calls = 'trace=fsync,fdatasync,write,writev,sendto,sendmsg';
	const tracer = spawn('strace', ['-f', '-s', '64', '-o', trace, '-e', calls, '-p', `${master.process.pid}`]);
	t.teardown(() => tracer.kill('SIGKILL'));
	await once(tracer.stderr, 'data');
	for (const ip of ['10.0.0.1', '10.0.0.2']) await register(master, ip);
	await ask(master, 'POST', '/overlay-master/agents/delete', { agents: ['10.0.0.1'], force: true });
	await ask(master, 'GET', '/overlay-master/state');
	tracer.kill('SIGINT');
	await once(tracer, 'close');
	const order = readFileSync(trace, 'utf8')
		.split('\n')
		.flatMap((line) => (/f(?:data)?sync\(/.test(line) ? 'sync' : line.includes('HTTP/1.1 200') ? 'answer' : []));
	t.is(order.join(' ').replaceAll(/(?:sync )+/g, 'sync '), 'sync answer sync answer sync answer answer');
});

/** A place for the state on a file system of a few hundred kilobytes. */
function smallDisk(t: ExecutionContext, directory: string): void {
	runOrThrow(['mount', '-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', directory]);
	t.teardown(() => runOrThrow(['umount', '--lazy', directory]));
}

test('a full disk: what cannot be kept is refused, the rest is served, and it goes on when there is room', async (t) => {
	const place = createPlace(t);
	smallDisk(t, place.directory);
	place.configure({
		vtep_subnet: '44.128.0.0/20',
		vtep_mac_oui: '70:B3:D5:00:00:00',
		overlays: [{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26 }],
	});
	const ballast = join(place.directory, 'ballast');
	writeFileSync(ballast, Buffer.alloc(200_000));
	const master = await startMaster(t, place);
	const answered = new Map<string, readonly string[]>();
	const fill = async () => {
		for (let at = 0; at < 2000; at++) {
			const ip = `10.0.${at >> 8}.${at & 0xff}`;
			const { status, json } = await ask(master, 'PUT', `/v1/agents/${ip}`, { instance: 'x'.repeat(64) });
			if (status !== 200) return { status, json };
			answered.set(ip, [json.agent.vtep.ip, json.agent.networks['dcos']?.subnet ?? '']);
		}
		throw new Error('the disk is larger than was thought');
	};
	const { status, json } = await fill();
	t.deepEqual([status, json.code], [507, 'storeFull']);
	t.regex(json.message, /the file system is full, free some space/);
	t.true(answered.size > 10);
	t.deepEqual(await allocations(master), answered);
	const health = await ask(master, 'GET', '/healthz');
	t.is(health.status, 503);
	t.regex(health.text, /the file system is full/);

	rmSync(ballast);
	answered.set('10.9.9.9', await register(master, '10.9.9.9'));
	t.is((await ask(master, 'GET', '/healthz')).status, 200);
	await master.end('SIGKILL');
	const again = await startMaster(t, place);
	t.deepEqual(await allocations(again), answered);
	await again.end();
});
