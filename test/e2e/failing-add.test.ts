// An ADD that fails, at whichever step, leaves nothing.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { refused } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import type { Call } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { roomForOne } from '../helpers/network-configuration.ts';

interface Failure {
	readonly code: number;
	readonly keys?: (host: Host) => Record<string, unknown>;
	readonly call?: (host: Host) => Call;
	readonly before?: (host: Host, container: Namespace) => void;
	readonly fragments?: readonly string[];
}

/** Puts a program into a directory of plugins. */
function installPlugin(host: Host, name: string, script: string): string {
	const directory = join(host.directory, 'plugins');
	mkdirSync(directory, { recursive: true });
	writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`);
	chmodSync(join(directory, name), 0o755);
	return directory;
}

const withPlugin = (script: string): Pick<Failure, 'keys' | 'call'> => ({
	keys: () => ({ ipam: { type: 'scripted' } }),
	call: (host) => ({ path: installPlugin(host, 'scripted', script) }),
});

const failures: Readonly<Record<string, Failure>> = {
	'the interface exists': {
		code: 103,
		before: (_, container) => void container.must(['ip', 'link', 'add', 'eth0', 'type', 'bridge']),
		fragments: ['"eth0"'],
	},
	'the bridge name is taken': {
		code: 7,
		before: (host) => void host.must(['ip', 'link', 'add', host.bridge, 'type', 'ifb']),
		fragments: ['ifb'],
	},
	'the namespace is a file': { code: 8, call: () => ({ netns: '/etc/hostname' }), fragments: ['"/etc/hostname"'] },
	'the namespace is missing': {
		code: 8,
		call: () => ({ netns: '/run/netns/no-such' }),
		fragments: ['/run/netns/no-such'],
	},
	'the namespace is another kind of namespace': { code: 8, call: () => ({ netns: '/proc/self/ns/mnt' }) },
	'the namespace is the host': { code: 8, call: (host) => ({ netns: host.path }) },
	'the lease store is a file': {
		code: 107,
		before: (host) => writeFileSync(host.dataDir, ''),
	},
	'an address outside the half is asked for': {
		code: 7,
		call: () => ({ cniArguments: 'IP=9.0.1.40' }),
		fragments: ['9.0.1.40'],
	},
	'the gateway is asked for': { code: 102, call: () => ({ cniArguments: 'IP=9.0.1.1' }), fragments: ['9.0.1.1'] },
	'a route goes through an unreachable gateway': {
		code: 100,
		keys: () => ({ ipam: { routes: [{ dst: '192.0.2.0/24', gw: '203.0.113.1' }] } }),
		fragments: ['192.0.2.0/24', '203.0.113.1'],
	},
	'the route is there twice': {
		code: 100,
		keys: () => ({ ipam: { routes: [{ dst: '192.0.2.0/24' }, { dst: '192.0.2.0/24' }] } }),
		fragments: ['192.0.2.0/24'],
	},
	'the delegate is missing': {
		code: 106,
		keys: () => ({ ipam: { type: 'no-such-plugin' } }),
		fragments: ['"no-such-plugin"'],
	},
	'the delegate fails': {
		code: 42,
		...withPlugin(`[ "$CNI_COMMAND" = ADD ] && echo '{"code":42,"msg":"no luck"}' && exit 1; exit 0`),
		fragments: ['no luck'],
	},
	'the delegate says nothing': { code: 106, ...withPlugin('exit 3'), fragments: ['scripted'] },
	'the delegate prints no JSON': { code: 106, ...withPlugin('echo hello'), fragments: ['scripted'] },
	'the delegate gives no address': {
		code: 106,
		...withPlugin(`echo '{"cniVersion":"1.1.0","routes":[]}'`),
		fragments: ['scripted'],
	},
	'the delegate gives an address that the kernel refuses': {
		code: 100,
		...withPlugin(`echo '{"cniVersion":"1.1.0","ips":[{"address":"ff02::5/64"}]}'`),
	},
};

for (const [title, { code, keys, call, before, fragments = [] }] of Object.entries(failures)) {
	for (const bridge of ['new', 'existing'] as const) {
		if (bridge === 'existing' && ['the bridge name is taken', 'the lease store is a file'].includes(title))
			continue;
		test(`${title}, on a bridge that is ${bridge}`, (t) => {
			const host = createHost(t);
			const container = host.container();
			if (bridge === 'existing') attach(t, host);
			before?.(host, container);
			const clean = { host: host.snapshot(), inside: container.links().map(({ ifname }) => ifname) };
			const { add } = prepare(host, keys?.(host), { container });
			refused(t, add(call?.(host)), code, ...fragments);
			t.deepEqual({ host: host.snapshot(), inside: container.links().map(({ ifname }) => ifname) }, clean);
		});
	}
}

test('the half is full', (t) => {
	const host = createHost(t);
	attach(t, host, { ipam: roomForOne });
	const clean = host.snapshot();
	refused(t, prepare(host, { ipam: roomForOne }).add(), 101, '9.0.1.0/30');
	t.deepEqual(host.snapshot(), clean);
});

test('the same attachment a second time: refused, and the first one stays whole', (t) => {
	const host = createHost(t);
	const { container, containerId, check, add } = attach(t, host);
	const clean = host.snapshot();
	refused(t, add(), 103, 'eth0');
	const elsewhere = prepare(host, {}, { containerId });
	refused(t, elsewhere.add(), 104, containerId);
	t.deepEqual(host.snapshot(), clean);
	t.is(check().status, 0);
	t.truthy(container.link('eth0'));
});

test('a delegate that fails is asked to release what it may have taken', (t) => {
	const host = createHost(t);
	const log = join(host.directory, 'calls');
	const { keys, call } = withPlugin(`echo $CNI_COMMAND >> ${log}; echo '{"code":42,"msg":"no"}'; exit 1`);
	refused(t, prepare(host, keys?.(host)).add(call?.(host)), 42);
	t.is(host.must(['cat', log]), 'ADD\nDEL\n');
});

test('a delegate that never answers is given up at the deadline', (t) => {
	const host = createHost(t);
	const { keys, call } = withPlugin('[ "$CNI_COMMAND" = ADD ] && exec sleep 60; exit 0');
	const clean = host.snapshot();
	const began = performance.now();
	refused(t, prepare(host, { ...keys?.(host), timeout: 1 }).add(call?.(host)), 11, 'scripted', 'timeout');
	t.true(performance.now() - began < 5000);
	t.deepEqual(host.snapshot(), clean);
});

for (const [title, script] of [
	['is full', '"$@" >/dev/full; echo $? >&2'],
	['is a pipe that nobody reads', '{ sleep 0.1; "$@"; echo $? >&2; } | true'],
] as const) {
	test(`stdout ${title}: the container is detached again, as nobody knows of it`, (t) => {
		const host = createHost(t);
		attach(t, host);
		const clean = host.snapshot();
		const { stderr } = prepare(host).add({ by: ['sh', '-c', script, 'sh'] });
		t.regex(stderr, /^mesos-overlay: writing the answer to stdout: writing descriptor 1: E\w+\n1\n$/);
		t.deepEqual(host.snapshot(), clean);
	});
}
