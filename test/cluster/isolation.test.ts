// Who reaches whom across hosts, as the options say that an operator gives the agents.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import { type AgentHost, type Container, startCluster } from '../helpers/cluster-hosts.ts';
import { startDaemon } from '../helpers/cluster-process.ts';
import { serveOutside } from '../helpers/cluster-traffic.ts';
import { documentExample } from '../helpers/master.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';

const needs = ['vxlan', 'ipv6'] as const;
const members = {
	...documentExample,
	vtep_subnet6: 'fd01:a::/64',
	overlays: [
		{ name: 'open', subnet: '9.0.0.0/8', prefix: 26, subnet6: 'fd01:b::/64', prefix6: 80 },
		{ name: 'closed', subnet: '192.168.0.0/16', prefix: 24, subnet6: 'fd01:c::/64', prefix6: 80 },
		{ name: 'alone', subnet: '10.96.0.0/16', prefix: 24, subnet6: 'fd01:d::/64', prefix6: 80 },
	],
};

function optionsFile(t: ExecutionContext, content: object): string {
	const directory = mkdtempSync(`${tmpdir()}/mesos-overlay-options-`);
	t.teardown(() => rmSync(directory, { recursive: true, force: true }));
	writeFileSync(`${directory}/options.json`, JSON.stringify(content));
	return `${directory}/options.json`;
}

/** Of both families. */
const addresses = ({ address, address6 = '' }: Container) => [address, address6];

testOn(
	needs,
	'networks and containers that are isolated are so from any host, and leave and publish as before',
	async (t) => {
		const file = optionsFile(t, {
			closed: { isolation: 'network' },
			alone: { isolation: 'container', spoofCheck: true },
			'*': { ipam: { quarantine: 30 } },
		});
		const cluster = await startCluster(t, { size: 2, members, options: ['--network-options', file] });
		const [host, other] = cluster.hosts;
		if (host === undefined || other === undefined) throw new Error('expected two hosts');
		const conf = (name: string) => JSON.parse(readFileSync(`${host.place.cni}/${name}.conf`, 'utf8'));
		t.like(conf('alone'), { isolation: 'container', spoofCheck: true, ipMasq: true, ipam: { quarantine: 30 } });
		t.is(conf('open').isolation, undefined);

		const launch = (at: AgentHost) => ({
			open: at.launch('open'),
			closed: at.launch('closed'),
			alone: at.launch('alone', { port_mappings: [{ host_port: 8080, container_port: 80 }] }),
		});
		const [here, there] = [launch(host), launch(other)];
		const targets = { ...there, near: host.launch('alone') };
		for (const [name, { namespace }] of Object.entries(targets)) await serve(t, namespace, name, [80]);
		/** Those that answer, each by both families. */
		const reached = async (from: Namespace) => {
			const questions = Object.values(targets).flatMap(addresses);
			const answers = await ask(
				from,
				questions.map((address) => ({ protocol: 'tcp', address, port: 80 })),
			);
			return answers.flatMap((answer) => answer?.name ?? []);
		};
		t.deepEqual(await reached(here.open.namespace), ['open', 'open']);
		t.deepEqual(await reached(here.closed.namespace), ['closed', 'closed']);
		t.deepEqual(await reached(here.alone.namespace), []);
		t.deepEqual(await reached(host), ['open', 'open', 'near', 'near']);

		for (const from of [cluster.outside, here.open.namespace, here.alone.namespace]) {
			const [answer] = await ask(from, [{ protocol: 'tcp', address: other.ip, port: 8080 }]);
			t.is(answer?.name, 'alone');
		}
		const seen = await serveOutside(t, cluster);
		for (const container of [here.closed, here.alone]) t.is((await seen(container))[0], host.ip);
	},
);

testOn(needs, 'containers of a network without masquerade leave by their own addresses', async (t) => {
	const file = optionsFile(t, { '*': { ipMasq: false }, 'dcos-1': { ipMasq: true } });
	const cluster = await startCluster(t, { size: 1, options: ['--network-options', file] });
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('expected a host');
	cluster.outside.must(['ip', 'route', 'add', '9.0.0.0/8', 'via', host.ip]);
	cluster.outside.must(['ip', 'route', 'add', 'fd01:b::/64', 'via', 'fd10::1']);
	const seen = await serveOutside(t, cluster);
	const [plain, masqueraded] = [host.launch('dcos'), host.launch('dcos-1')];
	const own = addresses(plain);
	t.deepEqual(await seen(plain), [own[0], own[0], own[1], own[1]]);
	t.deepEqual(await seen(masqueraded), [host.ip, host.ip]);
});

testOn(needs, 'an agent with options that the plugin would refuse does not start', async (t) => {
	const { hosts } = await startCluster(t, { size: 1 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected a host');
	await host.agent().end();
	const file = optionsFile(t, { dcos: { isolation: 'host' } });
	const daemon = startDaemon(t, host, host.command('--network-options', file));
	t.is(await daemon.end('SIGCONT'), 78);
	t.regex(daemon.notes.join('\n'), /options\.json" of network "dcos": reading isolation: expected one of "none", /);
});
