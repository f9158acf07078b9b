import test from 'ava';
import fc from 'fast-check';
import { give, isFree, lowestOf, take, type FreeSpans } from '../../src/overlay/free-spans.ts';

const SIZE = 40;
const spans = fc
	.tuple(fc.integer({ min: 0, max: SIZE - 1 }), fc.integer({ min: 1, max: 6 }))
	.map(([first, length]) => ({ first: BigInt(first), last: BigInt(Math.min(SIZE - 1, first + length - 1)) }));
const steps = fc.array(fc.record({ act: fc.constantFrom('take' as const, 'give' as const), span: spans }));

test('runs of free indexes are what a set of indexes is', (t) => {
	fc.assert(
		fc.property(steps, (list) => {
			let free: FreeSpans = [{ first: 0n, last: BigInt(SIZE - 1) }];
			const model = new Set(Array.from({ length: SIZE }, (_, at) => BigInt(at)));
			for (const { act, span } of list) {
				free = act === 'take' ? take(free, span) : give(free, span);
				for (let at = span.first; at <= span.last; at++) {
					if (act === 'take') model.delete(at);
					else model.add(at);
				}
				for (let at = 0n; at < BigInt(SIZE); at++) t.is(isFree(free, at), model.has(at));
				t.is(lowestOf(free), [...model].toSorted((one, other) => Number(one - other))[0]);
				for (const [at, { first, last }] of free.entries()) {
					t.true(first <= last);
					const next = free[at + 1];
					t.true(next === undefined || next.first > last + 1n, 'there is a gap between any two');
				}
			}
		}),
	);
	t.pass();
});
