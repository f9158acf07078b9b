import test from 'ava';
import { drop, jump, masquerade, translateDestination } from '../../src/netlink/nf-action.ts';
import { createChain } from '../../src/netlink/nf-chain.ts';
import { addElements, flushSet, listElements, removeElements, simpleInterval } from '../../src/netlink/nf-element.ts';
import { encodeFields, type FieldType } from '../../src/netlink/nf-field.ts';
import {
	destinationPort,
	etherSource,
	inputInterface,
	ipSource,
	transportProtocol,
} from '../../src/netlink/nf-load.ts';
import { isDestinationTranslated, isFamily, isIn, isInNetwork, isToLocal } from '../../src/netlink/nf-match.ts';
import { NFPROTO_BRIDGE, NFPROTO_INET, NFPROTO_IPV4 } from '../../src/netlink/nf-message.ts';
import { appendRule } from '../../src/netlink/nf-rule.ts';
import { createSet } from '../../src/netlink/nf-set.ts';
import { createTable, removeTable } from '../../src/netlink/nf-table.ts';
import { type Captured, sameAsCaptured, type Shape } from './wire.ts';

const NFGENMSG = 4;
const bridge = { family: NFPROTO_BRIDGE, name: 'mesos_overlay' };
const inet = { family: NFPROTO_INET, name: 't' };

const fields = (types: readonly FieldType[], ...values: (string | number)[]): Buffer => encodeFields(types, values);
const ip = (address: string): Buffer => fields(['ipv4_addr'], address);
const pair = (one: string, other: string): Buffer => fields(['ipv4_addr', 'ipv4_addr'], one, other);
const port = fields(['ifname'], 'veth0');
const subnets = { key: pair('9.0.1.0', '9.0.1.0'), keyEnd: pair('9.0.1.31', '9.0.1.31') };

/** Names are texts, lists of expressions and of elements keep their order. */
const table = { 1: 'text' } as const;
const chain = { 1: 'text', 3: 'text', 4: 0, 7: 'text' } as const;
const set = { 1: 'text', 2: 'text', 9: 0, '9/2': 'list', '9/2[]': 0 } as const;
const elements = { 1: 'text', 2: 'text', 3: 'list', '3[]': 0, '3[]/1': 0, '3[]/2': 0, '3[]/10': 0 } as const;
const rule = { 1: 'text', 2: 'text', 4: 'list', '4[]': 0, '4[]/1': 'text', '4[]/2': 0 } as const;
/** A rule whose expression at this place gives a verdict. */
const ruleWithVerdict = (at: number): Shape => ({ ...rule, [`4[${at}]/2/2`]: 0, [`4[${at}]/2/2/2`]: 0 });

