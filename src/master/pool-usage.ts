// How much of a pool is used.

import { countOf } from '../ipam/span.ts';
import { holdingsOf, type PoolName } from '../overlay/pool.ts';
import { type OverlayState, poolOf } from '../overlay/state.ts';

export interface PoolUsage {
	/** All that can be given; of IPv6, numbers above 2^53 are rounded. */
	readonly size: number;
	readonly used: number;
	readonly free: number;
	/** What was freed, and must not be given yet. */
	readonly barred: number;
}

/** Undefined when there is no such pool. */
export function usageOf(state: OverlayState, name: PoolName): PoolUsage | undefined {
	const pool = poolOf(state, name);
	if (pool === undefined) return undefined;
	const { first, last } = pool.space.given;
	const [size, free] = [last - first + 1n, countOf(pool.free)];
	const used = Array.from(state.agents.values(), holdingsOf)
		.flat()
		.filter(({ pool: { network, family } }) => network === name.network && family === name.family).length;
	return { size: Number(size), used, free: Number(free), barred: Number(size - free) - used };
}
