// What is wrong is refused, with the code and the words for it, before anything is made.
import { openSync } from 'node:fs';
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { type Call, invoke } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import { networkConfiguration } from '../helpers/network-configuration.ts';

interface Wrong {
	readonly call: Call | ((host: Host) => Call);
	readonly code: number;
	readonly fragments?: readonly string[];
}

const GARBAGE = Buffer.alloc(10 * 1024 * 1024, '{"a":[');

const wrongCalls: Readonly<Record<string, Wrong>> = {
	'stdin is empty': { call: { configuration: '' }, code: 6, fragments: ['stdin'] },
	'stdin is /dev/null': {
		call: () => ({ configuration: openSync('/dev/null', 'r') }),
		code: 6,
		fragments: ['stdin'],
	},
	'stdin is closed': { call: { by: ['sh', '-c', 'exec "$@" <&-', 'sh'] }, code: 6, fragments: ['stdin'] },
	'stdin is a directory': { call: () => ({ configuration: openSync('/', 'r') }), code: 5, fragments: ['stdin'] },
	'stdin is 10 MB of garbage': { call: { configuration: GARBAGE }, code: 6 },
	'stdin is 10 MB of zeros': { call: { configuration: Buffer.alloc(10 * 1024 * 1024) }, code: 6 },
	'stdin is cut off': { call: { configuration: '{"cniVersion":"1.1.0","name":"a"' }, code: 6 },
	'stdin is an array': { call: { configuration: '[]' }, code: 6 },
	'stdin is null': { call: { configuration: 'null' }, code: 6 },
	'stdin is text that is no UTF-8': { call: { configuration: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) }, code: 6 },
	'the configuration is nested 100 000 deep': { call: { configuration: '['.repeat(100_000) }, code: 6 },
	'the command is unknown': { call: { command: 'ATTACH' }, code: 4, fragments: ['CNI_COMMAND', 'ATTACH'] },
	'variables are missing': {
		call: { containerId: undefined, netns: undefined, ifname: undefined },
		code: 4,
		fragments: ['CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME'],
	},
	'variables are empty': {
		call: { containerId: '', netns: '', ifname: '' },
		code: 4,
		fragments: ['CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME'],
	},
	'the container id has a slash': { call: { containerId: '../x' }, code: 4, fragments: ['CNI_CONTAINERID', '../x'] },
	'the container id begins with a dot': {
		call: { containerId: '.x' },
		code: 4,
		fragments: ['CNI_CONTAINERID', '.x'],
	},
	'the container id has a new line': { call: { containerId: 'a\nb' }, code: 4, fragments: ['CNI_CONTAINERID'] },
	'the interface name is too long': {
		call: { ifname: 'sixteen-letters-' },
		code: 4,
		fragments: ['CNI_IFNAME', '"sixteen-letters-"', '15'],
	},
	'the interface name is a dot': { call: { ifname: '.' }, code: 4, fragments: ['CNI_IFNAME', '"."'] },
	'the interface name is two dots': { call: { ifname: '..' }, code: 4, fragments: ['CNI_IFNAME', '".."'] },
	'the interface name has a slash': { call: { ifname: 'a/b' }, code: 4, fragments: ['CNI_IFNAME', '"a/b"'] },
	'the interface name has a colon': { call: { ifname: 'eth0:1' }, code: 4, fragments: ['CNI_IFNAME', '"eth0:1"'] },
	'the interface name has a space': { call: { ifname: 'eth 0' }, code: 4, fragments: ['CNI_IFNAME', '"eth 0"'] },
	'the interface name has a wide space': { call: { ifname: 'eth\u30000' }, code: 4, fragments: ['CNI_IFNAME'] },
	'CNI_ARGS has a key without a value': { call: { cniArguments: 'IP' }, code: 4, fragments: ['CNI_ARGS', '"IP"'] },
	'CNI_ARGS has two equal signs': { call: { cniArguments: 'IP=1=2' }, code: 4, fragments: ['CNI_ARGS', '"IP=1=2"'] },
	'CNI_ARGS ends with a semicolon': { call: { cniArguments: 'IP=9.0.1.9;' }, code: 4, fragments: ['CNI_ARGS'] },
	'CNI_ARGS has an unknown key': {
		call: { cniArguments: 'FOO=1' },
		code: 4,
		fragments: ['CNI_ARGS', '"FOO=1"', 'IgnoreUnknown'],
	},
	'CNI_ARGS has a MAC that is none': { call: { cniArguments: 'MAC=x' }, code: 4, fragments: ['MAC', '"x"'] },
	'CNI_ARGS has an address that is none': {
		call: { cniArguments: 'IP=300.0.0.1' },
		code: 4,
		fragments: ['IP', '300.0.0.1'],
	},
};

