// Networks that come later, and agents that go and come: the original's own tests, with its networks.
import { existsSync } from 'node:fs';
import { type AgentHost, type RunningCluster, startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { fixture, overlay, PATIENCE, reconfigure, wellOverlays } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;

const { name, subnet, prefix } = overlay;
const second = { name: 'mz-overlay2', subnet: '11.0.0.0/8', prefix: 24, subnet6: 'fd04::/64', prefix6: 80 };
const onlyIpv6 = { name: 'mz-overlay6', subnet6: 'fd04::/64', prefix6: 80 };

function twoOf({ hosts }: RunningCluster): [AgentHost, AgentHost] {
	const [one, other] = hosts;
	if (one === undefined || other === undefined) throw new Error('expected two hosts');
	return [one, other];
}

/** The subnets of each network of a host, when all of them are well. */
async function subnetsOf(cluster: RunningCluster, host: AgentHost, count: number): Promise<unknown[]> {
	const shown = await wellOverlays(cluster, host, count);
	return shown.map(({ info, subnet: ipv4, subnet6 }) => [info.name, ipv4, subnet6]);
}

testOn(needs, 'a second network, with which the master is started again, is on every host', async (t) => {
	const cluster = await startCluster(t, { size: 2, members: fixture });
	const [one, other] = twoOf(cluster);
	const first = ['mz-overlay', '192.168.0.0/24', 'fd02::/80'];
	t.deepEqual(await subnetsOf(cluster, one, 1), [first]);
	const confs = cluster.hosts.map(({ place }) => `${place.cni}/mz-overlay2.conf`);
	t.deepEqual(confs.filter(existsSync), []);

	await reconfigure(cluster, { ...fixture, overlays: [overlay, second] });
	t.deepEqual(await subnetsOf(cluster, one, 2), [first, ['mz-overlay2', '11.0.0.0/24', 'fd04::/80']]);
	t.deepEqual((await subnetsOf(cluster, other, 2))[1], ['mz-overlay2', '11.0.1.0/24', 'fd04::1:0:0:0/80']);
	t.deepEqual(confs.filter(existsSync), confs);
	t.is(one.link('m-mz-overlay2')?.operstate, 'DOWN', 'a bridge without ports');
	const route = one.routes(4).find(({ dst }) => dst === '11.0.1.0/24');
	t.like(route, { gateway: '44.128.0.2', dev: 'vtep1024' });
	const route6 = one.routes(6).find(({ dst }) => dst === 'fd04::1:0:0:0/80');
	t.like(route6, { gateway: 'fd03::2', dev: 'vtep1024' });

	const [near, far] = [one.launch('mz-overlay2'), other.launch('mz-overlay2')];
	t.deepEqual([near.address, far.address], ['11.0.0.2', '11.0.1.2']);
	t.deepEqual(one.addresses('m-mz-overlay2'), ['11.0.0.1/25', 'fd04::1/81']);
	t.true(ping(near.namespace, far.address));
	t.true(ping(near.namespace, far.address6 ?? ''));
});

testOn(needs, 'a cluster of IPv4 gets IPv6 VTEPs, and a network of IPv6 alone', async (t) => {
	const members = { vtep_subnet: fixture.vtep_subnet, vtep_mac_oui: fixture.vtep_mac_oui };
	const ipv4 = { name, subnet, prefix };
	const cluster = await startCluster(t, { size: 2, members: { ...members, overlays: [ipv4] } });
	const [one, other] = twoOf(cluster);
	const [before] = await wellOverlays(cluster, one);
	t.is(before?.backend.vxlan.vtep_ip6, undefined);
	t.deepEqual(one.addresses('vtep1024'), ['44.128.0.1/16']);

	const { vtep_subnet6 } = fixture;
	await reconfigure(cluster, { ...members, vtep_subnet6, overlays: [ipv4, onlyIpv6] });
	t.deepEqual(await subnetsOf(cluster, one, 2), [
		['mz-overlay', '192.168.0.0/24', undefined],
		['mz-overlay6', undefined, 'fd04::/80'],
	]);
	const [, added] = await wellOverlays(cluster, one, 2);
	t.is(added?.backend.vxlan.vtep_ip6, 'fd03::1/64');
	t.deepEqual(added?.mesos_bridge, { name: 'm-mz-overlay6', ip6: 'fd04::/81' });
	t.deepEqual(one.addresses('vtep1024'), ['44.128.0.1/16', 'fd03::1/64']);
	t.deepEqual(other.addresses('vtep1024'), ['44.128.0.2/16', 'fd03::2/64']);

	const [near, far] = [one.launch('mz-overlay6'), other.launch('mz-overlay6')];
	t.deepEqual([near.address, near.address6, far.address6], ['', 'fd04::2', 'fd04::1:0:0:2']);
	t.true(ping(near.namespace, far.address6 ?? ''));
	t.true(ping(far.namespace, near.address6 ?? ''));
});

testOn(
	needs,
	'of a network that is disabled nobody gets a part, until the master is started with it enabled',
	async (t) => {
		const withSecond = (enabled: boolean) => ({ ...fixture, overlays: [overlay, { ...onlyIpv6, enabled }] });
		const cluster = await startCluster(t, { size: 2, members: withSecond(false) });
		const [one] = twoOf(cluster);
		t.is((await subnetsOf(cluster, one, 1)).length, 1);
		t.is(one.link('m-mz-overlay6'), undefined);
		t.false(existsSync(`${one.place.cni}/mz-overlay6.conf`));
		t.deepEqual((await cluster.state()).network, withSecond(false));

		await reconfigure(cluster, { ...fixture, overlays: [overlay, onlyIpv6] });
		t.deepEqual((await subnetsOf(cluster, one, 2))[1], ['mz-overlay6', undefined, 'fd04::/80']);
		t.not(one.link('m-mz-overlay6'), undefined);
		t.is(one.launch('mz-overlay6').address6, 'fd04::2');
	},
);

testOn(needs, 'an agent of two networks is removed with its one VTEP, and comes back with what it had', async (t) => {
	const cluster = await startCluster(t, { size: 2, members: { ...fixture, overlays: [overlay, second] } });
	const [one, other] = twoOf(cluster);
	const before = await wellOverlays(cluster, one, 2);
	t.is(new Set(before.map(({ backend }) => JSON.stringify(backend))).size, 1, 'one VTEP for both networks');
	const entries = one.entries();

	const { status, json } = await cluster.ask('POST', '/overlay-master/agents/delete', {
		agents: [one.ip],
		force: true,
	});
	t.is(status, 200);
	t.deepEqual(
		(json as { agents: { ip: string }[] }).agents.map(({ ip }) => ip),
		[other.ip],
		'the answer is the whole state',
	);
	await one.agent().event('agent removed', 0, PATIENCE);
	await until('its part to go', () => one.link('vtep1024') === undefined, PATIENCE);
	await cluster.settled([other], PATIENCE);

	// By itself, with its next report.
	await until('the agent to be back', async () => (await cluster.state()).agents.length === 2, 3 * PATIENCE);
	t.deepEqual(await wellOverlays(cluster, one, 2), before);
	await cluster.settled(cluster.hosts, PATIENCE);
	t.deepEqual(one.entries(), entries);
});
