// What master and agents show of the networks, as the original's own tests ask for it.
import { isIPv4, isIPv6 } from 'node:net';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { fixture, overlay, startMasterHost, wellOverlays } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** What DC/OS sets up when nobody says anything. */
const defaults = {
	vtep_subnet: '44.128.0.0/20',
	vtep_subnet6: 'fd01:a::/64',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 24, enabled: true },
		{ name: 'dcos6', subnet6: 'fd01:b::/64', prefix6: 80, enabled: true },
	],
};

testOn(
	needs,
	'master and agent show the same of a network, before which the master shows its configuration',
	async (t) => {
		const both = await startMasterHost(t, fixture);
		t.deepEqual(await both.state(), { agents: [], network: fixture });
		await both.startAgent();
		const shown = await wellOverlays(both, both);
		const { agents, network } = await both.state();
		t.deepEqual(network, fixture);
		t.deepEqual(
			agents.map(({ ip }) => ip),
			[both.ip],
		);
		t.is(JSON.stringify(agents[0]?.overlays), JSON.stringify(shown));
		t.is((await both.overlay()).ip, both.ip);
		t.deepEqual(shown, [
			{
				info: overlay,
				subnet: '192.168.0.0/24',
				subnet6: 'fd02::/80',
				mesos_bridge: { name: 'm-mz-overlay', ip: '192.168.0.0/25', ip6: 'fd02::/81' },
				docker_bridge: { name: 'd-mz-overlay', ip: '192.168.0.128/25', ip6: 'fd02::8000:0:0/81' },
				backend: {
					vxlan: {
						vni: 1024,
						vtep_name: 'vtep1024',
						vtep_ip: '44.128.0.1/16',
						vtep_ip6: 'fd03::1/64',
						vtep_mac: '70:b3:d5:80:00:01',
					},
				},
				state: { status: 'STATUS_OK' },
			},
		]);
	},
);

testOn(needs, 'the agent on the host of a master has its part of each network of the defaults', async (t) => {
	const both = await startMasterHost(t, defaults);
	t.deepEqual((await both.state()).network, defaults);
	await both.startAgent();
	const shown = await wellOverlays(both, both, 2);
	t.deepEqual(
		shown.map(({ info, subnet, subnet6 }) => [info.name, subnet, subnet6]),
		[
			['dcos', '9.0.0.0/24', undefined],
			['dcos6', undefined, 'fd01:b::/80'],
		],
	);
	for (const { backend, mesos_bridge, docker_bridge, info, state } of shown) {
		const { vtep_ip, vtep_ip6 = '', ...vxlan } = backend.vxlan;
		t.regex(vtep_ip, /^44\.128\.([0-9]|1[0-5])\.\d+\/20$/);
		t.regex(vtep_ip6, /^fd01:a::[0-9a-f:]+\/64$/);
		t.deepEqual(vxlan, { vni: 1024, vtep_name: 'vtep1024', vtep_mac: '70:b3:d5:80:00:01' });
		t.deepEqual(state, { status: 'STATUS_OK' });
		const plain = (cidr = '') => cidr.replace(/\/.*/u, '');
		for (const [bridge, letter] of [
			[mesos_bridge, 'm'],
			[docker_bridge, 'd'],
		] as const) {
			t.is(bridge?.name, `${letter}-${info.name}`);
			t.is(isIPv4(plain(bridge?.ip)), info.subnet !== undefined);
			t.is(isIPv6(plain(bridge?.ip6)), info.subnet6 !== undefined);
		}
	}
	const vtep = both.host.link('vtep1024');
	t.deepEqual([vtep?.address, vtep?.linkinfo?.info_data?.['id']], ['70:b3:d5:80:00:01', 1024]);
	t.deepEqual(both.host.addresses('vtep1024'), ['44.128.0.1/20', 'fd01:a::1/64']);
});

testOn(needs, 'every agent of a cluster lists its networks, and all of them are well', async (t) => {
	const cluster = await startCluster(t, { members: defaults });
	for (const host of cluster.hosts) {
		const shown = await wellOverlays(cluster, host, 2);
		t.deepEqual(
			shown.map(({ info, state }) => [info.name, state]),
			[
				['dcos', { status: 'STATUS_OK' }],
				['dcos6', { status: 'STATUS_OK' }],
			],
			host.ip,
		);
	}
});
