// The rows of the result: what each competitor needed, compared with the reference, and the targets.

import type { Competitor } from './competitors.ts';
import type { Sample } from './launcher.ts';
import { CROWD, type Samples, type Task } from './plan.ts';
import { summarise, type Summary } from './statistics.ts';

type Unit = 'ms' | 'MB';

export interface Row {
	readonly title: string;
	readonly unit: Unit;
	/** The most that our median may be, as a part of the reference's; undefined where nothing is promised. */
	readonly target: number | undefined;
	/** For each competitor, ours first, the reference second. */
	readonly figures: readonly Figure[];
}

export interface Figure extends Summary {
	readonly values: readonly number[];
	/** This median divided by the reference's. */
	readonly ratio: number;
}

interface Measure {
	readonly title: string;
	readonly unit: Unit;
	readonly of: (sample: Sample) => number;
}

const WALL: Measure = { title: 'wall', unit: 'ms', of: ({ wallMs }) => wallMs };
const CPU: Measure = { title: 'CPU', unit: 'ms', of: ({ cpuMs }) => cpuMs };
const PEAK: Measure = { title: 'peak memory', unit: 'MB', of: ({ peakKiB }) => (peakKiB * 1024) / 1e6 };

const ROWS: readonly (readonly [task: Task, measure: Measure, target?: number])[] = [
	['ADD', WALL, 0.85],
	['ADD', CPU, 0.9],
	['DEL', WALL, 1],
	['DEL', CPU],
	[`${CROWD} ADDs at once`, WALL, 0.8],
	[`${CROWD} ADDs at once`, CPU],
	[`${CROWD} DELs at once`, WALL],
	[`${CROWD} DELs at once`, CPU],
	['first ADD', WALL],
	['first ADD', CPU],
	['VERSION', WALL],
	['VERSION', CPU],
	['ADD', PEAK],
];

/** The competitors are ours, the reference, and others of ours. */
export function compare(competitors: readonly Competitor[], samples: Samples): Row[] {
	return ROWS.map(([task, measure, target]) => {
		const values = competitors.map((one) => (samples.get(task)?.get(one) ?? []).map(measure.of));
		const reference = summarise(values[1] ?? []).median;
		const figures = values.map((list) => {
			const summary = summarise(list);
			return { ...summary, values: list, ratio: summary.median / reference };
		});
		return { title: `${task}, ${measure.title}`, unit: measure.unit, target, figures };
	});
}

/** Whether ours keeps the target; undefined when there is none. */
export function isMet({ target, figures }: Row): boolean | undefined {
	return target === undefined ? undefined : (figures[0]?.ratio ?? Number.NaN) <= target;
}
