// What Docker should have, and what it has otherwise.
import test from 'ava';
import type { Engine, EngineNetwork } from '../../src/agent/docker-engine.ts';
import { differencesOf, dockerNetworks, keepDockerNetworks } from '../../src/agent/docker-network.ts';
import { agent, cluster } from '../helpers/cluster-state.ts';

const [wanted] = dockerNetworks(cluster([agent(1)]), '10.64.0.1', 1450);

/** An engine that has some networks, and notes what it is told. */
function engineWith(networks: readonly EngineNetwork[] | undefined): { engine: Engine; told: string[] } {
	const told: string[] = [];
	const engine: Engine = {
		list: () => Promise.resolve(networks),
		inspect: (id) => Promise.resolve(networks?.find(({ Id }) => Id === id) ?? Promise.reject(new Error(id))),
		create: ({ Name }) => Promise.resolve(void told.push(`create ${Name}`)),
		remove: (id) => Promise.resolve(void told.push(`remove ${id}`)),
	};
	return { engine, told };
}

test('a network of Docker is the Docker half', (t) => {
	t.like(wanted, {
		Name: 'dcos',
		IPAM: { Config: [{ Subnet: '9.0.1.128/25' }, { Subnet: 'fd01:b::1:8000:0:0/81' }] },
		EnableIPv6: true,
	});
	t.deepEqual(dockerNetworks(cluster([agent(1)]), '10.64.0.2', 1450), []);
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
		/it has 1 containers: remove it, then the agent makes it anew$/,
	],
	['one of others stays, and is told', [{ ...ours, Labels: null }], [], /somebody else made it/],
	['one of ours that is not wanted goes', [{ ...ours, Name: 'old' }], ['remove id', 'create dcos'], undefined],
	['others that are not wanted stay', [{ ...ours, Name: 'bridge', Labels: {} }], ['create dcos'], undefined],
];
for (const [title, networks, actions, problem] of cases) {
	test(title, async (t) => {
		const { engine, told } = engineWith(networks);
		const { problems } = await keepDockerNetworks(engine, wanted === undefined ? [] : [wanted]);
		t.deepEqual(told, actions);
		if (problem === undefined) t.is(problems.size, 0);
		else t.regex(problems.get('dcos') ?? '', problem);
	});
}
