// Medians and quartiles.

export interface Summary {
	readonly lower: number;
	readonly median: number;
	readonly upper: number;
}

/** The median and the quartiles around it; of an empty list, NaN. */
export function summarise(values: readonly number[]): Summary {
	const sorted = values.toSorted((a, b) => a - b);
	return { lower: quantile(sorted, 0.25), median: quantile(sorted, 0.5), upper: quantile(sorted, 0.75) };
}

/** Between two values, in proportion. */
function quantile(sorted: readonly number[], part: number): number {
	const position = part * (sorted.length - 1);
	const below = sorted[Math.floor(position)] ?? Number.NaN;
	const above = sorted[Math.ceil(position)] ?? Number.NaN;
	return below + (above - below) * (position % 1);
}
