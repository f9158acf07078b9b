// Hosts that reach each other and the master by IPv6 alone.
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { exchangeAll, serveOutside } from '../helpers/cluster-traffic.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;
/** What the headers of Ethernet, VXLAN, UDP and IPv6 leave of 1500. */
const MTU = 1430;

testOn(needs, 'containers reach each other with the whole MTU through tunnels of IPv6', async (t) => {
	const cluster = await startCluster(t, { tunnels: 6 });
	const { hosts, state } = cluster;
	t.deepEqual(
		hosts.map(({ ip }) => ip),
		['fd10::1', 'fd10::2', 'fd10::3'],
	);
	// Not even by accident.
	for (const host of hosts) host.must(['ip', '-4', 'address', 'flush', 'dev', 'eth0']);
	const containers = hosts.flatMap((host) => ['dcos', 'dcos-1'].map((network) => host.launch(network)));
	for (const host of hosts) {
		for (const device of ['vtep1024', 'm-dcos', 'm-dcos-1']) t.is(host.link(device)?.mtu, MTU);
	}
	for (const { namespace } of containers) t.is(namespace.link('eth0')?.mtu, MTU);
	t.deepEqual(await exchangeAll(containers, hosts, MTU), []);

	const isWell = async () =>
		(await state()).agents.every(({ overlays }) =>
			overlays.every((overlay) => overlay.state.status === 'STATUS_OK'),
		);
	await until('all to be well', isWell, 10_000);
	t.deepEqual(
		(await state()).agents.map(({ ip }) => ip),
		['fd10::1', 'fd10::2', 'fd10::3'],
	);
	for (const host of hosts) t.is((await host.overlay()).ip, host.ip);
});

testOn(needs, 'containers leave by the address of the host through an underlay of IPv6', async (t) => {
	const cluster = await startCluster(t, { tunnels: 6, size: 1 });
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('expected a host');
	const seen = await serveOutside(t, cluster);
	const by4 = underlay[4].address(host.nth);
	t.deepEqual(await seen(host.launch('dcos')), [by4, by4, host.ip, host.ip]);
});

testOn(needs, 'an agent is removed by its IPv6 address however it is written, and comes back', async (t) => {
	const { hosts, ask, settled, state } = await startCluster(t, { tunnels: 6, size: 2 });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const before = host.entries();
	t.true(before.some((entry) => entry.endsWith(' to fd10::2')));
	await other.agent().end('SIGKILL');
	const removal = { agents: ['FD10:0:0::0002'], force: true };
	t.is((await ask('POST', '/overlay-master/agents/delete', removal)).status, 200);
	await settled([host]);
	t.false(host.entries().some((entry) => entry.includes('fd10::2')));
	t.deepEqual(
		(await state()).agents.map(({ ip }) => ip),
		['fd10::1'],
	);
	await other.startAgent('--ip', 'fd10:0::2');
	await settled();
	t.deepEqual(host.entries(), before);
});
