// What Docker should have, and what it has otherwise.
import test from 'ava';
import type { Engine, EngineNetwork } from '../../../src/agent/docker/docker-engine.ts';
import { differencesOf, dockerNetworks, keepDockerNetworks } from '../../../src/agent/docker/docker-network.ts';
import { agent, cluster } from '../../helpers/cluster-state.ts';

const wish = { ip: '10.64.0.1', mtu: 1450, ipv6: true };
const [wanted] = dockerNetworks(cluster([agent(1)]), wish);

/** An engine that has some networks, and notes what it is told. */
function engineWith(
	networks: readonly EngineNetwork[] | undefined,
	api = 41,
): { engine: Engine; told: string[]; created: EngineNetwork[] } {
	const told: string[] = [];
	const created: EngineNetwork[] = [];
	const engine: Engine = {
		list: () => Promise.resolve(networks && { networks, api }),
		inspect: (id) => Promise.resolve(networks?.find(({ Id }) => Id === id) ?? Promise.reject(new Error(id))),
		create: (network) => {
			created.push(network);
			return Promise.resolve(void told.push(`create ${network.Name}`));
		},
		remove: (id) => Promise.resolve(void told.push(`remove ${id}`)),
	};
	return { engine, told, created };
}

test('a network of Docker is the Docker half', (t) => {
	t.like(wanted, {
		Name: 'dcos',
		IPAM: { Config: [{ Subnet: '9.0.1.128/25' }, { Subnet: 'fd01:b::1:8000:0:0/81' }] },
		EnableIPv6: true,
	});
	t.deepEqual(dockerNetworks(cluster([agent(1)]), { ...wish, ip: '10.64.0.2' }), []);
});

test('without IPv6, Docker has the half of the IPv4 subnet, and no network that has none', (t) => {
	const [network] = dockerNetworks(cluster([agent(1)]), { ...wish, ipv6: false });
	t.like(network, { Name: 'dcos', IPAM: { Config: [{ Subnet: '9.0.1.128/25' }] }, EnableIPv6: false });
	const { networks, ...self } = agent(1);
	const only6 = { ...self, networks: { dcos: { subnet6: networks['dcos']?.subnet6 ?? '' } } };
	t.deepEqual(dockerNetworks(cluster([only6]), { ...wish, ipv6: false }), []);
	t.is(dockerNetworks(cluster([only6]), wish).length, 1);
});

test('an engine that guards its containers is told not to, others are not', async (t) => {
	if (wanted === undefined) return t.fail();
	for (const [api, mode] of [
		[47, undefined],
		[48, 'nat-unprotected'],
	] as const) {
		const { engine, created } = engineWith([], api);
		await keepDockerNetworks(engine, [wanted]);
		for (const family of ['ipv4', 'ipv6']) {
			t.is(created[0]?.Options?.[`com.docker.network.bridge.gateway_mode_${family}`], mode);
		}
		t.is(created[0]?.Options?.['com.docker.network.bridge.name'], 'd-dcos');
		const again = engineWith(created, api);
		await keepDockerNetworks(again.engine, [wanted]);
		t.deepEqual(again.told, []);
	}
});

test('each difference is told by what it is and should be', (t) => {
	if (wanted === undefined) return t.fail();
	t.deepEqual(differencesOf(wanted, wanted), []);
	const other = { ...wanted, Driver: 'macvlan', EnableIPv6: false, Options: null, IPAM: { Config: null } };
	t.deepEqual(differencesOf(other, wanted), [
		'its driver is macvlan, not bridge',
		'its option com.docker.network.bridge.name is not set, not d-dcos',
		'its option com.docker.network.bridge.enable_ip_masquerade is not set, not false',
		'its option com.docker.network.driver.mtu is not set, not 1450',
		'its EnableIPv6 is false, not true',
		'its subnets are none, without 9.0.1.128/25, fd01:b::1:8000:0:0/81',
	]);
});

const ours: EngineNetwork = { ...wanted, Id: 'id', Options: {} } as EngineNetwork;
const cases: readonly (readonly [string, readonly EngineNetwork[] | undefined, string[], RegExp | undefined])[] = [
	['nothing without an engine', undefined, [], undefined],
	['one that is missing is made', [], ['create dcos'], undefined],
	['one that is right stays', [{ ...ours, ...wanted }], [], undefined],
	['one of ours is made anew', [ours], ['remove id', 'create dcos'], undefined],
	[
		'one of ours with containers stays, and is told',
		[{ ...ours, Containers: { a: {} } }],
		[],
		/it has containers \(1\): remove it, then the agent makes it anew$/,
	],
	['one of others stays, and is told', [{ ...ours, Labels: null }], [], /somebody else made it/],
	['one of ours that is not wanted goes', [{ ...ours, Name: 'old' }], ['remove id', 'create dcos'], undefined],
	[
		'one of ours that is not wanted stays while it has containers, and is told',
		[{ ...ours, Name: 'old', Containers: { a: {} } }],
		['create dcos'],
		/^the Docker network "old" stays: it has containers \(1\)$/,
	],
	['others that are not wanted stay', [{ ...ours, Name: 'bridge', Labels: {} }], ['create dcos'], undefined],
];
for (const [title, networks, actions, problem] of cases) {
	test(title, async (t) => {
		const { engine, told } = engineWith(networks);
		const { problems } = await keepDockerNetworks(engine, wanted === undefined ? [] : [wanted]);
		t.deepEqual(told, actions);
		t.is(problems.size, problem === undefined ? 0 : 1);
		if (problem !== undefined) t.regex([...problems.values()].join(), problem);
	});
}
