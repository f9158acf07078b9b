import test from 'ava';
import { toCniError } from '../../src/cni/errors.ts';
import { flag, nested, text, u8 } from '../../src/netlink/attribute.ts';
import { bridgePort } from '../../src/netlink/bridge-port.ts';
import { connect } from '../../src/netlink/connection.ts';
import {
	changeLink,
	decodeLink,
	deleteLink,
	findLink,
	getLink,
	type Link,
	listPorts,
	listVeths,
} from '../../src/netlink/link.ts';
import { decodeMac, encodeMac, ifinfomsg } from '../../src/netlink/link-message.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { acknowledgement, dump, fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { bridge, containerEnd, loopback, port } from './kernel-links.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const IFINFOMSG = 16;
const veth0 = { index: 3, name: 'veth0' };
const bridgeLink: Link = decodeLink(bridge);

const decoded: readonly [string, Buffer, Link][] = [
	[
		'a bridge',
		bridge,
		{
			index: 2,
			name: 'm-dcos',
			kind: 'bridge',
			up: true,
			promiscuous: false,
			operational: true,
			mtu: 1420,
			mac: '02:64:09:00:01:01',
			alias: '',
			master: 0,
			peer: 0,
			port: undefined,
		},
	],
	[
		'a port',
		port,
		{
			index: 3,
			name: 'veth0',
			kind: 'veth',
			up: true,
			promiscuous: false,
			operational: true,
			mtu: 1420,
			mac: '02:64:09:00:01:09',
			alias: 'mesos-overlay dcos c1 eth0',
			master: 2,
			peer: 2,
			port: { forwarding: true, hairpin: true, isolated: true },
		},
	],
	[
		"the container's end",
		containerEnd,
		{
			index: 2,
			name: 'eth0',
			kind: 'veth',
			up: true,
			promiscuous: false,
			operational: true,
			mtu: 1420,
			mac: '02:64:09:00:01:02',
			alias: '',
			master: 0,
			peer: 3,
			port: undefined,
		},
	],
	[
		'the loopback',
		loopback,
		{
			index: 1,
			name: 'lo',
			kind: '',
			up: false,
			promiscuous: false,
			operational: false,
			mtu: 65536,
			mac: '00:00:00:00:00:00',
			alias: '',
			master: 0,
			peer: 0,
			port: undefined,
		},
	],
];

for (const [title, payload, link] of decoded) {
	test(`what Linux 6.18 says of ${title}`, (t) => t.deepEqual(decodeLink(payload), link));
	test(`what Linux 6.18 says of ${title}, cut off or garbled, is refused`, (t) => {
		refusesCuts(t, decodeLink, payload, IFINFOMSG, { optional: true });
		survivesGarbage(t, decodeLink, payload);
		t.throws(() => decodeLink(payload.subarray(0, 15)), { message: 'decoding a link: truncated (EBADMSG)' });
	});
}

test('a port that does not forward yet, in promiscuous mode', (t) => {
	const info = nested(18, text(1, 'veth'), text(4, 'bridge'), nested(5, u8(1, 1), u8(4, 0), u8(33, 0)));
	const link = decodeLink(Buffer.concat([ifinfomsg({ index: 9, flags: 0x101 }), info]));
	t.like(link, {
		index: 9,
		up: true,
		promiscuous: true,
		port: { forwarding: false, hairpin: false, isolated: false },
	});
});

test('a port of another kind of device is no port of a bridge', (t) => {
	const info = nested(18, text(1, 'veth'), text(4, 'bond'), nested(5, u8(1, 3)));
	t.is(decodeLink(Buffer.concat([ifinfomsg({ index: 9 }), info])).port, undefined);
});

const captured: Captured[] = [
	{
		command: 'ip link show dev m-dcos',
		hex: '3400000012000100000000000000000011000000000000000000000000000000 0b0003006d2d64636f730000 08001d0001000000',
		ask: (connection) => findLink(connection, 'm-dcos'),
		// The tool asks for AF_PACKET, which is the same, and with counters.
		ours: ['fixed 00000000000000000000000000000000', '29 08000000'],
		theirs: ['fixed 11000000000000000000000000000000', '29 01000000'],
	},
	{
		command: 'ip addr show dev m-dcos, which asks by the index',
		hex: '28000000120001000000000000000000 00000000020000000000000000000000 08001d0009000000',
		ask: (connection) => findLink(connection, 2),
		ours: ['29 08000000'],
		theirs: ['29 09000000'],
	},
	{
		command: 'ip link show master m-dcos',
		hex: '30000000120001030000000000000000 11000000000000000000000000000000 08001d0001000000 08000a0002000000',
		ask: (connection) => listPorts(connection, bridgeLink),
		ours: ['fixed 00000000000000000000000000000000', '29 08000000'],
		theirs: ['fixed 11000000000000000000000000000000', '29 01000000'],
	},
	{
		command: 'ip link show type veth',
		hex: '34000000120001030000000000000000 11000000000000000000000000000000 08001d0001000000 0c0012000800010076657468',
		ask: (connection) => listVeths(connection),
		ours: ['fixed 00000000000000000000000000000000', '29 08000000'],
		theirs: ['fixed 11000000000000000000000000000000', '29 01000000'],
	},
	{
		command: 'ip link set dev veth0 up promisc on mtu 1400 address 02:00:00:00:00:07',
		hex: '34000000100005000000000000000000 00000000030000000101000001010000 0800040078050000 0a00010002000000 00070000',
		ask: (connection) =>
			connection.execute(changeLink(veth0, { up: true, promiscuous: true, mtu: 1400, mac: '02:00:00:00:00:07' })),
	},
	{
		command: 'ip link set dev veth0 alias "mesos-overlay dcos c1 eth0"',
		hex: '40000000100005000000000000000000 00000000030000000000000000000000 1e0014006d65736f732d6f7665726c61792064636f7320633120657468300000',
		ask: (connection) => connection.execute(changeLink(veth0, { alias: 'mesos-overlay dcos c1 eth0' })),
	},
	{
		command: 'ip link set dev veth0 master m-dcos',
		hex: '28000000100005000000000000000000 00000000030000000000000000000000 08000a0002000000',
		ask: (connection) => connection.execute(changeLink(veth0, { master: 2 })),
	},
	{
		command: 'ip link set dev veth0 type bridge_slave hairpin on isolated on',
		hex: '48000000100005000000000000000000 00000000030000000000000000000000 28001200 100001006272696467655f736c617665 14000500 0500040001000000 0500210001000000',
		ask: (connection) => connection.execute(changeLink(veth0, {}, bridgePort({ hairpin: true, isolated: true }))),
		// The kernel looks only at the data; this is how it names the kind itself.
		ours: ['18/4 "bridge"'],
		theirs: ['18/1 "bridge_slave"'],
	},
	{
		command: 'ip link del dev veth0',
		hex: '20000000110005000000000000000000 00000000030000000000000000000000',
		ask: (connection) => deleteLink(connection, veth0),
	},
];

