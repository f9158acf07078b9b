// Has the kernel become what is wanted, in slices: what else there is to do has its turn between them.

import { findLink } from '../../netlink/link.ts';
import { applySlice, type Failure } from './apply.ts';
import { type Action, NOTHING, type Seen, type Wanted } from './host-state.ts';
import { type Kernel, openKernel } from './kernel.ts';
import { look } from './look.ts';
import { after } from './model.ts';
import { plan } from './plan.ts';

/** What is known of a host from one time to the next. */
export interface Memory {
	/** What is there, as long as nobody said otherwise. */
	seen: Seen | undefined;
	/** The index of the VTEP; 0: there is none. */
	vtep: number;
	/** The numbers of sockets whose changes may not have been told yet. */
	readonly ports: Set<number>;
}

/** What was done. */
export interface Done {
	readonly actions: readonly Action[];
	readonly failures: readonly Failure[];
}

/** The kernel answers at once; this is for one that does not at all. */
const KERNEL_LIMIT = 60_000;

/** Milliseconds for which others wait, but for what one slice takes. */
const PATIENCE = 20;
/** So many actions are a large plan. */
const LARGE = 1000;

/**
 * Has the host be as is wanted; `name` is that of its VTEP. What is known counts, or everything is looked at. Ends between two
 * slices when `isCurrent` says no; what is known is then what is there. As long as nothing was wanted, it only looks. Throws
 * AgentError, NetlinkError.
 */
export async function converge(
	name: string,
	memory: Memory,
	wanted: Wanted | undefined,
	isCurrent: () => boolean,
): Promise<Done> {
	// To find out what is wanted may have taken as long as a slice.
	await giveWay();
	if (!isCurrent()) return { actions: [], failures: [] };
	const kernel = openKernel(performance.now() + KERNEL_LIMIT);
	memory.ports.add(kernel.port);
	try {
		const seen = memory.seen ?? look(kernel, name, wanted ?? NOTHING);
		// Set anew by who hears of a change meanwhile, so that this is noticed in the end.
		memory.seen = seen;
		const planned = wanted === undefined ? [] : plan(wanted, seen);
		const { next, failures } = await applyInSlices(kernel, name, planned, memory, isCurrent);
		const actions = next < planned.length ? planned.slice(0, next) : planned;
		const isSure = failures.length === 0 && memory.seen === seen;
		memory.seen = isSure ? after(seen, actions) : undefined;
		return { actions, failures };
	} catch (error) {
		memory.seen = undefined;
		throw error;
	} finally {
		kernel.close();
	}
}

async function applyInSlices(
	kernel: Kernel,
	name: string,
	actions: readonly Action[],
	memory: Memory,
	isCurrent: () => boolean,
): Promise<{ readonly next: number; readonly failures: readonly Failure[] }> {
	const failures: Failure[] = [];
	// So may a large plan.
	let since = actions.length > LARGE ? -Infinity : performance.now();
	let next = 0;
	while (next < actions.length) {
		if (performance.now() - since > PATIENCE) {
			memory.vtep = findLink(kernel.route, name)?.index ?? 0;
			await giveWay();
			if (!isCurrent()) break;
			since = performance.now();
		}
		const slice = applySlice(kernel, name, actions, next);
		failures.push(...slice.failures);
		next = slice.next;
	}
	memory.vtep = findLink(kernel.route, name)?.index ?? 0;
	return { next, failures };
}

function giveWay(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
