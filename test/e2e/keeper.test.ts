// A host is kept as it should be, whatever others do to it.
import type { ExecutionContext } from 'ava';
import { ask, serve } from '../helpers/answering.ts';
import {
	type ClusterHost,
	createCluster,
	joinNetwork,
	type KeeperProcess,
	type KeeperReport,
	program,
	startKeeperOn,
	underlay,
} from '../helpers/cluster.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping } from '../helpers/traffic.ts';

const needs = ['vxlan', 'ipv6'] as const;

/** How long a repair may take, in milliseconds. */
const LIMIT = 1000;

async function soon(t: ExecutionContext, keeper: KeeperProcess, what: string): Promise<KeeperReport> {
	const start = performance.now();
	const report = await keeper.next();
	const took = performance.now() - start;
	t.true(took < LIMIT, `${what} took ${took} ms`);
	t.deepEqual(report.failures, [], what);
	return report;
}

/** All of ours that the kernel has, in words. */
function everything(host: ClusterHost): string {
	return host.must([
		'sh',
		'-c',
		'ip -d -o link show vtep1024 | sed "s/^[0-9]*: //"; ip -o address show dev vtep1024 scope global | sed "s/^[0-9]*: //";' +
			' (ip neigh show nud permanent; bridge fdb show dev vtep1024; ip route; ip -6 route show proto 124) | sort; cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding /proc/sys/net/ipv4/conf/vtep1024/rp_filter; ip -o link show m-dcos | sed "s/^[0-9]*: //"',
	]);
}

const damages: readonly [string, string, RegExp][] = [
	[
		'a route',
		'ip route del 9.0.2.0/24 proto 124',
		/^route 9\.0\.2\.0\/24 via 44\.128\.0\.2 was removed by process \d+$/,
	],
	['an IPv6 route', 'ip -6 route del fd01:b:0:0:2::/80', /^route fd01:b:0:0:2::\/80 via fd01:a::2 was removed/],
	['an unreachable route', 'ip route del unreachable 9.0.0.0/8', /^unreachable route 9\.0\.0\.0\/8 was removed/],
	[
		'a forwarding entry',
		'bridge fdb del 70:b3:d5:80:00:02 dev vtep1024',
		/^forwarding entry 70:b3:d5:80:00:02 to 10\.64\.0\.2 was removed/,
	],
	[
		'the host of a forwarding entry',
		'bridge fdb replace 70:b3:d5:80:00:02 dev vtep1024 dst 10.64.0.9',
		/^forwarding entry 70:b3:d5:80:00:02 to 10\.64\.0\.9 came/,
	],
	['a neighbour', 'ip neigh del 44.128.0.2 dev vtep1024', /^neighbour 44\.128\.0\.2 at /],
	[
		'the MAC address of a neighbour',
		'ip neigh replace fd01:a::2 lladdr 02:00:00:00:00:01 dev vtep1024 nud permanent',
		/^neighbour fd01:a::2 at 02:00:00:00:00:01 came/,
	],
	['an address', 'ip address del 44.128.0.1/20 dev vtep1024', /^address 44\.128\.0\.1\/20 was removed/],
	['a second address', 'ip address add 44.128.9.9/32 dev vtep1024', /^address 44\.128\.9\.9\/32 came/],
	[
		'a route of ours that leads elsewhere',
		'ip route add 9.0.9.0/24 via 10.64.0.2 proto 124',
		/^route 9\.0\.9\.0\/24 via 10\.64\.0\.2 came/,
	],
	['the state of the VTEP', 'ip link set vtep1024 down', /^device "vtep1024" is down/],
	['the MTU of the VTEP', 'ip link set vtep1024 mtu 1300', /^the MTU of device "vtep1024" is 1300/],
	[
		'the MAC address of the VTEP',
		'ip link set vtep1024 address 02:00:00:00:00:01',
		/^the MAC address of device "vtep1024" is 02:00/,
	],
	[
		'the sender of the VTEP',
		'ip link set vtep1024 type vxlan local 10.64.0.9',
		/^device "vtep1024" is another tunnel/,
	],
	['the VTEP', 'ip link del vtep1024', /^device "vtep1024" was removed/],
	['forwarding', 'echo 0 > /proc/sys/net/ipv4/ip_forward', /^the kernel parameter net\/ipv4\/ip_forward is 0/],
	[
		'forwarding of IPv6',
		'echo 0 > /proc/sys/net/ipv6/conf/all/forwarding',
		/^the kernel parameter net\/ipv6\/conf\/all\/forwarding is 0/,
	],
	[
		'the filter of the VTEP',
		'echo 1 > /proc/sys/net/ipv4/conf/vtep1024/rp_filter',
		/^the kernel parameter net\/ipv4\/conf\/vtep1024\/rp_filter is 1/,
	],
	['a bridge', 'ip link del m-dcos', /^device "m-dcos" was removed/],
	['the MTU of a bridge', 'ip link set m-dcos mtu 1300', /^the MTU of device "m-dcos" is 1300/],
	['the state of a bridge', 'ip link set m-dcos down', /^device "m-dcos" is down/],
];

