import { drop } from '../../src/netlink/nf-action.ts';
import { commit } from '../../src/netlink/nf-batch.ts';
import { createChain } from '../../src/netlink/nf-chain.ts';
import { addElements, type Element, simpleInterval } from '../../src/netlink/nf-element.ts';
import { encodeFields, type FieldType } from '../../src/netlink/nf-field.ts';
import { icmpv6Type, inputInterface, neighbourTarget, transportProtocol } from '../../src/netlink/nf-load.ts';
import { carries, ETH_P_IPV6, is, isIn } from '../../src/netlink/nf-match.ts';
import { NFPROTO_IPV4 } from '../../src/netlink/nf-message.ts';
import { appendRule, listRules } from '../../src/netlink/nf-rule.ts';
import { createSet } from '../../src/netlink/nf-set.ts';
import { createTable, findTable, removeTable } from '../../src/netlink/nf-table.ts';
import { testOn } from '../helpers/requirements.ts';
import { createTables } from './kernel-tables.ts';
import { bridge, file, inet, requests } from './nf-ruleset.ts';

testOn(['nftables-bridge', 'ipv6'], 'a ruleset is as nft makes it of the same text', (t) => {
	const theirs = createTables(t);
	const ours = createTables(t);
	theirs.nft('-f', file);
	commit(ours.connection, requests());
	t.is(ours.nft('list', 'ruleset'), theirs.nft('list', 'ruleset'));
	t.is(ours.nft('-j', 'list', 'ruleset'), theirs.nft('-j', 'list', 'ruleset'));
});

const fields = (types: readonly FieldType[], ...values: (string | number)[]): Buffer => encodeFields(types, values);

testOn(['nftables-bridge', 'ipv6'], 'elements are as nft makes them of the same text', (t) => {
	const theirs = createTables(t);
	const ours = createTables(t);
	for (const { connection } of [theirs, ours]) commit(connection, requests());
	const portKey: FieldType[] = ['inet_proto', 'inet_service'];
	const pairKey: FieldType[] = ['ipv4_addr', 'ipv4_addr'];
	const interval = (type: FieldType, first: string | number, last: string | number, comment?: string): Element[] =>
		simpleInterval(fields([type], first), fields([type], last), comment);
	const elements: Record<string, [typed: string, elements: Element[]]> = {
		host_ports4: [
			'tcp . 8080 comment "c1 eth0" : 9.0.1.2 . 80',
			[
				{
					key: fields(portKey, 6, 8080),
					data: fields(['ipv4_addr', 'inet_service'], '9.0.1.2', 80),
					comment: 'c1 eth0',
				},
			],
		],
		host_ip_ports6: [
			'fd00::1 . udp . 53 : fd00::2 . 5353',
			[
				{
					key: fields(['ipv6_addr', ...portKey], 'fd00::1', 17, 53),
					data: fields(['ipv6_addr', 'inet_service'], 'fd00::2', 5353),
				},
			],
		],
		excluded_devices: ['"eth0" . sctp . 22', [{ key: fields(['ifname', ...portKey], 'eth0', 132, 22) }]],
		overlays4: [
			'9.0.0.0/8 comment "dcos", 10.0.0.0/8, 11.0.0.1-11.0.0.9, 255.0.0.0/8',
			[
				...interval('ipv4_addr', '9.0.0.0', '9.255.255.255', 'dcos'),
				...interval('ipv4_addr', '10.0.0.0', '10.255.255.255'),
				...interval('ipv4_addr', '11.0.0.1', '11.0.0.9'),
				...interval('ipv4_addr', '255.0.0.0', '255.255.255.255'),
			],
		],
		overlays6: ['fd01::/64', interval('ipv6_addr', 'fd01::', 'fd01::ffff:ffff:ffff:ffff')],
		same_bridge4: [
			'9.0.1.0/27 . 9.0.1.0/27 comment "dcos"',
			[
				{
					key: fields(pairKey, '9.0.1.0', '9.0.1.0'),
					keyEnd: fields(pairKey, '9.0.1.31', '9.0.1.31'),
					comment: 'dcos',
				},
			],
		],
		ports: ['80, 1000-1999', [...interval('inet_service', 80, 80), ...interval('inet_service', 1000, 1999)]],
		protocols: ['17', [{ key: fields(['inet_proto'], 17) }]],
		marks: ['0x1234', [{ key: fields(['mark'], 0x1234) }]],
		mark_of: ['"eth0" : 0x80000001', [{ key: fields(['ifname'], 'eth0'), data: fields(['mark'], 0x80000001) }]],
		mac_of: [
			'9.0.1.2 : 02:64:09:00:01:02',
			[{ key: fields(['ipv4_addr'], '9.0.1.2'), data: fields(['ether_addr'], '02:64:09:00:01:02') }],
		],
	};
	for (const [set, [typed, encoded]] of Object.entries(elements)) {
		theirs.nft(`add element inet mesos_overlay ${set} { ${typed} }`);
		commit(ours.connection, addElements(inet, set, encoded));
	}
	t.is(ours.nft('list', 'ruleset'), theirs.nft('list', 'ruleset'));
	t.is(ours.nft('-j', 'list', 'ruleset'), theirs.nft('-j', 'list', 'ruleset'));
});

