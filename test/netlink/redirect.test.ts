import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import { decodeRedirect, listRedirects, redirectInput } from '../../src/netlink/redirect.ts';
import { dump, fakeKernel } from '../helpers/fake-kernel.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { type Captured, sameAsCaptured } from './wire.ts';

const TCMSG = 20;
const veth0 = { index: 4, name: 'veth0' };
const ifb = { index: 5, name: 'ifb0123456789a' };
const shape = { 1: 'text', 2: 0, '2/7': 0, '2/7/1': 0, '2/7/1/1': 'text', '2/7/1/2': 0 } as const;

const captured: readonly Captured[] = [
	{
		command:
			'tc qdisc add dev veth0 handle ffff: ingress; ' +
			'tc filter add dev veth0 parent ffff: protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ifb0123456789a',
		hex:
			'30000000240005060000000000000000 00000000040000000000fffff1ffffff00000000 0c000100696e677265737300' +
			'8c0000002c0005060000000000000000 0000000004000000000000000000ffff00030100 0800010075333200 60000200 38000700 34000100 0b0001006d69727265640000 24000280 20000200 00000000000000000400000000000000000000000100000005000000 24000500 0100010000000000000000000000000000000000000000000000000000000000',
		ask: (connection) => connection.execute(...redirectInput(veth0, ifb)),
	},
	{
		command: 'tc filter show dev veth0 parent ffff:',
		hex: '240000002e0001030000000000000000 0000000004000000000000000000ffff00000000',
		ask: (connection) => listRedirects(connection, veth0),
	},
];
for (const each of captured) {
	test(`asks as the tool does: ${each.command}`, (t) =>
		sameAsCaptured(t, { ...each, hex: each.hex.replaceAll(' ', '') }, TCMSG, shape));
}

/** What Linux 6.18 lists after that: the filter as such, its table, and the one rule in it. */
const listed = [
	'0000000004000000000000000000ffff00030100080001007533320008000b0000000000',
	'0000000004000000000000800000ffff00030100080001007533320008000b00000000000c0002000800040001000000',
	'0000000004000000000800800000ffff00030100080001007533320008000b0000000000e0000200240005000100010000000000000000000000000000000000000000000000000000000000080002000000008008000b0008000000a8000700a40001000b0001006d69727265640000440004001400010000000000000000000000000000000000140007000000000000000000000000000000000018000300000000000000000000000000000000000000000008000a0000000000480002002000020001000000000000000400000001000000010000000100000005000000240001005906000000000000590600000000000000000000000000000000000000000000',
].map((hex) => Buffer.from(hex, 'hex'));

test('of what Linux 6.18 lists, the redirection is found', (t) => {
	const connection = connect(fakeKernel((request) => dump(request, listed)));
	t.deepEqual(listRedirects(connection, veth0), [5]);
	t.deepEqual(
		listed.map((payload) => decodeRedirect(payload)),
		[undefined, undefined, 5],
	);
});

test('a copy is no redirection, nor is another filter', (t) => {
	const [, , rule = Buffer.alloc(0)] = listed;
	const parameters = rule.indexOf(Buffer.from('2000020001000000', 'hex')) + 4;
	const mirror = Buffer.from(rule);
	mirror.writeInt32LE(2, parameters + 20);
	t.is(decodeRedirect(mirror), undefined);
	const other = Buffer.from(rule);
	other.write('bpf', rule.indexOf('u32'));
	t.is(decodeRedirect(other), undefined);
});

test('what is cut off or garbled is refused', (t) => {
	const [, , rule = Buffer.alloc(0)] = listed;
	refusesCuts(t, decodeRedirect, rule, TCMSG, { optional: true });
	survivesGarbage(t, decodeRedirect, rule);
});

test('both devices are named when the kernel refuses', (t) => {
	const operations = redirectInput(veth0, ifb).map(({ operation }) => operation);
	t.deepEqual([...new Set(operations)], ['redirecting what "veth0" receives to "ifb0123456789a"']);
});
