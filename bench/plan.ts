// Steps in which the competitors take turns, and what each of them cost.

import type { Competitor } from './competitor.ts';
import { measure, type Sample, type Step } from './launcher.ts';
import { shuffled } from './random.ts';

/** A step that counts for a task, or for none: to warm up, or to make ready for the next. */
export interface PlannedStep extends Step {
	readonly task: string | undefined;
	readonly competitor: Competitor;
}

/** Samples by task, then by competitor, in the order of rounds. */
export type Samples = ReadonlyMap<string, ReadonlyMap<Competitor, readonly Sample[]>>;

/** One round to warm up for so many that count. */
const ROUNDS_PER_WARM_UP = 20;

/** Rounds in which each has its turn, in random order. One round in twenty more, at the beginning, does not count. */
export function alternate<T>(
	ones: readonly T[],
	rounds: number,
	turn: (one: T) => readonly PlannedStep[],
): PlannedStep[] {
	const warmUp = Math.ceil(rounds / ROUNDS_PER_WARM_UP);
	return Array.from({ length: warmUp + rounds }, (_, round) => {
		const steps = shuffled(ones).flatMap(turn);
		return round < warmUp ? steps.map((step) => ({ ...step, task: undefined })) : steps;
	}).flat();
}

/** Carries a plan out; `planFile` is a path to write it to. Throws a BuildError as soon as a step fails. */
export function carryOut(steps: readonly PlannedStep[], planFile: string): Samples {
	console.log(`measuring: ${steps.length} steps`);
	const samples = measure(steps, planFile);
	const sorted = new Map<string, Map<Competitor, Sample[]>>();
	for (const [index, { task, competitor }] of steps.entries()) {
		const sample = samples[index];
		if (task === undefined || sample === undefined) continue;
		const ofTask = sorted.getOrInsert(task, new Map<Competitor, Sample[]>());
		ofTask.getOrInsert(competitor, []).push(sample);
	}
	return sorted;
}
