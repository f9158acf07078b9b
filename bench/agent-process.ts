// A keeper to be measured, on the host on which it is started. Tells what it measured as JSON.

import { BuildError } from '../build/run.ts';
import { NOTHING, type Wanted } from '../src/agent/kernel/host-state.ts';
import { startKeeper } from '../src/agent/kernel/keeper.ts';
import { AGENTS, stateOf, VTEP, wish } from './agent-states.ts';

/** In milliseconds. */
export interface Measured {
	/** Until all agents are in the kernel. */
	readonly all: number;
	/** The longest that a timer of 10 ms came late meanwhile. */
	readonly late: number;
}

const TICK = 10;

const keeper = startKeeper({ vtep: VTEP, onApplied: () => {}, onError: (error) => console.error(error) });

async function apply(wanted: Wanted): Promise<void> {
	const { failures } = await keeper.want(wanted);
	if (failures.length > 0) throw new BuildError(`programming a host: ${String(failures[0]?.error)}`);
}

async function measureLateness(work: () => Promise<void>): Promise<number> {
	let last = performance.now();
	let late = 0;
	const tick = (): void => {
		const now = performance.now();
		late = Math.max(late, now - last - TICK);
		last = now;
	};
	const timer = setInterval(tick, TICK);
	await work();
	tick();
	clearInterval(timer);
	return late;
}

async function measure(): Promise<Measured> {
	const state = stateOf(AGENTS);
	let all = 0;
	const late = await measureLateness(async () => {
		const start = performance.now();
		await apply(wish(state));
		all = performance.now() - start;
	});
	await apply(NOTHING);
	return { all, late };
}

process.stdout.write(`${JSON.stringify(await measure())}\n`);
await keeper.stop();
