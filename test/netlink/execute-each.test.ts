import test from 'ava';
import { connect } from '../../src/netlink/connection.ts';
import { changeLink } from '../../src/netlink/link.ts';
import { NLM_F_ACK } from '../../src/netlink/message.ts';
import { acknowledgement, fakeKernel, refusal } from '../helpers/fake-kernel.ts';

const requests = Array.from({ length: 2500 }, (_, at) => changeLink({ index: at + 1, name: `a${at}` }, { mtu: 1400 }));

test('thousands of requests are a few datagrams, and the kernel acknowledges the last of each', (t) => {
	const kernel = fakeKernel((request) => ((request.flags & NLM_F_ACK) === 0 ? [] : [acknowledgement(request)]));
	t.is(connect(kernel).executeEach(requests).size, 0);
	t.deepEqual(kernel.datagrams, [1000, 1000, 500]);
	t.is(kernel.requests.filter(({ flags }) => (flags & NLM_F_ACK) !== 0).length, 3);
});

test('each failure is told by the place of its request, and the others are carried out', (t) => {
	const bad = new Set([1, 1000, 1001, 2499, 2500]);
	const kernel = fakeKernel((request) => {
		if (bad.has(request.sequence)) return [refusal(request, 'ENODEV')];
		return (request.flags & NLM_F_ACK) === 0 ? [] : [acknowledgement(request)];
	});
	const failures = connect(kernel).executeEach(requests);
	t.deepEqual([...failures.keys()], [0, 999, 1000, 2498, 2499]);
	t.is(failures.get(999)?.message, 'changing interface "a999": ENODEV');
	t.is(kernel.requests.length, 2500);
});

test('nothing to carry out is nothing to send', (t) => {
	const kernel = fakeKernel(() => []);
	t.is(connect(kernel).executeEach([]).size, 0);
	t.deepEqual(kernel.datagrams, []);
});

test('an answer to what was never asked is an error', (t) => {
	const kernel = fakeKernel((request) => [acknowledgement({ ...request, sequence: request.sequence + 5 })]);
	t.throws(() => connect(kernel).executeEach(requests.slice(0, 1)), { code: 'EPROTO' });
});