for (const [title, { call, code, fragments = [] }] of Object.entries(wrongCalls)) {
	test(title, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		refused(t, prepare(host).add(typeof call === 'function' ? call(host) : call), code, ...fragments);
		t.deepEqual(host.snapshot(), before);
	});
}

test('CNI_ARGS with unknown keys that may be ignored', (t) => {
	const call = { cniArguments: 'IgnoreUnknown=1;K8S_POD_NAME=a;IP=9.0.1.9' };
	t.is(attach(t, createHost(t), {}, { call }).result.ips[0]?.address, '9.0.1.9/27');
});

const wrongConfigurations: Readonly<
	Record<string, readonly [keys: Readonly<Record<string, unknown>>, code: number, ...fragments: string[]]>
> = {
	'an unknown version': [{ cniVersion: '0.5.0' }, 1, '"0.5.0"', '1.1.0'],
	'a version that is no text': [{ cniVersion: 1 }, 6, 'cniVersion'],
	'no name': [{ name: undefined }, 7, 'name'],
	'an empty name': [{ name: '' }, 7, 'name'],
	'a bad name': [{ name: '../etc' }, 7, 'name', '../etc'],
	'a name that is too long for a bridge': [{ name: 'fourteen-bytes' }, 7, 'fourteen-bytes', 'bridge'],
	'a name that is no text': [{ name: 7 }, 7, 'name'],
	'a bridge name that is too long': [{ bridge: 'sixteen-letters-' }, 7, 'bridge', '"sixteen-letters-"'],
	'a bridge name with a slash': [{ bridge: 'a/b' }, 7, 'bridge', '"a/b"'],
	'a bridge that is no text': [{ bridge: 5 }, 7, 'bridge'],
	'an MTU that is too small': [{ mtu: 67 }, 7, 'mtu', '68', '67'],
	'an MTU that is too large': [{ mtu: 65_536 }, 7, 'mtu', '65535', '65536'],
	'a negative MTU': [{ mtu: -1 }, 7, 'mtu', '-1'],
	'an MTU with a fraction': [{ mtu: 1400.5 }, 7, 'mtu', '1400.5'],
	'an MTU that is text': [{ mtu: '1400' }, 7, 'mtu', '"1400"'],
	'isGateway that is text': [{ isGateway: 'yes' }, 7, 'isGateway', '"yes"'],
	'ipam that is text': [{ ipam: { type: 'a/b' } }, 7, 'ipam.type', '"a/b"'],
	'dns that is no object': [{ dns: [] }, 7, 'dns'],
	'dns with a wrong server list': [{ dns: { nameservers: '9.0.1.1' } }, 7, 'dns.nameservers'],
	'a subnet that is no CIDR': [{ ipam: { agentSubnet: '9.0.1.0' } }, 7, 'ipam.agentSubnet', '"9.0.1.0"'],
	'a subnet with host bits': [
		{ ipam: { agentSubnet: '9.0.1.1/26' } },
		7,
		'ipam.agentSubnet',
		'9.0.1.1/26',
		'9.0.1.0/26',
	],
	'a subnet of another prefix': [{ ipam: { agentSubnet: '9.0.1.0/27' } }, 7, 'ipam.agentSubnet', '27', '26'],
	'a subnet outside the overlay': [{ ipam: { agentSubnet: '10.0.1.0/26' } }, 7, 'ipam.agentSubnet', '9.0.0.0/8'],
	'a subnet that is too small': [{ ipam: { prefix: 31, agentSubnet: '9.0.1.0/31' } }, 7, '31'],
	'a half that is too small': [{ ipam: { prefix: 30, agentSubnet: '9.0.1.0/30' } }, 7, '30'],
	'a prefix that is too large': [{ ipam: { prefix: 33 } }, 7, 'ipam.prefix', '33'],
	'a half that there is not': [{ ipam: { half: 'left' } }, 7, 'ipam.half', '"left"', 'mesos'],
	'an overlay that is no CIDR': [{ ipam: { overlay: 'nine' } }, 7, 'ipam.overlay', '"nine"'],
	'an IPv6 subnet as agentSubnet': [{ ipam: { agentSubnet: 'fd00::/64' } }, 7, 'ipam.agentSubnet'],
	'an octet with a leading zero': [{ ipam: { agentSubnet: '9.00.1.0/26' } }, 7, 'ipam.agentSubnet'],
	'routes that are no list': [{ ipam: { routes: '0.0.0.0/0' } }, 7, 'ipam.routes'],
	'a route that goes nowhere': [{ ipam: { routes: [{ gw: '9.0.1.1' }] } }, 7, 'ipam.routes', 'dst'],
	'a route with a wrong gateway': [{ ipam: { routes: [{ dst: '0.0.0.0/0', gw: 'x' }] } }, 7, 'ipam.routes', '"x"'],
};

