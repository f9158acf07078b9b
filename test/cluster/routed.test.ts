// Agents with `--addressing routed`: every address of the Mesos half is a container's, on each host.
import { readdirSync, readFileSync } from 'node:fs';
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { exchangeAll, serveOutside } from '../helpers/cluster-traffic.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;
const options = ['--addressing', 'routed'];
const MTU = 1450;

testOn(needs, 'routed containers of three hosts and two networks reach each other with the whole MTU', async (t) => {
	const cluster = await startCluster(t, { options });
	const { hosts } = cluster;
	const containers = hosts.flatMap((host) => ['dcos', 'dcos-1'].map((network) => host.launch(network)));
	t.deepEqual(
		containers.map(({ address, address6 }) => [address, address6]),
		[
			['9.0.0.0', 'fd01:b::'],
			['192.168.0.0', undefined],
			['9.0.0.64', 'fd01:b:0:0:1::'],
			['192.168.1.0', undefined],
			['9.0.0.128', 'fd01:b:0:0:2::'],
			['192.168.2.0', undefined],
		],
	);
	t.deepEqual(await exchangeAll(containers, hosts, MTU), []);

	const seen = await serveOutside(t, cluster);
	for (const [at, host] of hosts.entries()) {
		const [dual, single] = containers.slice(2 * at);
		if (dual === undefined || single === undefined) throw new Error('expected two containers of each host');
		const by6 = underlay[6].address(host.nth);
		t.deepEqual(await seen(dual), [host.ip, host.ip, by6, by6]);
		t.deepEqual(await seen(single), [host.ip, host.ip]);
	}
});

testOn(needs, 'all 32 addresses of half a /26 are routed to from another host', async (t) => {
	const { hosts } = await startCluster(t, { size: 2, options });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const containers = Array.from({ length: 32 }, () => host.launch('dcos'));
	t.deepEqual(
		containers.map(({ address }) => address),
		Array.from({ length: 32 }, (_, at) => `9.0.0.${at}`),
	);
	t.throws(() => host.launch('dcos'), { message: /leasing an address of .*9\.0\.0\.0\/27.*: all 32 are held/ });
	const far = other.launch('dcos');
	const lines = containers.flatMap(({ address, address6 }) => [address, address6 ?? 'none']).join(' ');
	const pings = `for address in ${lines}; do ping -n -q -c 1 -W 2 $address >/dev/null || echo $address; done`;
	t.is(far.namespace.must(['sh', '-c', pings]), '');
	const [first, last] = [containers[0], containers[31]];
	if (first === undefined || last === undefined) throw new Error('expected 32 containers');
	t.deepEqual(await exchangeAll([first, last, far], hosts, MTU), []);
});

testOn(needs, 'a routed agent that is started again changes nothing, and is removed with everything', async (t) => {
	const { hosts, settled } = await startCluster(t, { size: 2, options });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const [one, two] = [host.launch('dcos'), other.launch('dcos')];
	const before = host.snapshot();
	await host.agent().end();
	t.deepEqual(host.snapshot(), before);
	t.true(ping(one.namespace, two.address));
	const agent = await host.startAgent();
	await agent.event('registered');
	await settled();
	t.deepEqual(host.snapshot(), before);
	t.true(ping(two.namespace, one.address6 ?? ''));
	t.regex(readFileSync(`${host.place.cni}/dcos.conf`, 'utf8'), /"addressing": "routed"/);

	t.is(one.del().status, 0);
	await agent.end();
	const removal = host.run(host.command('--remove'));
	t.deepEqual([removal.status, removal.stderr], [0, '']);
	const { links, routes, ruleset } = host.snapshot();
	t.deepEqual(
		links.map((line) => line.split(' ')[1]),
		['lo', 'eth0'],
	);
	t.notRegex([...routes, ...ruleset].join('\n'), /9\.0\.|192\.168\.|fd01:|mesos/);
	t.deepEqual(readdirSync(host.place.cni), []);
});
