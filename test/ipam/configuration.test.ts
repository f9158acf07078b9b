import { writeFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { readIpamConfiguration } from '../../src/ipam/configuration.ts';
import { formatInRange } from '../../src/ipam/range.ts';
import { configurationOf, minimal } from '../cni/requests.ts';
import { temporaryDirectory } from './stores.ts';

const everything = { dst: '0.0.0.0/0' };
const everything6 = { dst: '::/0' };

function read(ipam: Record<string, unknown>, rest: Record<string, unknown> = {}) {
	const configuration = readIpamConfiguration(configurationOf({ ...minimal, ipam, ...rest }));
	return {
		...configuration,
		gateways: configuration.sets.flatMap((set) => set.ranges.map((range) => formatInRange(range, range.gateway))),
	};
}

function refused(t: ExecutionContext, act: () => unknown, code: number, message: string): void {
	const error = t.throws(act, { instanceOf: CniError });
	t.is(error?.message, message);
	t.is(error?.code, code);
}

const understood: Readonly<
	Record<string, readonly [ipam: Record<string, unknown>, gateways: string[], routes: unknown[]]>
> = {
	'the Mesos half is the default': [{ agentSubnet: '9.0.1.0/26' }, ['9.0.1.1/27'], [everything]],
	'the Docker half': [{ agentSubnet: '9.0.1.0/26', half: 'docker' }, ['9.0.1.33/27'], [everything]],
	'keys in another case, null and ""': [
		{ AGENTSUBNET: '9.0.1.0/26', half: null, overlay: '', agentSubnet6: '', routes: null, ranges: null },
		['9.0.1.1/27'],
		[everything],
	],
	'another overlay and prefix': [
		{ agentSubnet: '44.128.3.0/24', overlay: '44.128.0.0/16', prefix: 24 },
		['44.128.3.1/25'],
		[everything],
	],
	'both families': [
		{ agentSubnet: '9.0.1.0/26', agentSubnet6: 'fd00:1::/64' },
		['9.0.1.1/27', 'fd00:1::1/65'],
		[everything, everything6],
	],
	'IPv6 alone': [
		{ agentSubnet6: 'fd00:1::/80', overlay6: 'fd00::/8', prefix6: 80, half: 'all' },
		['fd00:1::1/80'],
		[everything6],
	],
	'no routes': [{ agentSubnet: '9.0.1.0/26', routes: [] }, ['9.0.1.1/27'], []],
	'routes of its own': [
		{
			agentSubnet: '9.0.1.0/26',
			routes: [
				{ dst: '9.0.0.0/8', gw: '', mtu: 1400 },
				{ dst: '1.2.3.4/32', gw: '9.0.1.9', table: 7 },
			],
		},
		['9.0.1.1/27'],
		[
			{ dst: '9.0.0.0/8', mtu: 1400 },
			{ dst: '1.2.3.4/32', gw: '9.0.1.9', table: 7 },
		],
	],
};

for (const [title, [ipam, gateways, routes]] of Object.entries(understood)) {
	test(`understood: ${title}`, (t) => {
		const configuration = read(ipam);
		t.deepEqual(configuration.gateways, gateways);
		t.deepEqual(configuration.routes as unknown[], routes);
		t.is(configuration.dataDirectory, '/run/mesos-overlay/leases');
	});
}

const subnet = { agentSubnet: '9.0.1.0/26' };

const mistakes: readonly (readonly [ipam: Record<string, unknown>, message: string])[] = [
	[{ agentSubnet: 9 }, 'reading ipam.agentSubnet: expected a string, got 9'],
	[{ agentSubnet: '9.0.1.5/26' }, 'reading ipam.agentSubnet: "9.0.1.5/26" is not aligned, write "9.0.1.0/26"'],
	[
		{ ...subnet, prefix: 25 },
		'reading ipam.agentSubnet: "9.0.1.0/26" has not the prefix length 25, set ipam.prefix to 26',
	],
	[{ ...subnet, prefix: 33 }, 'reading ipam.prefix: expected a whole number from 0 to 32, got 33'],
	[
		{ ...subnet, overlay: '10.0.0.0/8' },
		'reading ipam.agentSubnet: "9.0.1.0/26" is not inside the overlay "10.0.0.0/8", take a part of it or set ipam.overlay',
	],
	[{ ...subnet, overlay: '9.0.0.1/8' }, 'reading ipam.overlay: "9.0.0.1/8" is not aligned, write "9.0.0.0/8"'],
	[
		{ agentSubnet6: 'fd00::/64', overlay6: 'fd01::/16' },
		'reading ipam.agentSubnet6: "fd00::/64" is not inside the overlay "fd01::/16", take a part of it or set ipam.overlay6',
	],
	[
		{ agentSubnet6: 'fd00::/64', prefix6: 129 },
		'reading ipam.prefix6: expected a whole number from 0 to 128, got 129',
	],
	[
		{ agentSubnet6: 'fd00::/64', prefix6: 65 },
		'reading ipam.agentSubnet6: "fd00::/64" has not the prefix length 65, set ipam.prefix6 to 64',
	],
	[{ ...subnet, half: 'left' }, 'reading ipam.half: expected one of "mesos", "docker", "all", got "left"'],
	[{ ...subnet, dataDir: 'leases' }, 'reading ipam.dataDir: expected an absolute path, got "leases"'],
	[{ agentFile: 'agent.json' }, 'reading ipam.agentFile: expected an absolute path, got "agent.json"'],
	[
		{ ...subnet, routes: [{ dst: '9.0.0.0/8' }, { dst: '9.0.0.1/8' }] },
		'reading ipam.routes[1].dst: "9.0.0.1/8" is not aligned, write "9.0.0.0/8"',
	],
	[
		{ ...subnet, routes: [{ dst: '::/0', gw: '9.0.1.1' }] },
		'reading ipam.routes[0].gw: "9.0.1.1" is no IPv6 address, as "::/0" needs',
	],
];

for (const [ipam, message] of mistakes) {
	test(`a mistake: ${message}`, (t) => {
		refused(t, () => read(ipam), 7, message);
	});
}

const routes = [{ dst: 'fd00:1::1/64' }, { dst: '0.0.0.0/0', gw: '10.1.2.9', mtu: 1400 }];

test('with ranges, routes are left as they are, and none is added', (t) => {
	t.deepEqual(read({ subnet: '10.1.2.0/24' }).routes, []);
	t.deepEqual(read({ ranges: [[{ subnet: '10.1.2.0/24' }]], routes }).routes, routes);
	t.deepEqual(read({}, { runtimeConfig: { ipRanges: [[{ subnet: '10.1.2.0/24' }]] } }).routes, []);
	t.deepEqual(read({ ...subnet, ranges: null, rangeStart: '' }).routes, [everything]);
});

test('the resolver of the containers is in a file', (t) => {
	t.is(read({ ...subnet, resolvConf: '/etc/resolv.conf' }).resolvConf, '/etc/resolv.conf');
	const message = 'reading ipam.resolvConf: expected an absolute path, got "resolv.conf"';
	refused(t, () => read({ ...subnet, resolvConf: 'resolv.conf' }), 7, message);
});

test('without an agent subnet the agent file says it, and ipam.prefix and ipam.overlay do not matter', (t) => {
	const agentFile = `${temporaryDirectory(t)}/agent.json`;
	writeFileSync(
		agentFile,
		'{"networks":{"dcos":{"subnet":"44.128.3.0/24","subnet6":"fd00::/64","overlay":"44.128.0.0/16","mtu":1370}}}',
	);
	t.deepEqual(read({ agentFile }).gateways, ['44.128.3.1/25', 'fd00::1/65']);
	t.deepEqual(read({ agentFile, agentSubnet6: 'fd00:9::/64' }).gateways, ['fd00:9::1/65']);
});

for (const [title, content, why] of [
	['is missing', undefined, 'there is no such file'],
	['has no networks', '{}', 'it names no subnet of this network'],
	['has another network', '{"networks":{"DCOS":{"subnet":"9.0.1.0/26"}}}', 'it names no subnet of this network'],
	[
		'gives the network no subnet yet',
		'{"networks":{"dcos":{"subnet":null,"mtu":1420}}}',
		'it names no subnet of this network',
	],
] as const) {
	test(`an agent file that ${title}: try again later`, (t) => {
		const agentFile = `${temporaryDirectory(t)}/agent.json`;
		if (content !== undefined) writeFileSync(agentFile, content);
		const message = `reading the agent subnet of network "dcos" from "${agentFile}": ${why}, start the agent daemon or set ipam.agentSubnet`;
		refused(t, () => read({ agentFile }), 11, message);
	});
}

test('an agent subnet whose half is too small is refused with the name of the agent file', (t) => {
	const agentFile = `${temporaryDirectory(t)}/agent.json`;
	writeFileSync(agentFile, '{"networks":{"dcos":{"subnet":"9.0.1.0/30"}}}');
	const error = t.throws(() => read({ agentFile }), { instanceOf: CniError });
	t.true(
		error?.message.startsWith(`reading ${agentFile} networks.dcos.subnet: "9.0.1.0/30" is too small`),
		error?.message,
	);
});