for (const [title, [keys, code, ...fragments]] of Object.entries(wrongConfigurations)) {
	test(`${title}: ${JSON.stringify(keys)}`, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		refused(t, prepare(host, keys).add(), code, ...fragments);
		t.deepEqual(host.snapshot(), before);
	});
}

test('an MTU that IPv6 does not work with', (t) => {
	const host = createHost(t);
	refused(t, prepare(host, { mtu: 1279 }, { family: 'dual stack' }).add(), 7, 'mtu', '1280');
	t.is(host.links().length, 1);
});

test('what other implementations let pass: keys in another case, null, empty text, unknown keys, a later duplicate', (t) => {
	const host = createHost(t);
	const text = JSON.stringify(networkConfiguration(host))
		.replace(
			'"type"',
			'"unknown":{"a":[1]},"MTU":1300,"Bridge":"","dns":null,"ISGateway":null,"runtimeConfig":null,"type"',
		)
		.replace('"agentSubnet"', '"half":"docker","half":"mesos","agentSUBNET"');
	const { add } = prepare(host);
	const { json, status } = add({ configuration: text });
	t.is(status, 0, JSON.stringify(json));
	t.deepEqual(
		json?.interfaces.map(({ mtu }) => mtu),
		[1300, 1300, 1300],
	);
	t.is(json?.ips[0]?.address, '9.0.1.2/27');
	t.is(json?.interfaces[0]?.name, host.bridge);
});

for (const command of ['ADD', 'CHECK', 'GC', 'STATUS'] as const) {
	test(`${command} without a configuration fails; VERSION does not need one`, (t) => {
		const host = createHost(t);
		const { call } = prepare(host);
		refused(t, invoke(host, call(command, { configuration: '' })), 6);
		t.is(invoke(host, call('VERSION', { configuration: GARBAGE })).status, 0);
	});
}

test('a container id may be as long as deeply nested Mesos containers make it', (t) => {
	const host = createHost(t);
	const first = attach(t, host);
	const before = host.snapshot();
	const parent = Array.from({ length: 12 }, () => 'b7e0a9e3-7a3c-4d58-9d5f-0a9a8f1d2c3b').join('.');
	const [one, other] = ['x', 'y'].map((child) => attach(t, host, {}, { containerId: `${parent}.${child}` }));
	t.not(one?.result.ips[0]?.address, other?.result.ips[0]?.address);
	t.not(one?.result.interfaces[1]?.name, other?.result.interfaces[1]?.name);
	for (const attached of [one, other]) {
		silent(t, attached!.check());
		silent(t, attached!.del());
	}
	t.deepEqual(host.snapshot(), before);
	silent(t, first.check());
});

test('an interface name that the kernel would fill in is refused, and nothing is left', (t) => {
	const host = createHost(t);
	const container = host.container();
	const before = host.snapshot();
	const { add } = prepare(host, {}, { container, ifname: 'eth%d' });
	refused(t, add(), 4, 'CNI_IFNAME', '"eth%d"');
	t.deepEqual(host.snapshot(), before);
	t.is(container.links().length, 1);
});

test('CNI_PATH is not needed, as nothing else is run', (t) => {
	t.is(attach(t, createHost(t), {}, { call: { path: undefined } }).result.ips.length, 1);
});

test('CNI_NETNS_OVERRIDE lets a container be in the namespace of the host', (t) => {
	const host = createHost(t);
	const { add, del } = prepare(host, {}, { container: host });
	t.is(add({ environment: { CNI_NETNS_OVERRIDE: 'TRUE' } }).status, 0);
	t.is(del({ environment: { CNI_NETNS_OVERRIDE: '1' } }).status, 0);
	t.is(host.links().length, 2);
});
