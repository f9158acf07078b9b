// How agents go, and what becomes of what they had.

import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { Draft } from './draft.ts';
import { holdingsOf } from './pool.ts';

/** Removes an agent if there is one; nobody else is given what it had until {@link releaseFreed} has said so. */
export function removeAgent(draft: Draft, ip: string, now: number): void {
	const agent = draft.state.agents.get(ip);
	if (agent === undefined) return;
	draft.put({ kind: 'agent', key: ip, value: undefined });
	for (const { block } of holdingsOf(agent)) free(draft, block, ip, now);
}

/** Removes a network with what the agents have of it. */
export function removeNetwork(draft: Draft, name: string, now: number): void {
	draft.put({ kind: 'network', key: name, value: undefined });
	for (const agent of draft.state.agents.values()) {
		const allocation = agent.networks.get(name);
		if (allocation === undefined) continue;
		const networks = new Map(agent.networks);
		networks.delete(name);
		draft.put({ kind: 'agent', key: agent.ip, value: { ...agent, networks } });
		for (const block of [allocation.subnet, allocation.subnet6]) if (block) free(draft, block, agent.ip, now);
	}
}

/** Lets whatever was freed until `time` be given again. Gives how much that was. */
export function releaseFreed(draft: Draft, time: number): number {
	let count = 0;
	for (const [key, freed] of draft.state.freed) {
		if (freed.time > time) break;
		draft.put({ kind: 'freed', key, value: undefined });
		count++;
	}
	return count;
}

function free(draft: Draft, block: Subnet, owner: string, time: number): void {
	draft.put({ kind: 'freed', key: formatSubnet(block), value: { block, owner, time } });
}
