import test from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { nested, text, u32 } from '../../src/netlink/attribute.ts';
import {
	decodeChecksumOffload,
	decodeFamily,
	findChecksumOffload,
	getEthtoolFamily,
	setChecksumOffload,
} from '../../src/netlink/checksum-offload.ts';
import { connect } from '../../src/netlink/connection.ts';
import { NETLINK_GENERIC, openConnection } from '../../src/netlink/socket.ts';
import { fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';

const GENL_HEADER = 4;

// What Linux 6.18 says of a VXLAN device, with compact bitsets: of 68 features, hardware, wanted and active ones.
const features = Buffer.concat([
	Buffer.from('0b010000', 'hex'),
	nested(1, u32(1, 5), text(2, 'vtep1024')),
	...[0x00000008, 0x00004009].map((first, at) =>
		nested(at === 0 ? 2 : 4, u32(2, 68), Buffer.from('10000400', 'hex'), u32At(first)),
	),
]);

function u32At(first: number): Buffer {
	const value = Buffer.alloc(12);
	value.writeUInt32LE(first);
	return value;
}

test('whether a device leaves checksums to the one below is the fourth of its active features', (t) => {
	t.true(decodeChecksumOffload(features));
	const off = Buffer.from(features);
	off[off.length - 12] = 0x01;
	t.false(decodeChecksumOffload(off));
});

test('an answer that is cut off or garbled is refused', (t) => {
	survivesGarbage(t, decodeChecksumOffload, features);
	refusesCuts(t, decodeFamily, Buffer.concat([Buffer.from('01020000', 'hex'), u32(1, 21)]), GENL_HEADER, {
		optional: false,
	});
	t.throws(() => decodeChecksumOffload(features.subarray(0, GENL_HEADER)), {
		message: 'decoding features of a device: truncated (EBADMSG)',
	});
	t.throws(() => decodeFamily(Buffer.alloc(3)), { message: 'decoding a family of messages: truncated (EBADMSG)' });
});

test('a kernel that knows no ethtool messages says so', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'ENOENT')]));
	t.throws(() => connection.get(getEthtoolFamily()), { message: 'looking up the family "ethtool": ENOENT' });
});

testOn('vxlan', 'checksum offload of a device is turned off and on', (t) => {
	const namespace = createNamespace(t, 'offload');
	namespace.must(['ip', 'link', 'add', 'vtep1024', 'type', 'vxlan', 'id', '1024', 'dstport', '64000']);
	const opened = openNetworkNamespace(namespace.path);
	const generic = opened.run(() => openConnection(NETLINK_GENERIC, performance.now() + 10_000));
	t.teardown(() => {
		generic.close();
		opened.close();
	});
	const family = decodeFamily(generic.get(getEthtoolFamily()));
	t.true(findChecksumOffload(generic, family, 'vtep1024'), 'as the kernel makes it');
	for (const wanted of [false, true, true, false]) {
		generic.execute(setChecksumOffload(family, 'vtep1024', wanted));
		t.is(findChecksumOffload(generic, family, 'vtep1024'), wanted);
	}
	t.throws(() => findChecksumOffload(generic, family, 'eth0'), { code: 'ENODEV' });
	t.throws(() => generic.execute(setChecksumOffload(family, 'eth0', false)), {
		message: /^turning off checksum offload of "eth0": .*\(ENODEV\)$/,
	});
});
