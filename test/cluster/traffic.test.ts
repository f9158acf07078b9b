// The document's example on three hosts: every container reaches every other.
import { ask, serve } from '../helpers/answering.ts';
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { testOn } from '../helpers/requirements.ts';

testOn(['vxlan', 'ipv6'], 'containers of three hosts and two networks reach each other and the outside', async (t) => {
	const cluster = await startCluster(t);
	const { hosts, outside } = cluster;
	const containers = hosts.flatMap((host) =>
		['dcos', 'dcos-1'].map((network) => ({ host, network, ...host.launch(network) })),
	);
	t.deepEqual(
		containers.map(({ address, address6 }) => [address, address6]),
		[
			['9.0.0.2', 'fd01:b::2'],
			['192.168.0.2', undefined],
			['9.0.0.66', 'fd01:b::1:0:0:2'],
			['192.168.1.2', undefined],
			['9.0.0.130', 'fd01:b::2:0:0:2'],
			['192.168.2.2', undefined],
		],
	);
	await Promise.all([
		...containers.map(({ namespace, address }) => serve(t, namespace, address, [7000])),
		serve(t, outside, 'outside', [7000]),
	]);
	for (const { namespace, address, address6, host } of containers) {
		const others = containers.filter((other) => other.address !== address);
		const targets = others.flatMap((other) => [
			{ name: other.address, to: other.address, sees: address },
			...(address6 !== undefined && other.address6 !== undefined
				? [{ name: other.address, to: other.address6, sees: address6 }]
				: []),
		]);
		const both = [...targets, { name: 'outside', to: underlay[4].outside, sees: host.ip }].flatMap((target) =>
			(['tcp', 'udp'] as const).map((protocol) => ({ protocol, ...target })),
		);
		const answers = await ask(
			namespace,
			both.map(({ protocol, to }) => ({ protocol, address: to, port: 7000 })),
		);
		t.deepEqual(
			answers,
			both.map(({ name, sees }) => ({ name, sees })),
			`from ${address}`,
		);
	}

	const [first, , second] = containers;
	const mtu = 1500 - 50;
	for (const [address, headers] of [
		[second?.address, 28],
		[second?.address6, 48],
	] as const) {
		const whole = [
			'ping',
			'-c',
			'2',
			'-i',
			'0.1',
			'-W',
			'1',
			'-M',
			'do',
			'-s',
			String(mtu - headers),
			address ?? '',
		];
		t.is(first?.namespace.run(whole).status, 0, `${address}: a packet of ${mtu} bytes`);
		t.not(
			first?.namespace.run(
				whole.map((word) => (word === String(mtu - headers) ? String(mtu - headers + 1) : word)),
			).status,
			0,
		);
	}
	for (const container of containers) t.is(container.del().status, 0);
	for (const host of hosts) t.is(await host.agent().end(), 0);
});
