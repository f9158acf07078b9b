// Which changes of nf_tables take something of ours away.
import test from 'ava';
import { createRemovalReader } from '../../../src/agent/plugin/removals.ts';
import { bytes, text } from '../../../src/netlink/attribute.ts';
import type { Event } from '../../../src/netlink/subscription.ts';

const [INET, IPV4, BRIDGE] = [1, 2, 7];
const [NEWTABLE, DELTABLE, NEWCHAIN, DELCHAIN, NEWRULE, DELRULE, DELSET, NEWELEM, DELELEM, NEWGEN] = [
	0, 2, 3, 5, 6, 8, 11, 12, 14, 15,
];

function event(message: number, family: number, attributes: readonly Uint8Array[]): Event {
	const payload = Buffer.concat([Buffer.of(family, 0, 0, 0), ...attributes]);
	return { type: (10 << 8) | message, flags: 0, sequence: 0, sender: 0, payload };
}

const change = (message: number, family: number, table: string, name = '', more: readonly Uint8Array[] = []) => {
	const place = message === NEWCHAIN || message === DELCHAIN ? 3 : 2;
	return event(message, family, [text(1, table), ...(name === '' ? [] : [text(place, name)]), ...more]);
};
const ours = (message: number, name?: string) => change(message, INET, 'mesos_overlay', name);
const number = (value: number): Uint8Array => {
	const buffer = Buffer.alloc(4);
	buffer.writeUInt32BE(value);
	return buffer;
};
const end = (process = 42, name = 'nft') => event(NEWGEN, 0, [bytes(2, number(process)), text(3, name)]);

/** What is told of a transaction. */
function told(...events: readonly Event[]): string[] {
	const causes: string[] = [];
	const read = createRemovalReader((cause) => causes.push(cause), 7);
	for (const each of events) read(each);
	return causes;
}

test('what was taken away is told at the end of the transaction, with who it was', (t) => {
	t.deepEqual(told(ours(DELELEM, 'host_ports4')), [], 'not before');
	t.deepEqual(told(ours(DELELEM, 'host_ports4'), ours(DELELEM, 'host_ports4'), end()), [
		'an element of set "host_ports4" of table "inet mesos_overlay" was removed by process 42 (nft)',
	]);
	t.deepEqual(told(ours(DELSET, 'bridges'), ours(DELCHAIN, 'forward'), ours(DELRULE, 'output'), end()), [
		'set "bridges" of table "inet mesos_overlay" was removed by process 42 (nft)',
		'chain "forward" of table "inet mesos_overlay" was removed by process 42 (nft)',
		'a rule of chain "output" of table "inet mesos_overlay" was removed by process 42 (nft)',
	]);
});

test('of a table that went, no part is told', (t) => {
	const flush = [ours(DELRULE, 'output'), ours(DELCHAIN, 'output'), ours(DELTABLE)];
	const bridge = change(DELTABLE, BRIDGE, 'mesos_overlay');
	t.deepEqual(told(...flush, bridge, end()), [
		'table "inet mesos_overlay" was removed by process 42 (nft)',
		'table "bridge mesos_overlay" was removed by process 42 (nft)',
	]);
	t.deepEqual(told(...flush, ours(NEWTABLE), end(43, 'mesos-overlay')), [
		'table "inet mesos_overlay" was replaced by process 43 (mesos-overlay)',
	]);
});

test('of iptables, it matters what leads into our chains, and what the policy of FORWARD is', (t) => {
	const policy = (value: number, table = 'filter') =>
		change(NEWCHAIN, IPV4, table, 'FORWARD', [bytes(5, number(value))]);
	t.deepEqual(told(change(DELRULE, IPV4, 'nat', 'PREROUTING'), end()), [
		'a rule of chain "PREROUTING" of table "ip nat" was removed by process 42 (nft)',
	]);
	t.deepEqual(told(policy(0), end()), [
		'the policy of chain "FORWARD" of table "ip filter" was set to drop by process 42 (nft)',
	]);
	t.deepEqual(told(policy(1), policy(0, 'other'), change(DELRULE, IPV4, 'nat', 'DOCKER'), end()), []);
});

test('what comes, what is of others, and what the agent does itself does not matter', (t) => {
	const foreign = [
		change(DELTABLE, INET, 'other'),
		change(DELELEM, INET, 'firewalld', 'host_ports4'),
		change(DELRULE, BRIDGE, 'other', 'FORWARD'),
		ours(NEWELEM, 'host_ports4'),
		ours(NEWRULE, 'output'),
		ours(NEWCHAIN, 'forward'),
		{ ...ours(DELTABLE), type: (1 << 8) | DELTABLE },
	];
	t.deepEqual(told(...foreign, end()), []);
	t.deepEqual(told(ours(DELTABLE), end(7, 'mesos-overlay'), end()), []);
});

test('what is cut off is refused', (t) => {
	const whole = ours(DELELEM, 'host_ports4');
	for (const length of [0, 3, 6]) {
		t.throws(() => told({ ...whole, payload: whole.payload.subarray(0, length) }), { code: 'EBADMSG' });
	}
});
