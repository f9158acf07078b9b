// Hosts whose part of the virtual networks is made from what a master would say; containers attached by the plugin.
import type { ExecutionContext } from 'ava';
import type { ClusterState } from '../../src/agent/master/cluster-state.ts';
import { present } from '../../src/cni/fields.ts';
import type { WireAgent } from '../../src/overlay/wire.ts';
import { ask, serve, type Target } from '../helpers/answering.ts';
import { type Cluster, createCluster, joinNetwork, type Member, program } from '../helpers/cluster.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping, transfer, unreachable } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** All hosts know of each other, and each has a container. */
function populated(t: ExecutionContext, cluster: Cluster): Member[] {
	const state = cluster.state();
	for (const host of cluster.hosts) t.deepEqual(program(host, state).failures, []);
	return cluster.hosts.map((host) => joinNetwork(t, host));
}

for (const tunnels of [4, 6] as const) {
	testOn(needs, `every container reaches every other on three hosts, through tunnels of IPv${tunnels}`, async (t) => {
		const members = populated(t, createCluster(t, 3, { tunnels }));
		await Promise.all(members.map(({ container, host }) => serve(t, container, `c${host.nth}`, [80])));
		for (const from of members) {
			const others = members.filter((to) => to !== from);
			const targets = others.flatMap(({ addresses, host }) =>
				([4, 6] as const).flatMap((family) =>
					(['tcp', 'udp'] as const).map((protocol): Target & { name: string; sees: string } => ({
						protocol,
						address: addresses[family],
						port: 80,
						name: `c${host.nth}`,
						sees: from.addresses[family],
					})),
				),
			);
			const answers = await ask(from.container, targets);
			t.deepEqual(
				answers,
				targets.map(({ name, sees }) => ({ name, sees })),
				`from ${from.host.nth}`,
			);
		}
	});

	testOn(
		needs,
		`the whole MTU passes through a tunnel of IPv${tunnels} without fragments, and not a byte more`,
		async (t) => {
			const cluster = createCluster(t, 2, { tunnels });
			const [one, other] = populated(t, cluster);
			if (one === undefined || other === undefined) throw new Error('two hosts, two containers');
			const mtu = tunnels === 4 ? 1450 : 1430;
			t.is(one.host.link('vtep1024')?.mtu, mtu);
			t.is(one.host.link('m-dcos')?.mtu, mtu);
			t.is(one.container.link('eth0')?.mtu, mtu);
			for (const [family, headers] of [
				[4, 28],
				[6, 48],
			] as const) {
				const address = other.addresses[family];
				t.true(ping(one.container, address, mtu - headers, ['-M', 'do']), `IPv${family}`);
				t.false(ping(one.container, address, mtu - headers + 1, ['-M', 'do']));
				t.is(await transfer(one.container, other.container, 'tcp', address, 3_000_000), 3_000_000);
				t.is(await transfer(one.container, other.container, 'udp', address, 1000), 1000);
			}
			for (const { host } of [one, other]) {
				const counters = host.must([
					'nstat',
					'-asz',
					'IpFragCreates',
					'IpReasmReqds',
					'Ip6FragCreates',
					'Ip6ReasmReqds',
				]);
				t.notRegex(counters, /(?:Frag|Reasm)\w+\s+[1-9]/);
			}
		},
	);
}

testOn(needs, 'a cluster whose networks have IPv6 alone', async (t) => {
	const cluster = createCluster(t, 2);
	const { networks, agents, ...rest } = cluster.state();
	const only6 = ({ networks: { dcos }, ...other }: WireAgent): WireAgent => ({
		...other,
		networks: { dcos: present({ subnet6: dcos?.subnet6 }) },
	});
	const state: ClusterState = {
		...rest,
		networks: networks.map(({ name, overlay6, prefix6, state: phase }) =>
			present({ name, overlay6, prefix6, state: phase }),
		),
		agents: new Map(Array.from(agents, ([ip, each]) => [ip, only6(each)])),
	};
	for (const host of cluster.hosts) t.deepEqual(program(host, state).failures, []);
	const ipam = { agentSubnet: undefined, prefix: undefined, overlay: undefined };
	const [one, other] = cluster.hosts.map((host) => joinNetwork(t, host, { ipam }));
	if (one === undefined || other === undefined) throw new Error('two hosts, two containers');
	await serve(t, other.container, 'other', [80]);
	t.deepEqual(await ask(one.container, [{ protocol: 'tcp', address: other.addresses[6], port: 80 }]), [
		{ name: 'other', sees: one.addresses[6] },
	]);
});

