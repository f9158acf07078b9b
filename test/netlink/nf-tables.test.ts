import test from 'ava';
import { bytes, nested, text } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import { drop, loadEtherSource, loadInputInterface, matchSet, REGISTER_1, REGISTER_2 } from '../../src/netlink/nf-expression.ts';
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
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
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
	'4[]/2/2': 0,
	'4[]/2/2/2': 0,
} as const;
const chain = { 1: 'text', 3: 'text', 4: 0, 7: 'text' } as const;
const set = { 1: 'text', 2: 'text' } as const;
const elements = { 1: 'text', 2: 'text', 3: 'list', '3[]': 0, '3[]/1': 0 } as const;

/** The messages of one `nft -f`, of which each was taken out of its transaction. Its requests are not acknowledged singly. */
const captured: (Captured & { readonly shape: Parameters<typeof sameAsCaptured>[3] })[] = [
	{
		command: 'add table bridge mesos_overlay',
		hex: '30000000000a0100000000000000000007000000120001006d65736f735f6f7665726c6179000000 0800020000000000',
		ask: (connection) => connection.execute(createTable(table)),
		shape: { 1: 'text' },
		// To be told when it is there, and without flags.
		ours: ['flags 0605'],
		theirs: ['flags 0001', '2 00000000'],
	},
	{
		command: 'add set bridge mesos_overlay checked_ports { type ifname; }',
		hex: '68000000090a0104000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f72747300000008000300000000000800040000000029080005000000001008000a00000000010a000d000004010000000000',
		ask: (connection) => connection.execute(createSet(table, 'checked_ports', 41, 16)),
		shape: set,
		ours: ['flags 0405'],
		// The tool's own note.
		theirs: ['flags 0401', '13 000401000000'],
	},
	{
		command: 'add set bridge mesos_overlay own_macs { type ifname . ether_addr; }',
		hex: '6c000000090a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d6163730000000008000300000000000800040000000a49080005000000001808000a000000000214000d00000400000000030800040d000000010000',
		ask: (connection) => connection.execute(createSet(table, 'own_macs', (41 << 6) | 9, 24)),
		shape: set,
		ours: ['flags 0405', '10 00000001'],
		theirs: ['flags 0401', '10 00000002', '13 00040000000003080004 0d00000001'.replace(' ', '')],
	},
	{
		command: 'add chain bridge mesos_overlay prerouting { type filter hook prerouting priority -300; policy accept; }',
		hex: '60000000030a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000f000300707265726f7574696e6700000b00070066696c7465720000080005000000000114000480080001000000000008000200fffffed4',
		ask: (connection) => connection.execute(createChain(table, 'prerouting', 0, -300)),
		shape: chain,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command: 'add rule bridge mesos_overlay prerouting iifname @checked_ports iifname . ether saddr != @own_macs drop',
		hex: '',
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
		hex: '680000000c0a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d61637300000000080004000000000228000380240001802000018 01c000100766574683000000000000000000000000264090001020000',
		ask: (connection) => connection.execute(addElements(table, 'own_macs', [macKey])),
		shape: elements,
		ours: ['flags 0405'],
		theirs: ['flags 0401', '4 00000002'],
	},
	{
		command: 'delete element bridge mesos_overlay checked_ports { "veth0" }',
		hex: '5c0000000e0a0100000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f727473000000200003801c0001801800018014000100 76657468300000000000000000000000',
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
