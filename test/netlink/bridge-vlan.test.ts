import test from 'ava';
import { bytes, nested, text } from '../../src/netlink/attribute.ts';
import { addNativeVlan, addTaggedVlans, decodeVlans, listVlans, removeVlans } from '../../src/netlink/bridge-vlan.ts';
import { connect } from '../../src/netlink/connection.ts';
import { ifinfomsg } from '../../src/netlink/link-message.ts';
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const port = { index: 3, name: 'veth0' };
const shape = { 26: 'list' } as const;

const captured: Captured[] = [
	{
		command: 'bridge vlan add dev veth0 vid 7 pvid untagged',
		hex: '2c000000130005000000000000000000070000000300000000000000000000000c001a000800020006000700',
		ask: (connection) => connection.execute(addNativeVlan(port, 7)),
	},
	{
		command: 'bridge vlan add dev veth0 vid 5',
		hex: '2c000000130005000000000000000000070000000300000000000000000000000c001a000800020000000500',
		ask: (connection) => connection.execute(addTaggedVlans(port, 5, 5)),
	},
	{
		command: 'bridge vlan add dev veth0 vid 10-20',
		hex: '340000001300050000000000000000000700000003000000000000000000000014001a000800020008000a000800020010001400',
		ask: (connection) => connection.execute(addTaggedVlans(port, 10, 20)),
	},
	{
		command: 'bridge vlan del dev veth0 vid 1',
		hex: '2c000000110005000000000000000000070000000300000000000000000000000c001a000800020000000100',
		ask: (connection) => connection.execute(removeVlans(port, 1, 1)),
	},
	{
		command: 'bridge vlan del dev veth0 vid 10-20',
		hex: '340000001100050000000000000000000700000003000000000000000000000014001a000800020008000a000800020010001400',
		ask: (connection) => connection.execute(removeVlans(port, 10, 20)),
	},
	{
		command: 'bridge -compressvlans vlan show',
		hex: '280000001200010300000000000000000700000000000000000000000000000008001d0004000000',
		ask: (connection) => listVlans(connection, port),
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) => sameAsCaptured(t, each, 16, shape));
}

/** As br_fill_ifinfo in net/bridge/br_netlink.c writes it. */
function vlansOf(index: number, ...vlans: readonly (readonly [flags: number, id: number])[]): Buffer {
	const list = vlans.map(([flags, id]) => bytes(2, Uint8Array.of(flags, 0, id & 255, id >> 8)));
	return Buffer.concat([
		ifinfomsg({ family: 7, index }),
		text(3, 'veth0'),
		nested(26, bytes(0, Uint8Array.of(1, 0)), ...list),
	]);
}

test('the VLANs of a port, and which of them is untagged', (t) => {
	t.deepEqual(decodeVlans(vlansOf(3, [6, 1], [0, 5], [8, 7], [16, 9], [0, 4094])), [
		{ first: 1, last: 1, native: true },
		{ first: 5, last: 5, native: false },
		{ first: 7, last: 9, native: false },
		{ first: 4094, last: 4094, native: false },
	]);
	t.deepEqual(decodeVlans(vlansOf(3)), []);
	t.deepEqual(decodeVlans(Buffer.concat([ifinfomsg({ index: 3 }), text(3, 'veth0')])), []);
});

test('a VLAN whose description has another size is passed over', (t) => {
	const odd = Buffer.concat([
		ifinfomsg({ index: 3 }),
		nested(26, bytes(2, new Uint8Array(3)), bytes(2, Uint8Array.of(0, 0, 9, 0))),
	]);
	t.deepEqual(decodeVlans(odd), [{ first: 9, last: 9, native: false }]);
});

test('what is cut off or garbled is refused', (t) => {
	const payload = vlansOf(3, [6, 1], [0, 5]);
	refusesCuts(t, decodeVlans, payload, 16, { optional: true });
	survivesGarbage(t, decodeVlans, payload);
});

test('of all ports that the kernel lists, only the one', (t) => {
	const all = [vlansOf(2, [6, 1]), vlansOf(3, [6, 7]), Buffer.alloc(3), vlansOf(4, [6, 9])];
	const connection = connect(fakeKernel((request) => dump(request, all)));
	t.deepEqual(listVlans(connection, port), [{ first: 7, last: 7, native: true }]);
	t.deepEqual(listVlans(connection, { index: 8, name: 'veth8' }), []);
});

test('refusals name the port and the VLANs', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'EOPNOTSUPP')]));
	const messages = [addNativeVlan(port, 7), addTaggedVlans(port, 10, 20), removeVlans(port, 1, 1)].map(
		(request) => t.throws(() => connection.execute(request)).message,
	);
	t.deepEqual(messages, [
		'putting port "veth0" into VLAN 7: EOPNOTSUPP',
		'adding VLANs 10 to 20 to port "veth0": EOPNOTSUPP',
		'taking port "veth0" out of VLAN 1: EOPNOTSUPP',
	]);
	t.throws(() => listVlans(connection, port), { message: 'listing the VLANs of port "veth0": EOPNOTSUPP' });
});
