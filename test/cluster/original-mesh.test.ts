// Every host is programmed for each other one, once: the original's own test of four nodes.
import { type AgentHost, startCluster } from '../helpers/cluster-hosts.ts';
import { fixture, PATIENCE, wellOverlays } from '../helpers/original-fixture.ts';
import { testOn } from '../helpers/requirements.ts';

/** What leads to the nth host, from 1 on: its route, its neighbour and its forwarding entry, of both families. */
function entriesTo(nth: number): string[] {
	const mac = `70:b3:d5:80:00:0${nth}`;
	return [
		`192.168.${nth - 1}.0/24 via 44.128.0.${nth}`,
		`${nth === 1 ? 'fd02::' : `fd02::${nth - 1}:0:0:0`}/80 via fd03::${nth}`,
		`44.128.0.${nth} at ${mac}`,
		`fd03::${nth} at ${mac}`,
		`${mac} to 10.64.0.${nth}`,
	];
}

/** All that could be there twice; the numbers of rules are in it, so that one which was made anew is seen. */
const everythingOf = (host: AgentHost): string[] =>
	[
		['ip', 'rule'],
		['ip', '-6', 'rule'],
		['ip', 'route', 'show', 'table', 'all'],
		['ip', '-6', 'route', 'show', 'table', 'all'],
		['bridge', 'fdb', 'show', 'dev', 'vtep1024'],
		['nft', '--handle', 'list', 'ruleset'],
	].map((argv) => host.must(argv).split('\n').toSorted().join('\n'));

testOn(
	['vxlan', 'ipv6'],
	'each of four hosts has the entries of the three others, also after restarts only once',
	async (t) => {
		const cluster = await startCluster(t, { size: 4, members: fixture });
		for (const host of cluster.hosts) {
			const others = [1, 2, 3, 4].filter((nth) => nth !== host.nth);
			const expected = ['unreachable 192.168.0.0/16', 'unreachable fd02::/64', ...others.flatMap(entriesTo)];
			t.deepEqual(host.entries(), expected.toSorted(), host.ip);
			t.deepEqual(host.addresses('vtep1024'), [`44.128.0.${host.nth}/16`, `fd03::${host.nth}/64`]);
			t.is(host.link('vtep1024')?.address, `70:b3:d5:80:00:0${host.nth}`);
		}

		const [host] = cluster.hosts;
		if (host === undefined) throw new Error('expected hosts');
		await wellOverlays(cluster, host);
		const before = everythingOf(host);
		for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
			await host.agent().end(signal);
			const agent = await host.startAgent();
			await agent.event('registered', 0, PATIENCE);
			await wellOverlays(cluster, host);
			await cluster.settled(cluster.hosts, PATIENCE);
			t.deepEqual(everythingOf(host), before, signal);
		}
	},
);
