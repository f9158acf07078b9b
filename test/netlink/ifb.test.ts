import test from 'ava';
import { nested, text } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import { createIfb, listIfbs } from '../../src/netlink/ifb.ts';
import { ifinfomsg } from '../../src/netlink/link-message.ts';
import { dump, fakeKernel } from '../helpers/fake-kernel.ts';
import { bridge, port } from './kernel-links.ts';
import { type Captured, requestsOf, sameAsCaptured } from './wire.ts';

const captured: Captured = {
	command: 'ip link add ifb0123456789a mtu 1420 type ifb',
	hex: '4800000010000506000000000000000000000000000000000000000000000000080004008c05000013000300696662303132333435363738396100000c0012000700010069666200',
	ask: (connection) => connection.execute(createIfb('ifb0123456789a', 1420)),
};

test(`asks as the tool does: ${captured.command}`, (t) =>
	sameAsCaptured(t, captured, 16, { 3: 'text', 18: 0, '18/1': 'text' }));

test('only devices of the kind are listed, even by a kernel that does not filter', (t) => {
	const info = nested(18, text(1, 'ifb'));
	const ifb = Buffer.concat([ifinfomsg({ index: 7 }), text(3, 'ifb0'), info]);
	const connection = connect(fakeKernel((request) => dump(request, [bridge, ifb, port])));
	t.deepEqual(
		listIfbs(connection).map(({ name }) => name),
		['ifb0'],
	);
	const [asked] = requestsOf(listIfbs);
	t.true(asked?.payload.includes(info));
});
