import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import type { Request } from '../../src/netlink/message.ts';
import {
	decodeProtocolRoute,
	listProtocolRoutes,
	type ProtocolRoute,
	removeProtocolRoute,
	setProtocolRoute,
} from '../../src/netlink/protocol-route.ts';
import { addRoute } from '../../src/netlink/route.ts';
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const RTMSG = 12;
const ipv4: ProtocolRoute = { dst: '9.0.1.0/24', via: { gw: '44.128.0.2', link: 6 } };
const ipv6: ProtocolRoute = { dst: 'fd01:b:0:0:1::/80', via: { gw: 'fd01:a::2', link: 6 } };

const captured: readonly Captured[] = [
	{
		command: 'ip route prepend 9.0.1.0/24 via 44.128.0.2 dev vtep1024 onlink proto 124',
		hex: '3400000018000504000000000000000002180000fe7c0001040000000800010009000100080005002c8000020800040006000000',
		ask: (connection) => connection.execute(setProtocolRoute(124, ipv4)),
	},
	{
		command: 'ip -6 route replace fd01:b:0:0:1::/80 via fd01:a::2 dev vtep1024 onlink proto 124 metric 512',
		hex:
			'540000001800050500000000000000000a500000fe7c00010400000014000100fd01000b000000000001000000000000' +
			'14000500fd01000a00000000000000000000000208000600000200000800040006000000',
		ask: (connection) => connection.execute(setProtocolRoute(124, ipv6)),
	},
	{
		command: 'ip route prepend unreachable 9.0.0.0/8 proto 124',
		hex: '2400000018000504000000000000000002080000fe7c0007000000000800010009000000',
		ask: (connection) => connection.execute(setProtocolRoute(124, { dst: '9.0.0.0/8' })),
	},
	{
		command: 'ip -6 route replace unreachable fd01:b::/64 proto 124 metric 512',
		hex: '380000001800050500000000000000000a400000fe7c00070000000014000100fd01000b0000000000000000000000000800060000020000',
		ask: (connection) => connection.execute(setProtocolRoute(124, { dst: 'fd01:b::/64' })),
	},
	{
		command: 'ip route del 9.0.1.0/24 via 44.128.0.2 dev vtep1024 onlink proto 124',
		hex: '3400000019000500000000000000000002180000fe7cff00040000000800010009000100080005002c8000020800040006000000',
		ask: (connection) => connection.execute(removeProtocolRoute(124, ipv4)),
		// The tool leaves the type open.
		theirs: ['fixed 02180000fe7cff0004000000'],
		ours: ['fixed 02180000fe7cff0104000000'],
	},
	{
		command: 'ip route del unreachable 9.0.0.0/8 proto 124',
		hex: '2400000019000500000000000000000002080000fe7cff07000000000800010009000000',
		ask: (connection) => connection.execute(removeProtocolRoute(124, { dst: '9.0.0.0/8' })),
	},
	{
		command: 'ip -6 route del unreachable fd01:b::/64 proto 124 metric 512',
		hex: '380000001900050000000000000000000a400000fe7c00070000000014000100fd01000b0000000000000000000000000800060000020000',
		ask: (connection) => connection.execute(removeProtocolRoute(124, { dst: 'fd01:b::/64' })),
	},
];

for (const one of captured) {
	test(`asks as the tool does: ${one.command}`, (t) => sameAsCaptured(t, one, RTMSG, {}));
}

// `ip -4 route show table main proto 124` and `ip -6 route show table main proto 124`
test('the kernel is asked for the routes of the protocol alone, in the main table', (t) => {
	const asked = requestsOf((connection) => listProtocolRoutes(connection, 124));
	t.deepEqual(
		asked.map(({ type, flags, payload }) => ({ type, flags, hex: payload.toString('hex') })),
		['02', '0a'].map((family) => ({
			type: 26,
			flags: 0x301,
			hex: `${family}000000007c00000000000008000f00fe000000`,
		})),
	);
});

const payloadOf = ({ fixed, attributes }: Request): Buffer => Buffer.concat([fixed, ...attributes]);

for (const route of [ipv4, ipv6, { dst: '9.0.0.0/8' }, { dst: 'fd01:b::/64' }]) {
	const payload = payloadOf(setProtocolRoute(124, route));

	test(`route ${route.dst} comes back as it was asked for`, (t) =>
		t.deepEqual(decodeProtocolRoute(payload), { route, protocol: 124, isMain: true }));

	test(`route ${route.dst}, cut off or garbled, is refused`, (t) => {
		refusesCuts(t, decodeProtocolRoute, payload, RTMSG, { optional: true });
		survivesGarbage(t, decodeProtocolRoute, payload);
		t.throws(() => decodeProtocolRoute(payload.subarray(0, 11)), {
			message: 'decoding a route: truncated (EBADMSG)',
		});
	});
}

test('routes of others and of other tables are passed over', (t) => {
	const elsewhere = payloadOf(setProtocolRoute(124, ipv4));
	elsewhere[4] = 42;
	const all = [
		payloadOf(addRoute({ index: 6, name: 'a' }, { dst: '9.0.2.0/24' })),
		elsewhere,
		payloadOf(setProtocolRoute(124, ipv4)),
	];
	const connection = connect(fakeKernel((request) => dump(request, request.payload[0] === 2 ? all : [])));
	t.deepEqual(listProtocolRoutes(connection, 124), [ipv4]);
});

test('refusals name the route', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'ESRCH')]));
	t.throws(() => connection.execute(removeProtocolRoute(124, ipv4)), {
		message: 'removing route 9.0.1.0/24 via 44.128.0.2: ESRCH',
	});
	t.throws(() => connection.execute(setProtocolRoute(124, { dst: '9.0.0.0/8' })), {
		message: 'setting unreachable route 9.0.0.0/8: ESRCH',
	});
});
