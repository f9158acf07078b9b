// Real processes that race, and that are killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { entriesOf, lease, past, processAt, temporaryDirectory } from './stores.ts';

const script = new URL('racing-process.ts', import.meta.url).pathname;

function start(dataDirectory: string, containerId: string, ...options: readonly string[]) {
	const child = spawn(process.execPath, ['--no-warnings', script, dataDirectory, containerId, ...options], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	return { child, output: text(child.stdout) };
}

async function kill(child: ChildProcess): Promise<void> {
	child.kill('SIGKILL');
	if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

test.serial('of 20 processes that race for 13 addresses, 13 get one each', async (t) => {
	const directory = temporaryDirectory(t);
	const outputs = await Promise.all(Array.from({ length: 20 }, (_, index) => start(directory, `c${index}`).output));
	const given = outputs.filter((output) => output.startsWith('9.0.1.')).map((output) => output.trim().split(' '));
	t.is(given.length, 13, outputs.join(''));
	t.is(new Set(given.flat()).size, 26);
	t.true(
		outputs.every((output) => output.startsWith('9.0.1.') || output.includes('all 13 are held')),
		outputs.join(''),
	);
	const { store } = processAt(directory);
	t.deepEqual(readdirSync(store.addresses).toSorted(), given.flat().toSorted());
	t.is(readdirSync(store.attachments).length, 26);
});

test.serial('DEL waits for a process that is in the middle of an ADD, and no longer than it lives', async (t) => {
	const directory = temporaryDirectory(t);
	const { child } = start(directory, 'c1', 'stay');
	await once(child.stdout, 'data');
	const { store } = processAt(directory);
	t.throws(() => releaseAttachment(store, { containerId: 'c1', ifname: 'eth0' }, performance.now() + 100), {
		code: 'busy',
	});
	// DEL blocks the thread, so that somebody else has to kill.
	spawn('sh', ['-c', `sleep 0.2; kill -KILL ${child.pid}`]);
	const began = performance.now();
	t.is(releaseAttachment(store, { containerId: 'c1', ifname: 'eth0' }, began + 20_000).length, 2);
	t.true(performance.now() - began < 10_000);
	t.deepEqual(readdirSync(store.addresses), []);
});

test.serial('kill -9 at any instant of ADD and DEL, then DEL: nothing is left', async (t) => {
	const directory = temporaryDirectory(t);
	const { store } = processAt(directory);
	lease(store, 'stays');
	const clean = entriesOf(store);
	const found = new Set<string>();
	for (let turn = 0; turn < 20; turn++) {
		const { child } = start(directory, 'victim', 'churn');
		await once(child.stdout, 'data');
		await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
		await kill(child);
		found.add(
			entriesOf(store)
				.filter((name) => name.startsWith('victim'))
				.join(),
		);
		releaseAttachment(store, { containerId: 'victim', ifname: 'eth0' }, past);
		t.deepEqual(entriesOf(store), clean);
	}
	t.true(found.size > 1, 'it was always killed in the same state');
});
