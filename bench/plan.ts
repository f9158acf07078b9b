// What is called in which order.

import type { Call, Sample, Step } from './launcher.ts';
import { type Competitor, cniCall } from './competitors.ts';
import { findExecutable } from '../build/setup/debian.ts';
import type { Stage } from './stage.ts';

/** How many containers come and go at once. */
export const CROWD = 64;

export type Task =
	| 'VERSION'
	| 'first ADD'
	| 'ADD'
	| 'DEL'
	| `${typeof CROWD} ADDs at once`
	| `${typeof CROWD} DELs at once`;

/** A step that counts for a task, or for none: to warm up, or to make ready for the next. */
export interface PlannedStep extends Step {
	readonly task: Task | undefined;
	readonly competitor: Competitor;
}

/** Samples by task, then by competitor, in the order of rounds. */
export type Samples = ReadonlyMap<Task, ReadonlyMap<Competitor, readonly Sample[]>>;

/** Every call waits, since the kernel removes the devices of the last one behind its back. */
const SHORTEST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 60;
const PAUSE_AFTER_CROWD_MS = 100;
/** One round to warm up for so many that count. */
const ROUNDS_PER_WARM_UP = 20;

/** The containers that a plan needs. */
export function containerCount(competitors: readonly Competitor[]): number {
	return CROWD + competitors.length;
}

/** All steps, with so many rounds for a single ADD; tasks that take longer have fewer. */
export function planSteps(competitors: readonly Competitor[], stage: Stage, runs: number): PlannedStep[] {
	const crowd = stage.containers.slice(0, CROWD);
	const [first = ''] = crowd;
	const call = (competitor: Competitor, command: string, container = first): Call =>
		cniCall(competitor, stage, command, container);
	const callsOfCrowd = (competitor: Competitor, command: string): Call[] =>
		crowd.map((container) => call(competitor, command, container));
	const step = (competitor: Competitor, task: Task | undefined, calls: readonly Call[]): PlannedStep => ({
		pauseMs: calls.length > 1 ? PAUSE_AFTER_CROWD_MS : randomPause(),
		calls,
		task,
		competitor,
	});

	return [
		...alternate(competitors, runs, (one) => [step(one, 'VERSION', [call(one, 'VERSION')])]),
		...alternate(competitors, Math.ceil(runs / 3), (one) => [
			step(one, 'first ADD', [call(one, 'ADD')]),
			step(one, undefined, [call(one, 'DEL')]),
			step(one, undefined, [removeBridge(one)]),
		]),
		// A container that stays, so that the bridge is there from now on.
		...competitors.map((one, index) => step(one, undefined, [call(one, 'ADD', stage.containers[CROWD + index])])),
		...alternate(competitors, runs, (one) => [
			step(one, 'ADD', [call(one, 'ADD')]),
			step(one, 'DEL', [call(one, 'DEL')]),
		]),
		...alternate(competitors, Math.ceil(runs / 6), (one) => [
			step(one, `${CROWD} ADDs at once`, callsOfCrowd(one, 'ADD')),
			step(one, `${CROWD} DELs at once`, callsOfCrowd(one, 'DEL')),
		]),
	];
}

/** Sorts the samples, one for each step. */
export function sortSamples(steps: readonly PlannedStep[], samples: readonly Sample[]): Samples {
	const sorted = new Map<Task, Map<Competitor, Sample[]>>();
	for (const [index, { task, competitor }] of steps.entries()) {
		const sample = samples[index];
		if (task === undefined || sample === undefined) continue;
		const ofTask = sorted.getOrInsert(task, new Map<Competitor, Sample[]>());
		ofTask.getOrInsert(competitor, []).push(sample);
	}
	return sorted;
}

/** Rounds in which each has its turn, forth and back (A B, B A, …), so that each follows each. */
function alternate(
	competitors: readonly Competitor[],
	rounds: number,
	turn: (competitor: Competitor) => readonly PlannedStep[],
): PlannedStep[] {
	const warmUp = Math.ceil(rounds / ROUNDS_PER_WARM_UP);
	return Array.from({ length: warmUp + rounds }, (_, round) => {
		const order = round % 2 === 0 ? competitors : competitors.toReversed();
		const steps = order.flatMap(turn);
		return round < warmUp ? steps.map((step) => ({ ...step, task: undefined })) : steps;
	}).flat();
}

function removeBridge({ name }: Competitor): Call {
	const program = findExecutable('ip') ?? 'ip';
	return { program, parameters: ['link', 'delete', name], environment: [], input: '/dev/null' };
}

/**
 * Different each time: to delete a veth, the kernel waits for grace periods of RCU, which the step before may have begun.
 * After a fixed pause, a competitor would meet them at the same point each time, and be quicker or slower for that.
 */
function randomPause(): number {
	return Math.round(SHORTEST_PAUSE_MS + Math.random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
}
