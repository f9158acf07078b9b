// kill -9 at random instants of ADD and DEL; a DEL then leaves the machine as it was before.
import { isDeepStrictEqual } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { type Answer, type Call, invokeLater } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { randomNumbers } from '../helpers/random-numbers.ts';
import { supports, widestFamily } from '../helpers/requirements.ts';
import type { Snapshot } from '../helpers/snapshot.ts';

const TRIALS = 20;
/** Repeats a run: the instants follow from it, in parts of the time that an undisturbed call takes. */
const seed = Number(process.env['KILL_SEED'] ?? 20_261_123);

let ports = 10_000;
/** Everything that leaves traces, with a port of the host that nobody else has. */
const keys = () => ({
	macspoofchk: supports('nftables-bridge'),
	ipMasq: true,
	isolation: 'container',
	runtimeConfig: { portMappings: [{ hostPort: ++ports, containerPort: 80, protocol: 'udp' }] },
	...(supports('shaping') && {
		bandwidth: { ingressRate: 1e6, ingressBurst: 1e6, egressRate: 1e6, egressBurst: 1e6 },
	}),
});
const options = { family: widestFamily() };

function killedAfter(milliseconds: number): Call {
	return { by: ['timeout', '--signal=KILL', (milliseconds / 1000).toFixed(5)] };
}

/** How long a call takes from its start to its end, the median, with the way there that a killed one has, too. */
function durationOf(calls: readonly (() => Answer)[]): number {
	const durations = calls.map((call) => {
		const began = performance.now();
		call();
		return performance.now() - began;
	});
	return durations.toSorted((one, other) => one - other)[Math.floor(calls.length / 2)] ?? 0;
}

/** Kills each call that it is given at a random instant, and counts what it sees. */
function createKiller(longest: number): {
	kill(call: (changes: Call) => Answer): void;
	report(t: ExecutionContext): void;
} {
	const random = randomNumbers(seed);
	const seen = { killed: 0, ended: 0 };
	return {
		kill: (call) => {
			const began = performance.now();
			const { status } = call(killedAfter(random() * longest));
			seen[status === 0 ? 'ended' : 'killed'] += 1;
			// the machine is not always as busy as when it was measured
			if (status === 0) longest = performance.now() - began;
		},
		report: (t) => {
			t.log(`KILL_SEED=${seed}, within ${longest.toFixed(1)} ms: ${JSON.stringify(seen)}`);
			t.true(seen.killed > TRIALS / 4);
		},
	};
}

/** A host with one container that stays, and how long an ADD and a DEL take on it. */
function busyHost(t: ExecutionContext): { host: Host; clean: Snapshot; addTakes: number; delTakes: number } {
	const host = createHost(t);
	attach(t, host, keys(), options);
	const others = Array.from({ length: 5 }, () => prepare(host, keys(), options));
	const addTakes = durationOf(others.map(({ add }) => add));
	const delTakes = durationOf(others.map(({ del }) => del));
	return { host, clean: host.snapshot(), addTakes, delTakes };
}

const restored = test.macro<[Readonly<Partial<Call>>]>((t, lost) => {
	const { host, clean, addTakes } = busyHost(t);
	const { kill, report } = createKiller(addTakes);
	let halfway = 0;
	for (let trial = 0; trial < TRIALS; trial++) {
		const { add, del } = prepare(host, keys(), options);
		kill(add);
		if (!isDeepStrictEqual(host.snapshot(), clean)) halfway += 1;
		silent(t, del(lost));
		t.deepEqual(host.snapshot(), clean, `trial ${trial}`);
	}
	report(t);
	t.log(`${halfway} left something behind for DEL`);
});

test('ADD', restored, {});
test('ADD, and DEL knows no namespace', restored, { netns: '' });

test('DEL', (t) => {
	const { host, clean, delTakes } = busyHost(t);
	const { kill, report } = createKiller(delTakes);
	for (let trial = 0; trial < TRIALS; trial++) {
		const { del } = attach(t, host, keys(), options);
		kill(del);
		silent(t, del());
		t.deepEqual(host.snapshot(), clean, `trial ${trial}`);
	}
	report(t);
});

test.serial('ADDs at once, each at another instant', async (t) => {
	const { host, clean, addTakes } = busyHost(t);
	const random = randomNumbers(seed);
	const AT_ONCE = 8;
	for (let trial = 0; trial < 3; trial++) {
		const attachments = Array.from({ length: AT_ONCE }, () => prepare(host, keys(), options));
		// so many on few processors take longer
		const killed = () => killedAfter(random() * addTakes * (AT_ONCE / 2));
		await Promise.all(attachments.map(({ call }) => invokeLater(host, call('ADD', killed()))));
		for (const { del } of attachments) silent(t, del());
		t.deepEqual(host.snapshot(), clean, `trial ${trial}`);
	}
});

const firstAdd = test.macro<[Record<string, unknown>]>((t, ipam) => {
	const { kill, report } = createKiller(busyHost(t).addTakes);
	for (let trial = 0; trial < TRIALS; trial++) {
		const host = createHost(t);
		const { add, del, containerId } = prepare(host, { ipam });
		kill(add);
		silent(t, del());
		const next = attach(t, host, { ipam }, { containerId });
		silent(t, next.check());
		silent(t, next.del());
		t.deepEqual(
			host.links().map(({ ifname }) => ifname),
			['lo', host.bridge],
		);
		t.deepEqual(host.snapshot().leases, {});
	}
	report(t);
});

test('the first ADD of a network: the next one works', firstAdd, {});
test('the first ADD of a network with routed addresses', firstAdd, { addressing: 'routed' });
