import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { commit } from '../../src/netlink/nf-batch.ts';
import { createChain } from '../../src/netlink/nf-chain.ts';
import { addElements, flushSet, removeElements } from '../../src/netlink/nf-element.ts';
import { decodeRule, listRules } from '../../src/netlink/nf-rule.ts';
import { appendRule } from '../../src/netlink/nf-rule.ts';
import { createSet } from '../../src/netlink/nf-set.ts';
import { createTable, decodeTable, findTable, removeTable } from '../../src/netlink/nf-table.ts';
import { bytes, nested, text } from '../../src/netlink/attribute.ts';
import { agreeable, type Answer, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { testOn } from '../helpers/requirements.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { createTables } from './kernel-tables.ts';
import { inet } from './nf-ruleset.ts';

const BEGIN = 0x10;
const END = 0x11;
const NFT_MSG_NEWSET = 0xa09;
const own = { name: 'own', key: ['ifname'] } as const;
const chains = Array.from({ length: 3000 }, (_, at) => createChain(inet, `chain${at}`));

test('a transaction has a beginning and an end, and asks for one acknowledgement', (t) => {
	const kernel = fakeKernel(agreeable);
	commit(connect(kernel), [createTable(inet), createSet(inet, own), createSet(inet, { ...own, name: 'other' })]);
	t.deepEqual(
		kernel.requests.map(({ type, flags }) => [type, flags & 4]),
		[
			[BEGIN, 0],
			[0xa00, 0],
			[NFT_MSG_NEWSET, 0],
			[NFT_MSG_NEWSET, 4],
			[END, 0],
		],
	);
	t.deepEqual(
		[kernel.requests[0], kernel.requests[4]].map((end) => end?.payload.toString('hex')),
		['0000000a', '0000000a'],
	);
	t.deepEqual(kernel.datagrams, [5]);
});

test('an empty transaction is not sent', (t) => {
	const kernel = fakeKernel(agreeable);
	commit(connect(kernel), []);
	t.deepEqual(kernel.datagrams, []);
});

const refusing =
	(types: readonly number[], code: 'ENOENT' | 'EPERM'): Answer =>
	(request) =>
		types.includes(request.type) ? [refusal(request, code)] : agreeable(request);

test('a transaction is refused as a whole, or in the words of the first that failed', (t) => {
	const whole = connect(fakeKernel(refusing([BEGIN], 'EPERM')));
	t.throws(() => commit(whole, [createTable(inet)]), { message: 'changing nf_tables: EPERM' });
	const inPart = connect(fakeKernel(refusing([NFT_MSG_NEWSET], 'ENOENT')));
	const parts = [
		createTable(inet),
		createSet(inet, own),
		createSet(inet, { ...own, name: 'other' }),
		createTable(inet),
	];
	t.throws(() => commit(inPart, parts), { message: 'creating set "own": ENOENT' });
	t.notThrows(() => commit(inPart, [createTable(inet)]), 'and nothing of it is left over');
});

test('refusals name what was tried', (t) => {
	const connection = connect(
		fakeKernel((request) => ([BEGIN, END].includes(request.type) ? [] : [refusal(request, 'EPERM')])),
	);
	const element = { key: Buffer.alloc(16) };
	const messages = [
		createTable(inet),
		removeTable(inet),
		createSet(inet, own),
		createChain(inet, 'pre'),
		appendRule(inet, 'pre', []),
		flushSet(inet, 'own'),
		...addElements(inet, 'own', [element]),
		...removeElements(inet, 'own', [element]),
	].map((request) => t.throws(() => commit(connection, [request])).message);
	t.deepEqual(messages, [
		'creating table "mesos_overlay": EPERM',
		'removing table "mesos_overlay": EPERM',
		'creating set "own": EPERM',
		'creating chain "pre": EPERM',
		'adding a rule to chain "pre": EPERM',
		'emptying set "own": EPERM',
		'adding to set "own": EPERM',
		'removing from set "own": EPERM',
	]);
	t.throws(() => findTable(connection, inet), { message: 'looking for table "mesos_overlay": EPERM' });
	t.throws(() => listRules(connection, inet), { message: 'listing the rules of table "mesos_overlay": EPERM' });
});

testOn('nftables-bridge', 'a transaction of which one part fails changes nothing', (t) => {
	const { connection, nft } = createTables(t);
	nft('add table inet other');
	const error = t.throws(
		() =>
			commit(connection, [
				createTable(inet),
				createSet(inet, own),
				...addElements(inet, 'absent', [{ key: Buffer.alloc(16) }]),
			]),
		{ instanceOf: NetlinkError },
	);
	t.like(error, { code: 'ENOENT', operation: 'adding to set "absent"' });
	t.is(nft('list', 'ruleset'), 'table inet other {\n}\n');
});

testOn(
	'nftables-bridge',
	'thousands of changes succeed at once, or fail at once with the first of their errors',
	(t) => {
		const { connection, nft } = createTables(t);
		t.throws(() => commit(connection, chains), { message: 'creating chain "chain0": ENOENT' });
		commit(connection, [createTable(inet), ...chains]);
		t.is(nft('list', 'chains').match(/chain\d+ \{/gu)?.length, chains.length);
		const again = createTable(inet, { exclusive: true });
		const failing = chains.map((chain, at) => (at < 1000 ? chain : again));
		t.throws(() => commit(connection, failing), { message: 'creating table "mesos_overlay": EEXIST' });
		t.deepEqual(findTable(connection, inet), {}, 'and the next answer is read as if nothing had been');
	},
);

const tableMessage = Buffer.concat([Buffer.of(1, 0, 0, 5), text(1, 't'), bytes(6, Buffer.from('\0\x02x\0'))]);
const ruleMessage = Buffer.concat([
	Buffer.of(1, 0, 0, 5),
	text(1, 't'),
	text(2, 'pre'),
	nested(4, nested(1, text(1, 'counter'))),
]);

test('what the kernel says of tables and rules, also cut off or garbled', (t) => {
	t.deepEqual(decodeTable(tableMessage), { comment: 'x' });
	t.deepEqual(decodeTable(tableMessage.subarray(0, 12)), {});
	refusesCuts(t, decodeTable, tableMessage, 4, { optional: true });
	survivesGarbage(t, decodeTable, tableMessage);
	t.deepEqual(decodeRule(ruleMessage), { chain: 'pre', expressions: nested(1, text(1, 'counter')) });
	t.deepEqual(decodeRule(ruleMessage.subarray(0, 20)), { chain: 'pre', expressions: Buffer.alloc(0) });
	refusesCuts(t, decodeRule, ruleMessage, 4, { optional: false });
	survivesGarbage(t, decodeRule, ruleMessage);
});