testOn(needs, 'what somebody removes or changes is put right within a second, and told', async (t) => {
	const cluster = createCluster(t, 2);
	const [host, other] = cluster.hosts;
	if (host === undefined || other === undefined) throw new Error('two hosts');
	program(other, cluster.state());
	const keeper = startKeeperOn(t, host);
	t.deepEqual((await keeper.want(cluster.state())).failures, []);
	t.deepEqual((await keeper.want(cluster.state())).actions, []);
	const before = everything(host);
	t.regex(before, /9\.0\.2\.0\/24 via 44\.128\.0\.2/);
	for (const [what, command, cause] of damages) {
		host.must(['sh', '-c', command]);
		const { causes } = await soon(t, keeper, what);
		t.true(
			causes.some((each) => cause.test(each)),
			`${what}: ${causes.join('; ')}`,
		);
		t.is(everything(host), before, what);
		t.true(ping(host, '44.128.0.2') && ping(host, 'fd01:a::2'), what);
	}
	t.is((await keeper.stop()).status, 0);
	t.is(everything(host), before, 'it leaves the host as it is');
});

testOn(
	needs,
	'somebody who keeps changing things gets a repair now and then, and in the end what is wanted is there',
	async (t) => {
		const cluster = createCluster(t, 2);
		const [host] = cluster.hosts;
		if (host === undefined) throw new Error('two hosts');
		const keeper = startKeeperOn(t, host);
		await keeper.want(cluster.state());
		const before = everything(host);
		host.must([
			'sh',
			'-c',
			'for n in $(seq 60); do ip route del 9.0.2.0/24 proto 124 2>/dev/null; ip link set m-dcos mtu 1300; sleep 0.02; done',
		]);
		let repairs = 0;
		for (const end = performance.now() + LIMIT; performance.now() < end; repairs++) {
			const waited = new Promise<undefined>((resolve) => setTimeout(resolve, end - performance.now(), undefined));
			if ((await Promise.race([keeper.next(), waited])) === undefined) break;
		}
		t.true(repairs >= 1 && repairs <= 8, `${repairs} repairs`);
		t.is(everything(host), before);
	},
);

