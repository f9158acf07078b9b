// Whether a state that was read from a store can be one: nothing is repaired by guessing.

import { formatSubnet } from '../ipam/subnet.ts';
import { holdingsOf } from './pool.ts';
import { type OverlayState, poolOf } from './state.ts';
import { indexOf } from './space.ts';

/** A sentence for each thing that cannot be. */
export function findContradictions(state: OverlayState): string[] {
	const holders = new Map<string, string>();
	const problems: string[] = [];
	if (state.vtep === undefined) {
		return state.agents.size + state.networks.size > 0
			? ['there are networks or agents, but no settings of VTEPs']
			: [];
	}
	for (const agent of state.agents.values()) {
		for (const { pool, block } of holdingsOf(agent)) {
			const text = formatSubnet(block);
			const other = holders.get(text);
			if (other !== undefined) problems.push(`${text} is held by ${other} and by ${agent.ip}`);
			holders.set(text, agent.ip);
			const space = poolOf(state, pool)?.space;
			if (space === undefined || indexOf(space, block) === undefined) {
				const where = pool.network === undefined ? 'the VTEP subnet' : `the network "${pool.network}"`;
				problems.push(`${text} is held by ${agent.ip}, and is no part of ${where}`);
			}
		}
	}
	for (const { block, owner } of state.freed.values()) {
		const holder = holders.get(formatSubnet(block));
		if (holder !== undefined)
			problems.push(`${formatSubnet(block)} was freed by ${owner}, and is held by ${holder}`);
	}
	return problems;
}
