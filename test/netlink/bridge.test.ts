import test from 'ava';
import { nested, text, u8 } from '../../src/netlink/attribute.ts';
import { createBridge, filtersVlans, impossibleBridge, vlanFiltering } from '../../src/netlink/bridge.ts';
import { connect } from '../../src/netlink/connection.ts';
import { changeLink } from '../../src/netlink/link.ts';
import { ifinfomsg } from '../../src/netlink/link-message.ts';
import { fakeKernel, message, refusal } from '../helpers/fake-kernel.ts';
import { decodesOrRefuses } from './damage.ts';
import { bridge, loopback } from './kernel-links.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const shape = { 18: 0, '18/1': 'text', '18/2': 0, 3: 'text' } as const;

const captured: Captured[] = [
	{
		command: 'ip link add m-dcos mtu 1420 address 02:64:09:00:01:01 type bridge',
		hex: '5000000010000506000000000000000000000000000000000000000000000000080004008c0500000a00010002640900010100000b0003006d2d64636f730000100012000a0001006272696467650000',
		ask: (connection) => connection.execute(createBridge('m-dcos', { mtu: 1420, mac: '02:64:09:00:01:01' })),
	},
	{
		command: 'ip link set dev m-dcos type bridge vlan_filtering 1',
		hex: '3c000000100005000000000000000000000000000200000000000000000000001c0012000a00010062726964676500000c0002000500070001000000',
		ask: (connection) => connection.execute(changeLink({ index: 2, name: 'm-dcos' }, {}, vlanFiltering())),
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) => sameAsCaptured(t, each, 16, shape));
}

test('a bridge that cannot be has a multicast address, and is refused before it is made', (t) => {
	const kernel = fakeKernel((request) => [refusal(request, 'EADDRNOTAVAIL')]);
	t.throws(() => connect(kernel).execute(impossibleBridge('m-dcos')), {
		message: 'creating bridge "m-dcos": EADDRNOTAVAIL',
	});
	t.true(kernel.requests[0]?.payload.includes(Buffer.from('0a00010001000000', 'hex')));
});

function answering(payload: Buffer) {
	return connect(fakeKernel((request) => [message(request, 16, payload)]));
}

test('whether a bridge filters VLANs', (t) => {
	const saying = (value: number) =>
		answering(Buffer.concat([ifinfomsg({ index: 2 }), nested(18, text(1, 'bridge'), nested(2, u8(7, value)))]));
	t.true(filtersVlans(saying(1), 2));
	t.false(filtersVlans(saying(0), 2));
	t.false(filtersVlans(answering(bridge), 2), 'of a kernel that cannot');
	t.false(filtersVlans(answering(loopback), 1));
	t.throws(() => filtersVlans(connect(fakeKernel((request) => [refusal(request, 'ENODEV')])), 2), {
		message: 'looking up interface 2: ENODEV',
	});
});

test('an answer about VLAN filtering that is cut off is refused at most', (t) => {
	for (let length = 0; length < bridge.length; length++) {
		decodesOrRefuses(t, (payload) => filtersVlans(answering(payload), 2), bridge.subarray(0, length));
	}
	t.false(
		decodesOrRefuses(t, (payload) => filtersVlans(answering(payload), 2), bridge.subarray(0, bridge.length - 9)),
	);
});
