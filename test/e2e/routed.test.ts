// ipam.addressing "routed": each address of the half is a container's, and packets flow from and to all of them.
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { macOfGateway } from '../../src/bridge/names.ts';
import { refused, silent } from '../helpers/assertions.ts';
import { prepare } from '../helpers/attach.ts';
import type { Result } from '../helpers/cni.ts';
import { createHost, type Host } from '../helpers/host.ts';
import type { Namespace } from '../helpers/namespace.ts';
import { everyFamily, familiesOf, type Family } from '../helpers/network-configuration.ts';
import { outside, uplink } from '../helpers/outside.ts';
import { needsOf, testOn } from '../helpers/requirements.ts';
import { addressOf, attachRouted, gatewayOf, routedHalf, routedIpam, setOfAll } from '../helpers/routed.ts';
import { ping } from '../helpers/traffic.ts';
import { exchange } from '../helpers/traffic-mesh.ts';

const MTU = 1420;
const both = [4, 6] as const;

testOn('ipv6', 'a /26 has 32 containers, and each reaches each, the host, and another machine', async (t) => {
	const host = createHost(t);
	const far = outside(t, host);
	for (const family of both) far.must(['ip', 'route', 'add', routedHalf[family].subnet, 'via', uplink[family].host]);
	const attached = Array.from({ length: 32 }, () => attachRouted(t, host, 'dual stack'));
	const [some] = attached;
	if (some === undefined) throw new Error('nobody is attached');
	const own = attached.map(({ result }) => both.map((family) => addressOf(result, family)));
	for (const family of both) {
		const { first, last } = routedHalf[family];
		t.true(own.some((addresses) => addresses.includes(first)) && own.some((addresses) => addresses.includes(last)));
	}
	t.is(new Set(own.flat()).size, 64);
	const before = host.snapshot();
	refused(t, prepare(host, { ipam: routedIpam('dual stack') }).add(), 101, '9.0.1.0/27', 'all 32 are held');
	t.deepEqual(host.snapshot(), before);

	const gateways = some.result.ips.map(({ gateway = '' }) => gateway);
	const ofHost = both.map((family) => uplink[family].host);
	const ofFar = both.map((family) => uplink[family].outside);
	const missing = await exchange(
		[
			...attached.map(({ container }, at) => {
				const others = own.filter((_, index) => index !== at).flat();
				return {
					namespace: container,
					addresses: own[at] ?? [],
					targets: [...others, ...ofHost, ...ofFar],
					sources: [...others, ...gateways, ...ofFar],
				};
			}),
			{ namespace: host, addresses: ofHost, targets: own.flat(), sources: own.flat() },
			{ namespace: far, addresses: ofFar, targets: own.flat(), sources: own.flat() },
		],
		MTU,
	);
	t.deepEqual(missing, []);
	for (const { check, del } of attached) {
		silent(t, check());
		silent(t, del());
	}
	t.deepEqual(host.snapshot().leases, {});
	t.deepEqual(
		host.links().map(({ ifname }) => ifname),
		['lo', 'uplink', host.bridge],
	);
});

/** Whether five echo requests in a row are answered. */
function answersAll(from: Namespace, address: string): boolean {
	return from.run(['ping', '-n', '-c', '5', '-i', '0.1', '-W', '1', address]).stdout.includes('5 received');
}

/** The first and the last address of the half. */
function attachEnds(t: ExecutionContext, host: Host, family: Family, keys = {}) {
	const ask = (end: 'first' | 'last') =>
		attachRouted(t, host, family, {
			...keys,
			args: { cni: { ips: familiesOf(family).map((number) => routedHalf[number][end]) } },
		});
	return [ask('first'), ask('last')] as const;
}

