// Makes room in a range set that is full, by freeing what dead holders have.

import { hash64 } from '../linux/hash.ts';
import type { Address } from './address.ts';
import type { Terms } from './allocation.ts';
import type { Last } from './last.ts';
import { LeaseError, messageOf } from './lease-error.ts';
import { diedBefore, diedUnseen } from './liveness.ts';
import { type Waiting, type QuarantineWatch, waitingIn } from './quarantine.ts';
import { formatSet, inSet, type RangeSet } from './range-set.ts';
import { reclaim } from './reclaim.ts';
import type { Store } from './store.ts';

/** Milliseconds for which another process that frees a lease is waited for: others' calls are not to be waited for. */
const PATIENCE = 250;

/** How many addresses one call frees at most, so that it ends in time when thousands have died. */
const MOST = 256;

// A search reads every lease. One that took long and found nobody dead is not repeated for some time, so that a full
// range set is refused quickly; what a DEL frees is found all the same.
const LONG = 20;
const REST = 20;
const LONGEST_REST = 10_000;

/** Until when, in ms of performance.now(), processes that work on leases of others are waited for. */
export function patience({ deadline }: Terms): number {
	return Math.min(deadline, performance.now() + PATIENCE);
}

/** What a search has found. */
export interface Search {
	/** Whether there was one: not so soon after a long one that found nothing. */
	readonly looked: boolean;
	/** What is in quarantine, as far as this or the last search knows. */
	readonly waiting: Waiting;
}

/**
 * Frees the addresses of a range set whose holders are of earlier boots; if there are none, those whose quarantine is
 * over; if there are none, those whose containers are gone without a DEL. Notes each, and what could not be read. Throws
 * LeaseError.
 */
export function makeRoom(store: Store, last: Last, set: RangeSet, terms: Terms, watch: QuarantineWatch): Search {
	const { bootId, now } = terms;
	const key = `${bootId} ${hash64(formatSet(set))}`;
	const known = restAfter(last.search, key, now);
	if (known !== undefined) return { looked: false, waiting: known };
	const began = performance.now();
	const obituaries = [diedBefore(bootId), watch.ended, diedUnseen(store.system, now)];
	const concerns = (leased: Address): boolean => inSet(set, leased);
	const { freed, quarantined, failures } = reclaim(store, concerns, obituaries, patience(terms), MOST);
	// What another process works on, it frees or keeps itself.
	const isBusy = (error: unknown): boolean => error instanceof LeaseError && error.code === 'busy';
	for (const error of failures) if (!isBusy(error)) store.note(messageOf(error));
	const took = performance.now() - began;
	const waiting = waitingIn(watch, quarantined);
	const { count, seconds } = waiting;
	if (freed === 0 && took >= LONG && !failures.some(isBusy)) {
		const rest = Math.min(took * REST, LONGEST_REST, seconds * 1000);
		last.replaceSearch([key, Math.round(now + took + rest), count, Math.round(now + seconds * 1000)].join(' '));
	}
	return { looked: true, waiting };
}

/**
 * What the last search found, while it is too soon for another: the end of the rest lies ahead, but no further than a rest
 * and a search are long, since clocks are set back, too.
 */
function restAfter(search: string, key: string, now: number): Waiting | undefined {
	if (!search.startsWith(`${key} `)) return undefined;
	const [end = 0, count = 0, first = 0] = search
		.slice(key.length + 1)
		.split(' ')
		.map(Number);
	const isResting = end > now && end - now <= 2 * LONGEST_REST;
	return isResting ? { count, seconds: (first - now) / 1000 } : undefined;
}
