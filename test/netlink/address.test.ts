import test from 'ava';
import { bytes } from '../../src/netlink/attribute.ts';
import { addAddress, type Address, decodeAddress, listAddresses, removeAddress } from '../../src/netlink/address.ts';
import { addressFamily, requireCidr, requireIp } from '../../src/netlink/address-family.ts';
import { connect } from '../../src/netlink/connection.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const IFADDRMSG = 8;
const link = { index: 2, name: 'm-dcos' };

const captured: Captured[] = [
	{
		command: 'ip addr add 9.0.1.1/27 brd + dev m-dcos',
		hex: '30000000140005060000000000000000021b00000200000008000200090001010800010009000101080004000900011f',
		ask: (connection) => connection.execute(addAddress(link, '9.0.1.1/27')),
	},
	{
		command: 'ip addr add 9.0.1.40/31 dev m-dcos',
		hex: '28000000140005060000000000000000021f00000200000008000200090001280800010009000128',
		ask: (connection) => connection.execute(addAddress(link, '9.0.1.40/31')),
	},
	{
		command: 'ip addr add fd00::1/64 dev m-dcos nodad',
		hex: '400000001400050600000000000000000a4002000200000014000200fd00000000000000000000000000000114000100fd000000000000000000000000000001',
		ask: (connection) => connection.execute(addAddress(link, 'fd00::1/64')),
		// The same flag, in the attribute that has room for more of them.
		ours: ['fixed 0a40000002000000', '8 02000000'],
		theirs: ['fixed 0a40020002000000'],
	},
	{
		command: 'ip addr add 169.254.40.7/32 scope link dev m-dcos',
		hex: '28000000140005060000000000000000022000fd0200000008000200a9fe280708000100a9fe2807',
		ask: (connection) => connection.execute(addAddress(link, '169.254.40.7/32')),
	},
	{
		command: 'ip addr add fe80::1/64 dev m-dcos nodad',
		hex: '400000001400050600000000000000000a4002000200000014000200fe80000000000000000000000000000114000100fe800000000000000000000000000001',
		ask: (connection) => connection.execute(addAddress(link, 'fe80::1/64')),
		// The same flag as above, and the scope, which the kernel finds out for itself.
		ours: ['fixed 0a4000fd02000000', '8 02000000'],
		theirs: ['fixed 0a40020002000000'],
	},
	{
		command: 'ip addr del 9.0.1.40/31 dev m-dcos',
		hex: '28000000150005000000000000000000021f00000200000008000200090001280800010009000128',
		ask: (connection) => connection.execute(removeAddress(link, '9.0.1.40/31')),
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) => sameAsCaptured(t, each, IFADDRMSG, {}));
}

test('an IPv6 address that waits for duplicate address detection has no flags', (t) => {
	const { attributes, fixed } = addAddress(link, 'fd00::1/64', true);
	t.is(fixed.toString('hex'), '0a40000002000000');
	t.is(attributes.length, 2);
});

const broadcasts = {
	'9.0.1.77/8': '09ffffff',
	'9.0.1.5/30': '09000107',
	'128.0.0.1/1': 'ffffffff',
	'1.2.3.4/0': 'ffffffff',
};
for (const [cidr, broadcast] of Object.entries(broadcasts)) {
	test(`the broadcast address of ${cidr}`, (t) => {
		t.is(addAddress(link, cidr).attributes[2]?.toString('hex'), `08000400${broadcast}`);
	});
}

test('a single address has no broadcast address', (t) => t.is(addAddress(link, '9.0.1.5/32').attributes.length, 2));

