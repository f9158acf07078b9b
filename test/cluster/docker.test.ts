// The Docker networks of a host, with Docker's own engine.
import { until } from '../helpers/cluster-process.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { createDockerPlace } from '../helpers/docker.ts';
import { dockerNeeds } from '../helpers/docker-cluster.ts';
import { testOn } from '../helpers/requirements.ts';

/** Milliseconds: what takes seconds may take many more on a busy machine. */
const WAIT = 30_000;

testOn(dockerNeeds, 'the Docker half of each network is a Docker network, as soon as there is an engine', async (t) => {
	const { hosts, state } = await startCluster(t, { size: 1 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected a host');
	const docker = createDockerPlace(t, host);
	await host.agent().end();
	await host.startAgent('--docker', docker.socket);
	const stateOf = async (name: string) => {
		const { overlays } = await host.overlay();
		return overlays.find(({ info }) => info.name === name)?.state;
	};
	await until(
		'the agent to be well without an engine',
		async () => (await stateOf('dcos'))?.status === 'STATUS_OK',
		WAIT,
	);

	await docker.start();
	await host.agent().event('docker network made', 0, WAIT);
	await until('both networks', async () => (await docker.network('dcos-1')) !== undefined, WAIT);
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

	await host.agent().end();
	await docker.call('DELETE', '/networks/dcos-1');
	await docker.call('POST', '/networks/create', {
		Name: 'dcos-1',
		Driver: 'bridge',
		IPAM: { Config: [{ Subnet: '10.99.0.0/24' }] },
	});
	await host.startAgent('--docker', docker.socket);
	await until('the difference to be told', async () => (await stateOf('dcos-1'))?.error !== undefined, WAIT);
	t.regex(
		(await stateOf('dcos-1'))?.error ?? '',
		/^the Docker network "dcos-1" is not as it should be: .*its subnets are 10.99.0.0\/24, without 192.168.0.128\/25; somebody else made it: remove it, then the agent makes it anew$/,
	);
	t.is((await stateOf('dcos'))?.status, 'STATUS_OK');
	await until(
		'the master to know',
		async () => {
			const { agents } = await state();
			return agents.find(({ ip }) => ip === host.ip)?.overlays[1]?.state.status === 'STATUS_FAILED';
		},
		WAIT,
	);
	await docker.call('DELETE', '/networks/dcos-1');
	await until('it to be made', async () => (await stateOf('dcos-1'))?.status === 'STATUS_OK', WAIT);
	t.like(await docker.network('dcos-1'), { IPAM: { Config: [{ Subnet: '192.168.0.128/25' }] } });

	await host.agent().end();
	await host.startAgent('--docker', docker.socket, '--mtu', '1400');
	await until(
		'a network of ours to be made anew',
		async () => {
			const { Options } = (await docker.network('dcos')) ?? {};
			return Options?.['com.docker.network.driver.mtu'] === '1400';
		},
		WAIT,
	);
	await host.agent().end();
	const removal = host.run(host.command('--docker', docker.socket, '--remove'));
	t.is(removal.status, 0, removal.stderr);
	t.is(await docker.network('dcos'), undefined);
	t.is(host.link('d-dcos'), undefined);
});
