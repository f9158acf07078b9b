import test, { type ExecutionContext } from 'ava';
import { openNetworkNamespace } from '../../src/linux/network-namespace.ts';
import { commit } from '../../src/netlink/nf-batch.ts';
import { findPolicy } from '../../src/netlink/nf-chain.ts';
import { acceptDevice, acceptsDevice } from '../../src/netlink/nf-device-rule.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6, type Table } from '../../src/netlink/nf-message.ts';
import { appendRule, findRules, listRules } from '../../src/netlink/nf-rule.ts';
import { NETLINK_NETFILTER, openConnection } from '../../src/netlink/socket.ts';
import { createNamespace } from '../helpers/namespace.ts';
import { testOn } from '../helpers/requirements.ts';

const filter: Table = { family: NFPROTO_IPV4, name: 'filter' };

/** A host with iptables-nft, and a connection to its tables. */
function createFilter(t: ExecutionContext) {
	const host = createNamespace(t, 'nf');
	const opened = openNetworkNamespace(host.path);
	const connection = opened.run(() => openConnection(NETLINK_NETFILTER, performance.now() + 60_000));
	t.teardown(() => {
		connection.close();
		opened.close();
	});
	return {
		connection,
		iptables: (words: string) => host.must(['iptables-nft', ...words.split(' ')]),
		nft: (words: string) => host.must(['/usr/sbin/nft', ...words.split(' ')]),
	};
}

testOn('iptables-nft', 'iptables shows our rule as one of its own, and it is byte for byte', (t) => {
	const { connection, iptables, nft } = createFilter(t);
	iptables('-A FORWARD -i m-dcos -j ACCEPT');
	iptables('-A FORWARD -o m-dcos -j ACCEPT');
	const theirs = listRules(connection, filter);
	iptables('-F FORWARD');
	commit(connection, [
		appendRule(filter, 'FORWARD', acceptDevice('in', 'm-dcos')),
		appendRule(filter, 'FORWARD', acceptDevice('out', 'm-dcos')),
	]);
	t.deepEqual(listRules(connection, filter), theirs);
	t.is(iptables('-S FORWARD'), '-P FORWARD ACCEPT\n-A FORWARD -i m-dcos -j ACCEPT\n-A FORWARD -o m-dcos -j ACCEPT\n');
	t.true(nft('list ruleset').includes('iifname "m-dcos" counter packets 0 bytes 0 accept'));
});

for (const [words, direction] of [
	['-i m-dcos -j ACCEPT', 'in'],
	['-o m-dcos -j ACCEPT', 'out'],
	['-i m-dcos -o m-dcos -j ACCEPT', undefined],
	['-i m-dcos -j DROP', undefined],
	['-i m-dcos -j RETURN', undefined],
	['-i m-dcos -j LOG', undefined],
	['-i m-dcos', undefined],
	['! -i m-dcos -j ACCEPT', undefined],
	['-i m-dcos+ -j ACCEPT', undefined],
	['-i m-dcos-1 -j ACCEPT', undefined],
	['-i am-dcos -j ACCEPT', undefined],
	['-i m-dcos -p tcp -j ACCEPT', undefined],
	['-i m-dcos -s 9.0.0.0/8 -j ACCEPT', undefined],
	['-i m-dcos -m conntrack --ctstate NEW -j ACCEPT', undefined],
	['-j ACCEPT', undefined],
] as const) {
	testOn('iptables-nft', `the rule "${words}" accepts all that comes ${direction ?? 'neither in nor out'}`, (t) => {
		const { connection, iptables } = createFilter(t);
		iptables(`-A FORWARD ${words}`);
		const [rule] = listRules(connection, filter);
		for (const each of ['in', 'out'] as const) {
			t.is(acceptsDevice(rule?.expressions ?? Buffer.alloc(0), each, 'm-dcos'), each === direction, each);
		}
	});
}

testOn('iptables-nft', 'a rule that was added with nft counts, with a counter or without', (t) => {
	const { connection, iptables, nft } = createFilter(t);
	iptables('-P FORWARD DROP');
	nft('add rule ip filter FORWARD iifname m-dcos accept');
	nft('add rule ip filter FORWARD oifname m-dcos counter accept');
	const [first, second] = listRules(connection, filter).map(({ expressions }) => expressions);
	t.true(first !== undefined && acceptsDevice(first, 'in', 'm-dcos'));
	t.true(second !== undefined && acceptsDevice(second, 'out', 'm-dcos'));
});

testOn('iptables-nft', 'of a chain, only rules are found in which the name occurs', (t) => {
	const { connection, iptables } = createFilter(t);
	for (const words of ['FORWARD -i m-dcos', 'FORWARD -i eth0', 'INPUT -i m-dcos']) iptables(`-A ${words} -j ACCEPT`);
	const found = findRules(connection, filter, 'FORWARD', 'm-dcos');
	t.deepEqual(
		found.map(({ chain, expressions }) => [chain, acceptsDevice(expressions, 'in', 'm-dcos')]),
		[['FORWARD', true]],
	);
	t.deepEqual(findRules(connection, filter, 'NONE', 'm-dcos'), []);
	t.deepEqual(findRules(connection, { ...filter, name: 'none' }, 'FORWARD', 'm-dcos'), []);
});

testOn('iptables-nft', 'the policy of a chain is found, and what has none', (t) => {
	const { connection, iptables } = createFilter(t);
	t.is(findPolicy(connection, filter, 'FORWARD'), undefined);
	iptables('-P FORWARD DROP');
	iptables('-P OUTPUT ACCEPT');
	iptables('-N OTHER');
	t.is(findPolicy(connection, filter, 'FORWARD'), 'drop');
	t.is(findPolicy(connection, filter, 'OUTPUT'), 'accept');
	t.is(findPolicy(connection, filter, 'OTHER'), undefined);
	t.is(findPolicy(connection, { ...filter, family: NFPROTO_IPV6 }, 'FORWARD'), undefined);
});

test('expressions that were cut are no such rule, and no reason to fail', (t) => {
	const expressions = Buffer.concat(acceptDevice('in', 'm-dcos'));
	t.true(acceptsDevice(expressions, 'in', 'm-dcos'));
	for (let length = 0; length < expressions.length; length++) {
		t.false(acceptsDevice(expressions.subarray(0, length), 'in', 'm-dcos'), `${length} bytes`);
	}
});
