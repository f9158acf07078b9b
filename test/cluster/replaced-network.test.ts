// A network is removed and comes back with other subnets, under agents that run or do not.
import { existsSync, readFileSync } from 'node:fs';
import { type AgentHost, type RunningCluster, startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;
/** Milliseconds. */
const SOON = 10_000;

const subnetOn = (host: AgentHost) =>
	JSON.parse(readFileSync(`${host.directory}/agent.json`, 'utf8')).networks.new?.subnet as string | undefined;

async function add({ ask, hosts }: RunningCluster, prefix: number, subnets: readonly string[]) {
	await ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix });
	await until(
		'the subnets',
		() => hosts.every((host, at) => subnetOn(host) === subnets[at] && existsSync(`${host.place.cni}/new.conf`)),
		SOON,
	);
}

// A file may go while it is looked for.
const everything = 'ip route; ip address; ip neighbour; nft list ruleset; cat $0/nat/networks/* $0/agent.json || true';

/** What on a host is about the network: addresses and subnets. */
const traces = (host: AgentHost) =>
	host.must(['sh', '-c', everything, host.directory]).match(/10\.96\.\d+\.\d+(?:\/\d+)?/g) ?? [];
/** The same of the subnets that it had at first. */
const oldTraces = (host: AgentHost) => traces(host).filter((trace) => /^10\.96\.[01]\.(?!0\/16)/.test(trace));

testOn(needs, 'what runs on a network that drains goes on, and the next has nothing of it', async (t) => {
	const cluster = await startCluster(t, { size: 2 });
	const { hosts, ask, state, settled } = cluster;
	await add(cluster, 24, ['10.96.0.0/24', '10.96.1.0/24']);
	const [one, other] = hosts.map((host) => host.launch('new'));
	if (one === undefined || other === undefined) throw new Error('expected two containers');
	await ask('DELETE', '/v1/networks/new');
	await until(
		'nothing more to be launched',
		() => hosts.every(({ place }) => !existsSync(`${place.cni}/new.conf`)),
		SOON,
	);
	const early = await ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix: 25 });
	t.is(early.status, 409);
	t.true(ping(one.namespace, other.address));
	for (const container of [one, other]) t.is(container.del().status, 0);
	await until('the network to go', async () => (await state()).network.overlays.length === 2, SOON);
	await until('all of it to go', () => hosts.every((host) => traces(host).length === 0), SOON);

	await add(cluster, 25, ['10.96.2.0/25', '10.96.2.128/25']);
	const [next, last] = hosts.map((host) => host.launch('new'));
	t.deepEqual([next?.address, last?.address], ['10.96.2.2', '10.96.2.130']);
	await settled();
	t.true(next !== undefined && ping(next.namespace, last?.address ?? ''));
	for (const host of hosts) t.deepEqual(oldTraces(host), []);
});

for (const [addressing, first, second] of [
	['bridged', '10.96.2.2', '10.96.2.130'],
	['routed', '10.96.2.0', '10.96.2.128'],
] as const) {
	testOn(
		needs,
		`${addressing}: a network that is replaced under a container of it, while the agents are away`,
		async (t) => {
			const cluster = await startCluster(t, { size: 2, options: ['--addressing', addressing] });
			const { hosts, ask, settled } = cluster;
			const [host, busy] = hosts;
			if (host === undefined || busy === undefined) throw new Error('expected two hosts');
			await add(cluster, 24, ['10.96.0.0/24', '10.96.1.0/24']);
			t.is(host.launch('new').del().status, 0);
			const [old, beside] = [busy.launch('new'), busy.launch('new')];
			for (const each of hosts) await each.agent().end();
			await ask('DELETE', '/v1/networks/new?force=true');
			await ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix: 25 });
			for (const each of hosts) await each.startAgent();
			await until(
				'the subnets',
				() => subnetOn(host) === '10.96.2.0/25' && subnetOn(busy) === '10.96.2.128/25',
				SOON,
			);
			await settled();
			const [next, last] = [host.launch('new'), busy.launch('new')];
			t.deepEqual([next.address, last.address], [first, second]);
			t.true(ping(next.namespace, last.address));
			t.true(ping(old.namespace, beside.address), 'what is left of the old one goes on');
			t.true(ping(old.namespace, last.address));
			t.deepEqual(oldTraces(host), []);
			for (const container of [old, beside, last]) t.is(container.del().status, 0);
			await until('what is left of it to go', () => oldTraces(busy).length === 0, SOON);
		},
	);
}
