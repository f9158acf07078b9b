import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { bytes, nested, text } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import { commit } from '../../src/netlink/nf-batch.ts';
import { shortenComment } from '../../src/netlink/nf-comment.ts';
import {
	addElements,
	type Element,
	findElement,
	flushSet,
	listElements,
	removeElements,
	simpleInterval,
} from '../../src/netlink/nf-element.ts';
import { decodeElements } from '../../src/netlink/nf-element-message.ts';
import { encodeFields } from '../../src/netlink/nf-field.ts';
import { createSet, type SetLayout } from '../../src/netlink/nf-set.ts';
import { createTable } from '../../src/netlink/nf-table.ts';
import { dump, fakeKernel, refusal } from '../helpers/fake-kernel.ts';
import { testOn } from '../helpers/requirements.ts';
import { refusesCuts, survivesGarbage } from './damage.ts';
import { createTables, type Tables } from './kernel-tables.ts';
import { anyFields } from './nf-values.ts';
import { inet, sets } from './nf-ruleset.ts';

const plain: SetLayout = { name: 'ports', key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'] };

function createWith(t: ExecutionContext, ...layouts: readonly SetLayout[]): Tables {
	const tables = createTables(t);
	commit(tables.connection, [createTable(inet), ...layouts.map((layout) => createSet(inet, layout))]);
	return tables;
}

function portElement(port: number, comment?: string, address = '9.0.1.2'): Element {
	return {
		key: encodeFields(plain.key, [6, port]),
		data: encodeFields(plain.data ?? [], [address, 80]),
		...(comment !== undefined && { comment }),
	};
}

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const inOrder = (elements: readonly Element[]): string[] =>
	elements
		.map((one) => [hex(one.key), hex(one.keyEnd), hex(one.data), one.isEnd === true, one.comment].join(' '))
		.toSorted();

/** What may be added to a set at once: an element, or the two that an interval of single fields has. */
function anyMember({ key, data, intervals }: SetLayout): fc.Arbitrary<Element[]> {
	const comment = fc.option(fc.string({ minLength: 1, maxLength: 128 }).filter(fitsComment), { nil: undefined });
	const ends = fc.tuple(anyFields(key), anyFields(key)).map((two) => two.toSorted((a, b) => a.compare(b)));
	if (intervals === true && key.length === 1) {
		return fc.tuple(ends, comment).map(([[first, last], said]) => simpleInterval(first!, last!, said));
	}
	const values = fc.tuple(anyFields(key), data === undefined ? fc.constant(undefined) : anyFields(data), comment);
	return values.map(([each, value, said]) => [
		{
			key: each,
			...(intervals === true && { keyEnd: each }),
			...(value !== undefined && { data: value }),
			...(said !== undefined && { comment: said }),
		},
	]);
}

/** Comments end with a zero. */
function fitsComment(comment: string): boolean {
	return !comment.includes('\0') && Buffer.byteLength(comment) <= 128;
}

for (const layout of [...sets.inet, ...sets.bridge]) {
	testOn(['nftables-bridge', 'ipv6'], `what is added to ${layout.name} is listed, found, and removed`, (t) => {
		const { connection } = createWith(t, layout);
		const add = (member: Element[]): boolean => {
			try {
				commit(connection, addElements(inet, layout.name, member, { exclusive: true }));
				return true;
			} catch (error) {
				// It overlaps with one that is there already.
				if (error instanceof NetlinkError && error.code === 'EEXIST') return false;
				throw error;
			}
		};
		const property = fc.property(fc.array(anyMember(layout), { minLength: 1, maxLength: 12 }), (members) => {
			commit(connection, [flushSet(inet, layout.name)]);
			const added = members.filter(add);
			t.deepEqual(inOrder(listElements(connection, inet, layout.name)), inOrder(added.flat()));
			for (const [element] of added) {
				if (element === undefined) continue;
				t.deepEqual(
					inOrder([findElement(connection, inet, layout.name, element) ?? element]),
					inOrder([element]),
				);
			}
			const [gone, ...kept] = added;
			commit(connection, removeElements(inet, layout.name, gone ?? []));
			t.deepEqual(inOrder(listElements(connection, inet, layout.name)), inOrder(kept.flat()));
		});
		fc.assert(property, { numRuns: 20 });
	});
}

testOn('nftables-bridge', 'one key has one element, whose data and comment stay', (t) => {
	const { connection } = createWith(t, plain);
	const add = (element: Element, exclusive: boolean) =>
		commit(connection, addElements(inet, 'ports', [element], { exclusive }));
	const [first, other] = [portElement(80, 'first'), portElement(80, 'other', '9.0.1.3')];
	add(first, true);
	t.throws(() => add(first, true), { message: 'adding to set "ports": EEXIST' });
	t.notThrows(() => add({ ...first, comment: 'again' }, false));
	t.throws(() => add(other, false), { message: 'adding to set "ports": EEXIST' });
	t.deepEqual(inOrder(listElements(connection, inet, 'ports')), inOrder([first]));
});

testOn('nftables-bridge', 'what is not there: an element, a set, a table', (t) => {
	const { connection } = createWith(t, plain);
	const removeFrom = (set: string) => () => commit(connection, removeElements(inet, set, [portElement(80)]));
	t.is(findElement(connection, inet, 'ports', portElement(80)), undefined);
	t.is(findElement(connection, inet, 'other', portElement(80)), undefined);
	t.is(findElement(connection, { ...inet, name: 'other' }, 'ports', portElement(80)), undefined);
	t.deepEqual(listElements(connection, inet, 'ports'), []);
	t.throws(removeFrom('ports'), { message: 'removing from set "ports": ENOENT' });
	t.throws(removeFrom('other'), { message: 'removing from set "other": ENOENT' });
	t.throws(() => listElements(connection, inet, 'other'), { message: 'listing set "other": ENOENT' });
	t.throws(() => commit(connection, [flushSet(inet, 'other')]), { message: 'emptying set "other": ENOENT' });
});

testOn('nftables-bridge', 'elements in the thousands, in one transaction', (t) => {
	const { connection } = createWith(t, plain);
	const many = Array.from({ length: 10_000 }, (_, port) => portElement(port, `${'x'.repeat(120)}${port % 1000}`));
	const requests = addElements(inet, 'ports', many);
	t.true(requests.length > 10, 'more than a message can have');
	commit(connection, requests);
	t.deepEqual(inOrder(listElements(connection, inet, 'ports')), inOrder(many));
	commit(connection, removeElements(inet, 'ports', many.slice(1)));
	t.deepEqual(inOrder(listElements(connection, inet, 'ports')), inOrder(many.slice(0, 1)));
});

testOn('nftables-bridge', 'the elements with a comment, out of many', (t) => {
	const { connection } = createWith(t, plain);
	const many = Array.from({ length: 2000 }, (_, port) => portElement(port, `container ${port % 500}`));
	commit(connection, addElements(inet, 'ports', [...many, portElement(3000)]));
	const wanted = many.filter(({ comment }) => comment === 'container 7');
	t.is(wanted.length, 4);
	t.deepEqual(inOrder(listElements(connection, inet, 'ports', 'container 7')), inOrder(wanted));
	t.deepEqual(listElements(connection, inet, 'ports', 'container'), []);
});

testOn('nftables-bridge', 'a set that is full says so', (t) => {
	const { connection } = createWith(t, { ...plain, size: 2 });
	const add = (port: number) => () => commit(connection, addElements(inet, 'ports', [portElement(port)]));
	t.notThrows(add(1));
	t.notThrows(add(2));
	t.throws(add(3), { message: 'adding to set "ports": ENFILE' });
});

testOn('nftables-bridge', 'a long container id is a comment that nft shows', (t) => {
	const { connection, nft } = createWith(t, plain);
	const comment = shortenComment(`${'c'.repeat(200)} eth0`);
	commit(connection, addElements(inet, 'ports', [portElement(80, comment)]));
	t.true(nft('list', 'ruleset').includes(`comment "${comment}"`));
	t.is(findElement(connection, inet, 'ports', portElement(80))?.comment, comment);
});

test('an interval that lasts until the last key has no end', (t) => {
	const interval = (first: number[], last: number[]) => simpleInterval(Buffer.from(first), Buffer.from(last), 'x');
	t.deepEqual(interval([1, 0], [1, 255]), [
		{ key: Buffer.from([1, 0]), comment: 'x' },
		{ key: Buffer.from([2, 0]), isEnd: true },
	]);
	t.deepEqual(interval([1, 7], [1, 7])[1], { key: Buffer.from([1, 8]), isEnd: true });
	t.deepEqual(interval([7, 0], [255, 255]), [{ key: Buffer.from([7, 0]), comment: 'x' }]);
});

test('no elements are no requests', (t) => {
	t.deepEqual(addElements(inet, 'ports', []), []);
	t.deepEqual(removeElements(inet, 'ports', []), []);
});

const key = (of: Uint8Array): Buffer => nested(1, bytes(1, of));
const [portKey, otherKey, macKey] = ['0600000000500000', '0600000000510000', '02640900010200000000'].map((text) =>
	Buffer.from(text, 'hex'),
) as [Buffer, Buffer, Buffer];

function message(...members: Buffer[]): Buffer {
	const list = members.map((member) => nested(1, member, bytes(8, Buffer.from('01020304', 'hex'))));
	return Buffer.concat([Buffer.of(1, 0, 0, 5), text(1, 'mesos_overlay'), text(2, 'ports'), nested(3, ...list)]);
}

const said = (comment: string): Buffer =>
	bytes(6, Buffer.from(`\0${String.fromCharCode(comment.length + 1)}${comment}\0`));

test('the elements of a set, from as many messages as it takes', (t) => {
	const commented = Buffer.concat([key(portKey), said('c1')]);
	const kernel = fakeKernel((request) => dump(request, [message(key(macKey), commented), message(key(otherKey))]));
	const connection = connect(kernel);
	t.deepEqual(listElements(connection, inet, 'ports'), [
		{ key: macKey },
		{ key: portKey, comment: 'c1' },
		{ key: otherKey },
	]);
	t.deepEqual(listElements(connection, inet, 'ports', 'c1'), [{ key: portKey, comment: 'c1' }]);
	t.deepEqual(decodeElements(message()), []);
	t.deepEqual(decodeElements(message(said('for all other keys'))), [], 'without a key');
	t.deepEqual(decodeElements(Buffer.of(1, 0, 0, 5)), [], 'without a list');
});

test('a set that grows while the kernel lists it, so that it has one element twice, is listed again', (t) => {
	const twice = message(key(macKey), key(portKey), key(macKey));
	let looks = 0;
	const growing = (until: number) =>
		connect(fakeKernel((request) => dump(request, [looks++ < until ? twice : message(key(macKey), key(portKey))])));
	t.deepEqual(listElements(growing(7), inet, 'ports'), [{ key: macKey }, { key: portKey }]);
	t.is(looks, 8);
	t.throws(() => listElements(growing(Infinity), inet, 'ports'), {
		message: 'listing set "ports": the set grew during each of 8 looks (EAGAIN)',
	});
	const interval = message(key(macKey), Buffer.concat([key(macKey), bytes(3, Uint8Array.of(0, 0, 0, 1))]));
	const adjacent = connect(fakeKernel((request) => dump(request, [interval])));
	t.is(listElements(adjacent, inet, 'ports').length, 2, 'where one interval ends, another begins');
});

test('a comment that only looks like the one that is looked for', (t) => {
	const disguised = Buffer.concat([key(portKey), nested(2, bytes(1, Buffer.from('\0\x03c1\0')))]);
	t.deepEqual(decodeElements(message(disguised, Buffer.concat([key(macKey), said('c1')])), 'c1'), [
		{ key: macKey, comment: 'c1' },
	]);
});

test('an element that is looked for and refused for another reason', (t) => {
	const connection = connect(fakeKernel((request) => [refusal(request, 'EPERM')]));
	t.throws(() => findElement(connection, inet, 'ports', { key: portKey }), {
		message: 'looking into set "ports": EPERM',
	});
});

test('what is cut off or garbled is refused', (t) => {
	const payload = message(
		Buffer.concat([key(portKey), nested(2, bytes(1, portKey)), said('c1')]),
		Buffer.concat([key(macKey), nested(10, bytes(1, macKey)), bytes(3, Uint8Array.of(0, 0, 0, 1))]),
	);
	refusesCuts(t, decodeElements, payload, 4, { optional: true });
	survivesGarbage(t, decodeElements, payload);
	survivesGarbage(t, (damaged) => decodeElements(damaged, 'c1'), payload);
});
