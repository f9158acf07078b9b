import test from 'ava';
import { bytes, nested, text } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import {
	drop,
	loadEtherSource,
	loadInputInterface,
	matchSet,
	REGISTER_1,
	REGISTER_2,
} from '../../src/netlink/nf-expression.ts';
import {
	addElements,
	appendRule,
	commit,
	createChain,
	createSet,
	createTable,
	decodeKeys,
	listElements,
	NFPROTO_BRIDGE,
	removeElements,
} from '../../src/netlink/nf-tables.ts';
import { agreeable, dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const NFGENMSG = 4;
const table = { family: NFPROTO_BRIDGE, name: 'mesos_overlay' };
const portKey = Buffer.from('76657468300000000000000000000000', 'hex');
const macKey = Buffer.from('766574683000000000000000000000000264090001020000', 'hex');

/** Table, chain and set names are texts, lists of expressions and of elements keep their order. */
const rule = {
	1: 'text',
	2: 'text',
	4: 'list',
	'4[]': 0,
	'4[]/1': 'text',
	'4[]/2': 0,
	// Of the last expression, the verdict.
	'4[5]/2/2': 0,
	'4[5]/2/2/2': 0,
} as const;
const chain = { 1: 'text', 3: 'text', 4: 0, 7: 'text' } as const;
const set = { 1: 'text', 2: 'text' } as const;
const elements = { 1: 'text', 2: 'text', 3: 'list', '3[]': 0, '3[]/1': 0 } as const;

/** The messages of one `nft -f`, of which each was taken out of its transaction. Its requests are not acknowledged singly. */
const captured: (Captured & { readonly shape: Parameters<typeof sameAsCaptured>[3] })[] = [
	{
		command: 'add table bridge mesos_overlay',
		hex: '30000000000a0100000000000000000007000000120001006d65736f735f6f7665726c61790000000800020000000000',
		ask: (connection) => connection.execute(createTable(table)),
		shape: { 1: 'text' },
		// To be told when it is there, and without flags.
		ours: ['flags 0605'],
		theirs: ['flags 0001', '2 00000000'],
	},
	{
		command: 'add set bridge mesos_overlay checked_ports { type ifname; }',
		hex: '68000000090a0104000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f72747300000008000300000000000800040000000029080005000000001008000a00000000010a000d000004010000000000',
		ask: (connection) =>
			connection.execute(
				createSet(table, 'checked_ports', { type: 41, length: 16, userData: Uint8Array.of(0, 4, 1, 0, 0, 0) }),
			),
		shape: set,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command: 'add set bridge mesos_overlay own_macs { type ifname . ether_addr; }',
		hex: '6c000000090a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d6163730000000008000300000000000800040000000a49080005000000001808000a000000000214000d00000400000000030800040d0000000100',
		ask: (connection) => connection.execute(createSet(table, 'own_macs', { type: (41 << 6) | 9, length: 24 })),
		shape: set,
		ours: ['flags 0405', '10 00000001'],
		theirs: ['flags 0401', '10 00000002', '13 000400000000030800040d0000000100'],
	},
	{
		command:
			'add chain bridge mesos_overlay prerouting { type filter hook prerouting priority -300; policy accept; }',
		hex: '60000000030a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000f000300707265726f7574696e6700000b00070066696c7465720000080005000000000114000480080001000000000008000200fffffed4',
		ask: (connection) => connection.execute(createChain(table, 'prerouting', 0, -300)),
		shape: chain,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command:
			'add rule bridge mesos_overlay prerouting iifname @checked_ports iifname . ether saddr != @own_macs drop',
		hex: '5c010000060a010c000000000000000007000000120001006d65736f735f6f7665726c61790000000f000200707265726f7574696e6700002401048024000180090001006d657461000000001400028008000200000000060800010000000001380001800b0001006c6f6f6b7570000028000280080002000000000112000100636865636b65645f706f727473000000080004000000000124000180090001006d657461000000001400028008000200000000060800010000000001340001800c0001007061796c6f6164002400028008000100000000020800020000000000080003000000000608000400000000063c0001800b0001006c6f6f6b757000002c00028008000200000000010d0001006f776e5f6d6163730000000008000400000000020800050000000001300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c0002800800010000000000',
		ask: (connection) =>
			connection.execute(
				appendRule(table, 'prerouting', [
					loadInputInterface(REGISTER_1),
					matchSet('checked_ports', REGISTER_1),
					loadInputInterface(REGISTER_1),
					loadEtherSource(REGISTER_2),
					matchSet('own_macs', REGISTER_1, { absent: true }),
					drop(),
				]),
			),
		shape: rule,
		// Sets that exist need no number of the transaction; a flag of zero may be left out.
		ours: ['flags 0c05', '4[1]/2/5 00000000'],
		theirs: ['flags 0c01', '4[1]/2/4 00000001', '4[4]/2/4 00000002'],
	},
	{
		command: 'add element bridge mesos_overlay own_macs { "veth0" . 02:64:09:00:01:02 }',
		hex: '680000000c0a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d6163730000000008000400000000022800038024000180200001801c000100766574683000000000000000000000000264090001020000',
		ask: (connection) => connection.execute(addElements(table, 'own_macs', [macKey])),
		shape: elements,
		ours: ['flags 0405'],
		theirs: ['flags 0401', '4 00000002'],
	},
	{
		command: 'delete element bridge mesos_overlay checked_ports { "veth0" }',
		hex: '5c0000000e0a0100000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f727473000000200003801c000180180001801400010076657468300000000000000000000000',
		ask: (connection) => connection.execute(removeElements(table, 'checked_ports', [portKey])),
		shape: elements,
		ours: ['flags 0005'],
		theirs: ['flags 0001'],
	},
	{
		command: 'list set bridge mesos_overlay own_macs',
		hex: '380000000d0a01030000000000000000070000000d0002006f776e5f6d61637300000000120001006d65736f735f6f7665726c6179000000',
		ask: (connection) => listElements(connection, table, 'own_macs'),
		shape: elements,
	},
];
for (const { shape, ...each } of captured) {
	test(`asks as nft does: ${each.command}`, (t) => sameAsCaptured(t, each, NFGENMSG, shape));
}

test('a transaction has a beginning and an end, as nft has them', (t) => {
	const kernel = fakeKernel(agreeable);
	commit(connect(kernel), createTable(table));
	const ends = kernel.requests.filter(({ flags }) => flags === 1);
	t.deepEqual(
		ends.map(({ type, payload }) => [type, payload.toString('hex')]),
		[
			[0x10, '0000000a'],
			[0x11, '0000000a'],
		],
	);
	t.deepEqual(kernel.datagrams, [3]);
	t.is(kernel.requests[0], ends[0]!);
	t.is(kernel.requests[2], ends[1]!);
});

test('a transaction is refused as a whole, or in the words of what failed', (t) => {
	const whole = connect(fakeKernel((request) => (request.type === 0x10 ? [refusal(request, 'EPERM')] : [])));
	t.throws(() => commit(whole, createTable(table)), { message: 'changing nf_tables: EPERM' });

	const inPart = fakeKernel((request) =>
		request.type === 0x10 || request.type === 0x11 ? [] : [refusal(request, 'ENOENT')],
	);
	const messages = [
		createTable(table),
		createSet(table, 'own_macs', { type: 41, length: 16 }),
		createChain(table, 'prerouting', 0, -300),
		appendRule(table, 'prerouting', []),
		addElements(table, 'own_macs', [macKey]),
		removeElements(table, 'own_macs', [macKey]),
	].map((request) => t.throws(() => commit(connect(inPart), request)).message);
	t.deepEqual(messages, [
		'creating table "mesos_overlay": ENOENT',
		'creating set "own_macs": ENOENT',
		'creating chain "prerouting": ENOENT',
		'adding a rule to chain "prerouting": ENOENT',
		'adding to set "own_macs": ENOENT',
		'removing from set "own_macs": ENOENT',
	]);
	t.throws(() => listElements(connect(inPart), table, 'own_macs'), { message: 'listing set "own_macs": ENOENT' });
});

function elementsWith(...keys: readonly Uint8Array[]): Buffer {
	const members = keys.map((key) => nested(1, nested(1, bytes(1, key)), bytes(8, Buffer.from('01020304', 'hex'))));
	return Buffer.concat([Buffer.of(7, 0, 0, 5), text(1, 'mesos_overlay'), text(2, 'own_macs'), nested(3, ...members)]);
}

test('the keys of a set, from as many messages as it takes', (t) => {
	const connection = connect(
		fakeKernel((request) => dump(request, [elementsWith(macKey, portKey), elementsWith(portKey)])),
	);
	t.deepEqual(listElements(connection, table, 'own_macs'), [macKey, portKey, portKey]);
	t.deepEqual(decodeKeys(elementsWith()), []);
	t.deepEqual(
		decodeKeys(Buffer.concat([Buffer.of(7, 0, 0, 5), nested(3, nested(1, bytes(8, macKey)))])),
		[],
		'without a key',
	);
});

test('what is cut off or garbled is refused', (t) => {
	const payload = elementsWith(macKey, portKey);
	refusesCuts(t, decodeKeys, payload, NFGENMSG, { optional: true });
	survivesGarbage(t, decodeKeys, payload);
});