for (const checksumOffload of [false, true]) {
	const who = checksumOffload ? 'left to' : 'right before they reach';
	testOn([...needs, 'tcpdump'], `inside the tunnel, checksums are ${who} the network card`, async (t) => {
		const cluster = createCluster(t, 2);
		for (const host of cluster.hosts) {
			t.deepEqual(program(host, cluster.state(), { checksumOffload }).failures, []);
			t.deepEqual(program(host, cluster.state(), { checksumOffload }).actions, []);
		}
		const [one, other] = cluster.hosts.map((host) => joinNetwork(t, host));
		if (one === undefined || other === undefined) throw new Error('two hosts, two containers');
		const filter = 'udp port 64000 and greater 200';
		const seen = one.host.start([
			'timeout',
			'10',
			'tcpdump',
			'-lnvv',
			'-i',
			'eth0',
			'-c',
			'6',
			'-T',
			'vxlan',
			filter,
		]);
		await new Promise((resolve) => setTimeout(resolve, 700));
		t.is(await transfer(one.container, other.container, 'tcp', other.addresses[4], 100_000), 100_000);
		const { stdout } = await seen;
		t.regex(stdout, /VXLAN/);
		t.is(/cksum 0x[0-9a-f]+ \(incorrect/.test(stdout), checksumOffload);
		t.is(/cksum 0x[0-9a-f]+ \(correct\)/.test(stdout), !checksumOffload);
	});
}

testOn(needs, 'nobody on the network is told so, and does not leave by the default route', (t) => {
	const [one] = populated(t, createCluster(t, 1));
	if (one === undefined) throw new Error('one host, one container');
	for (const address of ['9.0.7.7', 'fd01:b:0:0:7::7']) {
		const { stdout, status } = one.container.run(['ping', '-n', '-c', '1', '-W', '1', address]);
		t.not(status, 0);
		t.regex(stdout, /unreachable|No route/i);
	}
});

testOn(needs, 'an agent that is removed goes from every other host, and one that comes is there at once', (t) => {
	const cluster = createCluster(t, 3);
	const members = populated(t, cluster);
	const [one, two, three] = members;
	if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts, three containers');
	const left = cluster.state([one.host, two.host]);
	for (const { host } of [one, two]) {
		const { actions, failures } = program(host, left);
		t.deepEqual(failures, []);
		t.is(actions.length, 5);
		t.notRegex(
			host.must(['sh', '-c', 'ip route; ip -6 route; ip neigh; bridge fdb show dev vtep1024']),
			/9\.0\.3\.|44\.128\.0\.3 |::3|80:00:03/,
		);
	}
	t.true(unreachable(one.container, three.addresses[4]));
	t.true(ping(one.container, two.addresses[6]));
	for (const { host } of [one, two]) program(host, cluster.state());
	t.true(ping(one.container, three.addresses[4]));
	t.true(ping(three.container, two.addresses[6]));
});

testOn(needs, 'what others have set stays, and the same again is nothing to do', (t) => {
	const cluster = createCluster(t, 2);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('two hosts');
	host.must([
		'sh',
		'-c',
		'ip link add foreign type veth peer name stranger && ip link set foreign up && ip link set stranger up && ip address add 192.0.2.1/24 dev foreign',
	]);
	host.must(['ip', 'route', 'add', '9.0.2.0/24', 'via', '192.0.2.9', 'proto', 'static']);
	host.must(['ip', 'route', 'add', '9.9.0.0/16', 'via', '192.0.2.9', 'proto', 'boot']);
	host.must(['ip', 'route', 'add', '9.0.2.0/24', 'via', '192.0.2.9', 'table', '42']);
	host.must(['ip', '-6', 'route', 'add', 'fd01:b:0:0:2::/80', 'via', 'fd10::9']);
	host.must(['ip', 'neigh', 'add', '192.0.2.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'foreign', 'nud', 'permanent']);
	host.must(['ip', 'link', 'add', 'm-foreign', 'type', 'bridge']);
	const foreign = () =>
		host.must([
			'sh',
			'-c',
			'ip route show table all | grep -E "192.0.2|fd10::9"; ip neigh show dev foreign; ip -br link show m-foreign',
		]);
	const before = foreign();
	const state = cluster.state();
	t.deepEqual(program(host, state).failures, []);
	t.is(foreign(), before);
	t.regex(host.must(['ip', 'route', 'get', '9.0.2.7']), /via 44\.128\.0\.2 dev vtep1024/, 'ours comes first');
	t.regex(host.must(['ip', 'route', 'get', 'fd01:b:0:0:2::7']), /via fd01:a::2 dev vtep1024/);
	t.deepEqual(program(host, state).actions, []);
	program(host);
	t.is(foreign(), before);
	t.is(host.link('vtep1024'), undefined);
	t.is(host.link('m-dcos'), undefined);
	t.notRegex(host.must(['sh', '-c', 'ip route; ip -6 route']), /proto 124|vtep1024/);
});

for (const [what, ruin] of [
	['another VNI', 'ip link add vtep1024 type vxlan id 7 dstport 64000'],
	['another port', 'ip link add vtep1024 type vxlan id 1024 dstport 4789'],
	[
		'learning, another MAC address, MTU and sender, down',
		'ip link add vtep1024 mtu 1400 type vxlan id 1024 dstport 64000 local 192.0.2.1',
	],
	['the other family', 'ip link add vtep1024 type vxlan id 1024 dstport 64000 local fd10::1'],
] as const) {
	testOn(needs, `a VTEP that is there with ${what} becomes what it should be`, (t) => {
		const cluster = createCluster(t, 2);
		const [one, other] = cluster.hosts;
		if (one === undefined || other === undefined) throw new Error('two hosts');
		one.must(['sh', '-c', ruin]);
		const index = one.link('vtep1024')?.ifindex;
		for (const host of cluster.hosts) t.deepEqual(program(host, cluster.state()).failures, []);
		t.deepEqual(program(one, cluster.state()).actions, []);
		t.true(ping(one, '44.128.0.2'));
		t.true(ping(one, 'fd01:a::2'));
		t.is(one.link('vtep1024')?.ifindex === index, what.startsWith('learning'), 'made again only when it must be');
	});
}

testOn(needs, 'a device of another kind in the place of the VTEP is named, and left alone', (t) => {
	const cluster = createCluster(t, 1);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('one host');
	host.must(['ip', 'link', 'add', 'vtep1024', 'type', 'bridge']);
	t.throws(() => program(host, cluster.state()), {
		code: 'foreignDevice',
		message: 'using "vtep1024": a device of that name exists and is no VXLAN device; remove or rename it',
	});
});
