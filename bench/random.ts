// What is different each time.

/** Milliseconds before a call, in which the kernel removes the devices of the last one behind its back. */
const SHORTEST_PAUSE = 20;
const LONGEST_PAUSE = 60;

/**
 * Milliseconds to wait before a call. To delete a veth, the kernel waits for grace periods of RCU, which the step before
 * may have begun. After a fixed pause, a competitor would meet them at the same point each time, and be quicker or slower
 * for that.
 */
export function randomPause(): number {
	return Math.round(SHORTEST_PAUSE + Math.random() * (LONGEST_PAUSE - SHORTEST_PAUSE));
}

/** The same in another order, any with the same probability. */
export function shuffled<T>(list: readonly T[]): T[] {
	return list
		.map((item) => ({ item, place: Math.random() }))
		.toSorted((a, b) => a.place - b.place)
		.map(({ item }) => item);
}
