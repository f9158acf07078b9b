// How many containers are on each network of this host, as far as is known here: those with a lease, and Docker's.

import type { Lease } from '../../ipam/lease.ts';
import { listLeases } from '../../ipam/leases.ts';
import { diedBefore, diedUnseen } from '../../ipam/liveness.ts';
import { storeOf } from '../../ipam/store.ts';
import { kernel } from '../../ipam/system.ts';
import { bootId } from '../../linux/boot-id.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import type { Engine } from '../docker/docker-engine.ts';
import { countDockerContainers } from '../docker/docker-network.ts';

/** By the names of the networks; a network that cannot be counted is left out. */
export async function countContainers(
	names: readonly string[],
	leases: string,
	engine: Engine | undefined,
): Promise<Map<string, number>> {
	const counts = new Map<string, number>();
	let inDocker: ReadonlyMap<string, number>;
	try {
		inDocker = engine === undefined ? new Map() : await countDockerContainers(engine, names);
	} catch {
		return counts;
	}
	for (const name of names) {
		const living = countLeases(leases, name);
		if (living !== undefined) counts.set(name, living + (inDocker.get(name) ?? 0));
	}
	return counts;
}

/** What the master has to know at once, as a text to compare: which networks are in use, and which are about to go. */
export function usageOf({ networks, agents }: ClusterState, ip: string, leases: string): string {
	const own = networks.filter(({ name }) => agents.get(ip)?.networks[name] !== undefined);
	return own.map(({ name, state }) => `${name} ${state} ${countLeases(leases, name) === 0}`).join('\n');
}

function countLeases(directory: string, network: string): number | undefined {
	return livingLeases(directory, network)?.length;
}

/** Leases whose containers may live; undefined: what is there cannot be read. */
export function livingLeases(directory: string, network: string): Lease[] | undefined {
	try {
		const { found, problems } = listLeases(storeOf(directory, network));
		if (problems.length > 0) return undefined;
		const obituaries = [diedBefore(bootId()), diedUnseen(kernel, Date.now())];
		return found.filter((lease) => obituaries.every((died) => died(lease) === undefined));
	} catch {
		return undefined;
	}
}
