// Ranges of our address manager under the reference plugins bridge and ptp, driven by cnitool.
import { writeFileSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import type { Result } from '../helpers/cni.ts';
import { type Cnitool, createCnitool } from '../helpers/cnitool.ts';
import { eventually } from '../helpers/command.ts';
import { createHost, type Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const plugins = {
	bridge: { type: 'bridge', isGateway: true },
	ptp: { type: 'ptp' },
} as const;

function networkOf(host: Host, plugin: keyof typeof plugins, ipam: object) {
	return {
		cniVersion: '1.1.0',
		name: host.network,
		...plugins[plugin],
		...(plugin === 'bridge' && { bridge: host.bridge }),
		capabilities: { ips: true, ipRanges: true },
		ipam: { type: 'mesos-overlay-ipam', dataDir: host.dataDir, ...ipam },
	};
}

/** Adds a container and gives the result; the main plugin's interfaces are its own affair. */
function added(t: ExecutionContext, cnitool: Cnitool, container: Namespace, variables = {}): Result {
	const { status, stdout, stderr } = cnitool('add', container, variables);
	t.is(status, 0, stdout + stderr);
	return JSON.parse(stdout) as Result;
}

function failed(
	t: ExecutionContext,
	cnitool: Cnitool,
	verb: 'add' | 'status',
	container: Namespace,
	variables: Record<string, string>,
	message: string,
) {
	const { status, stdout, stderr } = cnitool(verb, container, variables);
	t.not(status, 0);
	t.true((stdout + stderr).includes(message), `"${message}" is not in: ${stdout}${stderr}`);
}

const addressesOf = ({ ips }: Result): string[] => ips.map(({ address }) => address);

/** The reference plugins do not wait for duplicate address detection of the gateways. */
function reaches(t: ExecutionContext, from: Namespace, addresses: readonly string[]): void {
	for (const address of addresses)
		t.notThrows(() => eventually(`an answer of ${address}`, () => ping(from, address)));
}

// The reference bridge has one IPv4 gateway; of ptp each container has its own.
const rangesUnder = {
	bridge: [
		{ subnet: '10.1.2.0/24', rangeEnd: '10.1.2.1', rangeStart: '10.1.2.1', gateway: '10.1.2.254' },
		{ subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', gateway: '10.1.2.254' },
	],
	ptp: [{ subnet: '10.1.1.0/30' }, { subnet: '10.1.2.0/24', rangeStart: '10.1.2.9', gateway: '10.1.2.254' }],
} as const;

for (const plugin of ['bridge', 'ptp'] as const) {
	testOn(
		['cnitool', 'reference-plugins', 'ipv6'],
		`packets flow between containers of both families, and of two ranges: ${plugin}`,
		(t) => {
			const host = createHost(t);
			const ipam = {
				ranges: [rangesUnder[plugin], [{ subnet: 'fd01::/64', rangeStart: 'fd01::10' }]],
				routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
			};
			const cnitool = createCnitool(host, networkOf(host, plugin, ipam));
			const containers = [host.container(), host.container(), host.container()] as const;
			const results = containers.map((container) => added(t, cnitool, container));
			const [first, gateway] = plugin === 'bridge' ? ['10.1.2.1/24', '10.1.2.254'] : ['10.1.1.2/30', '10.1.1.1'];
			t.deepEqual(
				results.map(({ ips }) => ips.map((ip) => [ip.address, ip.gateway])),
				[
					[
						[first, gateway],
						['fd01::10/64', 'fd01::1'],
					],
					[
						['10.1.2.9/24', '10.1.2.254'],
						['fd01::11/64', 'fd01::1'],
					],
					[
						['10.1.2.10/24', '10.1.2.254'],
						['fd01::12/64', 'fd01::1'],
					],
				],
			);
			const [one, two, three] = containers;
			reaches(t, one, ['10.1.2.10', gateway, 'fd01::12', 'fd01::1']);
			reaches(t, two, ['10.1.2.10', '10.1.2.254', 'fd01::12']);
			reaches(t, three, [first.split('/')[0] ?? '', 'fd01::10']);
			for (const container of containers) {
				t.is(cnitool('check', container).status, 0);
				t.is(cnitool('del', container).status, 0);
			}
			t.deepEqual(host.snapshot().leases, {});
		},
	);

	testOn(
		['cnitool', 'reference-plugins', 'ipv6'],
		`addresses that are asked for, and ranges of the runtime: ${plugin}`,
		(t) => {
			const host = createHost(t);
			const ranges = [[{ subnet: '10.1.2.0/24' }], [{ subnet: 'fd01::/64' }]];
			const cnitool = createCnitool(host, networkOf(host, plugin, { ranges, reserved: ['10.1.2.64/26'] }));
			const ips = ['fd01::99', '10.1.2.9/24'];
			t.deepEqual(addressesOf(added(t, cnitool, host.container(), { CAP_ARGS: JSON.stringify({ ips }) })), [
				'10.1.2.9/24',
				'fd01::99/64',
			]);
			const result = added(t, cnitool, host.container(), { CNI_ARGS: 'IgnoreUnknown=1;IP=10.1.2.10' });
			t.deepEqual(addressesOf(result), ['10.1.2.10/24', 'fd01::2/64']);
			const ipRanges = [[{ subnet: 'fd08::/64', rangeStart: 'fd08::7' }]];
			t.deepEqual(addressesOf(added(t, cnitool, host.container(), { CAP_ARGS: JSON.stringify({ ipRanges }) })), [
				'fd08::7/64',
				'10.1.2.2/24',
				'fd01::3/64',
			]);
			for (const [address, why] of [
				['10.1.2.9', 'it is held already'],
				['10.1.2.1', 'it is the gateway'],
				['10.1.2.70', 'it is reserved'],
				['10.1.2.255', 'it is the broadcast address'],
				['10.1.3.1', 'it is not in "10.1.2.0/24"'],
			] as const) {
				const message = `leasing "${address}"`;
				const variables = { CNI_ARGS: `IgnoreUnknown=1;IP=${address}` };
				failed(t, cnitool, 'add', host.container(), variables, message);
				failed(t, cnitool, 'add', host.container(), variables, why);
			}
		},
	);

	testOn(['cnitool', 'reference-plugins'], `the resolver, and a set of ranges that is full: ${plugin}`, (t) => {
		const host = createHost(t);
		const resolvConf = `${host.directory}/resolv.conf`;
		writeFileSync(resolvConf, '# a comment\nnameserver 192.0.2.53\nsearch a.example b.example\noptions ndots:2\n');
		const range = { subnet: '10.1.2.0/24', rangeStart: '10.1.2.5', rangeEnd: '10.1.2.8', gateway: '10.1.2.6' };
		const cnitool = createCnitool(
			host,
			networkOf(host, plugin, { ranges: [[range]], reserved: ['10.1.2.8'], resolvConf }),
		);
		const container = host.container();
		t.deepEqual(added(t, cnitool, container).dns, {
			nameservers: ['192.0.2.53'],
			search: ['a.example', 'b.example'],
			options: ['ndots:2'],
		});
		added(t, cnitool, host.container());
		const { leases } = host.snapshot();
		const full = `leasing an address of "10.1.2.5-10.1.2.8" in network "${host.network}": all 2 are held`;
		failed(t, cnitool, 'add', host.container(), {}, full);
		t.deepEqual(host.snapshot().leases, leases);
		t.is(cnitool('del', container).status, 0);
		t.deepEqual(addressesOf(added(t, cnitool, host.container())), ['10.1.2.5/24']);
	});
}

testOn(['cnitool', 'reference-plugins'], 'STATUS of the reference bridge says that no address is left', (t) => {
	const host = createHost(t);
	const cnitool = createCnitool(host, networkOf(host, 'bridge', { subnet: '10.1.2.0/30' }));
	t.is(cnitool('status', host).status, 0);
	added(t, cnitool, host.container());
	failed(t, cnitool, 'status', host, {}, 'leasing an address of "10.1.2.0/30"');
});
