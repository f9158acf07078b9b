// What goes wrong: processes die, the underlay is cut, the master forgets, two hosts have one address.
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDaemon, until } from '../helpers/cluster-process.ts';
import { startCluster, type State } from '../helpers/cluster-hosts.ts';
import { testOn } from '../helpers/requirements.ts';

/** What each agent has of the first network. */
const subnets = ({ agents }: State) => agents.map(({ ip, overlays }) => `${ip} ${overlays[0]?.subnet}`);

const needs = ['vxlan', 'ipv6'] as const;

testOn(
	needs,
	'master and agents are killed at any time: what is wanted is there soon after, and no packet is lost',
	async (t) => {
		const cluster = await startCluster(t);
		const { hosts, ask, settled } = cluster;
		const [one, , other] = hosts.map((host) => host.launch('dcos'));
		const pings = one?.namespace.start(['ping', '-q', '-i', '0.05', '-w', '9', other?.address ?? '']);
		for (const round of [0, 1, 2, 3]) {
			const victim = hosts[round % 3];
			const isMaster = round % 2 === 0;
			await sleep(Math.random() * 100);
			void ask('POST', '/v1/networks', { name: `n${round}`, subnet: `10.${100 + round}.0.0/16`, prefix: 24 });
			await sleep(Math.random() * 60);
			await Promise.all([isMaster ? cluster.master().end('SIGKILL') : undefined, victim?.agent().end('SIGKILL')]);
			if (isMaster) await cluster.startMaster();
			await victim?.startAgent();
			await settled();
		}
		t.regex((await pings)?.stdout ?? '', / 0% packet loss/);
	},
);

testOn(needs, 'without a master, agents work from what they heard last', async (t) => {
	const cluster = await startCluster(t);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('expected hosts');
	const before = host.entries();
	await cluster.master().end('SIGKILL');
	await sleep(400);
	await host.agent().end('SIGKILL');
	host.must(['ip', 'link', 'del', 'vtep1024']);
	const agent = await host.startAgent();
	await agent.event('last state used');
	await until('the data plane', () => JSON.stringify(host.entries()) === JSON.stringify(before));
	t.like((await host.show('/healthz')).json, { status: 'ok', master: 'away' });
	host.must(['ip', 'route', 'del', '9.0.0.64/26']);
	await until('the route to be back', () => JSON.stringify(host.entries()) === JSON.stringify(before), 1500);
	await cluster.startMaster();
	await cluster.settled();
	await until('the agent to be connected', async () => (await host.masterIs()) === 'connected');
});

testOn(needs, 'the underlay is cut and healed', async (t) => {
	const { hosts, ask, settled } = await startCluster(t);
	const [first, second, third] = hosts;
	if (first === undefined || second === undefined || third === undefined) throw new Error('expected three hosts');
	const [one, other] = [first.launch('dcos'), second.launch('dcos')];
	const ping = () => one.namespace.run(['ping', '-c', '1', '-W', '1', other.address]).status;
	t.is(ping(), 0);
	first.cut();
	t.not(ping(), 0);
	await third.agent().end('SIGKILL');
	await ask('POST', '/overlay-master/agents/delete', { agents: [third.ip], force: true });
	await sleep(1500);
	first.heal();
	t.is(ping(), 0);
	await settled([first, second]);
	t.false(first.entries().some((entry) => entry.includes(third.ip)));
});

testOn(needs, 'a master that was restored from an old copy gives every agent what it has', async (t) => {
	const cluster = await startCluster(t, { size: 2 });
	const { hosts, place, ask } = cluster;
	await cluster.master().end();
	copyFileSync(place.state, `${place.directory}/copy`);
	await cluster.startMaster();
	await ask('POST', '/v1/networks', { name: 'later', subnet: '10.96.0.0/16', prefix: 24 });
	await cluster.settled();
	const before = subnets(await cluster.state());
	await cluster.master().end('SIGKILL');
	for (const file of ['', '-wal', '-shm']) rmSync(place.state + file, { force: true });
	copyFileSync(`${place.directory}/copy`, place.state);
	await cluster.startMaster();
	await cluster.settled();
	t.deepEqual(subnets(await cluster.state()), before);

	await cluster.master().end('SIGKILL');
	for (const file of ['', '-wal', '-shm']) rmSync(place.state + file, { force: true });
	await cluster.startMaster();
	await until('all agents to be known', async () => (await cluster.state()).agents.length === 2);
	await cluster.settled();
	const state = await cluster.state();
	t.deepEqual(subnets(state).toSorted(), before.toSorted(), 'a master without any state learns it from the agents');
	t.is(hosts.length, 2);
});

testOn(needs, 'of two agents that claim one address, the second is refused, and changes nothing', async (t) => {
	const { hosts, settled } = await startCluster(t, { size: 2 });
	const [first, second] = hosts;
	if (first === undefined || second === undefined) throw new Error('expected two hosts');
	const before = second.entries();
	const words = first.command('--state-dir', `${second.directory}/other`, '--listen', '127.0.0.1:0');
	const claimant = startDaemon(t, second, words);
	const { error } = await claimant.event('master refuses');
	t.regex(String(error), /another agent has this address: instance "[0-9a-f]{32}", heard of \d+ s ago/);
	await settled();
	t.deepEqual(second.entries(), before);
	t.is(await claimant.end(), 0);

	const twin = startDaemon(t, first, first.command('--listen', '127.0.0.1:0'));
	t.is(await twin.end('SIGCONT'), 78);
	t.regex(twin.notes.join('\n'), /locking ".*\/lock": another agent runs with this directory; stop it first/);
	t.is(readFileSync(`${first.place.state}/instance`, 'utf8').length, 33);
});

testOn(needs, 'a host full of routes of others', async (t) => {
	const { hosts, settled, ask } = await startCluster(t, { size: 2 });
	const [host] = hosts;
	if (host === undefined) throw new Error('expected hosts');
	const lines = Array.from(
		{ length: 2000 },
		(_, at) => `route add 172.${16 + (at >> 8)}.${at & 255}.0/24 via 10.64.0.254`,
	);
	host.must(['sh', '-c', `ip -batch - <<'END'\n${lines.join('\n')}\nEND`]);
	await ask('POST', '/v1/networks', { name: 'new', subnet: '10.96.0.0/16', prefix: 24 });
	await settled(hosts, 1000);
	t.is(host.routes(4).filter(({ dst }) => dst.startsWith('172.')).length, 2000);
});
