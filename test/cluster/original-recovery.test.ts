// Master and agents are started anew: the original's own tests of what stays then.
import { rmSync, writeFileSync } from 'node:fs';
import { type AgentHost, startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { fixture, PATIENCE, wellOverlays } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** What the kernel has of the networks, and whether it is the very same devices. */
const kernelOf = (host: AgentHost): unknown => [
	host.entries(),
	...['vtep1024', 'm-mz-overlay'].map((name) => [host.link(name)?.ifindex, host.addresses(name)]),
];

testOn(
	needs,
	'a master that is started again knows its agents, and their records do not change by a byte',
	async (t) => {
		const cluster = await startCluster(t, { size: 2, members: fixture });
		const recordOf = async () => {
			for (const host of cluster.hosts) await wellOverlays(cluster, host);
			return JSON.stringify((await cluster.state()).agents);
		};
		const before = await recordOf();
		const kernels = cluster.hosts.map(kernelOf);
		for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
			const lengths = cluster.hosts.map((host) => host.agent().log.length);
			await cluster.master().end(signal);
			for (const [at, host] of cluster.hosts.entries())
				await host.agent().event('master away', lengths[at], PATIENCE);
			await cluster.startMaster();
			for (const [at, host] of cluster.hosts.entries())
				await host.agent().event('registered', lengths[at], PATIENCE);
			t.is(await recordOf(), before, signal);
			t.deepEqual(cluster.hosts.map(kernelOf), kernels, signal);
		}
	},
);

testOn(
	needs,
	'an agent that is started again has the same allocation, and its containers notice nothing',
	async (t) => {
		const cluster = await startCluster(t, { size: 2, members: fixture });
		const [host, other] = cluster.hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		const before = JSON.stringify(await wellOverlays(cluster, host));
		const [near, far] = [host.launch('mz-overlay'), other.launch('mz-overlay')];
		const kernel = kernelOf(host);
		for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
			await host.agent().end(signal);
			t.true(ping(near.namespace, far.address), 'without an agent');
			// A start that knows nothing but what the master says.
			if (signal === 'SIGKILL') rmSync(`${host.place.state}/last-state`);
			const agent = await host.startAgent();
			await agent.event('registered', 0, PATIENCE);
			t.is(JSON.stringify(await wellOverlays(cluster, host)), before, signal);
			await cluster.settled([host], PATIENCE);
			t.deepEqual(kernelOf(host), kernel, signal);
			t.true(ping(near.namespace, far.address), signal);
		}
		t.is((await cluster.state()).agents.length, 2);
	},
);

testOn(
	needs,
	'attempts to register are counted while nobody answers or it is refused, until one succeeds',
	async (t) => {
		const cluster = await startCluster(t, { size: 1, members: fixture });
		const [host] = cluster.hosts;
		if (host === undefined) throw new Error('expected a host');
		const attempts = async () => (await host.overlay()).configuration_attempts;
		const shown = JSON.stringify(await wellOverlays(cluster, host));
		// One is under way whenever the agent reports.
		const connected = () => until('a success', async () => (await attempts()) === 0, 3 * PATIENCE);
		await connected();

		await cluster.master().end();
		await until('attempts without a master', async () => (await attempts()) >= 2, PATIENCE);
		t.is(JSON.stringify((await host.overlay()).overlays), shown, 'what there is stays');

		const token = `${host.directory}/token`;
		const right = host.must(['cat', token]);
		writeFileSync(token, 'a-token-that-nobody-knows');
		await cluster.startMaster();
		await host.agent().event('master refuses', 0, PATIENCE);
		t.true((await attempts()) >= 3, 'those refused come on top');
		t.is(JSON.stringify((await host.overlay()).overlays), shown);

		writeFileSync(token, right);
		await connected();
		t.is(await host.masterIs(), 'connected');
	},
);
