import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import {
	addRoute,
	addSubnetRoute,
	decodeRoute,
	findWay,
	listRoutes,
	removeSubnetRoute,
	type Route,
	RTPROT_STATIC,
} from '../../src/netlink/route.ts';
import { dump, type Errno, fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const RTMSG = 12;
const link = { index: 2, name: 'eth0' };

function adding(route: Route): Captured['ask'] {
	return (connection) => connection.execute(addRoute(link, route));
}

const captured: Captured[] = [
	{
		command: 'ip route prepend default via 9.0.1.2 dev eth0 proto static',
		hex: '2c00000018000504000000000000000002000000fe0400010000000008000500090001020800040002000000',
		ask: adding({ dst: '0.0.0.0/0', gw: '9.0.1.2' }),
		// The table in both places.
		ours: ['15 fe000000'],
	},
	{
		command:
			'ip route prepend 10.0.0.0/8 via 9.0.1.2 dev eth0 metric 7 mtu 1300 advmss 1200 table 1000 proto static',
		hex: '58000000180005040000000000000000020800000004000100000000080001000a0000000800050009000102080006000700000008000f00e8030000080004000200000014000800080002001405000008000800b0040000',
		ask: adding({ dst: '10.0.0.0/8', gw: '9.0.1.2', priority: 7, mtu: 1300, advmss: 1200, table: 1000 }),
		// Of a table that has no room there, the tool says nothing, and we what the kernel itself writes.
		ours: ['fixed 02080000fc04000100000000'],
		theirs: ['fixed 020800000004000100000000'],
	},
	{
		command: 'ip route prepend 10.1.0.0/16 dev eth0 proto static',
		hex: '2c00000018000504000000000000000002100000fe04fd0100000000080001000a0100000800040002000000',
		ask: adding({ dst: '10.1.0.0/16' }),
		ours: ['15 fe000000'],
	},
	{
		command: 'ip route prepend fd01::/48 via fd00::2 dev eth0 proto static metric 5',
		hex: '540000001800050400000000000000000a300000fe0400010000000014000100fd01000000000000000000000000000014000500fd00000000000000000000000000000208000600050000000800040002000000',
		ask: adding({ dst: 'fd01::/48', gw: 'fd00::2', priority: 5 }),
		ours: ['15 fe000000'],
	},
	{
		command: 'ip route prepend default via fd00::3 dev eth0 proto static',
		hex: '380000001800050400000000000000000a000000fe0400010000000014000500fd0000000000000000000000000000030800040002000000',
		ask: adding({ dst: '::/0', gw: 'fd00::3' }),
		ours: ['15 fe000000'],
	},
	{
		command: 'ip route show table all dev eth0',
		hex: '240000001a00010300000000000000000000000000000000000000000800040002000000',
		ask: (connection) => listRoutes(connection, link),
		// Only unicast routes.
		ours: ['fixed 000000000000000100000000'],
		theirs: ['fixed 000000000000000000000000'],
	},
	{
		command: 'ip route add 9.0.1.0/27 dev eth0 proto static scope link src 169.254.40.7',
		hex: '34000000180005060000000000000000021b0000fe04fd0100000000080001000900010008000700a9fe28070800040002000000',
		ask: (connection) => connection.execute(addSubnetRoute(link, '9.0.1.0/27', '169.254.40.7')),
		ours: ['15 fe000000'],
	},
	{
		command: 'ip route add fd00::/65 dev eth0 proto static src fe80::1',
		hex: '4c0000001800050600000000000000000a410000fe0400010000000014000100fd00000000000000000000000000000014000700fe8000000000000000000000000000010800040002000000',
		ask: (connection) => connection.execute(addSubnetRoute(link, 'fd00::/65', 'fe80::1')),
		// What IPv6 has no use for.
		ours: ['fixed 0a410000fe04fd0100000000', '15 fe000000'],
		theirs: ['fixed 0a410000fe04000100000000'],
	},
	{
		command: 'ip route del 9.0.1.0/27 dev eth0 proto static scope link',
		hex: '2c000000190005000000000000000000021b0000fe04fd000000000008000100090001000800040002000000',
		ask: (connection) => connection.execute(removeSubnetRoute(link, '9.0.1.0/27')),
		// Only a unicast route.
		ours: ['fixed 021b0000fe04fd0100000000', '15 fe000000'],
		theirs: ['fixed 021b0000fe04fd0000000000'],
	},
	{
		command: 'ip route get 9.0.1.5',
		hex: '240000001a00010000000000000000000220000000000000001000000800010009000105',
		ask: (connection) => findWay(connection, '9.0.1.5'),
		// Not the table in which it was found.
		ours: ['fixed 022000000000000000000000'],
		theirs: ['fixed 022000000000000000100000'],
	},
	{
		command: 'ip route get fd00::5',
		hex: '300000001a00010000000000000000000a800000000000000000000014000100fd000000000000000000000000000005',
		ask: (connection) => findWay(connection, 'fd00::5'),
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) => sameAsCaptured(t, each, RTMSG, { 8: 0 }));
}

