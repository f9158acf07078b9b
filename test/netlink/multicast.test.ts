import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import { decodeMulticastGroup, listMulticastGroups, solicitedNodeGroup } from '../../src/netlink/multicast.ts';
import { dump, fakeKernel } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { requestsOf } from './wire.ts';

const IFADDRMSG = 8;
const link = { index: 2, name: 'eth0' };

// What Linux 6.18 says of a link with the index 2 and the address fd00::1.
const solicited = '0a8080000200000014000700ff0200000000000000000001ff00000114000600ffffffffffffffffd2540a00d2540a00';
const elsewhere = solicited.replace('0a80800002', '0a80800009');

test('the groups of one link among those of all', (t) => {
	const answers = [solicited, elsewhere].map((hex) => Buffer.from(hex, 'hex'));
	const connection = connect(fakeKernel((request) => dump(request, answers)));
	t.deepEqual(listMulticastGroups(connection, link), ['ff02::1:ff00:1']);
});

test('an answer that is cut off or garbled is refused', (t) => {
	const payload = Buffer.from(solicited, 'hex');
	t.deepEqual(decodeMulticastGroup(payload), { link: 2, ip: 'ff02::1:ff00:1' });
	refusesCuts(t, decodeMulticastGroup, payload, IFADDRMSG, { optional: false });
	survivesGarbage(t, decodeMulticastGroup, payload);
	t.throws(() => decodeMulticastGroup(payload.subarray(0, 7)), {
		message: 'decoding a multicast group: truncated (EBADMSG)',
	});
});

test('asks for the groups of one link', (t) => {
	const [request, ...others] = requestsOf((connection) => listMulticastGroups(connection, link));
	t.like(request, { type: 58, flags: 0x301 });
	t.is(request?.payload.toString('hex'), '0a00000002000000');
	t.deepEqual(others, []);
});

// RFC 4291 §2.7.1
test('neighbours look in the group that the end of the address names', (t) => {
	t.is(solicitedNodeGroup('4037::1:800:200e:8c6c'), 'ff02::1:ff0e:8c6c');
	t.is(solicitedNodeGroup('fd00::2'), 'ff02::1:ff00:2');
});
