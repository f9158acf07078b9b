// Makes room in a range that is full, by freeing what dead holders have.

import type { Address } from './address.ts';
import { inRange, type Range } from './agent-subnet.ts';
import type { Terms } from './allocation.ts';
import type { Last } from './last.ts';
import { LeaseError, messageOf } from './lease-error.ts';
import { diedBefore, diedUnseen } from './liveness.ts';
import { reclaim } from './reclaim.ts';
import { formatSubnet } from './subnet.ts';
import type { Store } from './store.ts';

/** Milliseconds for which another process that frees a lease is waited for: others' calls are not to be waited for. */
const PATIENCE = 250;

/** How many addresses one call frees at most, so that it ends in time when thousands have died. */
const MOST = 256;

// A search reads every lease. One that took long and found nobody dead is not repeated for some time, so that a full
// range is refused quickly; what a DEL frees is found all the same.
const LONG = 20;
const REST = 20;
const LONGEST_REST = 10_000;

/** Until when, in ms of performance.now(), processes that work on leases of others are waited for. */
export function patience({ deadline }: Terms): number {
	return Math.min(deadline, performance.now() + PATIENCE);
}

/**
 * Frees the addresses of a range whose holders are of earlier boots; if there are none, those whose containers are gone
 * without a DEL. Notes each, and what could not be read. Returns whether it looked: not so soon after a long search that
 * found nothing. Throws LeaseError.
 */
export function makeRoom(store: Store, last: Last, range: Range, terms: Terms): boolean {
	const { bootId, now } = terms;
	const key = `${bootId} ${formatSubnet(range.subnet)}`;
	if (isResting(last.search, key, now)) return false;
	const began = performance.now();
	const obituaries = [diedBefore(bootId), diedUnseen(store.system, now)];
	const concerns = (leased: Address): boolean => inRange(range, leased);
	const { freed, failures } = reclaim(store, concerns, obituaries, patience(terms), MOST);
	// What another process works on, it frees or keeps itself.
	const isBusy = (error: unknown): boolean => error instanceof LeaseError && error.code === 'busy';
	for (const error of failures) if (!isBusy(error)) store.note(messageOf(error));
	const took = performance.now() - began;
	if (freed === 0 && took >= LONG && !failures.some(isBusy)) {
		last.replaceSearch(`${key} ${Math.round(now + took + Math.min(took * REST, LONGEST_REST))}`);
	}
	return true;
}

/** Whether the end of the rest lies ahead, but no further than a rest and a search are long: clocks are set back, too. */
function isResting(search: string, key: string, now: number): boolean {
	if (!search.startsWith(`${key} `)) return false;
	const left = Number(search.slice(key.length)) - now;
	return left > 0 && left <= 2 * LONGEST_REST;
}
