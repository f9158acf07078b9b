// Hundreds of processes of the executable on one lease store: they get what there is, and nobody waits for anybody.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type IpamProcess, startIpam } from '../helpers/ipam-process.ts';
import type { Configuration } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';

const CROWD = 200;
/** What the Mesos half of a /24 has for containers. */
const ROOM = 125;

function createNetwork(t: ExecutionContext): { configuration: Configuration; directory: string } {
	const dataDir = mkdtempSync(join(tmpdir(), 'mesos-overlay-crowd-'));
	t.teardown(() => rmSync(dataDir, { recursive: true, force: true }));
	const ipam = { type: 'mesos-overlay-ipam', agentSubnet: '9.0.1.0/24', prefix: 24, dataDir };
	return {
		configuration: { cniVersion: '1.1.0', name: 'dcos', type: 'mesos-overlay', ipam },
		directory: join(dataDir, 'dcos'),
	};
}

/** All that wait for their configuration get it now. */
function release(processes: readonly IpamProcess[]): void {
	for (const { feed } of processes) feed();
}

async function assertShared(t: ExecutionContext, processes: readonly IpamProcess[], directory: string): Promise<void> {
	const answers = await Promise.all(processes.map(({ ended }) => ended));
	const given = answers.flatMap(({ code, answer }) => (code === 0 ? (answer?.ips ?? []) : []));
	t.is(given.length, ROOM);
	t.is(new Set(given.map(({ address }) => address)).size, ROOM);
	const message = `leasing an address of "9.0.1.0/25" in network "dcos": all 125 are held, "${directory}/addresses" shows by whom`;
	for (const { code, answer } of answers.filter((each) => each.code !== 0)) {
		t.is(code, 101);
		t.is(answer?.msg, message);
	}
	t.is(namesIn(directory, 'addresses'), ROOM);
	// Those that got none left nothing.
	t.is(namesIn(directory, 'attachments'), ROOM);
}

function namesIn(directory: string, part: 'addresses' | 'attachments'): number {
	return existsSync(join(directory, part)) ? readdirSync(join(directory, part)).length : 0;
}

test.serial(
	`${CROWD} ADDs at once: ${ROOM} get an address each, the others the error of a half that is full`,
	async (t) => {
		const { configuration, directory } = createNetwork(t);
		const processes = Array.from({ length: CROWD }, (_, index) =>
			startIpam({ command: 'ADD', containerId: `c${index}`, configuration }),
		);
		release(processes);
		await assertShared(t, processes, directory);
	},
);

/** Stops a process when it has made the first of these system calls: strace lets go of nothing that it holds by then. */
function stoppedAfter(calls: string): string[] {
	return [
		'strace',
		'-D',
		'-qq',
		'-f',
		'-o',
		'/dev/null',
		'-e',
		`trace=${calls}`,
		'-e',
		`inject=${calls}:signal=STOP:when=1`,
	];
}

testOn(
	'strace',
	`${CROWD} ADDs at once, of which twelve stop in the middle: the others do not wait for them`,
	async (t) => {
		const { configuration, directory } = createNetwork(t);
		const start = (index: number, by: readonly string[] = []) =>
			startIpam({ command: 'ADD', containerId: `c${index}`, configuration, by });
		// With the lock of their lease, with the lease written, with an address, or the answer that another has it.
		const moments = ['flock', 'pwrite64', '?link,linkat'];
		const stopping = Array.from({ length: 12 }, (_, index) => start(index, stoppedAfter(moments[index % 3] ?? '')));
		t.teardown(() => {
			for (const { kill } of stopping) kill('SIGKILL');
		});
		release(stopping);
		await until(() => namesIn(directory, 'attachments') === 12 && stopping.every((each) => each.isStopped()));
		// All of those that have tried tried the same one.
		await until(() => namesIn(directory, 'addresses') === 1);

		const others = Array.from({ length: CROWD - 12 }, (_, index) => start(12 + index));
		const began = performance.now();
		release(others);
		const ended = await Promise.all(others.map((each) => each.ended));
		t.log(`the others took ${Math.round(performance.now() - began)} ms`);
		t.is(ended.filter(({ code }) => code === 0).length, ROOM - 1);
		t.true(stopping.every(({ isStopped }) => isStopped()));

		for (const { kill } of stopping) kill('SIGCONT');
		await assertShared(t, [...stopping, ...others], directory);
	},
);

async function until(condition: () => boolean): Promise<void> {
	for (let tries = 0; !condition(); tries++) {
		if (tries === 1000) throw new Error('it took more than ten seconds');
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}
