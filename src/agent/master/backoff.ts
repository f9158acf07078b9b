// How long to wait before the master is asked again.

import { MasterError } from './master-client.ts';

/** Milliseconds. Who cannot be reached costs nobody anything, and is to be noticed soon when it is back. */
const SHORTEST = 250;
const LONGEST_AWAY = 1000;
/** Of a master that answers, but not as it should. */
const LONGEST_REFUSED = 30_000;

/**
 * Milliseconds after the failure that is the nth in a row, counted from 0. `random` is from 0 to 1, so that not all agents
 * come back at once; a master that names a time gets that, and up to a tenth more.
 */
export function waitAfter(error: unknown, nth: number, random: number): number {
	if (error instanceof MasterError && error.retryAfter !== undefined) {
		return Math.min(error.retryAfter, LONGEST_REFUSED) * (1 + random / 10);
	}
	const isAway = error instanceof MasterError && error.status === undefined;
	const longest = isAway ? LONGEST_AWAY : LONGEST_REFUSED;
	const most = Math.min(longest, SHORTEST * 2 ** Math.min(nth, 10));
	return most / 2 + (random * most) / 2;
}
