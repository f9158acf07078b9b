import test from 'ava';
import { text } from '../../src/netlink/attribute.ts';
import { connect } from '../../src/netlink/connection.ts';
import type { Message, Request } from '../../src/netlink/message.ts';
import { NetlinkError } from '../../src/netlink/netlink-error.ts';
import {
	acknowledgement,
	agreeable,
	type Answer,
	answerToAnother,
	dump,
	failingDump,
	fakeKernel,
	message,
	overrun,
	refusal,
	truncated,
} from '../helpers/fake-kernel.ts';

function request(operation: string, rest: Partial<Request> = {}): Request {
	return { operation, type: 16, flags: 0, fixed: Buffer.alloc(4), attributes: [text(3, operation)], ...rest };
}

const [one, two, three] = [request('one'), request('two'), request('three')];
const objects = [Buffer.from('0001'), Buffer.from('0002'), Buffer.from('0003')];

function nameIn({ payload }: Message): string {
	return payload.subarray(8).toString().replaceAll('\0', '');
}

/** Answers the request whose text is `name` so, and agrees to the others. */
function only(name: string, answer: Answer): Answer {
	return (asked) => (nameIn(asked) === name ? answer(asked) : agreeable(asked));
}

test('requests go out together, in order, numbered and to be acknowledged', (t) => {
	const kernel = fakeKernel(agreeable);
	const connection = connect(kernel);
	connection.execute(one, two);
	connection.execute(three);
	t.deepEqual(kernel.datagrams, [2, 1]);
	t.deepEqual(kernel.requests.map(nameIn), ['one', 'two', 'three']);
	t.deepEqual(
		kernel.requests.map(({ sequence }) => sequence),
		[1, 2, 3],
	);
	t.deepEqual(
		kernel.requests.map(({ flags }) => flags),
		[5, 5, 5],
	);
});

test('acknowledgements may come in one datagram', (t) => {
	const kernel = fakeKernel((asked) =>
		nameIn(asked) === 'one'
			? []
			: [Buffer.concat([acknowledgement({ ...asked, sequence: 1 }), acknowledgement(asked)])],
	);
	t.notThrows(() => connect(kernel).execute(one, two));
});

test('a refusal is thrown in the words of the request and of the kernel', (t) => {
	const connection = connect(fakeKernel((asked) => [refusal(asked, 'EINVAL', { text: 'Device is gone' })]));
	const error = t.throws(() => connection.execute(one), { instanceOf: NetlinkError });
	t.is(error.message, 'one: Device is gone (EINVAL)');
	t.like(error, { code: 'EINVAL', operation: 'one', cniCode: 100 });
});

test('of several requests the kernel carries out all that it can, and the first error is thrown', (t) => {
	const kernel = fakeKernel((asked) => {
		if (nameIn(asked) === 'two') return [refusal(asked, 'EEXIST')];
		return nameIn(asked) === 'three' ? [refusal(asked, 'EPERM')] : [acknowledgement(asked)];
	});
	const connection = connect(kernel);
	t.throws(() => connection.execute(one, two, three), { message: 'two: EEXIST' });
	t.is(kernel.requests.length, 3);
	t.notThrows(() => connection.execute(one), 'nothing is left over that the next request would read');
});

// netlink_sendmsg refuses an empty datagram with ENODATA.
test('nothing to execute is nothing to send', (t) => {
	const kernel = fakeKernel(agreeable);
	t.notThrows(() => connect(kernel).execute());
	t.deepEqual(kernel.datagrams, []);
});

const begin = request('begin', { unacknowledged: true });
const end = request('end', { type: 17, unacknowledged: true });

test('a transaction: its begin and its end are not acknowledged', (t) => {
	const kernel = fakeKernel(agreeable);
	connect(kernel).execute(begin, one, two, end);
	t.deepEqual(kernel.datagrams, [4]);
	t.deepEqual(
		kernel.requests.map(({ flags }) => flags),
		[1, 5, 5, 1],
	);
});

test('a transaction that is refused as a whole says nothing of its parts', (t) => {
	const kernel = fakeKernel((asked) => (nameIn(asked) === 'begin' ? [refusal(asked, 'EOPNOTSUPP')] : []));
	t.throws(() => connect(kernel).execute(begin, one, end), { message: 'begin: EOPNOTSUPP' });
});

test('a transaction in which a part fails throws the error of that part', (t) => {
	const kernel = fakeKernel(only('two', (asked) => [refusal(asked, 'ENOENT')]));
	const connection = connect(kernel);
	t.throws(() => connection.execute(begin, one, two, end), { message: 'two: ENOENT' });
	t.notThrows(() => connection.execute(three));
});

test('an object that is asked for is its payload', (t) => {
	const kernel = fakeKernel((asked) => [message(asked, 16, objects[0])]);
	t.deepEqual(connect(kernel).get(one), objects[0]!);
	t.is(kernel.requests[0]?.flags, 1);
});

test('asking for what is not there throws', (t) => {
	const connection = connect(fakeKernel((asked) => [refusal(asked, 'ENODEV')]));
	t.is(t.throws(() => connection.get(one), { instanceOf: NetlinkError }).message, 'one: ENODEV');
});

test('an acknowledgement in place of an object', (t) => {
	const connection = connect(fakeKernel((asked) => [acknowledgement(asked)]));
	t.throws(() => connection.get(one), { message: 'one: the kernel acknowledged instead of answering (EBADMSG)' });
});

test('a dump is all objects, out of several datagrams', (t) => {
	const kernel = fakeKernel((asked) => [...dump(asked, objects).slice(0, 1), ...dump(asked, objects.slice(0, 1))]);
	t.deepEqual(connect(kernel).dump(one), [...objects, objects[0]!]);
	t.is(kernel.requests[0]?.flags, 0x301);
});

