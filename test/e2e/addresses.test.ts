// What the keys of ipam give a container, and what dns says.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { invoke } from '../helpers/cni.ts';
import { createHost } from '../helpers/host.ts';
import { networkConfiguration } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

for (const [half, address, gateway] of [
	['mesos', '44.128.0.2/25', '44.128.0.1'],
	['docker', '44.128.0.130/25', '44.128.0.129'],
	['all', '44.128.0.2/24', '44.128.0.1'],
] as const) {
	test(`the ${half} half of 44.128.0.0/24`, (t) => {
		const ipam = { overlay: '44.128.0.0/16', prefix: 24, agentSubnet: '44.128.0.0/24', half };
		const { result, container } = attach(t, createHost(t), { ipam });
		t.deepEqual(result.ips, [{ address, gateway, interface: 2 }]);
		t.deepEqual(container.addresses('eth0'), [address]);
		t.true(ping(container, gateway));
	});
}

test('addresses of one network are all different', (t) => {
	const host = createHost(t);
	const addresses = [1, 2, 3].map(() => attach(t, host).result.ips[0]?.address);
	t.is(new Set(addresses).size, 3);
});

test('routes of ipam replace the default one, with the gateway or their own', (t) => {
	const routes = [
		{ dst: '9.0.0.0/8' },
		{ dst: '192.0.2.0/24', gw: '9.0.1.5' },
		{ dst: '198.51.100.0/24', priority: 7, mtu: 1300 },
	];
	const { container, result, check } = attach(t, createHost(t), { ipam: { routes } });
	const found = container.routes(4).filter(({ protocol }) => protocol !== 'kernel');
	t.deepEqual(
		found.map(({ dst, gateway, metric }) => ({ dst, gateway, metric })),
		[
			{ dst: '9.0.0.0/8', gateway: '9.0.1.1', metric: undefined },
			{ dst: '192.0.2.0/24', gateway: '9.0.1.5', metric: undefined },
			{ dst: '198.51.100.0/24', gateway: '9.0.1.1', metric: 7 },
		],
	);
	t.is(found[2]?.metrics?.[0]?.['mtu'], 1300);
	t.deepEqual(result.routes as unknown, [
		{ dst: '9.0.0.0/8', gw: '9.0.1.1' },
		{ dst: '192.0.2.0/24', gw: '9.0.1.5' },
		{ dst: '198.51.100.0/24', gw: '9.0.1.1', priority: 7, mtu: 1300 },
	]);
	silent(t, check());
});

for (const [way, keys, cniArguments] of [
	['CNI_ARGS', {}, 'IP=9.0.1.9'],
	['args.cni.ips', { args: { cni: { ips: ['9.0.1.9'] } } }, undefined],
	['runtimeConfig.ips', { runtimeConfig: { ips: ['9.0.1.9/27'] } }, undefined],
	['args.cni.ips rather than CNI_ARGS', { args: { cni: { ips: ['9.0.1.9'] } } }, 'IP=9.0.1.10'],
	[
		'Mesos',
		{
			args: {
				'org.apache.mesos': { network_info: { ip_addresses: [{ protocol: 'IPv4', ip_address: '9.0.1.9' }] } },
			},
		},
		undefined,
	],
] as const) {
	test(`an address is asked for by ${way}`, (t) => {
		const call = cniArguments === undefined ? {} : { cniArguments };
		const { container } = attach(t, createHost(t), keys, { call });
		t.deepEqual(container.addresses('eth0'), ['9.0.1.9/27']);
	});
}

test('an address that another container has is refused, and nothing is left', (t) => {
	const host = createHost(t);
	attach(t, host, {}, { call: { cniArguments: 'IP=9.0.1.9' } });
	const before = host.snapshot();
	refused(t, prepare(host).add({ cniArguments: 'IP=9.0.1.9' }), 102, '"9.0.1.9"');
	t.deepEqual(host.snapshot(), before);
});

test('dns of the configuration is in the result', (t) => {
	const dns = { nameservers: ['9.0.1.1'], domain: 'mesos', search: ['a.mesos', 'mesos'], options: ['ndots:2'] };
	for (const cniVersion of ['0.2.0', '0.4.0', '1.1.0']) {
		t.deepEqual(attach(t, createHost(t), { cniVersion, dns }).result.dns, dns);
	}
});

function writeAgentFile(directory: string, content: unknown): string {
	const agentFile = join(directory, 'agent.json');
	mkdirSync(directory, { recursive: true });
	writeFileSync(agentFile, typeof content === 'string' ? content : JSON.stringify(content));
	return agentFile;
}

test('without agentSubnet the agent file says it, and the MTU', (t) => {
	const host = createHost(t);
	const entry = { subnet: '44.128.3.0/24', subnet6: null, overlay: '44.128.0.0/16', mtu: 1370 };
	const agentFile = writeAgentFile(host.directory, { networks: { [host.network]: entry } });
	const { container, check, del } = attach(t, host, { ipam: { agentSubnet: undefined, agentFile } });
	t.deepEqual(container.addresses('eth0'), ['44.128.3.2/25']);
	t.is(container.link('eth0')?.mtu, 1370);
	silent(t, check());
	silent(t, del());
});

testOn('ipv6', 'the agent file gives both families', (t) => {
	const host = createHost(t);
	const entry = { subnet: '9.0.7.0/26', subnet6: 'fd01:0:0:7::/64', overlay: '9.0.0.0/8', mtu: 1420 };
	const agentFile = writeAgentFile(host.directory, { networks: { [host.network]: entry } });
	const { container } = attach(t, host, { ipam: { agentSubnet: undefined, agentFile } });
	t.deepEqual(container.addresses('eth0'), ['9.0.7.2/27', 'fd01:0:0:7::2/65']);
});

for (const [title, content, code] of [
	['missing', undefined, 11],
	['without the network', { networks: { other: { subnet: '9.0.1.0/26' } } }, 11],
	['broken', '{"networks":', 6],
] as const) {
	test(`with an agent file that is ${title}, ADD fails with ${code}, and STATUS says why`, (t) => {
		const host = createHost(t);
		const agentFile = join(host.directory, 'agent.json');
		if (content !== undefined) writeAgentFile(host.directory, content);
		const keys = { ipam: { agentSubnet: undefined, agentFile } };
		const before = host.snapshot();
		refused(t, prepare(host, keys).add(), code, agentFile);
		t.deepEqual(host.snapshot(), before);
		refused(t, invoke(host, { command: 'STATUS', configuration: networkConfiguration(host, keys) }), 50, agentFile);
	});
}

test('DEL does without the agent file', (t) => {
	const host = createHost(t);
	const agentFile = writeAgentFile(host.directory, { networks: { [host.network]: { subnet: '9.0.1.0/26' } } });
	const { del } = attach(t, host, { ipam: { agentSubnet: undefined, agentFile } });
	writeAgentFile(host.directory, '');
	silent(t, del());
	t.deepEqual(host.snapshot().leases, {});
	t.is(host.links().length, 2);
});
