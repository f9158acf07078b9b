import test from 'ava';
import { attempts } from '../../src/bridge/failures.ts';
import { CniError, toCniError } from '../../src/cni/errors.ts';

test('without a failure there is nothing to report', async (t) => {
	const steps = attempts('DEL');
	const done: string[] = [];
	t.true(await steps.attempt(() => void done.push('one')));
	t.true(await steps.attempt(async () => void done.push('two')));
	t.deepEqual(done, ['one', 'two']);
	t.notThrows(() => steps.report());
});

test('a single failure is reported as it is, and the steps after it are done', async (t) => {
	const steps = attempts('DEL');
	const failure = new CniError(107, 'no');
	t.false(await steps.attempt(() => Promise.reject(failure)));
	t.true(await steps.attempt(() => {}));
	t.is(
		t.throws(() => steps.report()),
		failure,
	);
});

test('several failures are reported together, with the code of the first', async (t) => {
	const steps = attempts('GC');
	for (const [code, message] of [
		[100, 'one'],
		[107, 'two'],
	] as const) {
		t.false(
			await steps.attempt(() => {
				throw new CniError(code, message);
			}),
		);
	}
	const error = t.throws(() => steps.report(), { instanceOf: AggregateError, message: 'GC' });
	t.like(toCniError(error), { code: 100, message: 'one; two' });
});
