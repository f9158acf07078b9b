// The MTU of the underlay changes while everything runs.
import { readFileSync } from 'node:fs';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { exchangeAll } from '../helpers/cluster-traffic.ts';
import { testOn } from '../helpers/requirements.ts';

testOn(['vxlan', 'ipv6'], 'VTEP, bridges and configurations follow the MTU of the underlay', async (t) => {
	const { hosts } = await startCluster(t, { size: 2 });
	const [host, other] = hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	const confMtu = () => JSON.parse(readFileSync(`${host.place.cni}/dcos.conf`, 'utf8')).mtu as number;
	const agentMtu = () => JSON.parse(readFileSync(`${host.directory}/agent.json`, 'utf8')).networks.dcos.mtu as number;
	const mtus = () => [host.link('vtep1024')?.mtu, host.link('m-dcos')?.mtu, confMtu(), agentMtu()];
	t.deepEqual(mtus(), [1450, 1450, 1450, 1450]);
	const far = other.launch('dcos-1');
	const launched = [];
	for (const [underlay, expected] of [
		[1400, 1350],
		[1500, 1450],
	] as const) {
		host.must(['ip', 'link', 'set', 'eth0', 'mtu', String(underlay)]);
		await until(`an MTU of ${expected}`, () => mtus().every((mtu) => mtu === expected), 8000);
		const container = host.launch('dcos');
		launched.push(container);
		t.is(container.namespace.link('eth0')?.mtu, expected);
		t.deepEqual(await exchangeAll([container, far], hosts, Math.min(expected, 1350)), []);
	}
	t.is((await host.show('/healthz')).status, 200);
	for (const container of launched) t.is(container.del().status, 0);
});
