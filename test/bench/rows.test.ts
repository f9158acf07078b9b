// How the benchmark compares, and when it says that a target is met.

import test from 'ava';
import type { Competitor } from '../../bench/competitor.ts';
import { isMet, makeRow, quotientOf, ratioAtMost, sumOf, type Target, type Values } from '../../bench/rows.ts';

const competitor = (title: string, role: Competitor['role']): Competitor => ({ title, version: '1', role });
const ours = competitor('ours', 'ours');
const first = competitor('first', 'reference');
const second = competitor('second', 'reference');
const other = competitor('other', 'other');
const all = [ours, first, second, other];

/** The values of `all`, in this order. */
function valuesOf(...lists: readonly number[][]): Values {
	return (one) => lists[all.indexOf(one)] ?? [];
}

const times = valuesOf([1, 2, 30], [10, 10, 10], [4, 4, 4], [5, 5, 5]);

test('our median is divided by that of each reference, and that of another of ours by the first', (t) => {
	const { figures } = makeRow(all, 'ADD', 'ms', times);
	t.deepEqual(
		figures.map(({ median, ratio }) => ({ median, ratio })),
		[
			{ median: 2, ratio: undefined },
			{ median: 10, ratio: 0.2 },
			{ median: 4, ratio: 0.5 },
			{ median: 5, ratio: 0.5 },
		],
	);
});

test('sums and quotients are made round by round', (t) => {
	const [one, two] = [valuesOf([1, 2, 9]), valuesOf([10, 4, 3])];
	t.deepEqual(sumOf(one, two)(ours), [11, 6, 12]);
	t.deepEqual(quotientOf(one, two)(ours), [0.1, 0.5, 3]);
});

test('a target of the ratio has to be kept against every reference', (t) => {
	const met = (value: number): boolean | undefined => isMet(makeRow(all, 'ADD', 'ms', times, ratioAtMost(value)));
	t.is(met(0.5), true);
	t.is(met(0.3), false);
});

test('a target of the median is about ours alone, in both directions', (t) => {
	const met = (bound: Target['bound'], value: number): boolean | undefined =>
		isMet(makeRow(all, 'ADD', 'ms', times, { of: 'median', bound, value }));
	t.deepEqual([met('at most', 2), met('at most', 1.9)], [true, false]);
	t.deepEqual([met('at least', 2), met('at least', 2.1)], [true, false]);
});

test('what was never measured meets no target', (t) => {
	t.is(isMet(makeRow(all, 'ADD', 'ms', valuesOf(), ratioAtMost(1))), false);
	t.is(isMet(makeRow(all, 'ADD', 'ms', times)), undefined);
});
