// Agents and containers of hosts whose rules are kept by iptables, in both of its variants.
import { existsSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { allRules } from '../helpers/backends.ts';
import { underlay } from '../helpers/cluster.ts';
import { startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { exchangeAll, serveOutside } from '../helpers/cluster-traffic.ts';
import { type Variant, variants } from '../helpers/iptables.ts';
import { testOn } from '../helpers/requirements.ts';

/** Milliseconds: rules are looked at every two seconds. */
const SOON = 10_000;

async function twoHosts(t: ExecutionContext, iptables: Variant) {
	const cluster = await startCluster(t, { size: 2, iptables });
	const [host, other] = cluster.hosts;
	if (host === undefined || other === undefined) throw new Error('expected two hosts');
	await until('the rules', () => allRules(host).includes('-s 192.168.0.0/16 -j MASQUERADE'), SOON);
	return { cluster, host, other };
}

for (const variant of variants) {
	const needs = ['vxlan', 'ipv6', `iptables-${variant}`] as const;

	testOn(
		needs,
		`${variant}: masquerade to the outside and not within overlays, published ports, a flush`,
		async (t) => {
			const { cluster, host, other } = await twoHosts(t, variant);
			t.notRegex(host.must(['/usr/sbin/nft', 'list', 'tables']), /mesos_overlay/);
			const ports = [
				{ host_port: 8080, container_port: 80, protocol: 'tcp' },
				{ host_port: 5353, container_port: 53, protocol: 'udp' },
			];
			const web = host.launch('dcos', { port_mappings: ports });
			const [plain, far] = [host.launch('dcos-1'), other.launch('dcos')];
			t.deepEqual(await exchangeAll([web, plain, far], cluster.hosts, 1450), []);

			const seen = await serveOutside(t, cluster);
			const by6 = underlay[6].address(host.nth);
			await serve(t, web.namespace, 'web', [80, 53]);
			const published = [host.ip, by6].flatMap((address) => [
				{ protocol: 'tcp' as const, address, port: 8080 },
				{ protocol: 'udp' as const, address, port: 5353 },
			]);
			const works = async () => {
				t.deepEqual(await seen(web), [host.ip, host.ip, by6, by6]);
				for (const from of [cluster.outside, other, far.namespace]) {
					const answers = await ask(from, published);
					t.deepEqual(
						answers.map((answer) => answer?.name),
						Array.from(published, () => 'web'),
					);
				}
			};
			await works();

			// It may make the table.
			host.must(['iptables', '-F']);
			const before = allRules(host);
			for (const words of [
				'iptables -F && iptables -t nat -F',
				'ip6tables -t mangle -F && iptables -t nat -F POSTROUTING',
			]) {
				host.must(['sh', '-c', words]);
				t.not(allRules(host), before);
				await until('the rules to be back', () => allRules(host) === before, SOON);
			}
			await works();
		},
	);

	testOn(needs, `${variant}: the rules of a network go with it, and all chains with the agent`, async (t) => {
		const { cluster, host } = await twoHosts(t, variant);
		const before = allRules(host);
		await cluster.ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix: 24 });
		await until('its rules', () => allRules(host).includes('-s 10.96.0.0/16 -j MASQUERADE'), SOON);
		await until('its configuration', () => existsSync(`${host.place.cni}/new.conf`), SOON);
		const container = host.launch('new', { port_mappings: [{ host_port: 81, container_port: 80 }] });
		t.is(container.del().status, 0);
		await cluster.ask('DELETE', '/v1/networks/new');
		await until('its rules to go', () => allRules(host) === before, SOON);

		const member = host.launch('dcos', { port_mappings: [{ host_port: 81, container_port: 80 }] });
		await host.agent().end();
		const first = host.run(host.command('--remove'));
		t.is(first.status, 1);
		t.regex(first.stderr, /the rules are needed by container/);
		t.regex(allRules(host), /--dports 81 -j DNAT/);
		t.is(member.del().status, 0);
		const second = host.run(host.command('--remove'));
		t.deepEqual([second.status, second.stderr], [0, '']);
		t.notRegex(allRules(host), /MESOS-OVERLAY|MASQUERADE/);
	});
}
