// What somebody may have meant who mistyped a word.

/** Says ` (did you mean "…"?)` when one of the known words is close to what was typed, nothing otherwise. */
export function suggest(typed: string, known: readonly string[]): string {
	const [nearest] = known
		.map((word) => ({ word, distance: editDistance(typed, word) }))
		.filter(({ word, distance }) => distance <= Math.max(2, word.length / 3))
		.toSorted((one, other) => one.distance - other.distance);
	return nearest === undefined ? '' : ` (did you mean "${nearest.word}"?)`;
}

/** How many characters must be put in, taken out or replaced to make one text the other (Levenshtein). */
function editDistance(one: string, other: string): number {
	let row = Array.from({ length: other.length + 1 }, (_, at) => at);
	for (let line = 1; line <= one.length; line++) {
		const next = [line];
		for (let at = 1; at <= other.length; at++) {
			const replaced = (row[at - 1] ?? 0) + (one[line - 1] === other[at - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
		}
		row = next;
	}
	return row.at(-1) ?? 0;
}
