// Keeps a host as it should be: does what is wanted when that changes, and puts back what somebody else changes.

import type { Event } from '../../netlink/subscription.ts';
import { converge, type Done, type Memory } from './convergence.ts';
import { disturbanceOf } from './disturbance.ts';
import type { Wanted } from './host-state.ts';
import { listen } from './kernel-events.ts';

/** How a host is kept. Times are milliseconds. */
export interface KeeperOptions {
	/** The name of the VTEP. */
	readonly vtep: string;
	/** Called with everything that was done, when it was anything. */
	readonly onApplied: (report: Report) => void;
	/** Called when the host could not even be looked at; it is tried again. */
	readonly onError: (error: unknown) => void;
	/** After which everything is compared, whatever was told. 60 s when absent. */
	readonly compareAfter?: number;
	/** How long to collect changes of others before they are put right, 50 ms when absent: who changes one thing changes several. */
	readonly settleAfter?: number;
	/** From one repair to the next, 500 ms when absent, so that a quarrel with somebody who keeps changing things costs little. */
	readonly repairAfter?: number;
	/** After something has failed, 5 s when absent. */
	readonly retryAfter?: number;
}

/** What was done, and why. */
export interface Report extends Done {
	/** What others had changed, in words: `route 9.0.2.0/24 via 44.128.0.3 was removed by process 12345`; at most {@link MOST_CAUSES}. */
	readonly causes: readonly string[];
	readonly milliseconds: number;
}

export interface Keeper {
	/**
	 * Makes the host as it should be now, and from now on. Gives what was done when the host is as was wanted last, which may be
	 * more than this: of what is asked for meanwhile, the latest counts. Rejects with what the kernel refuses altogether.
	 */
	want(wanted: Wanted): Promise<Report>;
	/** Compares everything now. */
	compare(): Promise<Report>;
	/** Leaves the host as it is, however far it is. */
	stop(): Promise<void>;
}

/** So many causes are told; the others are counted. */
const MOST_CAUSES = 20;

/** Begins to keep a host, of which nothing is wanted yet. Throws NetlinkError. */
export function startKeeper(options: KeeperOptions): Keeper {
	const { compareAfter = 60_000, settleAfter = 50, repairAfter = 500, retryAfter = 5000 } = options;
	const memory: Memory = { seen: undefined, vtep: 0, ports: new Set() };
	let wanted: Wanted | undefined;
	let isStopped = false;
	let running: Promise<Report> | undefined;
	let causes: string[] = [];
	let uncounted = 0;
	let lastRepair = -Infinity;
	let timer: NodeJS.Timeout | undefined;
	/** When the timer ends. */
	let due = Infinity;

	const listening = listen({
		onEvent: notice,
		onLoss: () => disturb('more changed at once than could be told'),
		onFailure: options.onError,
	});

	function notice(event: Event): void {
		// Our own changes lead there by steps that are not wanted by themselves.
		if (wanted === undefined || memory.ports.has(event.sender)) return;
		const what = disturbanceOf(event, wanted, memory.vtep);
		if (what === undefined) return;
		// What the kernel tells of nobody may follow from what we do: worth a look, but nobody is to blame.
		if (event.sender === 0 && memory.ports.size > 0) lookAgain();
		else disturb(event.sender === 0 ? what : `${what} by process ${event.sender}`);
	}

	function disturb(cause: string): void {
		if (causes.length < MOST_CAUSES) causes.push(cause);
		else uncounted++;
		lookAgain();
	}

	function lookAgain(): void {
		memory.seen = undefined;
		// Not put off by what comes meanwhile.
		schedule(Math.max(settleAfter, lastRepair + repairAfter - performance.now()));
	}

	/** The earliest time counts. */
	function schedule(milliseconds: number): void {
		const time = performance.now() + milliseconds;
		if (isStopped || time >= due) return;
		clearTimeout(timer);
		due = time;
		timer = setTimeout(repair, milliseconds);
	}

	function unschedule(): void {
		clearTimeout(timer);
		due = Infinity;
	}

	function repair(): void {
		due = Infinity;
		lastRepair = performance.now();
		compare().catch(options.onError);
	}

	function compare(): Promise<Report> {
		memory.seen = undefined;
		// What is under way has looked already.
		if (running !== undefined) schedule(settleAfter);
		return bringAbout();
	}

	function bringAbout(): Promise<Report> {
		return (running ??= run());
	}

	/** Goes on until what was done is what is wanted. Nothing is waited for between that and the end: nothing comes between. */
	async function run(): Promise<Report> {
		const start = performance.now();
		const told: string[] = [];
		let goal: Wanted | undefined;
		let done: Done = { actions: [], failures: [] };
		const isCurrent = (): boolean => goal === wanted && !isStopped;
		try {
			do {
				goal = wanted;
				// What was heard of until now is seen in this look.
				told.push(...takeCauses());
				unschedule();
				const { actions, failures } = await converge(options.vtep, memory, goal, isCurrent);
				done = { actions: done.actions.length === 0 ? actions : done.actions.concat(actions), failures };
			} while (goal !== wanted && !isStopped);
			schedule(done.failures.length === 0 ? compareAfter : retryAfter);
			const report = { ...done, causes: told, milliseconds: performance.now() - start };
			if (report.actions.length > 0) options.onApplied(report);
			return report;
		} catch (error) {
			causes = [...told, ...causes].slice(0, MOST_CAUSES);
			schedule(retryAfter);
			throw error;
		} finally {
			running = undefined;
			awaitOwnEvents();
		}
	}

	function takeCauses(): string[] {
		const taken = uncounted === 0 ? causes : [...causes, `and ${uncounted} more`];
		[causes, uncounted] = [[], 0];
		return taken;
	}

	function awaitOwnEvents(): void {
		const ports = [...memory.ports];
		listening.afterThat(() => {
			for (const port of ports) memory.ports.delete(port);
		});
	}

	return {
		want(next) {
			wanted = next;
			return bringAbout();
		},
		compare,
		async stop() {
			isStopped = true;
			clearTimeout(timer);
			await running?.catch(() => {});
			listening.stop();
		},
	};
}
