// What operators do: networks and hosts come and go while everything runs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../helpers/cluster-process.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { documentExample } from '../helpers/master.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;

testOn(needs, 'a network that is added is on every host within a second, and goes when it is drained', async (t) => {
	const { hosts, ask, settled, state } = await startCluster(t);
	const added = await ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix: 24 });
	t.is(added.status, 201);
	await settled(hosts, 1000);
	const confs = hosts.map(({ place }) => `${place.cni}/new.conf`);
	await until('the configurations', () => confs.every((path) => existsSync(path)), 1000);
	const containers = hosts.map((host) => host.launch('new'));
	const [one, other] = containers;
	t.deepEqual([one?.address, other?.address], ['10.96.0.2', '10.96.1.2']);
	t.is(one?.namespace.run(['ping', '-c', '1', '-W', '1', other?.address ?? '']).status, 0);
	const isWell = async () =>
		(await state()).agents.every((agent) =>
			agent.overlays.every((overlay) => overlay.state.status === 'STATUS_OK'),
		);
	await until('the master to know', isWell);

	t.is((await ask('DELETE', '/v1/networks/new')).status, 202);
	await until('nothing more to be launched', () => confs.every((path) => !existsSync(path)), 1000);
	await sleep(1500);
	t.is(one?.namespace.run(['ping', '-c', '1', '-W', '1', other?.address ?? '']).status, 0, 'what runs goes on');
	for (const container of containers) t.is(container.del().status, 0);
	await until(
		'the network to go',
		async () => {
			const { network } = await state();
			return network.overlays.every(({ name }) => name !== 'new');
		},
		10_000,
	);
	await settled();
	await until('the bridges to go', () => hosts.every((host) => host.link('m-new') === undefined));
});

testOn(
	needs,
	'a host that is removed is gone from all others within a second, and comes back with what it had',
	async (t) => {
		const { hosts, ask, settled } = await startCluster(t);
		const [first, second, third] = hosts;
		if (first === undefined || second === undefined || third === undefined) throw new Error('expected three hosts');
		const before = third.entries();
		await third.agent().end('SIGKILL');
		const { status } = await ask('POST', '/overlay-master/agents/delete', { agents: [third.ip], force: true });
		t.is(status, 200);
		t.true((await settled([first, second], 1000)) < 1000);
		t.false(first.entries().some((entry) => entry.includes(third.ip)));
		t.deepEqual(third.entries(), before, 'what is on the host itself stays');
		await third.startAgent();
		await settled();
		t.deepEqual(third.entries(), before);

		await third.agent().end();
		t.deepEqual(third.entries(), before, 'an agent that ends leaves the data plane');
		const [program = '', ...words] = third.command('--remove');
		const removal = third.run([program, ...words]);
		t.is(removal.status, 0, removal.stderr);
		t.is(third.link('vtep1024'), undefined);
		t.is(third.link('m-dcos'), undefined);
		t.deepEqual(third.entries(), []);
		t.deepEqual(readdirSync(third.place.cni), []);
		t.deepEqual(readdirSync(third.place.state), ['lock']);
		t.false(existsSync(`${third.directory}/agent.json`));
	},
);

testOn(needs, 'the agent shows what it does, and leaves alone what others wrote', async (t) => {
	const { hosts, state } = await startCluster(t, { size: 2 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected hosts');
	await until('the agent to be well', async () => {
		const { overlays } = await host.overlay();
		return overlays.length === 2 && overlays.every((overlay) => overlay.state.status === 'STATUS_OK');
	});
	const own = await host.overlay();
	const isTold = async () => {
		const known = (await state()).agents.find(({ ip }) => ip === host.ip);
		return JSON.stringify(known?.overlays) === JSON.stringify(own.overlays);
	};
	await until('both to show the same', isTold);
	t.deepEqual(JSON.parse(readFileSync(`${host.directory}/agent.json`, 'utf8')).networks.dcos, {
		subnet: '9.0.0.0/26',
		subnet6: 'fd01:b::/80',
		overlay: '9.0.0.0/8',
		overlay6: 'fd01:b::/64',
		mtu: 1450,
	});
	t.is((await host.show('/healthz')).status, 200);
	const metrics = String((await host.show('/metrics')).json);
	t.regex(metrics, /^mesos_overlay_slave_registering 0$/m);
	t.regex(metrics, /^overlay_networks_configured 2$/m);
	t.is((await host.show('/nothing')).status, 404);

	await host.agent().end();
	writeFileSync(`${host.place.cni}/dcos.conf`, '{"name": "dcos", "type": "bridge"}');
	writeFileSync(`${host.place.cni}/other.conf`, '{"name": "other", "type": "bridge"}');
	await host.startAgent();
	const errorAt = async () => {
		const { agents } = await state();
		return agents.find(({ ip }) => ip === host.ip)?.overlays[0]?.state.error;
	};
	await until('the error to be at the master', async () => (await errorAt()) !== undefined);
	t.regex((await errorAt()) ?? '', /^writing ".*dcos.conf": somebody else wrote this file; remove or rename it$/);
	t.is(readFileSync(`${host.place.cni}/dcos.conf`, 'utf8'), '{"name": "dcos", "type": "bridge"}');
	t.true(existsSync(`${host.place.cni}/other.conf`));
	writeFileSync(
		`${host.place.cni}/dcos.conf`,
		'{"name": "dcos", "type": "bridge", "managedBy": "mesos-overlay agent"}',
	);
	await until('it to be well again', async () => (await errorAt()) === undefined, 5000);
	t.regex(readFileSync(`${host.place.cni}/dcos.conf`, 'utf8'), /mesos-overlay-ipam/);
});

testOn(
	needs,
	'an agent that is removed while it runs takes its part down, and has the same again when it is back',
	async (t) => {
		const { hosts, ask, settled } = await startCluster(t, { size: 2 });
		const [host, other] = hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		const before = host.entries();
		await ask('POST', '/overlay-master/agents/delete', { agents: [host.ip], force: true });
		await host.agent().event('agent removed');
		await until(
			'its part to go',
			() => host.link('vtep1024') === undefined && readdirSync(host.place.cni).length === 0,
		);
		await settled([other]);
		t.deepEqual((await host.overlay()).overlays, []);
		await host.agent().end();
		await host.startAgent();
		await settled();
		t.deepEqual(host.entries(), before);
	},
);

testOn(needs, 'a wider network and another MTU reach agents that run', async (t) => {
	const members = { ...documentExample, overlays: [{ name: 'dcos', subnet: '9.0.0.0/16', prefix: 26 }] };
	const cluster = await startCluster(t, { size: 2, members });
	await cluster.master().end();
	cluster.place.configure({
		...members,
		vtep_mtu: 1400,
		overlays: [{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26 }],
	});
	await sleep(100);
	await cluster.startMaster();
	await cluster.settled(cluster.hosts, 3000);
	for (const host of cluster.hosts) t.is(host.link('vtep1024')?.mtu, 1400);
});
