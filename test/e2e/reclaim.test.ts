// A full half gets back what dead containers have, and nothing of one that may live.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { refused, resultOf, silent } from '../helpers/assertions.ts';
import { attach, type Attached, prepare } from '../helpers/attach.ts';
import { executable, invoke, toolDirectory } from '../helpers/cni.ts';
import { eventually, runOrThrow } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { networkConfiguration, roomForOne } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';

const MINUTE = 60_000;
const full = { ipam: roomForOne };

/** Makes the only lease older than it is; a negative age is what a clock makes of it that was set back. */
function age(host: Host, milliseconds: number): void {
	const path = join(host.dataDir, host.network, 'addresses/9.0.1.2');
	const lease = readFileSync(path, 'utf8');
	writeFileSync(path, lease.replace(/"time":\d+/u, `"time":${Date.now() - milliseconds}`));
}

/** Deletes the namespace of a container, as a runtime does that forgets the DEL. */
function forget({ container, port }: Pick<Attached, 'container' | 'port'>): void {
	runOrThrow(['ip', 'netns', 'del', container.name]);
	eventually('the interface to go with its namespace', () => port() === undefined);
}

test('a container that is gone without a DEL: its address is given again, and a note says whose it was', (t) => {
	const host = createHost(t);
	const dead = attach(t, host, full);
	forget(dead);
	age(host, 2 * MINUTE);
	const next = prepare(host, full);
	const answer = next.add();
	t.is(resultOf(t, answer).ips[0]?.address, '9.0.1.2/30');
	const note = `freed 9.0.1.2: its holder, container "${dead.containerId}" (interface "eth0"), is dead: its namespace "${dead.container.path}" is gone, and there is no interface "veth`;
	t.true(answer.stderr.includes(note), answer.stderr);
	// A DEL that comes after all takes nothing from the next one.
	silent(t, dead.del());
	silent(t, next.check());
});

test('another namespace has come to the path', (t) => {
	const host = createHost(t);
	const dead = attach(t, host, full);
	// Made while the first one is there: the kernel gives the numbers of those that are gone to others.
	const another = host.container();
	forget(dead);
	writeFileSync(dead.container.path, '');
	runOrThrow(['mount', '--bind', another.path, dead.container.path]);
	age(host, 2 * MINUTE);
	const answer = prepare(host, full).add();
	resultOf(t, answer);
	t.true(answer.stderr.includes(`its namespace "${dead.container.path}" is another one`), answer.stderr);
});

test('STATUS finds the address that a dead container has', (t) => {
	const host = createHost(t);
	forget(attach(t, host, full));
	const status = () => invoke(host, { command: 'STATUS', configuration: networkConfiguration(host, full) });
	refused(t, status(), 50, '9.0.1.0/30');
	age(host, 2 * MINUTE);
	silent(t, status());
	t.deepEqual(host.snapshot().leases, {});
});

for (const [title, milliseconds] of [
	['younger than a minute', 50_000],
	['of the future, since the clock was set back', -10 * MINUTE],
] as const) {
	test(`a lease ${title} is kept`, (t) => {
		const host = createHost(t);
		forget(attach(t, host, full));
		age(host, milliseconds);
		refused(t, prepare(host, full).add(), 101, 'all 1 are held');
	});
}

test('a container that lives keeps its address, also without its interface', (t) => {
	const host = createHost(t);
	const { container, port } = attach(t, host, full);
	age(host, 60 * MINUTE);
	refused(t, prepare(host, full).add(), 101, 'all 1 are held');
	container.must(['ip', 'link', 'delete', 'eth0']);
	t.is(port(), undefined);
	refused(t, prepare(host, full).add(), 101, 'all 1 are held');
});

test('a container whose namespace has lost its name, but not its life, keeps its address', async (t) => {
	const host = createHost(t);
	const { container, port } = attach(t, host, full);
	const end = new AbortController();
	const life = container.start(['sleep', '600'], { until: end.signal });
	eventually('a process in the namespace', () => runOrThrow(['ip', 'netns', 'pids', container.name]) !== '');
	runOrThrow(['ip', 'netns', 'del', container.name]);
	age(host, 60 * MINUTE);
	refused(t, prepare(host, full).add(), 101, 'all 1 are held');
	t.not(port(), undefined);
	end.abort();
	await life;
	eventually('the interface to go with its namespace', () => port() === undefined);
	resultOf(t, prepare(host, full).add());
});

testOn('reference-plugins', 'under the reference bridge the namespace alone decides', (t) => {
	const host = createHost(t);
	const keys = { ...full, type: 'bridge', bridge: host.bridge, isGateway: true };
	const call = { executable: join(toolDirectory, 'bridge'), path: dirname(executable) };
	const container = host.container();
	const { interfaces } = resultOf(t, prepare(host, keys, { container }).add(call));
	age(host, 60 * MINUTE);
	t.is(prepare(host, keys).add(call).json?.code, 101);
	forget({ container, port: () => host.link(interfaces[1]?.name ?? '') });
	resultOf(t, prepare(host, keys).add(call));
});
