import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import {
	type ForwardingEntry,
	decodeForwardingEntry,
	isForwardingEntry,
	listForwardingEntries,
	removeForwardingEntry,
	setForwardingEntry,
} from '../../src/netlink/forwarding-entry.ts';
import type { Request } from '../../src/netlink/message.ts';
import {
	decodeNeighbour,
	isNeighbour,
	listNeighbours,
	removeNeighbour,
	setNeighbour,
} from '../../src/netlink/neighbour.ts';
import { addProxyNeighbour } from '../../src/netlink/proxy-neighbour.ts';
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const NDMSG = 12;
const link = { index: 6, name: 'vtep1024' };
const mac = '70:b3:d5:80:00:02';

const captured: readonly Captured[] = [
	{
		command: 'ip neigh replace 44.128.0.2 lladdr 70:b3:d5:80:00:02 dev vtep1024 nud permanent',
		hex: '300000001c0005050000000000000000020000000600000080000000080001002c8000020a00020070b3d58000020000',
		ask: (connection) => connection.execute(setNeighbour(link, { ip: '44.128.0.2', mac })),
	},
	{
		command: 'ip neigh replace fd01:a::2 lladdr 70:b3:d5:80:00:02 dev vtep1024 nud permanent',
		hex: '3c0000001c00050500000000000000000a000000060000008000000014000100fd01000a0000000000000000000000020a00020070b3d58000020000',
		ask: (connection) => connection.execute(setNeighbour(link, { ip: 'fd01:a::2', mac })),
	},
	{
		command: 'ip neigh del 44.128.0.2 dev vtep1024',
		hex: '240000001d0005000000000000000000020000000600000080000000080001002c800002',
		ask: (connection) => connection.execute(removeNeighbour(link, '44.128.0.2')),
		// The tool says a state, which a removal does not look at.
		theirs: ['fixed 020000000600000080000000'],
		ours: ['fixed 020000000600000000000000'],
	},
	{
		command: 'ip neigh show dev vtep1024',
		hex: '240000001e00010300000000000000000000000000000000000000000800080006000000',
		ask: (connection) => listNeighbours(connection, link),
	},
	{
		command: 'bridge fdb replace 70:b3:d5:80:00:02 dev vtep1024 dst 10.0.0.2 self permanent',
		hex: '300000001c00050500000000000000000700000006000000c00002000a00020070b3d58000020000080001000a000002',
		ask: (connection) => connection.execute(setForwardingEntry(link, { mac, host: '10.0.0.2' })),
	},
	{
		command: 'bridge fdb del 70:b3:d5:80:00:02 dev vtep1024 dst 10.0.0.2 self',
		hex: '300000001d00050000000000000000000700000006000000c00002000a00020070b3d58000020000080001000a000002',
		ask: (connection) => connection.execute(removeForwardingEntry(link, { mac, host: '10.0.0.2' })),
	},
	{
		command: 'bridge fdb show dev vtep1024',
		hex: '1c0000001e0001030000000000000000070000000600000000000000',
		ask: (connection) => listForwardingEntries(connection, link),
	},
];

for (const one of captured) {
	test(`asks as the tool does: ${one.command}`, (t) => sameAsCaptured(t, one, NDMSG, {}));
}

const payloadOf = ({ fixed, attributes }: Request): Buffer => Buffer.concat([fixed, ...attributes]);
const entry: ForwardingEntry = { mac, host: '10.0.0.2' };

const decoders: readonly [string, (payload: Buffer) => unknown, Buffer, unknown][] = [
	[
		'a neighbour',
		decodeNeighbour,
		payloadOf(setNeighbour(link, { ip: 'fd01:a::2', mac })),
		{ link: 6, ip: 'fd01:a::2', mac, permanent: true },
	],
	['a forwarding entry', decodeForwardingEntry, payloadOf(setForwardingEntry(link, entry)), { link: 6, ...entry }],
	[
		'a forwarding entry by IPv6',
		decodeForwardingEntry,
		payloadOf(setForwardingEntry(link, { mac, host: 'fd10::2' })),
		{ link: 6, mac, host: 'fd10::2' },
	],
];

for (const [title, decode, payload, expected] of decoders) {
	test(`${title} comes back as it was asked for`, (t) => t.deepEqual(decode(payload), expected));

	test(`${title} that is cut off or garbled is refused`, (t) => {
		for (let length = 0; length < NDMSG + 4; length++) {
			t.throws(() => decode(payload.subarray(0, length)), { code: 'EBADMSG' });
		}
		survivesGarbage(t, decode, payload);
	});
}

test('an entry that is cut between its attributes has no host', (t) => {
	refusesCuts(t, decodeForwardingEntry, payloadOf(setForwardingEntry(link, entry)).subarray(0, 24), NDMSG, {
		optional: false,
	});
});

test('of what a kernel lists, the permanent neighbours and the entries of the link itself', (t) => {
	const elsewhere = { index: 7, name: 'eth0' };
	const asked = payloadOf(setNeighbour(link, { ip: '44.128.0.3', mac }));
	asked[8] = 0x02;
	const neighbours = [
		payloadOf(setNeighbour(link, { ip: '44.128.0.2', mac })),
		payloadOf(setNeighbour(elsewhere, { ip: '44.128.0.2', mac })),
		asked,
	];
	t.deepEqual(listNeighbours(connect(fakeKernel((request) => dump(request, neighbours))), link), [
		{ ip: '44.128.0.2', mac },
	]);
	const ofBridge = payloadOf(setForwardingEntry(link, { mac, host: '' }));
	ofBridge[10] = 0x04;
	const entries = [
		payloadOf(setForwardingEntry(link, entry)),
		payloadOf(setForwardingEntry(elsewhere, entry)),
		ofBridge,
	];
	t.deepEqual(listForwardingEntries(connect(fakeKernel((request) => dump(request, entries))), link), [entry]);
});

test('what messages about neighbours are about', (t) => {
	const about = (request: Request) => [isNeighbour(payloadOf(request)), isForwardingEntry(payloadOf(request))];
	t.deepEqual(about(setNeighbour(link, { ip: '44.128.0.2', mac })), [true, false]);
	t.deepEqual(about(setForwardingEntry(link, entry)), [false, true]);
	t.deepEqual(about(addProxyNeighbour(link, '44.128.0.2')), [false, false]);
});

test('refusals name the entry', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'ENOENT')]));
	t.throws(() => connection.execute(removeNeighbour(link, 'fd01:a::2')), {
		message: 'removing neighbour fd01:a::2 of "vtep1024": ENOENT',
	});
	t.throws(() => connection.execute(removeForwardingEntry(link, entry)), {
		message: 'removing forwarding entry 70:b3:d5:80:00:02 of "vtep1024": ENOENT',
	});
	t.throws(() => setNeighbour(link, { ip: 'vtep', mac }), { message: 'encoding an address: got "vtep" (EINVAL)' });
});
