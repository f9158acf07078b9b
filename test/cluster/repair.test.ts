// An agent puts back what somebody takes away, at once and not only when it looks again; and it does not take itself for somebody.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { type AgentHost, startCluster } from '../helpers/cluster-hosts.ts';
import { until } from '../helpers/cluster-process.ts';
import { testOn } from '../helpers/requirements.ts';

/** In milliseconds. */
const LIMIT = 1000;

testOn(['vxlan', 'ipv6'], 'who has just started has nothing to repair', async (t) => {
	const { hosts } = await startCluster(t);
	await sleep(5000);
	for (const { log } of hosts.map((host) => host.agent())) {
		t.true(log.some(({ event }) => event === 'applied'));
		t.deepEqual(
			log.filter(({ event }) => event === 'repaired'),
			[],
		);
	}
});

/** Both tables of ours as nft shows them. */
function rulesOf(host: AgentHost): string {
	const { stdout } = host.run(['sh', '-c', 'nft list table inet mesos_overlay; nft list table bridge mesos_overlay']);
	return stdout;
}

/** Does some damage, and waits until everything is as it was; gives what the agent says of it. */
async function damage(t: ExecutionContext, host: AgentHost, command: string): Promise<readonly string[]> {
	const before = rulesOf(host);
	const lines = host.agent().log.length;
	host.must(['sh', '-c', command]);
	const took = await until('the rules to be back', () => rulesOf(host) === before, LIMIT);
	t.log(`${command}: ${Math.round(took)} ms`);
	const { causes } = await host.agent().event('repaired', lines);
	// From one repair to the next.
	await sleep(500);
	return causes as readonly string[];
}

testOn(
	['vxlan', 'ipv6'],
	'rules that somebody removes are back within a second, and it is told who it was',
	async (t) => {
		const { hosts } = await startCluster(t, { size: 2 });
		const [host] = hosts;
		if (host === undefined) throw new Error('expected a host');
		const port_mappings = [{ host_port: 8080, container_port: 80, protocol: 'tcp' }];
		const container = host.launch('dcos', { port_mappings });
		t.regex(rulesOf(host), /8080/);
		const by = String.raw` was removed by process \d+ \(nft\)$`;
		const table = new RegExp(`^table "inet mesos_overlay"${by}`, 'm');
		t.regex((await damage(t, host, 'nft delete table inet mesos_overlay')).join('\n'), table);
		t.regex((await damage(t, host, 'nft flush ruleset')).join('\n'), table);
		t.regex(
			(await damage(t, host, "nft delete element inet mesos_overlay host_ports4 '{ tcp . 8080 }'")).join('\n'),
			new RegExp(`^an element of set "host_ports4" of table "inet mesos_overlay"${by}`, 'm'),
		);
		const [set, key] = ['inet mesos_overlay host_ports4', 'tcp . 8080'];
		const elsewhere = `nft 'delete element ${set} { ${key} }; add element ${set} { ${key} : 9.9.9.9 . 80 }'`;
		t.regex((await damage(t, host, elsewhere)).join('\n'), /^an element of set "host_ports4" /m);
		t.regex(
			(await damage(t, host, 'nft flush chain inet mesos_overlay postrouting')).join('\n'),
			new RegExp(`^a rule of chain "postrouting" of table "inet mesos_overlay"${by}`, 'm'),
		);
		const lines = host.agent().log.length;
		const before = rulesOf(host);
		t.is(container.del().status, 0);
		const other = host.launch('dcos', { port_mappings });
		t.is(other.del().status, 0);
		await sleep(1500);
		t.not(rulesOf(host), before, 'what containers take with them stays away');
		t.deepEqual(
			host
				.agent()
				.log.slice(lines)
				.filter(({ event }) => event === 'repaired'),
			[],
		);
	},
);

testOn(['vxlan', 'ipv6'], 'what lets containers pass is there as soon as somebody else drops by default', async (t) => {
	const { hosts } = await startCluster(t, { size: 2 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected a host');
	const forward =
		'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }';
	host.must(['nft', forward]);
	const chain = () => host.must(['nft', 'list chain ip filter FORWARD']);
	const took = await until('what lets pass', () => /iifname "m-dcos" .*accept/.test(chain()), LIMIT);
	host.must(['nft', 'flush chain ip filter FORWARD']);
	const again = await until('what lets pass again', () => /iifname "m-dcos" .*accept/.test(chain()), LIMIT);
	t.log(`${Math.round(took)} ms, ${Math.round(again)} ms`);
	t.pass();
});
