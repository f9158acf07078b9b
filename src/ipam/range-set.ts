// A range set: the ranges out of which an attachment gets one address.

import type { Address, Family } from './address.ts';
import { formatRange, inRange, type Range } from './range.ts';
import { countOf, holds, type Span, without } from './span.ts';

export interface RangeSet {
	readonly family: Family;
	/** In the order in which they are used; they do not overlap. */
	readonly ranges: readonly Range[];
	/** The addresses that may be given, in the same order: not the gateways, nor what is reserved. */
	readonly spans: readonly Span[];
}

/** The set of these ranges, of which the addresses in `kept` are given to nobody. */
export function rangeSet(family: Family, ranges: readonly Range[], kept: readonly Span[] = []): RangeSet {
	return { family, ranges, spans: kept.length === 0 ? ranges : ranges.flatMap((range) => without(range, kept)) };
}

/** Whether a container can be given an address out of a set. */
export function inSet({ family, spans }: RangeSet, address: Address): boolean {
	return address.family === family && spans.some((span) => holds(span, address.value));
}

/** The range of a set in which an address lies. */
export function rangeAround({ ranges }: RangeSet, address: Address): Range | undefined {
	for (const range of ranges) if (inRange(range, address)) return range;
	return undefined;
}

/** How many addresses a set can give. */
export function sizeOfSet({ spans }: RangeSet): bigint {
	return countOf(spans);
}

/** How messages name a set. */
export function formatSet({ ranges }: RangeSet): string {
	return ranges.map(formatRange).join(', ');
}