for (const family of everyFamily) {
	testOn(
		needsOf(family),
		`the first and the last address may be asked for, and work from the first packet on: ${family}`,
		(t) => {
			const host = createHost(t);
			setOfAll(host, 4, 'rp_filter', 1);
			const [one, other] = attachEnds(t, host, family);
			for (const number of familiesOf(family)) {
				const { first, last, bits } = routedHalf[number];
				t.deepEqual([addressOf(one.result, number), addressOf(other.result, number)], [first, last]);
				t.true(one.container.addresses('eth0').includes(`${first}/${bits}`));
				t.true(ping(host, last), 'host to container');
				t.true(ping(one.container, last), 'container to container');
				t.true(ping(other.container, first), 'and back');
				t.true(ping(one.container, gatewayOf(one.result, number)), 'container to gateway');
				t.true(ping(one.container, last, 4000), 'in fragments');
			}
			for (const { check } of [one, other]) silent(t, check());
		},
	);

	testOn(
		needsOf(family),
		`without any route but that to the gateway, the host and a container reach each other: ${family}`,
		(t) => {
			const host = createHost(t);
			const { container, result } = attachRouted(t, host, family, { ipam: { routes: [] } });
			for (const number of familiesOf(family)) {
				t.true(ping(host, addressOf(result, number)));
				t.true(ping(container, gatewayOf(result, number)));
			}
		},
	);
}

testOn('ipv6', 'what the result, the container and the host have of it', (t) => {
	const host = createHost(t);
	const { result, container } = attachRouted(t, host, 'dual stack');
	const gateway = gatewayOf(result, 4);
	t.regex(gateway, /^169\.254\.(?:3[2-9]|[45]\d|6[0-3])\.\d+$/);
	t.deepEqual(result.ips, [
		{ address: '9.0.1.0/32', gateway, interface: 2 },
		{ address: 'fd00:9::1:0/128', gateway: 'fe80::1', interface: 2 },
	]);
	t.deepEqual(result.routes, [
		{ dst: `${gateway}/32` },
		{ dst: 'fe80::1/128' },
		{ dst: '0.0.0.0/0', gw: gateway },
		{ dst: '::/0', gw: 'fe80::1' },
	]);
	t.is(result.interfaces[0]?.mac, macOfGateway(gateway));
	t.deepEqual(host.addresses(host.bridge), [`${gateway}/32`, 'fe80::1/64']);
	t.is(
		host.link(host.bridge)?.addr_info?.find(({ local }) => local === gateway)?.scope,
		'link',
		'no source for other links',
	);
	const onBridge = both.flatMap((family) => host.routes(family).filter(({ dev }) => dev === host.bridge));
	t.deepEqual(
		onBridge.map(({ dst, protocol, prefsrc }) => ({ dst, protocol, prefsrc })),
		[
			{ dst: '9.0.1.0/27', protocol: 'static', prefsrc: gateway },
			{ dst: 'fd00:9::1:0/123', protocol: 'static', prefsrc: 'fe80::1' },
		],
	);
	t.deepEqual(
		['ipv4/conf/all', 'ipv4/conf/eth0', 'ipv6/conf/eth0'].map((path) =>
			container.sysctl(`net/${path}/accept_redirects`),
		),
		['0', '0', '0'],
	);
});

testOn('ipv6', 'containers that take the redirects of the host go on reaching each other, without it', (t) => {
	const host = createHost(t);
	const [one, other] = attachEnds(t, host, 'dual stack');
	for (const number of both) {
		for (const { container } of [one, other]) setOfAll(container, number, 'accept_redirects', 1);
		t.true(answersAll(one.container, routedHalf[number].last));
	}
	// Those of IPv6 come from the bridge's own link-local address, which is nobody's gateway.
	t.regex(one.container.must(['ip', 'route', 'get', routedHalf[4].last]), /<redirected>/);
});

testOn('ipv6', 'containers that do not take them have the host as their only neighbour', (t) => {
	const host = createHost(t);
	const [one] = attachEnds(t, host, 'dual stack');
	for (const number of both) t.true(answersAll(one.container, routedHalf[number].last));
	const neighbours = one.container.must(['ip', 'neighbour']).trim().split('\n');
	t.deepEqual(
		neighbours.map((line) => line.split(' ')[0]).toSorted(),
		[gatewayOf(one.result, 4), 'fe80::1'].toSorted(),
	);
});

test('two networks have gateways of their own, and a container in both answers the host at either address', (t) => {
	const host = createHost(t);
	const container = host.container();
	for (const namespace of [host, container]) setOfAll(namespace, 4, 'rp_filter', 1);
	const one = attachRouted(t, host, 'IPv4', { ipam: { routes: [] } }, { container, containerId: 'in-both' });
	const two = attachRouted(
		t,
		host,
		'IPv4',
		{ name: `${host.network}b`, ipam: { agentSubnet: '9.0.2.0/26', routes: [] } },
		{ container, containerId: 'in-both', ifname: 'eth1' },
	);
	t.not(gatewayOf(one.result, 4), gatewayOf(two.result, 4));
	t.true(ping(host, addressOf(one.result, 4)));
	t.true(ping(host, addressOf(two.result, 4)));
	for (const { check } of [one, two]) silent(t, check());
	for (const { del } of [two, one]) silent(t, del());
});

