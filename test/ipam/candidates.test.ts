import test from 'ava';
import fc from 'fast-check';
import { inTurn } from '../../src/ipam/candidates.ts';
import type { Span } from '../../src/ipam/span.ts';

/** Runs that do not overlap, in any order. */
const runs = fc.array(fc.tuple(fc.nat(3), fc.nat(5)), { minLength: 1, maxLength: 5 }).chain((gapsAndLengths) => {
	let next = 0n;
	const spans = gapsAndLengths.map(([gap, more]): Span => {
		const first = next + BigInt(gap);
		next = first + BigInt(more) + 1n;
		return { first, last: next - 1n };
	});
	return fc.shuffledSubarray(spans, { minLength: spans.length });
});

function addresses(spans: readonly Span[]): bigint[] {
	return spans.flatMap(({ first, last }) => {
		const values: bigint[] = [];
		for (let value = first; value <= last; value++) values.push(value);
		return values;
	});
}

test('behind each address comes the next of the runs, behind the last one the first, and each comes once', (t) => {
	fc.assert(
		fc.property(runs, (spans) => {
			const once = addresses(spans);
			for (const [at, last] of once.entries()) {
				t.deepEqual(addresses(inTurn(spans, last)), [...once.slice(at + 1), ...once.slice(0, at + 1)]);
			}
		}),
	);
});

test('without an address to begin behind, or with one of no run, all begins with the first run', (t) => {
	fc.assert(
		fc.property(runs, fc.option(fc.bigInt(-3n, 60n), { nil: undefined }), (spans, last) => {
			const once = addresses(spans);
			fc.pre(last === undefined || !once.includes(last));
			t.deepEqual(addresses(inTurn(spans, last)), once);
		}),
	);
});