for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) => {
		const shape = { 18: 0, '18/1': 'text', '18/4': 'text', '18/5': 0, 3: 'text' } as const;
		sameAsCaptured(t, { ...each, hex: each.hex.replaceAll(' ', '') }, IFINFOMSG, shape);
	});
}

const changes = {
	nothing: [{}, '', [0, 0]],
	'to take it down': [{ up: false }, '', [0, 1]],
	'to leave promiscuous mode': [{ promiscuous: false }, '', [0, 0x100]],
	'up, and promiscuous mode off': [{ up: true, promiscuous: false }, '', [1, 0x101]],
} as const;
for (const [title, [change, , [flags, mask]]] of Object.entries(changes)) {
	test(`of the flags, only those are changed that are named: ${title}`, (t) => {
		const { fixed } = changeLink(veth0, change);
		t.deepEqual([fixed.readUInt32LE(8), fixed.readUInt32LE(12)], [flags, mask]);
	});
}

test('a link whose index is unknown is named', (t) => {
	const request = changeLink({ name: 'veth0' }, { alias: 'a' }, flag(99));
	t.is(request.fixed.readInt32LE(4), 0);
	t.is(
		Buffer.concat([...request.attributes]).toString('hex'),
		flag(99).toString('hex') + text(3, 'veth0').toString('hex') + '0500140061000000',
	);
});

test('isolation is only spoken of when it is wanted: kernels before 4.18 refuse the word', (t) => {
	t.is(
		bridgePort({ hairpin: false, isolated: false }).toString('hex'),
		'1c0012800b00040062726964676500000c0005800500040000000000',
	);
});

test('a link that is not there is undefined, and deleting it changes nothing', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'ENODEV')]));
	t.is(findLink(connection, 'veth0'), undefined);
	t.false(deleteLink(connection, veth0));
	t.true(deleteLink(connect(fakeKernel((request) => [acknowledgement(request)])), veth0));
});

test('another refusal is thrown, with what was tried', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'EPERM', { text: 'no way' })]));
	t.throws(() => findLink(connection, 'veth0'), {
		message: 'looking up interface "veth0": no way (EPERM)',
		instanceOf: NetlinkError,
	});
	t.throws(() => findLink(connection, 7), { message: 'looking up interface 7: no way (EPERM)' });
	t.throws(() => listPorts(connection, bridgeLink), {
		message: 'listing the ports of bridge "m-dcos": no way (EPERM)',
	});
	t.throws(() => listVeths(connection), { message: 'listing veth interfaces: no way (EPERM)' });
	const error = t.throws(() => deleteLink(connection, veth0));
	t.is(error.message, 'deleting interface "veth0": no way (EPERM)');
	t.is(toCniError(error).code, 100);
	t.throws(() => connection.execute(changeLink(veth0, { mtu: 1 })), {
		message: 'changing interface "veth0": no way (EPERM)',
	});
});

test('a kernel that does not filter its lists is no matter', (t) => {
	const connection = connect(fakeKernel((request) => dump(request, [bridge, port, containerEnd, loopback])));
	t.deepEqual(
		listPorts(connection, bridgeLink).map(({ name }) => name),
		['veth0'],
	);
	t.deepEqual(
		listVeths(connection).map(({ name }) => name),
		['veth0', 'eth0'],
	);
});

test('a link is found by its decoded answer', (t) => {
	const connection = connect(fakeKernel((request) => [message(request, 16, port)]));
	t.is(findLink(connection, 'veth0')?.alias, 'mesos-overlay dcos c1 eth0');
	t.is(requestsOf((each) => each.get(getLink('veth0')))[0]?.type, 18);
});

test('MAC addresses', (t) => {
	t.deepEqual([...encodeMac('02:64:09:0a:F1:ff')], [2, 0x64, 9, 10, 0xf1, 255]);
	t.is(decodeMac(Buffer.of(2, 0x64, 9, 10, 0xf1, 255)), '02:64:09:0a:f1:ff');
	t.is(decodeMac(undefined), '');
	t.is(decodeMac(Buffer.alloc(0)), '');
	t.is(decodeMac(Buffer.of(9, 0, 1, 2)), '09000102', 'of a tunnel');
});