for (const [half, first, last] of [
	['docker', '9.0.1.32', '9.0.1.63'],
	['all', '9.0.1.0', '9.0.1.63'],
] as const) {
	test(`half "${half}" from ${first} to ${last}`, (t) => {
		const host = createHost(t);
		const [one, other] = [first, last].map((address) =>
			attachRouted(t, host, 'IPv4', { ipam: { half }, args: { cni: { ips: [address] } } }),
		);
		t.true(one !== undefined && ping(one.container, last));
		t.true(other !== undefined && ping(other.container, first));
	});
}

test('an agent subnet of a single address has one container', (t) => {
	const host = createHost(t);
	const ipam = { agentSubnet: '9.0.1.7/32', prefix: 32, half: 'all' };
	const { result, check } = attachRouted(t, host, 'IPv4', { ipam });
	t.is(addressOf(result, 4), '9.0.1.7');
	t.true(ping(host, '9.0.1.7'));
	silent(t, check());
	refused(t, prepare(host, { ipam: routedIpam('IPv4', ipam) }).add(), 101, '9.0.1.7/32');
	const mesos = prepare(host, { ipam: routedIpam('IPv4', { ...ipam, half: 'mesos' }) });
	refused(t, mesos.add(), 7, 'has no room for a container, its prefix length can be 31 at most');
});

const ranges = [[{ subnet: '10.1.1.0/30' }, { subnet: '10.1.2.0/30', gateway: '10.1.2.1' }]];

test('ranges: all addresses of their subnets, but for a gateway that lies in one', (t) => {
	const host = createHost(t);
	const ipam = { agentSubnet: undefined, ranges, routes: [{ dst: '0.0.0.0/0' }] };
	const attached = Array.from({ length: 7 }, () => attachRouted(t, host, 'IPv4', { ipam }));
	const addresses = attached.map(({ result }) => addressOf(result, 4));
	t.deepEqual(addresses, ['10.1.1.0', '10.1.1.1', '10.1.1.2', '10.1.1.3', '10.1.2.0', '10.1.2.2', '10.1.2.3']);
	refused(t, prepare(host, { ipam: routedIpam('IPv4', ipam) }).add(), 101);
	t.is(gatewayOf(attached[4]?.result as Result, 4), '10.1.2.1');
	for (const { container, check, result } of attached) {
		const others = addresses.filter((address) => address !== addressOf(result, 4));
		for (const address of [...others, '10.1.2.1']) t.true(ping(container, address), address);
		silent(t, check());
	}
});

const keysOf: Readonly<Record<string, Record<string, unknown>>> = {
	'a check of MACs': { macspoofchk: true },
	'duplicate address detection': { enabledad: true },
	'an MTU': { mtu: 9000 },
	isDefaultGateway: { isDefaultGateway: true, ipam: { routes: [] } },
};
for (const [title, keys] of Object.entries(keysOf)) {
	const needs = title.includes('MAC') ? (['ipv6', 'nftables-bridge'] as const) : (['ipv6'] as const);
	testOn(needs, `with ${title}`, (t) => {
		const host = createHost(t);
		const [one] = attachEnds(t, host, 'dual stack', keys);
		for (const number of both) t.true(ping(one.container, routedHalf[number].last, 8000));
		silent(t, one.check());
	});
}

/** Mesos reads `ip4` and `ip6` of the oldest shape. */
testOn('ipv6', 'the shape that Mesos reads', (t) => {
	const host = createHost(t);
	const { result } = attachRouted(t, host, 'dual stack', { cniVersion: '0.2.0' });
	const gateway = result.ip4?.gateway ?? '';
	t.deepEqual(result.ip4, {
		ip: '9.0.1.0/32',
		gateway,
		routes: [{ dst: `${gateway}/32` }, { dst: '0.0.0.0/0', gw: gateway }],
	});
	t.is(result.ip6?.ip, 'fd00:9::1:0/128');
});
