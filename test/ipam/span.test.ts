import test from 'ava';
import fc from 'fast-check';
import { countOf, overlap, type Span, without } from '../../src/ipam/span.ts';

const spans = fc
	.tuple(fc.nat(40), fc.nat(12))
	.map(([first, more]): Span => ({ first: BigInt(first), last: BigInt(first + more) }));

/** Every address of a run. */
function all({ first, last }: Span): bigint[] {
	const values: bigint[] = [];
	for (let value = first; value <= last; value++) values.push(value);
	return values;
}

test('what is left of a run are its addresses that are in none of the others, in order', (t) => {
	fc.assert(
		fc.property(spans, fc.array(spans, { maxLength: 6 }), (span, others) => {
			const taken = new Set(others.flatMap(all));
			const left = without(span, others);
			t.deepEqual(
				left.flatMap(all),
				all(span).filter((value) => !taken.has(value)),
			);
			t.is(countOf(left), BigInt(left.flatMap(all).length));
			t.true(left.every(({ first, last }) => first <= last));
		}),
	);
});

test('runs overlap when they have an address in common', (t) => {
	fc.assert(
		fc.property(spans, spans, (one, other) => {
			const common = all(one).filter((value) => all(other).includes(value));
			t.is(overlap(one, other), common.length > 0);
		}),
	);
});

test('half of the addresses of an IPv6 subnet are taken away at once', (t) => {
	const [first, last] = [0n, 2n ** 64n - 1n];
	t.deepEqual(without({ first, last }, [{ first, last: 2n ** 63n - 1n }]), [{ first: 2n ** 63n, last }]);
});
