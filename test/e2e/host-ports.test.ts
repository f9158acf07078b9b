// Ports of the host lead into containers: from outside, from the host, from other containers, and from the container itself.
import test from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { ask, type Answered, serve } from '../helpers/answering.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { invokeLater } from '../helpers/cni.ts';
import { createHost, filterBridged } from '../helpers/host.ts';
import { allRules, removeRules, testOnBackends } from '../helpers/backends.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { half } from '../helpers/network-configuration.ts';
import { answerSctp, initSctp } from '../helpers/sctp.ts';
import { outside, uplink } from '../helpers/outside.ts';

const mapped = (...portMappings: readonly object[]) => ({ runtimeConfig: { portMappings } });
const web = [
	{ hostPort: 8080, containerPort: 80, protocol: 'tcp' },
	{ hostPort: 8080, containerPort: 80, protocol: 'udp' },
];
const PROTOCOLS = ['tcp', 'udp'] as const;

for (const bridged of [0, 1] as const) {
	for (const family of [4, 6] as const) {
		testOnBackends(
			`a port of the host is reached from everywhere: IPv${family}, bridge-nf-call ${bridged}`,
			async (t, host) => {
				filterBridged(host, bridged);
				const machine = outside(t, host);
				const options = { family: 'dual stack' } as const;
				const { container } = attach(t, host, mapped(...web), options);
				const { container: neighbour } = attach(t, host, {}, options);
				await serve(t, container, 'web', [80]);

				const { gateway, address } = half[family];
				const paths: [title: string, from: Namespace, to: string, sees: string][] = [
					['from outside', machine, uplink[family].host, uplink[family].outside],
					['from the host by its address', host, uplink[family].host, uplink[family].host],
					['from the host by the gateway address', host, gateway, gateway],
					['from another container', neighbour, uplink[family].host, gateway],
					['from the container itself', container, uplink[family].host, gateway],
					['from the container itself, by the gateway', container, gateway, gateway],
					['directly', neighbour, address(1), address(2)],
				];
				if (family === 4) paths.push(['from the host by 127.0.0.1', host, '127.0.0.1', gateway]);
				else if (host.natBackend === undefined) paths.push(['from the host by [::1]', host, '::1', gateway]);
				for (const [title, from, to, sees] of paths) {
					const port = title === 'directly' ? 80 : 8080;
					const answers = await ask(
						from,
						PROTOCOLS.map((protocol) => ({ protocol, address: to, port })),
					);
					const expected: Answered = { name: 'web', sees };
					t.deepEqual(answers, [expected, expected], title);
				}
			},
		);
	}
}

testOnBackends('a port of one address of the host is reached by that one only', async (t, host) => {
	const machine = outside(t, host);
	host.must(['ip', 'address', 'add', '192.0.2.9/24', 'dev', 'uplink']);
	const { container: one } = attach(t, host, mapped({ ...web[0], hostIP: '192.0.2.9' }));
	const { container: other } = attach(t, host, mapped({ ...web[0], hostIP: '192.0.2.1' }));
	await serve(t, one, 'one', [80]);
	await serve(t, other, 'other', [80]);
	const targets = ['192.0.2.9', '192.0.2.1'].map((address) => ({ protocol: 'tcp' as const, address, port: 8080 }));
	t.deepEqual(
		(await ask(machine, targets)).map((answer) => answer?.name),
		['one', 'other'],
	);
	const [loopback] = await ask(host, [{ protocol: 'tcp', address: '127.0.0.1', port: 8080 }]);
	t.is(loopback, undefined);
});

testOnBackends('every address of a family is that family alone', async (t, host) => {
	const machine = outside(t, host);
	const { container } = attach(t, host, mapped({ ...web[0], hostIP: '::' }), { family: 'dual stack' });
	await serve(t, container, 'web', [80]);
	const targets = [uplink[4], uplink[6]].map(({ host: address }) => ({
		protocol: 'tcp' as const,
		address,
		port: 8080,
	}));
	t.deepEqual(
		(await ask(machine, targets)).map((answer) => answer?.name),
		[undefined, 'web'],
	);
});

testOnBackends('a range of ports leads to a range of ports', async (t, host) => {
	const machine = outside(t, host);
	const { container } = attach(t, host, mapped({ hostPort: '8000-8002', containerPort: '80-82' }));
	await serve(t, container, 'web', [80, 82]);
	const targets = [7999, 8000, 8001, 8002, 8003].map((port) => ({
		protocol: 'tcp' as const,
		address: uplink[4].host,
		port,
	}));
	t.deepEqual(
		(await ask(machine, targets)).map((answer) => answer?.name),
		[undefined, 'web', undefined, 'web', undefined],
	);
});

testOnBackends('a port of SCTP is reached from outside, by both families', async (t, host) => {
	const machine = outside(t, host);
	const keys = mapped({ hostPort: 8080, containerPort: 80, protocol: 'sctp' });
	const { container } = attach(t, host, keys, { family: 'dual stack' });
	await answerSctp(t, container, 80);
	for (const { host: address } of Object.values(uplink)) {
		t.is(await initSctp(machine, address, 8080), 8080);
		t.is(await initSctp(machine, address, 8081), undefined);
	}
});

testOnBackends('the ports that Mesos asks for are reached', async (t, host) => {
	const machine = outside(t, host);
	const network_info = { port_mappings: [{ host_port: 31_000, container_port: 80, protocol: 'tcp' }] };
	const { container } = attach(t, host, { args: { 'org.apache.mesos': { network_info } } });
	await serve(t, container, 'web', [80]);
	const [answer] = await ask(machine, [{ protocol: 'tcp', address: uplink[4].host, port: 31_000 }]);
	t.is(answer?.name, 'web');
});

