// Keeps a host as it should be: does what is wanted when that changes, and puts back what somebody else changes.

import { findLink } from '../netlink/link.ts';
import type { Event } from '../netlink/subscription.ts';
import { type Failure, apply } from './apply.ts';
import { disturbanceOf } from './disturbance.ts';
import { type Action, NOTHING, type Seen, type Wanted } from './host-state.ts';
import { openKernel } from './kernel.ts';
import { listen } from './kernel-events.ts';
import { look } from './look.ts';
import { after } from './model.ts';
import { plan } from './plan.ts';

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
export interface Report {
	/** What others had changed, in words: `route 9.0.2.0/24 via 44.128.0.3 was removed by process 12345`; at most {@link MOST_CAUSES}. */
	readonly causes: readonly string[];
	readonly actions: readonly Action[];
	readonly failures: readonly Failure[];
	readonly milliseconds: number;
}

export interface Keeper {
	/** Makes the host as it should be now, and from now on. Gives what was done; throws what the kernel refuses altogether. */
	want(wanted: Wanted): Report;
	/** Compares everything now. */
	compare(): Report;
	/** Leaves the host as it is. */
	stop(): void;
}

/** So many causes are told; the others are counted. */
const MOST_CAUSES = 20;

/** The kernel answers at once; this is for one that does not at all. */
const KERNEL_LIMIT = 60_000;

/** Begins to keep a host, of which nothing is wanted yet. Throws NetlinkError. */
export function startKeeper(options: KeeperOptions): Keeper {
	const { compareAfter = 60_000, settleAfter = 50, repairAfter = 500, retryAfter = 5000 } = options;
	let wanted: Wanted | undefined;
	/** What is there, as long as nobody said otherwise. */
	let known: Seen | undefined;
	let vtepIndex = 0;
	let causes: string[] = [];
	let uncounted = 0;
	let lastRepair = -Infinity;
	let timer: NodeJS.Timeout | undefined;
	/** When the timer ends. */
	let due = Infinity;

	const stopListening = listen({
		onEvents(events) {
			for (const event of events) notice(event);
		},
		onLoss: () => disturb('more changed at once than could be told'),
		onFailure: options.onError,
	});
	schedule(compareAfter);

	function notice(event: Event): void {
		if (wanted === undefined) return;
		const what = disturbanceOf(event, wanted, vtepIndex);
		if (what !== undefined) disturb(`${what}${event.sender === 0 ? '' : ` by process ${event.sender}`}`);
	}

	function disturb(cause: string): void {
		if (causes.length < MOST_CAUSES) causes.push(cause);
		else uncounted++;
		known = undefined;
		// Not put off by what comes meanwhile.
		schedule(Math.max(settleAfter, lastRepair + repairAfter - performance.now()));
	}

	/** The earliest time counts. */
	function schedule(milliseconds: number): void {
		const time = performance.now() + milliseconds;
		if (time >= due) return;
		due = time;
		clearTimeout(timer);
		timer = setTimeout(repair, milliseconds);
	}

	function repair(): void {
		lastRepair = performance.now();
		known = undefined;
		try {
			bringAbout();
		} catch (error) {
			options.onError(error);
			due = Infinity;
			schedule(retryAfter);
		}
	}

	function bringAbout(): Report {
		const start = performance.now();
		const goal = wanted ?? NOTHING;
		const kernel = openKernel(start + KERNEL_LIMIT);
		try {
			const seen = known ?? look(kernel, options.vtep, goal);
			const actions = wanted === undefined ? [] : plan(goal, seen);
			const failures = apply(kernel, options.vtep, actions);
			known = failures.length === 0 ? after(seen, actions) : undefined;
			vtepIndex = findLink(kernel.route, options.vtep)?.index ?? 0;
			due = Infinity;
			schedule(failures.length === 0 ? compareAfter : retryAfter);
			return report({ actions, failures, milliseconds: performance.now() - start });
		} finally {
			kernel.close();
		}
	}

	function report(done: Omit<Report, 'causes'>): Report {
		const told = { ...done, causes: uncounted === 0 ? causes : [...causes, `and ${uncounted} more`] };
		[causes, uncounted] = [[], 0];
		if (told.actions.length > 0) options.onApplied(told);
		return told;
	}

	return {
		want(next) {
			wanted = next;
			return bringAbout();
		},
		compare() {
			known = undefined;
			return bringAbout();
		},
		stop() {
			clearTimeout(timer);
			due = -Infinity;
			stopListening();
		},
	};
}