// What we say and nft does not: that we want to be told when all is done, and when it is there already. What nft says and we
// do not: flags of zero, numbers within a transaction for sets that exist, user data about what the user has typed.
/** The messages of `nft -f`, of which each was taken out of its transaction. Its requests are not acknowledged singly. */
const captured: (Captured & { readonly shape: Shape })[] = [
	{
		command: 'add table bridge mesos_overlay',
		hex: '30000000000a0100000000000000000007000000120001006d65736f735f6f7665726c61790000000800020000000000',
		ask: (connection) => connection.execute(createTable(bridge, { exclusive: true })),
		shape: table,
		ours: ['flags 0605'],
		theirs: ['flags 0001', '2 00000000'],
	},
	{
		command: 'add table inet t { comment "mesos-overlay 1"; }',
		hex: '3c000000000a0100000000000000000001000000060001007400000008000200000000001600060000106d65736f732d6f7665726c61792031000000',
		ask: (connection) => connection.execute(createTable(inet, { comment: 'mesos-overlay 1' })),
		shape: table,
		ours: ['flags 0405'],
		theirs: ['flags 0001', '2 00000000'],
	},
	{
		command: 'delete table inet t',
		hex: '1c000000020a01000000000000000000010000000600010074000000',
		ask: (connection) => connection.execute(removeTable(inet)),
		shape: table,
		ours: ['flags 0005'],
		theirs: ['flags 0001'],
	},
	{
		command: 'add set bridge mesos_overlay checked_ports { type ifname; }',
		hex: '68000000090a0104000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f72747300000008000300000000000800040000000029080005000000001008000a00000000010a000d000004010000000000',
		ask: (connection) => connection.execute(createSet(bridge, { name: 'checked_ports', key: ['ifname'] })),
		shape: set,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command: 'add set bridge mesos_overlay own_macs { type ifname . ether_addr; }',
		hex: '6c000000090a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d6163730000000008000300000000000800040000000a49080005000000001808000a000000000214000d00000400000000030800040d0000000100',
		ask: (connection) => connection.execute(createSet(bridge, { name: 'own_macs', key: ['ifname', 'ether_addr'] })),
		shape: set,
		ours: ['flags 0405', '10 00000001', '13 000400000000'],
		theirs: ['flags 0401', '10 00000002', '13 000400000000030800040d0000000100'],
	},
	{
		command:
			'add map inet t ports { type inet_proto . inet_service : ipv4_addr . inet_service; comment "host ports"; }',
		hex: '90000000090a010400000000000000000100000006000100740000000a000200706f7274730000000800030000000008080004000000030d080005000000000808000600000001cd080007000000000808000a000000000137000d00000400000000010400000000030800040d0000000100040800040d0000000100060400000000070b686f737420706f7274730000',
		ask: (connection) =>
			connection.execute(
				createSet(inet, {
					name: 'ports',
					key: ['inet_proto', 'inet_service'],
					data: ['ipv4_addr', 'inet_service'],
					comment: 'host ports',
				}),
			),
		shape: set,
		ours: ['flags 0405', '13 000400000000010400000000060400000000070b686f737420706f72747300'],
		theirs: [
			'flags 0401',
			'13 000400000000010400000000030800040d0000000100040800040d0000000100060400000000070b686f737420706f72747300',
		],
	},
	{
		command: 'add set inet t pairs { type ipv4_addr . ipv4_addr; flags interval; size 100; }',
		hex: '84000000090a010400000000000000000100000006000100740000000a0002007061697273000000080003000000008408000400000001c7080005000000000808000a00000000012800098008000100000000641c0002800c00018008000100000000040c000180080001000000000414000d00000400000000030800040d0000000100',
		ask: (connection) =>
			connection.execute(
				createSet(inet, { name: 'pairs', key: ['ipv4_addr', 'ipv4_addr'], intervals: true, size: 100 }),
			),
		shape: set,
		ours: ['flags 0405', '13 000400000000'],
		theirs: ['flags 0401', '13 000400000000030800040d0000000100'],
	},
	{
		command: 'add set inet t nets { type ipv4_addr; flags interval; }',
		hex: '54000000090a01040000000000000000010000000600010074000000090002006e6574730000000008000300000000040800040000000007080005000000000408000a00000000010a000d000004020000000000',
		ask: (connection) => connection.execute(createSet(inet, { name: 'nets', key: ['ipv4_addr'], intervals: true })),
		shape: set,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command:
			'add chain bridge mesos_overlay prerouting { type filter hook prerouting priority -300; policy accept; }',
		hex: '60000000030a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000f000300707265726f7574696e6700000b00070066696c7465720000080005000000000114000480080001000000000008000200fffffed4',
		ask: (connection) =>
			connection.execute(
				createChain(bridge, 'prerouting', { type: 'filter', hook: 'prerouting', priority: -300 }),
			),
		shape: chain,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command: 'add chain inet t pre { type nat hook prerouting priority dstnat; policy drop; }',
		hex: '48000000030a010400000000000000000100000006000100740000000800030070726500080007006e617400080005000000000014000480080001000000000008000200ffffff9c',
		ask: (connection) =>
			connection.execute(
				createChain(inet, 'pre', { type: 'nat', hook: 'prerouting', priority: -100, policy: 'drop' }),
			),
		shape: chain,
		ours: ['flags 0405'],
		theirs: ['flags 0401'],
	},
	{
		command: 'add chain inet t natted',
		hex: '28000000030a010400000000000000000100000006000100740000000b0003006e61747465640000',
		ask: (connection) => connection.execute(createChain(inet, 'natted')),
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
				appendRule(bridge, 'prerouting', [
					...isIn('checked_ports', [inputInterface]),
					...isIn('own_macs', [inputInterface, etherSource], { not: true }),
					drop(),
				]),
			),
		shape: ruleWithVerdict(5),
		ours: ['flags 0c05'],
		theirs: ['flags 0c01', '4[1]/2/4 00000001', '4[4]/2/4 00000002'],
	},
	{
		command: 'add rule inet t pre fib daddr type local jump natted',
		hex: 'b8000000060a010c00000000000000000100000006000100740000000800020070726500940004802800018008000100666962001c0002800800030000000002080002000000000308000100000000012c00018008000100636d700020000280080001000000000108000200000000000c00038008000100020000003c0001800e000100696d6d6564696174650000002800028008000100000000001c0002801800028008000100fffffffd0b0002006e61747465640000',
		ask: (connection) => connection.execute(appendRule(inet, 'pre', [...isToLocal(), jump('natted')])),
		shape: ruleWithVerdict(2),
		ours: ['flags 0c05'],
		theirs: ['flags 0c01'],
	},
	{
		command: 'add rule inet t natted dnat ip to meta l4proto . th dport map @ports',
		hex: 'ec000000060a010c00000000000000000100000006000100740000000b0002006e61747465640000c400048024000180090001006d657461000000001400028008000200000000100800010000000001340001800c0001007061796c6f616400240002800800010000000009080002000000000208000300000000020800040000000002380001800b0001006c6f6f6b7570000028000280080002000000000108000300000000010a000100706f727473000000080004000000000130000180080001006e617400240002800800010000000001080002000000000208000300000000010800050000000009',
		ask: (connection) =>
			connection.execute(
				appendRule(
					inet,
					'natted',
					translateDestination(NFPROTO_IPV4, 'ports', [transportProtocol, destinationPort]),
				),
			),
		shape: rule,
		ours: ['flags 0c05'],
		theirs: ['flags 0c01', '4[2]/2/4 00000001'],
	},
	{
		command: 'add rule inet t natted ip saddr 10.0.0.0/9 ct status dnat masquerade fully-random',
		hex: 'cc010000060a010c00000000000000000100000006000100740000000b0002006e61747465640000a401048024000180090001006d6574610000000014000280080002000000000f08000100000000012c00018008000100636d700020000280080001000000000108000200000000000c0003800500010002000000340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000000c0800040000000004440001800c0001006269747769736500340002800800010000000001080002000000000108000300000000040c00048008000100ff8000000c00058008000100000000002c00018008000100636d700020000280080001000000000108000200000000000c000380080001000a0000002000018007000100637400001400028008000200000000020800010000000001440001800c0001006269747769736500340002800800010000000001080002000000000108000300000000040c00048008000100200000000c00058008000100000000002c00018008000100636d700020000280080001000000000108000200000000010c00038008000100000000001c000180090001006d617371000000000c0002800800010000000010',
		ask: (connection) =>
			connection.execute(
				appendRule(inet, 'natted', [
					...isFamily(NFPROTO_IPV4),
					...isInNetwork(ipSource, ip('10.0.0.0'), 9),
					...isDestinationTranslated(),
					masquerade(0x10),
				]),
			),
		shape: rule,
		ours: ['flags 0c05'],
		theirs: ['flags 0c01'],
	},
	{
		command: 'add element bridge mesos_overlay own_macs { "veth0" . 02:64:09:00:01:02 }',
		hex: '680000000c0a0104000000000000000007000000120001006d65736f735f6f7665726c61790000000d0002006f776e5f6d6163730000000008000400000000022800038024000180200001801c000100766574683000000000000000000000000264090001020000',
		ask: (connection) => {
			const key = fields(['ifname', 'ether_addr'], 'veth0', '02:64:09:00:01:02');
			connection.execute(...addElements(bridge, 'own_macs', [{ key }]));
		},
		shape: elements,
		ours: ['flags 0405'],
		theirs: ['flags 0401', '4 00000002'],
	},
	{
		command: 'create element inet t ports { tcp . 8080 comment "c1 eth0" : 9.0.1.2 . 80 }',
		hex: '680000000c0a010600000000000000000100000006000100740000000a000200706f72747300000008000400000000013800038034000180100001800c000100060000001f900000100002800c00010009000102005000000e000600000863312065746830000000',
		ask: (connection) => {
			const key = fields(['inet_proto', 'inet_service'], 6, 8080);
			const data = fields(['ipv4_addr', 'inet_service'], '9.0.1.2', 80);
			connection.execute(...addElements(inet, 'ports', [{ key, data, comment: 'c1 eth0' }], { exclusive: true }));
		},
		shape: elements,
		ours: ['flags 0605'],
		theirs: ['flags 0601', '4 00000001'],
	},
	{
		command: 'add element inet t nets { 9.0.0.0/8 comment "dcos", 255.0.0.0/8 }',
		// Without the end of an interval before the first one, which is not there; and without a note that the last one has none.
		hex: '840000000c0a01040000000000000000010000000600010074000000090002006e657473000000000800040000000003540003801c0002800c00018008000100090000000b000600000564636f7300001800038008000300000000010c000180080001000a0000001c0004800c00018008000100ff0000000a0006000104010000000000',
		ask: (connection) =>
			connection.execute(
				...addElements(inet, 'nets', [
					...simpleInterval(ip('9.0.0.0'), ip('9.255.255.255'), 'dcos'),
					...simpleInterval(ip('255.0.0.0'), ip('255.255.255.255')),
				]),
			),
		shape: elements,
		ours: ['flags 0405'],
		theirs: ['flags 0401', '4 00000003', '3[2]/6 010401000000'],
	},
	{
		command: 'add element inet t pairs { 9.0.1.0/27 . 9.0.1.0/27 }',
		hex: '580000000c0a010400000000000000000100000006000100740000000a000200706169727300000008000400000000022800038024000180100001800c000100090001000900010010000a800c0001000900011f0900011f',
		ask: (connection) => connection.execute(...addElements(inet, 'pairs', [subnets])),
		shape: elements,
		ours: ['flags 0405'],
		theirs: ['flags 0401', '4 00000002'],
	},
	{
		command: 'delete element inet t pairs { 9.0.1.0/27 . 9.0.1.0/27 }',
		hex: '500000000e0a010000000000000000000100000006000100740000000a00020070616972730000002800038024000180100001800c000100090001000900010010000a800c0001000900011f0900011f',
		ask: (connection) => connection.execute(...removeElements(inet, 'pairs', [subnets])),
		shape: elements,
		ours: ['flags 0005'],
		theirs: ['flags 0001'],
	},
	{
		command: 'delete element bridge mesos_overlay checked_ports { "veth0" }',
		hex: '5c0000000e0a0100000000000000000007000000120001006d65736f735f6f7665726c617900000012000200636865636b65645f706f727473000000200003801c000180180001801400010076657468300000000000000000000000',
		ask: (connection) => connection.execute(...removeElements(bridge, 'checked_ports', [{ key: port }])),
		shape: elements,
		ours: ['flags 0005'],
		theirs: ['flags 0001'],
	},
	{
		command: 'flush set inet t pairs',
		hex: '280000000e0a01000000000000000000010000000a00020070616972730000000600010074000000',
		ask: (connection) => connection.execute(flushSet(inet, 'pairs')),
		shape: elements,
		ours: ['flags 0005'],
		theirs: ['flags 0001'],
	},
	{
		command: 'list set bridge mesos_overlay own_macs',
		hex: '380000000d0a01030000000000000000070000000d0002006f776e5f6d61637300000000120001006d65736f735f6f7665726c6179000000',
		ask: (connection) => listElements(connection, bridge, 'own_macs'),
		shape: elements,
	},
];
for (const { shape, ...each } of captured) {
	test(`asks as nft does: ${each.command}`, (t) => sameAsCaptured(t, each, NFGENMSG, shape));
}
