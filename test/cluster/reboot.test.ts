// A host is started anew: nothing of its kernel is left, and nothing under /run.
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AgentHost, type RunningCluster, startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { exchangeAll } from '../helpers/cluster-traffic.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;
/** Milliseconds. */
const SOON = 10_000;

/** Cuts the power, and starts the agent. A disk has kept who it is, what it heard last, and the configurations. */
async function reboot(host: AgentHost, { hosts }: RunningCluster) {
	const isKept = () => {
		const kept = readFileSync(`${host.place.state}/last-state`, 'utf8');
		return hosts.every(({ ip }) => kept.includes(`"ip":"${ip}"`));
	};
	await until('the state to be kept', () => existsSync(`${host.place.state}/last-state`) && isKept(), SOON);
	await host.agent().end('SIGKILL');
	for (const file of readdirSync(host.directory)) {
		if (!['cni', 'state', 'token'].includes(file)) rmSync(`${host.directory}/${file}`, { recursive: true });
	}
	host.reboot();
	const agent = await host.startAgent();
	await agent.event('last state used');
	// Until then, a launch is told to come again.
	await until('the subnets', () => existsSync(`${host.directory}/agent.json`), SOON);
	return agent;
}

/** What others know it by. */
const identity = async (host: AgentHost) => {
	const { overlays } = await host.overlay();
	return overlays.map(({ subnet, subnet6, backend }) => ({ subnet, subnet6, ...backend.vxlan }));
};

testOn(needs, 'a host that was rebooted has what it had, and is reached at once', async (t) => {
	const cluster = await startCluster(t, { size: 4 });
	const { hosts, settled } = cluster;
	const [host, ...others] = hosts;
	if (host === undefined) throw new Error('expected hosts');
	const far = others.map((other) => other.launch('dcos'));
	const first = host.launch('dcos');
	t.deepEqual(await exchangeAll([first, ...far], hosts, 1450), []);
	const before = { identity: await identity(host), entries: others.map((other) => other.entries()) };

	const agent = await reboot(host, cluster);
	const next = host.launch('dcos');
	t.is(next.address, first.address, 'leases end with the boot');
	for (const { namespace } of far) {
		t.true(ping(namespace, next.address));
		t.true(ping(namespace, next.address6 ?? ''));
	}
	await agent.event('registered');
	await settled();
	t.deepEqual({ identity: await identity(host), entries: others.map((other) => other.entries()) }, before);
	t.deepEqual(await exchangeAll([next, ...far], hosts, 1450), []);
});

testOn(needs, 'a host that is rebooted while the master is away has what it had', async (t) => {
	const cluster = await startCluster(t, { size: 2 });
	const [host, other] = cluster.hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const far = other.launch('dcos-1');
	const before = { identity: await identity(host), entries: host.entries() };
	await cluster.master().end('SIGKILL');
	await reboot(host, cluster);
	t.true(ping(far.namespace, host.launch('dcos-1').address));
	t.deepEqual({ identity: await identity(host), entries: host.entries() }, before);
	await cluster.startMaster();
	await cluster.settled();
	t.deepEqual(await identity(host), before.identity);
});