test('an empty dump', (t) => {
	t.deepEqual(connect(fakeKernel((asked) => dump(asked, []))).dump(one), []);
});

test('a dump may end in the datagram of its objects', (t) => {
	t.deepEqual(connect(fakeKernel((asked) => [Buffer.concat(dump(asked, objects))])).dump(one), objects);
});

for (const interruptions of [1, 7]) {
	test(`a dump that was interrupted ${interruptions} times is taken again, and what it had said is forgotten`, (t) => {
		let left = interruptions;
		const kernel = fakeKernel((asked) =>
			left-- > 0 ? dump(asked, objects, { interrupted: true }) : dump(asked, objects.slice(1)),
		);
		t.deepEqual(connect(kernel).dump(one), objects.slice(1));
		t.is(kernel.requests.length, interruptions + 1);
	});
}

test('an interruption that only the end tells of counts, too', (t) => {
	let first = true;
	const kernel = fakeKernel((asked) => {
		const datagrams = [dump(asked, objects)[0]!, dump(asked, [], { interrupted: first })[0]!];
		first = false;
		return datagrams;
	});
	t.deepEqual(connect(kernel).dump(one), objects);
	t.is(kernel.requests.length, 2);
});

test('a dump that is interrupted again and again is given up after eight times', (t) => {
	const kernel = fakeKernel((asked) => dump(asked, objects, { interrupted: true }));
	const error = t.throws(() => connect(kernel).dump(one), { instanceOf: NetlinkError });
	t.is(error.message, "one: the kernel's list changed during each of 8 looks (EAGAIN)");
	t.is(kernel.requests.length, 8);
});

test('a dump of which a part was lost is an error', (t) => {
	const kernel = fakeKernel((asked) => [dump(asked, objects)[0]!, overrun(asked)]);
	t.throws(() => connect(kernel).dump(one), { message: 'one: the answer was cut (ENOBUFS)' });
});

test('a dump that is refused, or fails underway', (t) => {
	const refused = connect(fakeKernel((asked) => [refusal(asked, 'EOPNOTSUPP', { text: 'no VLANs' })]));
	t.throws(() => refused.dump(one), { message: 'one: no VLANs (EOPNOTSUPP)' });
	const failed = connect(fakeKernel((asked) => [dump(asked, objects)[0]!, failingDump(asked, 'EINVAL', 'why not')]));
	t.throws(() => failed.dump(one), { message: 'one: why not (EINVAL)' });
});

const verbs = {
	execute: (answer: Answer) => connect(fakeKernel(answer)).execute(one),
	get: (answer: Answer) => connect(fakeKernel(answer)).get(one),
	dump: (answer: Answer) => connect(fakeKernel(answer)).dump(one),
} as const;

for (const [verb, ask] of Object.entries(verbs)) {
	test(`${verb}: an answer to another question is an error`, (t) => {
		const error = t.throws(() => ask((asked) => [acknowledgement(answerToAnother(asked))]), {
			instanceOf: NetlinkError,
		});
		t.is(error.message, 'reading an answer of the kernel: sequence number 8 instead of 1 (EPROTO)');
	});

	test(`${verb}: silence is a timeout, which the caller may try again`, (t) => {
		const error = t.throws(() => ask(() => []), { instanceOf: NetlinkError });
		t.like(error, { code: 'ETIMEDOUT', cniCode: 11 });
	});

	test(`${verb}: an answer that is cut off is an error`, (t) => {
		const error = t.throws(() => ask((asked) => [truncated(message(asked, 16, objects[0]))]), {
			instanceOf: NetlinkError,
		});
		t.is(error.message, 'decoding a netlink message: truncated at byte 0 of 19 (EBADMSG)');
	});
}

/** Keeps silent about the first request, and answers it together with the second. */
function late(first: Answer, second: Answer = agreeable): Answer {
	let missed: Message | undefined;
	return (asked) => {
		if (missed !== undefined) return [...first(missed), ...second(asked)];
		missed = asked;
		return [];
	};
}

const object: Answer = (asked) => [message(asked, 16, objects[0])];

// The next request is the first step of an ADD's undo.
test('an answer that comes after its request timed out does not spoil the next', (t) => {
	const executing = connect(fakeKernel(late(agreeable)));
	t.throws(() => executing.execute(one), { message: /ETIMEDOUT/ });
	t.notThrows(() => executing.execute(two));

	const asking = connect(fakeKernel(late((asked) => [refusal(asked, 'EEXIST')], object)));
	t.throws(() => asking.execute(one), { message: /ETIMEDOUT/ });
	t.deepEqual(asking.get(two), objects[0]!);

	const dumping = connect(
		fakeKernel(
			late(
				(asked) => dump(asked, objects),
				(asked) => dump(asked, objects.slice(1)),
			),
		),
	);
	t.throws(() => dumping.dump(one), { message: /ETIMEDOUT/ });
	t.deepEqual(dumping.dump(two), objects.slice(1));
});

test('what a transaction that was refused as a whole says of its parts is passed over', (t) => {
	const kernel = fakeKernel((asked) => (nameIn(asked) === 'begin' ? [refusal(asked, 'ENOMEM')] : agreeable(asked)));
	const connection = connect(kernel);
	t.throws(() => connection.execute(begin, one, two, end), { message: 'begin: ENOMEM' });
	t.notThrows(() => connection.execute(three));
	t.throws(() => connection.execute(begin, one, end), { message: 'begin: ENOMEM' });
});

test('closing the connection closes the transport', (t) => {
	const kernel = fakeKernel(agreeable);
	connect(kernel).close();
	t.true(kernel.closed);
});