testOn(needs, 'so many changes at once that some are lost lead to a look at everything', async (t) => {
	const cluster = createCluster(t, 2);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('two hosts');
	const keeper = startKeeperOn(t, host);
	await keeper.want(cluster.state());
	const before = everything(host);
	// It looks once more at what it has made.
	await new Promise((resolve) => setTimeout(resolve, 500));
	keeper.child.kill('SIGSTOP');
	const flood = Array.from(
		{ length: 30_000 },
		(_, at) => `route add 10.${80 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}/32 via 10.64.0.2`,
	);
	host.run(['ip', '-batch', '-'], { input: flood.join('\n') });
	host.must(['ip', 'route', 'del', '9.0.2.0/24', 'proto', '124']);
	keeper.child.kill('SIGCONT');
	const { causes } = await soon(t, keeper, 'a flood');
	t.true(causes.includes('more changed at once than could be told'), causes.join('; '));
	host.run(['sh', '-c', 'ip route flush via 10.64.0.2']);
	t.is(everything(host), before);
});

testOn(needs, 'a running ping loses nothing while everything is applied again, and others come and go', async (t) => {
	const cluster = createCluster(t, 3);
	const [one, two] = cluster.hosts;
	if (one === undefined || two === undefined) throw new Error('three hosts');
	const keepers = [one, two].map((host) => startKeeperOn(t, host));
	for (const keeper of keepers) await keeper.want(cluster.state());
	const [from, to] = [joinNetwork(t, one), joinNetwork(t, two)];
	const pings = ([4, 6] as const).map((family) =>
		from.container.start(['ping', '-n', '-q', '-i', '0.005', '-c', '500', to.addresses[family]]),
	);
	for (let round = 0; round < 10; round++) {
		for (const keeper of keepers) {
			await keeper.want(round % 2 === 0 ? cluster.state([one, two]) : cluster.state());
		}
		// As a daemon that is started anew.
		program(one, cluster.state());
	}
	for (const { stdout } of await Promise.all(pings))
		t.regex(stdout, /500 packets transmitted, 500 received, 0% packet loss/);
});

testOn(needs, 'who has nothing to do uses no processor time', async (t) => {
	const cluster = createCluster(t, 2);
	const [host] = cluster.hosts;
	if (host === undefined) throw new Error('two hosts');
	const keeper = startKeeperOn(t, host);
	await keeper.want(cluster.state());
	// "ip netns exec" becomes what it runs.
	const spent = () => host.must(['cut', '-d', ' ', '-f14,15', `/proc/${keeper.child.pid}/stat`]);
	await new Promise((resolve) => setTimeout(resolve, 1000));
	const before = spent();
	await new Promise((resolve) => setTimeout(resolve, 3000));
	const ticks = (text: string) => text.split(' ').reduce((sum, each) => sum + Number(each), 0);
	t.true(ticks(spent()) - ticks(before) <= 2, `${before} → ${spent()}`);
	t.is((await keeper.stop()).status, 0);
});

testOn(needs, 'to the outside it is the host that is seen, and to the rest of the network the container', async (t) => {
	const cluster = createCluster(t, 2);
	for (const host of cluster.hosts) await startKeeperOn(t, host).want(cluster.state());
	// The plugin says that nothing is masqueraded, since that is not its business here, and has rules of its own.
	const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: 'tcp' }];
	const keys = { ipMasq: false, capabilities: { portMappings: true }, runtimeConfig: { portMappings } };
	const [one, other] = cluster.hosts.map((host) => joinNetwork(t, host, keys));
	if (one === undefined || other === undefined) throw new Error('two hosts, two containers');
	await serve(t, cluster.outside, 'world', [80]);
	await serve(t, other.container, 'other', [80]);
	for (const family of [4, 6] as const) {
		const targets = [underlay[family].outside, other.addresses[family]].flatMap((address) =>
			(['tcp', 'udp'] as const).map((protocol) => ({ protocol, address, port: 80 })),
		);
		t.deepEqual(
			(await ask(one.container, targets)).map((answer) => answer?.sees),
			[underlay[family].address(1), underlay[family].address(1), one.addresses[family], one.addresses[family]],
		);
	}
	const published = { protocol: 'tcp', address: underlay[4].address(2), port: 8080 } as const;
	t.deepEqual(await ask(cluster.outside, [published]), [{ name: 'other', sees: underlay[4].outside }]);
});
