// The keys of the configuration that concern the container's link and its bridge port.
import test, { type ExecutionContext } from 'ava';
import { refused, silent } from '../helpers/assertions.ts';
import { attach, prepare } from '../helpers/attach.ts';
import { eventually } from '../helpers/command.ts';
import { createHost } from '../helpers/host.ts';
import { type AddressInfo, createNamespace, type Namespace } from '../helpers/namespace.ts';
import { half } from '../helpers/network-configuration.ts';
import { testOn } from '../helpers/requirements.ts';
import { ping, unreachable } from '../helpers/traffic.ts';

function globalAddress(container: Namespace): AddressInfo | undefined {
	return container.link('eth0')?.addr_info?.find(({ scope }) => scope === 'global');
}

for (const mtu of [68, 1280, 1500, 9000, 65_535]) {
	test(`mtu ${mtu} is that of bridge, port and container`, (t) => {
		const host = createHost(t);
		const { container, port, result } = attach(t, host, { mtu });
		t.is(container.link('eth0')?.mtu, mtu);
		t.is(port()?.mtu, mtu);
		t.is(host.link(host.bridge)?.mtu, mtu);
		t.deepEqual(
			result.interfaces.map((link) => link.mtu),
			[mtu, mtu, mtu],
		);
	});
}

test('mtu 0 is the default', (t) => {
	const { container } = attach(t, createHost(t), { mtu: 0 });
	t.is(container.link('eth0')?.mtu, 1420);
});

test('containers of one bridge may have different MTUs', (t) => {
	const host = createHost(t);
	const [large, small] = [attach(t, host, { mtu: 1400 }), attach(t, host, { mtu: 1300 })];
	t.is(large.container.link('eth0')?.mtu, 1400);
	t.is(small.container.link('eth0')?.mtu, 1300);
	silent(t, large.check());
	silent(t, small.check());
});

const macs = {
	mac: '02:00:00:00:00:00',
	cniArguments: '02:00:00:00:00:01',
	args: '02:00:00:00:00:02',
	runtimeConfig: '02:00:00:00:00:03',
};
const macCases: readonly (readonly [string, readonly (keyof typeof macs)[], string])[] = [
	['the key mac', ['mac'], macs.mac],
	['CNI_ARGS rather than the key mac', ['mac', 'cniArguments'], macs.cniArguments],
	['args.cni', ['args'], macs.args],
	['runtimeConfig', ['runtimeConfig'], macs.runtimeConfig],
	['args.cni rather than CNI_ARGS', ['cniArguments', 'args'], macs.args],
	['runtimeConfig rather than any other', ['cniArguments', 'args', 'runtimeConfig'], macs.runtimeConfig],
];
for (const [title, ways, expected] of macCases) {
	test(`the container's MAC is taken from ${title}`, (t) => {
		const keys = {
			...(ways.includes('mac') ? { mac: macs.mac } : {}),
			...(ways.includes('args') ? { args: { cni: { mac: macs.args } } } : {}),
			...(ways.includes('runtimeConfig') ? { runtimeConfig: { mac: macs.runtimeConfig } } : {}),
		};
		const call = ways.includes('cniArguments') ? { cniArguments: `MAC=${macs.cniArguments}` } : {};
		const { container, result, check } = attach(t, createHost(t), keys, { call });
		t.is(container.link('eth0')?.address, expected);
		t.is(result.interfaces[2]?.mac, expected);
		silent(t, check());
	});
}

for (const mac of ['02:00:00:00:00', '01:00:5e:00:00:01', '00:00:00:00:00:00', 'none']) {
	test(`"${mac}" is no MAC for a container`, (t) => {
		const host = createHost(t);
		const before = host.snapshot();
		refused(t, prepare(host, { runtimeConfig: { mac } }).add(), 7, 'mac', `"${mac}"`);
		t.deepEqual(host.snapshot(), before);
	});
}

test('promiscMode sets the bridge promiscuous, and the port without hairpin', (t) => {
	const host = createHost(t);
	const { port, check } = attach(t, host, { promiscMode: true });
	t.true(host.link(host.bridge)?.flags.includes('PROMISC'));
	t.is(port()?.linkinfo?.info_slave_data?.['hairpin'], false);
	silent(t, check());
});

test('promiscMode and an explicit hairpinMode exclude each other', (t) => {
	const host = createHost(t);
	const { add } = prepare(host, { promiscMode: true, hairpinMode: true });
	refused(t, add(), 7, 'promiscMode', 'hairpinMode');
	t.deepEqual(host.links().length, 1);
});

/**
 * Two machines behind one port: a bridge inside the container whose own ports are isolated, so that what one sends
 * reaches the other only by way of the host's bridge and back. It must not learn, or it would keep what comes back.
 */
