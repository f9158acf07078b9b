// What the kernel and the files of a host have of a network: the original's own tests, in our forms.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { ask, serve } from '../helpers/answering.ts';
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { fixture, PATIENCE, wellOverlays } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;

const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

testOn(
	needs,
	'a network is in the rules, in a configuration for Mesos, and in the Mesos half of its containers',
	async (t) => {
		const { hosts, outside, ...cluster } = await startCluster(t, {
			size: 2,
			members: fixture,
			// The original's `overlay_mtu` is an option of its agents, too.
			options: ['--mtu', '1420'],
		});
		const [host, other] = hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		await wellOverlays(cluster, host);

		const sets = (...names: string[]) =>
			names.map((name) => host.must(['nft', 'list', 'set', 'inet', 'mesos_overlay', name]));
		for (const set of sets('overlays4', 'masqueraded_overlays4')) t.regex(set, /elements = \{ 192\.168\.0\.0\/16 /);
		for (const set of sets('overlays6', 'masqueraded_overlays6')) t.regex(set, /elements = \{ fd02::\/64 /);
		const rules = host.must(['nft', 'list', 'chain', 'inet', 'mesos_overlay', 'postrouting']);
		t.regex(rules, /ip saddr @masqueraded_overlays4 ip daddr != @overlays4 .*masquerade/);

		t.deepEqual(readJson(`${host.place.cni}/mz-overlay.conf`), {
			name: 'mz-overlay',
			managedBy: 'mesos-overlay agent',
			type: 'mesos-overlay',
			// Of what leaves all overlays: as with the original, the bridge masquerades nothing by itself.
			ipMasq: true,
			mtu: 1420,
			natDir: host.natDir,
			ipam: {
				type: 'mesos-overlay-ipam',
				agentFile: `${host.directory}/agent.json`,
				dataDir: host.dataDir,
			},
		});
		t.like(readJson(`${host.directory}/agent.json`), {
			networks: { 'mz-overlay': { subnet: '192.168.0.0/24', subnet6: 'fd02::/80', mtu: 1420 } },
		});

		const [near, far] = [host.launch('mz-overlay'), other.launch('mz-overlay')];
		t.deepEqual(near.namespace.addresses('eth0'), ['192.168.0.2/25', 'fd02::2/81']);
		t.deepEqual(host.addresses('m-mz-overlay'), ['192.168.0.1/25', 'fd02::1/81']);
		for (const link of [near.namespace.link('eth0'), host.link('m-mz-overlay'), host.link('vtep1024')]) {
			t.is(link?.mtu, 1420, link?.ifname);
		}
		await serve(t, outside, 'outside', [80]);
		await serve(t, far.namespace, 'far', [80]);
		const targets = [underlay[4].outside, far.address].map(
			(address) => ({ protocol: 'tcp', address, port: 80 }) as const,
		);
		t.deepEqual(await ask(near.namespace, targets), [
			{ name: 'outside', sees: host.ip },
			{ name: 'far', sees: near.address },
		]);
	},
);

testOn(
	needs,
	'a host on which nobody launches containers has its part, and neither configurations nor Docker networks',
	async (t) => {
		const cluster = await startCluster(t, { size: 2, members: fixture });
		const [host, other] = cluster.hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		const before = await wellOverlays(cluster, host);
		await host.agent().end();
		rmSync(host.place.cni, { recursive: true });
		const agent = await host.startAgent('--cni-dir', 'none', '--docker', 'none');
		await agent.event('registered', 0, PATIENCE);
		t.deepEqual(await wellOverlays(cluster, host), before, 'with both bridges, as the master has it');
		await cluster.settled(cluster.hosts, PATIENCE);
		t.false(existsSync(host.place.cni));
		t.is(host.link('d-mz-overlay'), undefined);
		const far = other.launch('mz-overlay');
		await until(
			'the host to reach containers',
			() => ping(host, far.address) && ping(host, far.address6 ?? ''),
			PATIENCE,
		);

		await agent.end();
		host.must(host.command('--cni-dir', 'none', '--remove'));
		t.deepEqual(host.entries(), []);
	},
);

testOn(
	needs,
	'the MTU of VTEPs, when it is said, reaches documents, devices, configurations and packets',
	async (t) => {
		const members = { ...fixture, vtep_mtu: 9000 };
		const cluster = await startCluster(t, { size: 2, members, mtu: 9050 });
		const [host, other] = cluster.hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		const [shown] = await wellOverlays(cluster, host);
		t.is(shown?.backend.vxlan.vtep_mtu, 9000);
		t.is((await cluster.state()).network.vtep_mtu, 9000);
		t.like(readJson(`${host.place.cni}/mz-overlay.conf`), { mtu: 9000 });
		const [near, far] = [host.launch('mz-overlay'), other.launch('mz-overlay')];
		for (const link of [host.link('vtep1024'), host.link('m-mz-overlay'), near.namespace.link('eth0')]) {
			t.is(link?.mtu, 9000, link?.ifname);
		}
		const whole = (address: string, headers: number) => ping(near.namespace, address, 9000 - headers, ['-M', 'do']);
		t.true(whole(far.address, 28));
		t.true(whole(far.address6 ?? '', 48));
		t.false(whole(far.address, 27), 'a byte more');
	},
);
