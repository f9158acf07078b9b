// The Docker networks of a host, with Docker's own engine.
import { until } from '../helpers/cluster-process.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { createDockerPlace } from '../helpers/docker.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6', 'dockerd'] as const;

testOn(needs, 'the Docker half of each network is a Docker network, as soon as there is an engine', async (t) => {
	const { hosts, state } = await startCluster(t, { size: 2 });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const docker = createDockerPlace(t, host);
	await host.agent().end();
	await host.startAgent('--docker', docker.socket);
	const stateOf = async (name: string) => {
		const { overlays } = await host.overlay();
		return overlays.find(({ info }) => info.name === name)?.state;
	};
	await until('the agent to be well without an engine', async () => (await stateOf('dcos'))?.status === 'STATUS_OK');

	await docker.start();
	await host.agent().event('docker network made', 0, 8000);
	await until('both networks', async () => (await docker.network('dcos-1')) !== undefined, 5000);
	t.like(await docker.network('dcos'), {
		Driver: 'bridge',
		EnableIPv6: true,
		IPAM: { Config: [{ Subnet: '9.0.0.32/27' }, { Subnet: 'fd01:b::8000:0:0/81' }] },
		Options: {
			'com.docker.network.bridge.name': 'd-dcos',
			'com.docker.network.bridge.enable_ip_masquerade': 'false',
			'com.docker.network.driver.mtu': '1450',
		},
	});
	t.deepEqual(host.addresses('d-dcos').slice(0, 1), ['9.0.0.33/27']);

	// What a container of Docker is to the kernel.
	const container = createNamespace(t, 'docker');
	host.must(['ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', container.name]);
	host.must(['ip', 'link', 'set', 'v0', 'master', 'd-dcos', 'up']);
	container.must([
		'sh',
		'-c',
		'ip link set eth0 up && ip address add 9.0.0.34/27 dev eth0 && ip route add default via 9.0.0.33',
	]);
	const pings = (from: typeof container, to: string) => from.run(['ping', '-c', '1', '-W', '1', to]).status === 0;
	const far = other.launch('dcos');
	const near = host.launch('dcos');
	await until('the bridge to forward', () => pings(container, '9.0.0.33'), 5000);
	t.true(pings(far.namespace, '9.0.0.34'), 'from a container of Mesos on another host');
	t.true(pings(container, far.address), 'to it');
	t.true(pings(near.namespace, '9.0.0.34'), 'from a container of Mesos on the same host');

	await host.agent().end();
	await docker.call('DELETE', '/networks/dcos-1');
	await docker.call('POST', '/networks/create', {
		Name: 'dcos-1',
		Driver: 'bridge',
		IPAM: { Config: [{ Subnet: '10.99.0.0/24' }] },
	});
	await host.startAgent('--docker', docker.socket);
	await until('the difference to be told', async () => (await stateOf('dcos-1'))?.error !== undefined, 5000);
	t.regex(
		(await stateOf('dcos-1'))?.error ?? '',
		/^the Docker network "dcos-1" is not as it should be: .*its subnets are 10.99.0.0\/24, without 192.168.0.128\/25; somebody else made it: remove it, then the agent makes it anew$/,
	);
	t.is((await stateOf('dcos'))?.status, 'STATUS_OK');
	await until('the master to know', async () => {
		const { agents } = await state();
		return agents.find(({ ip }) => ip === host.ip)?.overlays[1]?.state.status === 'STATUS_FAILED';
	});
	await docker.call('DELETE', '/networks/dcos-1');
	await until('it to be made', async () => (await stateOf('dcos-1'))?.status === 'STATUS_OK', 8000);
	t.like(await docker.network('dcos-1'), { IPAM: { Config: [{ Subnet: '192.168.0.128/25' }] } });

	await host.agent().end();
	await host.startAgent('--docker', docker.socket, '--mtu', '1400');
	await until(
		'a network of ours to be made anew',
		async () => {
			const { Options } = (await docker.network('dcos')) ?? {};
			return Options?.['com.docker.network.driver.mtu'] === '1400';
		},
		5000,
	);
	await host.agent().end();
	for (const one of [near, far]) t.is(one.del().status, 0);
	const removal = host.run(host.command('--docker', docker.socket, '--remove'));
	t.is(removal.status, 0, removal.stderr);
	t.is(await docker.network('dcos'), undefined);
	t.is(host.link('d-dcos'), undefined);
});