test('a scope that was asked for stands', (t) => {
	t.is(addRoute(link, { dst: '10.0.0.0/8', gw: '9.0.1.1', scope: 200 }).fixed.readUInt8(6), 200);
	t.is(addRoute(link, { dst: '10.0.0.0/8', scope: 0 }).fixed.readUInt8(6), 0);
});

const cacheInfo = '24000c0000000000000000000000000000000000000000000000000000000000000000000500140000000000';
const kernels: readonly [string, string, Route, boolean][] = [
	[
		'a route with everything',
		'02080000fc0400010000000008000f00e8030000080001000a000000080006000700000014000800080002001405000008000800b0040000' +
			'08000500090001010800040002000000',
		{ dst: '10.0.0.0/8', gw: '9.0.1.1', mtu: 1300, advmss: 1200, priority: 7, table: 1000 },
		true,
	],
	[
		'a default route',
		'02000000fe0400010000000008000f00fe00000008000500090001010800040002000000',
		{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
		true,
	],
	[
		'a route to a network of the link',
		'02100000fe04fd010000000008000f00fe000000080001000a0100000800040002000000',
		{ dst: '10.1.0.0/16' },
		true,
	],
	[
		'a route that follows from an address',
		'021b0000fe02fd010000000008000f00fe000000080001000900010008000700090001020800040002000000',
		{ dst: '9.0.1.0/27' },
		false,
	],
	[
		'a local address',
		'02200000ff02fe020000000008000f00ff000000080001000900010208000700090001020800040002000000',
		{ dst: '9.0.1.2/32', table: 255, scope: 254 },
		false,
	],
	[
		'an IPv6 route with a metric',
		'0a300000fe0400010000000008000f00fe00000014000100fd01000000000000000000000000000008000600050000001400050' +
			`0fd0000000000000000000000000000010800040002000000${cacheInfo}`,
		{ dst: 'fd01::/48', gw: 'fd00::1', priority: 5 },
		true,
	],
	[
		"an IPv6 default route, whose metric is the kernel's choice",
		'0a000000fe0400010000000008000f00fe000000080006000004000014000500fd0000000000000000000000000000010800040002000000' +
			cacheInfo,
		{ dst: '::/0', gw: 'fd00::1' },
		true,
	],
	[
		'an IPv6 multicast route',
		`0a080000ff0200050000000008000f00ff00000014000100ff0000000000000000000000000000000800060000010000` +
			`0800040002000000${cacheInfo}`,
		{ dst: 'ff00::/8', priority: 256, table: 255 },
		false,
	],
];

for (const [title, hex, route, set] of kernels) {
	const payload = Buffer.from(hex, 'hex');
	test(`what Linux 6.18 says of ${title}`, (t) =>
		t.deepEqual(decodeRoute(payload), { route, link: 2, protocol: payload[5], set }));
	test(`what Linux 6.18 says of ${title}, cut off or garbled, is refused`, (t) => {
		refusesCuts(t, decodeRoute, payload, RTMSG, { optional: true });
		survivesGarbage(t, decodeRoute, payload);
		t.throws(() => decodeRoute(payload.subarray(0, 11)), { message: 'decoding a route: truncated (EBADMSG)' });
	});
}

test('a route comes back as it was asked for', (t) => {
	const routes: Route[] = [
		{ dst: '10.0.0.0/8', gw: '9.0.1.1', mtu: 1300, advmss: 1200, priority: 7, table: 1000 },
		{ dst: '10.0.0.0/8', gw: '9.0.1.1', table: 255, scope: 200 },
		{ dst: '10.0.0.0/8', gw: '9.0.1.1', priority: 1024 },
		{ dst: '0.0.0.0/0', gw: '9.0.1.1' },
		{ dst: '10.0.0.0/8' },
		{ dst: '10.0.0.0/8', scope: 0 },
		{ dst: 'fd01::/48', gw: 'fd00::1', priority: 5, mtu: 1280 },
		{ dst: '::/0', gw: 'fd00::1', table: 256 },
	];
	for (const route of routes) {
		const { fixed, attributes } = addRoute(link, route);
		t.deepEqual(decodeRoute(Buffer.concat([fixed, ...attributes])), {
			route,
			link: 2,
			protocol: RTPROT_STATIC,
			set: true,
		});
	}
});

test('of all routes, those that somebody set through the link', (t) => {
	const elsewhere = addRoute({ index: 9, name: 'eth9' }, { dst: '10.0.0.0/8' });
	const all = [
		Buffer.concat([elsewhere.fixed, ...elsewhere.attributes]),
		...kernels.map(([, hex]) => Buffer.from(hex, 'hex')),
	];
	const connection = connect(fakeKernel((request) => dump(request, all)));
	t.deepEqual(
		listRoutes(connection, link),
		kernels.filter(([, , , set]) => set).map(([, , route]) => route),
	);
});

test('the routes of one protocol are asked for by its number', (t) => {
	t.is(requestsOf((connection) => listRoutes(connection, link, RTPROT_STATIC))[0]?.payload[5], 4);
	t.is(requestsOf((connection) => listRoutes(connection, link))[0]?.payload[5], 0);
});

test('a route that a router announced counts as set', (t) => {
	const { fixed, attributes } = addRoute(link, { dst: 'fd01::/48', gw: 'fe80::1' });
	fixed[5] = 9;
	t.true(decodeRoute(Buffer.concat([fixed, ...attributes])).set);
});

test('the way to an address is the link of its route', (t) => {
	const { fixed, attributes } = addRoute(link, { dst: '9.0.1.0/27' });
	const answer = Buffer.concat([fixed, ...attributes]);
	t.is(findWay(connect(fakeKernel((request) => [message(request, 24, answer)])), '9.0.1.5'), 2);
});

for (const code of ['ENETUNREACH', 'EHOSTUNREACH', 'EACCES', 'EINVAL'] satisfies Errno[]) {
	test(`there is no way when the kernel says ${code}`, (t) => {
		t.is(findWay(connect(fakeKernel((request) => [refusal(request, code)])), '9.0.1.5'), undefined);
	});
}

test('any other error is told', (t) => {
	t.throws(() => findWay(connect(fakeKernel((request) => [refusal(request, 'EPERM')])), 'fd00::5'), {
		message: 'looking up the way to fd00::5: EPERM',
	});
});

test('refusals name the route', (t) => {
	const connection = connect(
		fakeKernel((request) => [refusal(request, 'ENETUNREACH', { text: 'Nexthop has invalid gateway' })]),
	);
	t.throws(() => connection.execute(addRoute(link, { dst: '10.0.0.0/8', gw: '9.0.2.1' })), {
		message: 'adding route 10.0.0.0/8 via 9.0.2.1 through "eth0": Nexthop has invalid gateway (ENETUNREACH)',
	});
	t.throws(() => connection.execute(addRoute(link, { dst: 'fd01::/64' })), {
		message: 'adding route fd01::/64 through "eth0": Nexthop has invalid gateway (ENETUNREACH)',
	});
	t.throws(() => listRoutes(connection, link), { message: /^listing the routes through "eth0": / });
	t.throws(() => addRoute(link, { dst: '10.0.0.0/8', gw: 'gateway' }), {
		message: 'encoding an address: got "gateway" (EINVAL)',
	});
	t.throws(() => addRoute(link, { dst: '10.0.0.0' }), { message: /^encoding an address with a prefix length: / });
});