function nestTwo(t: ExecutionContext, container: Namespace): [Namespace, Namespace] {
	container.must(['ip', 'link', 'add', 'inner', 'type', 'bridge']);
	container.must(['ip', 'link', 'set', 'inner', 'up']);
	container.must(['ip', 'link', 'set', 'eth0', 'master', 'inner']);
	container.must(['ip', 'link', 'set', 'eth0', 'type', 'bridge_slave', 'learning', 'off']);
	const nest = (name: string, address: string) => {
		const nested = createNamespace(t, 'nested');
		container.must(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', nested.name]);
		container.must(['ip', 'link', 'set', name, 'up', 'master', 'inner']);
		container.must(['ip', 'link', 'set', name, 'type', 'bridge_slave', 'isolated', 'on', 'learning', 'off']);
		nested.must(['ip', 'address', 'add', address, 'dev', 'eth0']);
		nested.must(['ip', 'link', 'set', 'eth0', 'up']);
		return nested;
	};
	const nested: [Namespace, Namespace] = [nest('one', '192.0.2.1/24'), nest('other', '192.0.2.2/24')];
	const ports = () => container.links().filter(({ master }) => master === 'inner');
	eventually('the ports to forward', () =>
		ports().every(({ linkinfo }) => linkinfo?.info_slave_data?.['state'] === 'forwarding'),
	);
	return nested;
}

test('hairpinMode lets what comes from a port go back out on it; false does not', (t) => {
	for (const hairpinMode of [true, false]) {
		const { container, port, check } = attach(t, createHost(t), { ipam: null, hairpinMode });
		t.is(port()?.linkinfo?.info_slave_data?.['hairpin'], hairpinMode);
		silent(t, check());
		const [one] = nestTwo(t, container);
		if (hairpinMode) t.true(ping(one, '192.0.2.2'));
		else t.true(unreachable(one, '192.0.2.2'));
	}
});

test('portIsolation keeps two ports apart, and lets both to the gateway', (t) => {
	const host = createHost(t);
	const one = attach(t, host, { portIsolation: true });
	const other = attach(t, host, { portIsolation: true });
	const open = attach(t, host);
	t.is(one.port()?.linkinfo?.info_slave_data?.['isolated'], true);
	t.is(open.port()?.linkinfo?.info_slave_data?.['isolated'], false);
	t.true(unreachable(one.container, half[4].address(2)));
	t.true(ping(one.container, half[4].gateway));
	t.true(ping(other.container, half[4].gateway));
	t.true(ping(open.container, half[4].address(1)));
	silent(t, one.check());
});

testOn('nftables-bridge', 'macspoofchk lets a container send from its own MAC alone', (t) => {
	const host = createHost(t);
	const open = attach(t, host);
	const before = host.snapshot();
	const { container, del, check, result } = attach(t, host, { macspoofchk: true });
	const mac = result.interfaces[2]?.mac ?? '';
	t.true(ping(container, half[4].gateway));
	t.true(ping(container, half[4].address(1)));
	container.must(['ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:99']);
	t.true(unreachable(container, half[4].gateway));
	container.must(['ip', 'link', 'set', 'eth0', 'address', mac]);
	t.true(ping(container, half[4].gateway));
	t.true(ping(open.container, half[4].gateway));
	t.true(host.must(['nft', 'list', 'table', 'bridge', 'mesos_overlay']).includes(mac));
	silent(t, check());

	silent(t, del());
	const { ruleset, ...rest } = host.snapshot();
	const { ruleset: _, ...restBefore } = before;
	t.deepEqual(rest, restBefore);
	t.false(ruleset.some((line) => line.includes(mac)));
});

testOn('nftables-bridge', 'a second ADD of an attachment fails, and leaves its MAC check alone', (t) => {
	const host = createHost(t);
	const { containerId, check } = attach(t, host, { macspoofchk: true, ipam: null });
	const before = host.snapshot();
	refused(
		t,
		prepare(host, { macspoofchk: true, ipam: null }, { containerId }).add(),
		104,
		containerId,
		'DEL it first',
	);
	t.deepEqual(host.snapshot(), before);
	silent(t, check());
});

testOn('ipv6', 'without enabledad nobody waits for duplicate address detection', (t) => {
	const host = createHost(t);
	const { container } = attach(t, host, {}, { family: 'IPv6' });
	t.true(globalAddress(container)?.nodad);
	t.not(globalAddress(container)?.tentative, true);
	t.true(ping(container, half[6].gateway));
});

testOn('ipv6', 'with enabledad the address is ready when ADD returns', (t) => {
	const { container } = attach(t, createHost(t), { enabledad: true }, { family: 'IPv6' });
	t.not(globalAddress(container)?.tentative, true);
	t.is(container.sysctl('net/ipv6/conf/eth0/accept_dad'), '1');
	t.is(container.sysctl('net/ipv6/conf/eth0/enhanced_dad'), '1');
});

testOn('ipv6', 'with enabledad an address that another machine has is refused, and nothing is left', (t) => {
	const host = createHost(t);
	const squatter = attach(t, host, {}, { family: 'IPv6' });
	squatter.container.must(['ip', 'address', 'add', `${half[6].address(2)}/65`, 'dev', 'eth0', 'nodad']);
	const before = host.snapshot();
	refused(t, prepare(host, { enabledad: true }, { family: 'IPv6' }).add(), 102, half[6].address(2));
	t.deepEqual(host.snapshot(), before);
});

testOn('ipv6', 'an IPv6 network works in a container whose runtime has turned IPv6 off', (t) => {
	const host = createHost(t);
	const container = host.container();
	for (const name of ['all', 'default']) {
		container.must(['sh', '-c', `echo 1 > /proc/sys/net/ipv6/conf/${name}/disable_ipv6`]);
	}
	attach(t, host, {}, { family: 'IPv6', container });
	t.true(ping(container, half[6].gateway));
});

test('disableContainerInterface leaves the link down', (t) => {
	const host = createHost(t);
	const { container } = attach(t, host, { ipam: null, disableContainerInterface: true });
	t.false(container.link('eth0')?.flags.includes('UP'));
});

test('disableContainerInterface and addresses exclude each other', (t) => {
	const host = createHost(t);
	refused(t, prepare(host, { disableContainerInterface: true }).add(), 7, 'disableContainerInterface', 'ipam');
	t.is(host.links().length, 1);
});
