// What the master says of the cluster, as an agent keeps it.

import type { Change, Snapshot } from '../../overlay/watch-wire.ts';
import type { WireAgent, WireNetwork, WireVteps } from '../../overlay/wire.ts';

export interface ClusterState {
	readonly revision: string;
	readonly vteps: WireVteps;
	readonly networks: readonly WireNetwork[];
	/** By their addresses on the underlay. */
	readonly agents: ReadonlyMap<string, WireAgent>;
}

/** The state that a snapshot tells. */
export function stateOfSnapshot({ revision, vteps, networks, agents }: Snapshot): ClusterState {
	return { revision, vteps, networks, agents: new Map(agents.map((agent) => [agent.ip, agent])) };
}

/** The state after a change. */
export function changeState(state: ClusterState, change: Change): ClusterState {
	const agents = new Map(state.agents);
	for (const ip of change.removedAgents) agents.delete(ip);
	for (const agent of change.agents) agents.set(agent.ip, agent);
	const { revision, vteps = state.vteps, networks = state.networks } = change;
	return { revision, vteps, networks, agents };
}

/** The networks of which a host has a part, by name. */
export function networksOf({ agents }: ClusterState, ip: string): string[] {
	return Object.keys(agents.get(ip)?.networks ?? {});
}

/** The networks of which a host has none. */
export function networksWithout(state: ClusterState, ip: string): string[] {
	const own = new Set(networksOf(state, ip));
	return state.networks.map(({ name }) => name).filter((name) => !own.has(name));
}
