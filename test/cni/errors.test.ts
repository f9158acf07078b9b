import test from 'ava';
import { CniError, CniErrorCode, encodeError, toCniError } from '../../src/cni/errors.ts';

test('a CniError stays as it is', (t) => {
	const error = new CniError(7, 'reading mtu: no');
	t.is(toCniError(error), error);
	t.is(error.name, 'CniError');
});

test('an error of another layer says its code in cniCode', (t) => {
	const cause = Object.assign(new Error('making bridge "m-dcos": EPERM'), { cniCode: CniErrorCode.kernelRefused });
	const error = toCniError(cause);
	t.is(error.code, 100);
	t.is(error.message, cause.message);
	t.is(error.cause, cause);
});

test('several failures become one with all messages and the first code', (t) => {
	const error = toCniError(
		new AggregateError([
			new CniError(107, 'removing lease 9.0.1.2: EACCES', { details: 'uid 7' }),
			new AggregateError([new TypeError('bad'), 'worse']),
		]),
	);
	t.is(error.code, 107);
	t.is(error.message, 'removing lease 9.0.1.2: EACCES; bad; worse');
	t.is(error.details, 'uid 7');
});

for (const [thrown, message] of [
	[new RangeError('out of range'), 'out of range'],
	[new RangeError(), 'RangeError'],
	[Object.assign(new Error('odd'), { cniCode: '7' }), 'odd'],
	[new AggregateError([], 'nothing'), 'nothing'],
	['text', 'text'],
	[undefined, 'undefined'],
] as const) {
	test(`anything else is an internal error: ${String(thrown)} "${message}"`, (t) => {
		const error = toCniError(thrown);
		t.is(error.code, 199);
		t.is(error.message, message);
	});
}

test('an error is printed without empty details and without a stack', (t) => {
	t.deepEqual(encodeError(new CniError(11, 'later'), '0.4.0'), { cniVersion: '0.4.0', code: 11, msg: 'later' });
	t.deepEqual(encodeError(new CniError(1, 'm', { details: 'd' }), '1.1.0'), {
		cniVersion: '1.1.0',
		code: 1,
		msg: 'm',
		details: 'd',
	});
});
