// The order in which the addresses of a range set are tried.

import { holds, type Span } from './span.ts';

/**
 * The same addresses in the order of a round: from behind `last` to the end, then from the beginning to `last`. When `last`
 * is in none of the runs, which do not overlap, the round starts at the beginning. A piece may be empty: it ends before it
 * begins.
 */
export function inTurn(spans: readonly Span[], last: bigint | undefined): readonly Span[] {
	if (last === undefined) return spans;
	for (let at = 0; at < spans.length; at++) {
		const span = spans[at];
		if (span === undefined || !holds(span, last)) continue;
		const behind = { first: last + 1n, last: span.last };
		return [behind, ...spans.slice(at + 1), ...spans.slice(0, at), { first: span.first, last }];
	}
	return spans;
}