testOnBackends('on excluded devices the ports do not exist', async (t, host) => {
	const machine = outside(t, host);
	const keys = { ...mapped(...web), excludeDevices: [host.bridge] };
	const { container } = attach(t, host, keys);
	const { container: neighbour } = attach(t, host);
	await serve(t, container, 'web', [80]);
	const target = { protocol: 'tcp', address: uplink[4].host, port: 8080 } as const;
	t.is((await ask(machine, [target]))[0]?.name, 'web');
	t.is((await ask(neighbour, [target]))[0], undefined);
});

testOnBackends('containers do not get to 127.0.0.1 of the host by the way that host ports open', async (t, host) => {
	const { container } = attach(t, host, mapped(...web));
	const commands = [
		'ip route add 127.0.0.9/32 via 9.0.1.1',
		'ip rule add pref 1 lookup main',
		'ip rule del pref 0',
		'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet',
	];
	container.must(['sh', '-c', commands.join(' && ')]);
	host.must([
		'/usr/sbin/nft',
		'table ip count { chain in { type filter hook input priority 0; ip daddr 127.0.0.9 counter; }; }',
	]);
	const packets = (): number =>
		Number(/counter packets (\d+)/u.exec(host.must(['/usr/sbin/nft', 'list', 'table', 'ip', 'count']))?.[1]);
	const target = { protocol: 'udp', address: '127.0.0.9', port: 7000 } as const;
	await ask(container, [target]);
	t.is(packets(), 0);
	if (host.natBackend === undefined) {
		// Of its own accord the kernel drops such packets, and with nf_tables we do not ask it not to.
		t.is(host.sysctl(`net/ipv4/conf/${host.bridge}/route_localnet`), '0');
		return;
	}
	removeRules(host);
	await ask(container, [target]);
	t.is(packets(), 1);
});

test('each loopback address of the host can lead to another container', async (t) => {
	const host = createHost(t);
	const machine = outside(t, host);
	const loopbacks = ['127.0.0.1', '127.0.0.2', '::1'];
	for (const hostIP of loopbacks) {
		const { container } = attach(t, host, mapped({ ...web[0], hostIP }), { family: 'dual stack' });
		await serve(t, container, hostIP, [80]);
	}
	const targets = [...loopbacks, uplink[4].host, uplink[6].host].map((address) => ({
		protocol: 'tcp' as const,
		address,
		port: 8080,
	}));
	const names = (await ask(host, targets)).map((answer) => answer?.name);
	t.deepEqual(names, [...loopbacks, undefined, undefined]);
	t.deepEqual(await ask(machine, targets.slice(-2)), [undefined, undefined]);
});

test('what the host has at a loopback address itself is reached as before', async (t) => {
	const host = createHost(t);
	attach(t, host, mapped({ ...web[0], hostPort: 9999 }), { family: 'dual stack' });
	await serve(t, host, 'host', [8080]);
	const targets = ['127.0.0.1', '::1'].flatMap((address) =>
		PROTOCOLS.map((protocol) => ({ protocol, address, port: 8080 })),
	);
	const answers = await ask(host, targets);
	t.deepEqual(
		answers.map((answer) => answer?.sees),
		['127.0.0.1', '127.0.0.1', '::1', '::1'],
	);
});

testOnBackends('who keeps its port reaches the next container by UDP, too', async (t, host) => {
	const machine = outside(t, host);
	const dns = mapped({ hostPort: 53, containerPort: 53, protocol: 'udp' });
	const target = { protocol: 'udp', address: uplink[4].host, port: 53, from: 40_000 } as const;
	const one = attach(t, host, dns);
	await serve(t, one.container, 'one', [53]);
	t.is((await ask(machine, [target]))[0]?.name, 'one');
	silent(t, one.del());
	t.is((await ask(machine, [target]))[0], undefined);
	const { container } = attach(t, host, dns);
	await serve(t, container, 'other', [53]);
	t.is((await ask(machine, [target]))[0]?.name, 'other');
});

testOnBackends('a port that another container has is refused with its name, and nothing is left', (t, host) => {
	attach(t, host, mapped(...web), { containerId: 'holder' });
	attach(t, host, {});
	const before = [host.snapshot(), allRules(host)];
	refused(
		t,
		prepare(host, mapped({ hostPort: 9090, containerPort: 80 }, web[1] ?? {})).add(),
		108,
		'mapping port 8080/udp of the host: it is held already, by container "holder" (interface "eth0")',
	);
	t.deepEqual([host.snapshot(), allRules(host)], before);
});

testOnBackends('of many that want the same port at once, one has it and is named', async (t, host) => {
	const calls = Array.from({ length: 32 }, () =>
		prepare(host, { ...mapped(...web), ipam: { agentSubnet: '9.0.1.0/24', prefix: 24 } }),
	);
	const answers = await Promise.all(calls.map((call) => invokeLater(host, call.call('ADD'))));
	const winners = answers.filter(({ status }) => status === 0);
	t.is(winners.length, 1, answers.map(({ stdout }) => stdout).join('\n'));
	const winner = calls[answers.findIndex(({ status }) => status === 0)];
	for (const answer of answers) {
		if (answer.status === 0) continue;
		refused(t, answer, 108, 'it is held already, by container', winner?.containerId ?? '?');
	}
	t.is(host.links().filter(({ linkinfo }) => linkinfo?.info_kind === 'veth').length, 1);
});
