// Containers that Docker's own engine runs on the networks: everybody reaches them, and they reach everybody.
import { until } from '../helpers/cluster-process.ts';
import { exchangeAll } from '../helpers/cluster-traffic.ts';
import { dockerNeeds, type Peer, startDockerCluster, untilAllSee } from '../helpers/docker-cluster.ts';
import type { DockerContainer } from '../helpers/docker.ts';
import type { AgentHost, Container } from '../helpers/cluster-hosts.ts';
import { testOn } from '../helpers/requirements.ts';
import { askSeen, runnerIn, startSeen } from '../helpers/seen.ts';

/** Milliseconds: what takes seconds may take many more on a busy machine. */
const WAIT = 30_000;

const GATEWAY_MODE = 'com.docker.network.bridge.gateway_mode_ipv4';

const ofDocker = (host: AgentHost, container: DockerContainer): Peer => ({ ...container, host, runs: container.start });
const ofMesos = (host: AgentHost, container: Container): Peer => ({
	...container,
	host,
	runs: runnerIn(container.namespace),
});

testOn(dockerNeeds, 'containers of Docker and of Mesos reach each other, on one host and on two', async (t) => {
	const { cluster, hosts } = await startDockerCluster(t, [[], ['--experimental', '--ip6tables']]);
	await startSeen(t, cluster.outside);
	const networks = ['dcos', 'dcos-1'];
	const docker = hosts.flatMap((host) =>
		networks.map((name) =>
			ofDocker(host, host.docker.run(name, ...(name === 'dcos' ? ['--publish=8080:80'] : []))),
		),
	);
	const mesos = hosts.flatMap((host) => networks.map((name) => ofMesos(host, host.launch(name))));
	const peers = [...docker, ...mesos];
	const [one] = docker;
	t.is(one?.address, '9.0.0.34');
	t.is(one?.address6, 'fd01:b::8000:0:2');
	for (const { namespace } of mesos) await startSeen(t, namespace);
	await untilAllSee(peers);
	for (const { ip } of hosts) {
		const published = `${ip}:8080`;
		await until(
			'the published port',
			async () => published in (await askSeen(runnerIn(cluster.outside), [published])),
			WAIT,
		);
	}
	t.deepEqual(await exchangeAll(peers, cluster.hosts, 1450), []);
});

testOn(dockerNeeds, 'Docker has IPv6 on networks that have it, unless that is switched off', async (t) => {
	const {
		hosts: [host],
	} = await startDockerCluster(t, [[]]);
	if (host === undefined) throw new Error('expected a host');
	const { docker } = host;
	const isIpv6 = async (network: string) => (await docker.network(network))?.EnableIPv6;
	t.is(docker.docker('network', 'inspect', '--format', '{{.EnableIPv6}}', 'dcos', 'dcos-1'), 'true\ntrue');
	// What masquerades, and what it does not.
	t.regex(host.must(['nft', 'list', 'set', 'inet', 'mesos_overlay', 'overlays4']), /9\.0\.0\.0\/8/);
	t.regex(host.must(['nft', 'list', 'table', 'inet', 'mesos_overlay']), /masquerade/);

	const statusOf = async (network: string) => {
		const { overlays } = await host.overlay();
		return overlays.find(({ info }) => info.name === network)?.state;
	};
	const container = docker.run('dcos');
	t.is(container.address6, 'fd01:b::8000:0:2');
	await host.agent().end();
	await host.startAgent('--docker', docker.socket, '--docker-ipv6', 'off');
	await until('a network without containers to be made anew', async () => (await isIpv6('dcos-1')) === false, WAIT);
	await until('the other to be told', async () => (await statusOf('dcos'))?.status === 'STATUS_FAILED', WAIT);
	t.is(
		(await statusOf('dcos'))?.error,
		'the Docker network "dcos" is not as it should be: its EnableIPv6 is true, not false; it has containers (1): remove it, then the agent makes it anew',
	);
	docker.docker('rm', '--force', container.name);
	await until('it, too', async () => (await isIpv6('dcos')) === false, WAIT);
	await until('it to be well', async () => (await statusOf('dcos'))?.status === 'STATUS_OK', WAIT);
	const other = docker.run('dcos');
	t.is(other.address, '9.0.0.34');
	t.is(other.address6, undefined);
	t.deepEqual(other.namespace.addresses('eth0'), ['9.0.0.34/27']);
});

testOn(dockerNeeds, 'only the networks are joined, and not what an administrator keeps apart', async (t) => {
	const {
		hosts: [host],
	} = await startDockerCluster(t, [[]]);
	if (host === undefined) throw new Error('expected a host');
	const { docker } = host;
	docker.docker('network', 'create', 'theirs');
	const one = docker.run('dcos');
	const other = docker.run('dcos-1');
	const stranger = docker.run('theirs');
	const sees = async (from: DockerContainer, to: DockerContainer) =>
		to.address in (await askSeen(from.start, [to.address]));
	await until('the two networks to be joined', () => sees(one, other), WAIT);
	t.true(await sees(other, one));
	// Newer engines keep this up only together with what would keep away everybody.
	const isGuarded = (await docker.network('dcos'))?.Options?.[GATEWAY_MODE] === undefined;
	t.is(await sees(stranger, one), !isGuarded);
	t.false(await sees(one, stranger));

	const drop = ['-s', one.address, '-d', other.address, '-j', 'DROP'];
	host.must(['iptables', '-I', 'DOCKER-USER', ...drop]);
	await until('it to be dropped', async () => !(await sees(one, other)), WAIT);
	host.must(['iptables', '-D', 'DOCKER-USER', ...drop]);
	t.true(await sees(one, other));

	await host.agent().end();
	const remove = host.command('--docker', docker.socket, '--remove');
	const refused = host.run(remove);
	t.is(refused.status, 1);
	t.regex(refused.stderr, /the Docker network "dcos" stays: it has containers \(1\)\n/);
	for (const { name } of [one, other]) docker.docker('rm', '--force', name);
	const removal = host.run(remove);
	t.is(removal.status, 0, removal.stderr);
	t.notRegex(host.must(['sh', '-c', 'iptables-save; ip6tables-save']), /MESOS-OVERLAY/);
	t.is(docker.docker('network', 'ls', '--filter', 'name=^dcos', '--quiet'), '');
});

testOn(dockerNeeds, 'an engine restarts, and all containers are reached as before', async (t) => {
	const { cluster, hosts } = await startDockerCluster(t, [['--live-restore'], []]);
	await startSeen(t, cluster.outside);
	const options = ['--restart=always', '--publish=8080:80'];
	const docker = hosts.map((host) => ofDocker(host, host.docker.run('dcos', ...options)));
	const mesos = hosts.map((host) => ofMesos(host, host.launch('dcos-1')));
	for (const { namespace } of mesos) await startSeen(t, namespace);
	const peers = [...docker, ...mesos];
	await untilAllSee(peers);
	const [kept] = docker;
	for (const host of hosts) await host.docker.stop();
	t.true(kept !== undefined && kept.address in (await askSeen(runnerIn(kept.namespace), [kept.address])));
	await hosts[0]?.docker.start('--live-restore');
	await hosts[1]?.docker.start();
	await untilAllSee(peers);

	// As `systemctl restart docker` is the answer to a flush.
	const [flushed] = hosts;
	flushed?.must(['sh', '-c', 'iptables -F && iptables -X']);
	await flushed?.docker.stop();
	await flushed?.docker.start('--live-restore');
	await untilAllSee(peers);
});
