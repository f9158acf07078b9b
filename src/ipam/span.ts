// Runs of addresses of one family, as numbers.

/** From `first` to `last`, both included. */
export interface Span {
	readonly first: bigint;
	readonly last: bigint;
}

/** Whether a run has an address. */
export function holds({ first, last }: Span, value: bigint): boolean {
	return first <= value && value <= last;
}

/** Whether two runs have an address in common. */
export function overlap(one: Span, other: Span): boolean {
	return one.first <= other.last && other.first <= one.last;
}

/** How many addresses runs have that do not overlap. */
export function countOf(spans: readonly Span[]): bigint {
	let count = 0n;
	for (const { first, last } of spans) count += last - first + 1n;
	return count;
}

/** What is left of a run without others, which may lie anywhere and overlap: lowest first. */
export function without({ first, last }: Span, others: readonly Span[]): Span[] {
	const left: Span[] = [];
	let from = first;
	for (const other of others.toSorted((one, two) => Number(one.first > two.first) - Number(one.first < two.first))) {
		if (other.first > last) break;
		if (other.first > from) left.push({ first: from, last: other.first - 1n });
		if (other.last >= from) from = other.last + 1n;
	}
	if (from <= last) left.push({ first: from, last });
	return left;
}
