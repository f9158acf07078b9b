import test from 'ava';
import { nested, text, u32 } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import { ifinfomsg } from '../../src/netlink/link-message.ts';
import { decodeLink, type Link } from '../../src/netlink/link.ts';
import { limit, limitDifferences } from '../../src/shaping/shaper.ts';
import { refuses } from '../cni/assertions.ts';
import {
	acknowledgement,
	type Answer,
	type Errno,
	fakeKernel,
	message,
	narrated,
	refusal,
} from '../helpers/fake-kernel.ts';

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWQDISC = 36;

const attachment = { containerId: 'c1', ifname: 'eth0' };
const port: Link = { ...linkOf('veth', 3, 'veth0123456789a'), alias: 'mesos-overlay dcos c1 eth0', mtu: 1420 };
const ifb = 'ifba0r6cb2q3vi';
const rate = { rate: 8_000_000, burst: 80_000 };

function linkOf(kind: string, index: number, name: string): Link {
	return decodeLink(encoded(kind, index, name));
}

function encoded(kind: string, index: number, name: string): Buffer {
	const info = nested(18, text(1, kind));
	return Buffer.concat([ifinfomsg({ index, flags: 1 }), text(3, name), u32(4, 1420), info]);
}

/** Makes everything, and has the ifb. */
const able: Answer = (request) =>
	request.type === RTM_GETLINK ? [message(request, RTM_NEWLINK, encoded('ifb', 9, ifb))] : [acknowledgement(request)];

const lacking =
	(type: number, errno: Errno, said: string): Answer =>
	(request) =>
		request.type === type ? [refusal(request, errno, { text: said })] : able(request);

test('both directions, in as few datagrams as can be', (t) => {
	const kernel = fakeKernel(able);
	const { connection, story } = narrated(kernel);
	t.is(limit(connection, port, attachment, { ingress: rate, egress: rate })?.index, 9);
	t.deepEqual(story, [
		'limiting the output of "veth0123456789a" to 8000000 bit/s',
		`creating ifb "${ifb}"`,
		`changing interface "${ifb}"`,
		`looking up interface "${ifb}"`,
		`limiting the output of "${ifb}" to 8000000 bit/s`,
		`redirecting what "veth0123456789a" receives to "${ifb}"`,
		`redirecting what "veth0123456789a" receives to "${ifb}"`,
	]);
	t.deepEqual(kernel.datagrams, [1, 2, 1, 3]);
	t.true(kernel.requests[2]?.payload.includes('mesos-overlay dcos c1 eth0'));
});

test('what goes to the container needs no ifb', (t) => {
	const kernel = fakeKernel(able);
	t.is(limit(connect(kernel), port, attachment, { ingress: rate, egress: undefined }), undefined);
	t.is(kernel.requests.length, 1);
});

test('a kernel that lacks a part is told by what it would need, and by the keys to leave out', (t) => {
	const limitBoth = (kernel: Answer) =>
		limit(connect(fakeKernel(kernel)), port, attachment, { ingress: rate, egress: rate });
	refuses(
		t,
		() => limitBoth(lacking(RTM_NEWQDISC, 'ENOENT', 'Specified qdisc kind is unknown')),
		100,
		'limiting what "eth0" of container "c1" receives: it takes CONFIG_NET_SCH_TBF in the kernel; leave ingressRate and ingressBurst out',
		'(limiting the output of "veth0123456789a" to 8000000 bit/s: Specified qdisc kind is unknown (ENOENT))',
	);
	refuses(
		t,
		() => limitBoth(lacking(RTM_NEWLINK, 'EOPNOTSUPP', 'Unknown device type')),
		100,
		'limiting what "eth0" of container "c1" sends: it takes CONFIG_IFB, ',
		'leave egressRate and egressBurst out',
		'Unknown device type (EOPNOTSUPP)',
	);
	t.throws(() => limitBoth(lacking(RTM_NEWLINK, 'EEXIST', '')), { message: `creating ifb "${ifb}": EEXIST` });
});

test('a device of another kind in the place of the ifb is no ifb', (t) => {
	const connection = connect(fakeKernel((request) => [message(request, RTM_NEWLINK, encoded('dummy', 9, ifb))]));
	t.deepEqual(limitDifferences(connection, port, attachment, { ingress: undefined, egress: rate }), [
		`ifb "${ifb}" is missing`,
	]);
});
