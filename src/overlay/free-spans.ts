// The indexes that are free, as runs: lowest first, with a gap between any two.

import { overlap, type Span } from '../ipam/span.ts';

export type FreeSpans = readonly Span[];

/** The lowest free index; undefined when there is none. */
export function lowestOf(free: FreeSpans): bigint | undefined {
	return free[0]?.first;
}

/** Whether an index is free. */
export function isFree(free: FreeSpans, index: bigint): boolean {
	const at = free.findIndex(({ last }) => last >= index);
	return at !== -1 && (free[at]?.first ?? 0n) <= index;
}

/** What remains free when a run is taken, whether all of it was free or not. */
export function take(free: FreeSpans, taken: Span): FreeSpans {
	const at = free.findIndex(({ last }) => last >= taken.first);
	if (at === -1) return free;
	const touched = free.slice(at).findIndex((span) => !overlap(span, taken));
	const count = touched === -1 ? free.length - at : touched;
	const [first, last] = [free[at], free[at + count - 1]];
	const rest: Span[] = [];
	if (count > 0 && first !== undefined && first.first < taken.first) {
		rest.push({ first: first.first, last: taken.first - 1n });
	}
	if (count > 0 && last !== undefined && last.last > taken.last)
		rest.push({ first: taken.last + 1n, last: last.last });
	return free.toSpliced(at, count, ...rest);
}

/** What is free when a run is given back, whether any of it was free or not. */
export function give(free: FreeSpans, given: Span): FreeSpans {
	// Those that touch it become one with it.
	const wider = { first: given.first - 1n, last: given.last + 1n };
	const before = free.filter(({ last }) => last < wider.first);
	const after = free.filter(({ first }) => first > wider.last);
	const joined = free.slice(before.length, free.length - after.length);
	const first = joined[0]?.first ?? given.first;
	const last = joined.at(-1)?.last ?? given.last;
	const span = { first: first < given.first ? first : given.first, last: last > given.last ? last : given.last };
	return [...before, span, ...after];
}
