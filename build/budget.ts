// The start-up budget: what a call may cost beyond the start of the runtime itself.

import { spawnSync } from 'node:child_process';
import { buildEmptyProgram, type Edition } from './editions/edition.ts';
import { BuildError } from './run.ts';

const BUDGET_MS = 2.5;
const PAIRS = 41;
/** A busy machine can spoil some series; a program that is too slow spoils them all. */
const SERIES = 8;

interface Series {
	/** In milliseconds; see {@link typical}. */
	readonly empty: number;
	readonly call: number;
	readonly difference: number;
}

/**
 * Times `CNI_COMMAND=VERSION` against an empty program of the same runtime, and returns the figures as text.
 * Throws a BuildError when each series is over the budget.
 */
export async function checkStartUp(edition: Edition, executable: string): Promise<string> {
	const empty = await buildEmptyProgram(edition);
	const figures: string[] = [];
	for (let series = 0; series < SERIES; series++) {
		const measured = measure(executable, empty);
		figures.push(
			`VERSION ${milliseconds(measured.call)}, empty program ${milliseconds(measured.empty)}, ` +
				`difference ${milliseconds(measured.difference)} of ${milliseconds(BUDGET_MS)}`,
		);
		if (measured.difference <= BUDGET_MS) return figures.at(-1) ?? '';
	}
	throw new BuildError(
		`keeping the start of ${executable} within its budget: too slow in each of ${SERIES} series ` +
			`(look for an import on the way of every call)\n${figures.join('\n')}`,
	);
}

/** Alternates the two, so that what else the machine does falls on both. */
function measure(executable: string, emptyProgram: string): Series {
	const calls: number[] = [];
	const empties: number[] = [];
	time(emptyProgram);
	time(executable);
	for (let pair = 0; pair < PAIRS; pair++) {
		empties.push(time(emptyProgram));
		calls.push(time(executable));
	}
	const [empty, call] = [typical(empties), typical(calls)];
	return { empty, call, difference: call - empty };
}

function time(executable: string): number {
	const start = performance.now();
	const { status, signal } = spawnSync(executable, [], { env: { CNI_COMMAND: 'VERSION' }, stdio: 'ignore' });
	const end = performance.now();
	if (status !== 0)
		throw new BuildError(`calling ${executable} with CNI_COMMAND=VERSION: ${signal ?? `exit status ${status}`}`);
	return end - start;
}

/** The quickest but for a tenth: whatever else the machine does only ever adds time. */
function typical(values: readonly number[]): number {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0;
}

function milliseconds(value: number): string {
	return `${value.toFixed(1)} ms`;
}