// Before 1.0.7, nft cannot be told so.
testOn(['nftables-bridge', 'ipv6'], 'whom a neighbour advertisement is about, together with its port', (t) => {
	const { connection, nft } = createTables(t);
	commit(connection, [
		createTable(bridge),
		createSet(bridge, { name: 'own', key: ['ifname', 'ipv6_addr'] }),
		createChain(bridge, 'c'),
		appendRule(bridge, 'c', [
			...carries(ETH_P_IPV6),
			...is(transportProtocol, Uint8Array.of(58)),
			...is(icmpv6Type, Uint8Array.of(136)),
			...isIn('own', [inputInterface, neighbourTarget], { not: true }),
			drop(),
		]),
	]);
	t.regex(
		nft('list', 'ruleset'),
		/\ticmpv6 type nd-neighbor-advert iifname \. (?:@th,64,128|icmpv6 taddr) != @own drop\n/u,
	);
});

testOn('nftables-bridge', 'a table is found with its comment, until it is removed', (t) => {
	const { connection, nft } = createTables(t);
	t.is(findTable(connection, inet), undefined);
	commit(connection, [createTable(inet, { comment: 'mesos-overlay 1' })]);
	t.deepEqual(findTable(connection, inet), { comment: 'mesos-overlay 1' });
	t.is(findTable(connection, bridge), undefined, 'the same name in another family');
	t.is(findTable(connection, { family: NFPROTO_IPV4, name: inet.name }), undefined);
	nft('add table bridge mesos_overlay');
	t.deepEqual(findTable(connection, bridge), {});
	commit(connection, [removeTable(inet), removeTable(bridge)]);
	t.is(nft('list', 'ruleset'), '');
});

testOn('nftables-bridge', 'a table can be made anew in one transaction, whether or not it is there', (t) => {
	const { connection, nft } = createTables(t);
	const anew = () =>
		commit(connection, [createTable(inet), removeTable(inet), createTable(inet, { comment: 'new' })]);
	anew();
	nft('add chain inet mesos_overlay surplus');
	anew();
	t.is(nft('list', 'ruleset'), 'table inet mesos_overlay {\n\tcomment "new"\n}\n');
	t.throws(() => commit(connection, [createTable(inet, { exclusive: true })]), {
		message: 'creating table "mesos_overlay": EEXIST',
	});
});

testOn(['nftables-bridge', 'ipv6'], 'the rules of a table show who has edited them', (t) => {
	const { connection, nft } = createTables(t);
	t.deepEqual(listRules(connection, inet), []);
	commit(connection, requests());
	const before = listRules(connection, inet);
	t.deepEqual(
		Object.entries(Object.groupBy(before, ({ chain }) => chain)).map(([chain, rules]) => [chain, rules?.length]),
		[
			['prerouting', 1],
			['output', 1],
			['loopback_out', 2],
			['loopback_in', 2],
			['host_ports', 5],
			['postrouting', 4],
			['published', 4],
			['forward', 5],
			['others', 11],
		],
	);
	t.deepEqual(listRules(connection, inet), before, 'every time the same');
	nft('insert rule inet mesos_overlay forward ip daddr 10.0.0.1 accept');
	const after = listRules(connection, inet);
	t.deepEqual(
		after.filter(({ chain }) => chain !== 'forward'),
		before.filter(({ chain }) => chain !== 'forward'),
	);
	t.is(after.length, before.length + 1);
	nft('flush chain inet mesos_overlay forward');
	t.false(listRules(connection, inet).some(({ chain }) => chain === 'forward'));
});