const IFA_FLAGS_PERMANENT = '0800080080000000';
const kernels: readonly [string, string, Address][] = [
	[
		'an IPv4 address',
		`021b800002000000080001000900010208000200090001020900030065746830000000000800080080000000` +
			'14000600ffffffffffffffffbe6e0500be6e0500',
		{ cidr: '9.0.1.2/27', family: 4, link: 2, linkLocal: false, tentative: false, duplicate: false },
	],
	[
		'an IPv6 address that is not yet usable',
		'0a40c0000200000014000100fd00000000000000000000000000000214000600ffffffffffffffffbf6e0500bf6e050008000800c0000000',
		{ cidr: 'fd00::2/64', family: 6, link: 2, linkLocal: false, tentative: true, duplicate: false },
	],
	[
		'a link-local address',
		'0a4080fd0200000014000100fe80000000000000006409fffe00010214000600ffffffffffffffff286e0500286e05000800080080000000' +
			'05000b0003000000',
		{ cidr: 'fe80::64:9ff:fe00:102/64', family: 6, link: 2, linkLocal: true, tentative: false, duplicate: false },
	],
];
for (const [title, hex, address] of kernels) {
	const payload = Buffer.from(hex, 'hex');
	test(`what Linux 6.18 says of ${title}`, (t) => t.deepEqual(decodeAddress(payload), address));
	test(`what Linux 6.18 says of ${title}, cut off or garbled, is refused`, (t) => {
		refusesCuts(t, decodeAddress, payload, IFADDRMSG, { optional: false });
		survivesGarbage(t, decodeAddress, payload);
		for (let length = 0; length <= IFADDRMSG; length++) {
			t.throws(() => decodeAddress(payload.subarray(0, length)), {
				message: 'decoding an address: truncated (EBADMSG)',
			});
		}
	});
}

const ipv6 = bytes(1, requireIp('fd00::2'));
test('an address that another machine has', (t) => {
	const withFlags = Buffer.concat([
		Buffer.from('0a40000002000000', 'hex'),
		ipv6,
		Buffer.from('0800080048000000', 'hex'),
	]);
	t.like(decodeAddress(withFlags), { tentative: true, duplicate: true });
	const old = Buffer.concat([Buffer.from('0a40480002000000', 'hex'), ipv6]);
	t.like(decodeAddress(old), { tentative: true, duplicate: true }, 'from a kernel without the attribute for flags');
});

test('of a point-to-point address, the local end counts', (t) => {
	const payload = Buffer.concat([
		Buffer.from('0220800002000000', 'hex'),
		bytes(1, requireIp('9.0.1.9')),
		bytes(2, requireIp('9.0.1.2')),
		Buffer.from(IFA_FLAGS_PERMANENT, 'hex'),
	]);
	t.is(decodeAddress(payload).cidr, '9.0.1.2/32');
});

test('the addresses of one link, whatever others the kernel lists', (t) => {
	const other = Buffer.from(kernels[0]![1], 'hex');
	other.writeUInt32LE(7, 4);
	const all = [other, ...kernels.map(([, hex]) => Buffer.from(hex, 'hex'))];
	const kernel = fakeKernel((request) => dump(request, all));
	t.deepEqual(
		listAddresses(connect(kernel), link).map(({ cidr }) => cidr),
		kernels.map(([, , { cidr }]) => cidr),
	);
	t.is(kernel.requests[0]?.payload.toString('hex'), '0000000002000000');
});

test('refusals name the address and the link', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'EEXIST')]));
	t.throws(() => connection.execute(addAddress(link, '9.0.1.2/27')), {
		message: 'adding address 9.0.1.2/27 to "m-dcos": EEXIST',
	});
	t.throws(() => connection.execute(removeAddress(link, '9.0.1.2/27')), {
		message: 'removing address 9.0.1.2/27 from "m-dcos": EEXIST',
	});
	t.throws(() => listAddresses(connection, link), { message: 'listing the addresses of "m-dcos": EEXIST' });
});

test('what is no address does not reach the kernel', (t) => {
	const refused = (call: () => unknown) => t.throws(call, { instanceOf: NetlinkError });
	t.is(refused(() => requireIp('9.0.1')).message, 'encoding an address: got "9.0.1" (EINVAL)');
	t.is(
		refused(() => requireCidr('9.0.1.1')).message,
		'encoding an address with a prefix length: got "9.0.1.1" (EINVAL)',
	);
	t.is(refused(() => addAddress(link, 'x/1')).code, 'EINVAL');
	t.deepEqual([requireIp('9.0.1.1'), requireIp('::1')].map(addressFamily), [2, 10]);
});
