// The rows of a result: what each competitor needed, how they compare, and the targets.

import type { Competitor } from './competitor.ts';
import type { Sample } from './launcher.ts';
import type { Samples } from './plan.ts';
import { summarise, type Summary } from './statistics.ts';

/** `×` is a quotient of two other rows. */
type Unit = 'ms' | 'MB' | '/s' | '×';

export interface Row {
	readonly title: string;
	readonly unit: Unit;
	/** Undefined where nothing is promised. */
	readonly target: Target | undefined;
	/** For each competitor, ours first. */
	readonly figures: readonly Figure[];
}

export interface Figure extends Summary {
	readonly competitor: Competitor;
	readonly values: readonly number[];
	/** Our median divided by this reference's; of another of ours, its median divided by the first reference's. */
	readonly ratio: number | undefined;
}

/** A bound of our median, or of its ratio to the one of each reference. */
export interface Target {
	readonly of: 'ratio' | 'median';
	readonly bound: 'at most' | 'at least';
	readonly value: number;
}

/** The values of a competitor, in the order of rounds. */
export type Values = (competitor: Competitor) => readonly number[];

interface Measure {
	readonly title: string;
	readonly unit: Unit;
	readonly of: (sample: Sample) => number;
}

export const WALL: Measure = { title: 'wall', unit: 'ms', of: ({ wallMs }) => wallMs };
export const CPU: Measure = { title: 'CPU', unit: 'ms', of: ({ cpuMs }) => cpuMs };
export const PEAK: Measure = { title: 'peak memory', unit: 'MB', of: ({ peakKiB }) => (peakKiB * 1024) / 1e6 };

/** What our median may be at most, as a part of each reference's. */
export function ratioAtMost(value: number): Target {
	return { of: 'ratio', bound: 'at most', value };
}

/** What a task took. */
export function valuesOf(samples: Samples, task: string, { of }: Measure): Values {
	return (competitor) => (samples.get(task)?.get(competitor) ?? []).map(of);
}

/** Round by round, both together. */
export function sumOf(one: Values, other: Values): Values {
	return combine(one, other, (a, b) => a + b);
}

/** Round by round, the one as a part of the other. */
export function quotientOf(one: Values, other: Values): Values {
	return combine(one, other, (a, b) => a / b);
}

function combine(one: Values, other: Values, operation: (a: number, b: number) => number): Values {
	return (competitor) => {
		const others = other(competitor);
		return one(competitor).map((value, round) => operation(value, others[round] ?? Number.NaN));
	};
}

/** A row of a result; the competitors are ours, the references, and others of ours. */
export function makeRow(
	competitors: readonly Competitor[],
	title: string,
	unit: Unit,
	values: Values,
	target?: Target,
): Row {
	const medianOf = (role: Competitor['role']): number =>
		summarise(
			competitors
				.filter((one) => one.role === role)
				.slice(0, 1)
				.flatMap(values),
		).median;
	const figures = competitors.map((competitor) => {
		const list = values(competitor);
		const summary = summarise(list);
		const ratios = {
			ours: undefined,
			reference: medianOf('ours') / summary.median,
			other: summary.median / medianOf('reference'),
		};
		return { ...summary, competitor, values: list, ratio: ratios[competitor.role] };
	});
	return { title, unit, target, figures };
}

/** Whether ours keeps the target; undefined when there is none. */
export function isMet({ target, figures }: Row): boolean | undefined {
	if (target === undefined) return undefined;
	const role = target.of === 'median' ? 'ours' : 'reference';
	return figures
		.filter(({ competitor }) => competitor.role === role)
		.map(({ median, ratio }) => (target.of === 'median' ? median : (ratio ?? Number.NaN)))
		.every((value) => (target.bound === 'at most' ? value <= target.value : value >= target.value));
}
