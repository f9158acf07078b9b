// What an agent is given: a VTEP address, and of each network the lowest agent subnet that is free.

import { present } from '../cni/fields.ts';
import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import type { Draft } from './draft.ts';
import { isFree, lowestOf } from './free-spans.ts';
import { holdingsOf, type PoolName } from './pool.ts';
import type { AgentRecord, Allocation, NetworkRecord } from './records.ts';
import { blockAt, indexOf } from './space.ts';
import { type OverlayState, poolOf } from './state.ts';
import { sameSubnet } from './subnet-text.ts';

/** What an agent says that it has. */
export interface Holdings {
	readonly vtep?: Subnet;
	readonly vtep6?: Subnet;
	readonly networks: ReadonlyMap<string, Allocation>;
}

export interface Registration {
	readonly ip: string;
	readonly instance: string;
	readonly held: Holdings;
}

/** Something that an agent was not given, since all of it is in use. */
export interface Shortage extends PoolName {
	readonly message: string;
}

/** What came of a registration. Without an agent nothing was given, since there is no VTEP address. */
export interface Outcome {
	readonly agent: AgentRecord | undefined;
	readonly shortages: readonly Shortage[];
}

/**
 * Registers an agent, or gives one that is registered what it lacks: what it had before it was removed, else what it says
 * it has if that is free, else the lowest. Of the VTEP addresses, and of each network, it gets all families or none.
 */
export function register(draft: Draft, { ip, instance, held }: Registration): Outcome {
	const { state } = draft;
	const known = state.agents.get(ip);
	const vteps = allocate(state, undefined, ip, known && { subnet: known.vtep, ...subnet6(known.vtep6) }, {
		...(held.vtep && { subnet: held.vtep }),
		...subnet6(held.vtep6),
	});
	const { subnet: vtep, subnet6: vtep6 } = vteps.allocation;
	if (vtep === undefined) return { agent: undefined, shortages: vteps.shortages };

	const shortages = [...vteps.shortages];
	const networks = new Map(known?.networks);
	for (const [name, record] of state.networks) {
		if (!isOpen(record)) continue;
		const { allocation, shortages: more } = allocate(state, name, ip, networks.get(name), held.networks.get(name));
		shortages.push(...more);
		if (more.length === 0) networks.set(name, allocation);
	}
	const agent: AgentRecord = present({ ip, instance, vtep, vtep6, networks });
	if (known === undefined || !sameAgent(known, agent)) {
		for (const { block } of holdingsOf(agent)) unfree(draft, block);
		draft.put({ kind: 'agent', key: ip, value: agent });
	}
	return { agent, shortages };
}

/** Whether agents are given subnets of a network. */
export function isOpen({ phase, network }: NetworkRecord): boolean {
	return phase === 'active' && network.enabled !== false;
}

/** Gives every registered agent what it lacks, in the order of their VTEP addresses. */
export function registerAll(draft: Draft): void {
	const nothing = { networks: new Map() };
	for (const { ip, instance } of byVtep(draft.state)) register(draft, { ip, instance, held: nothing });
}

/** The agents in the order of their VTEP addresses, which is that of their registration unless some have gone. */
export function byVtep({ agents }: OverlayState): AgentRecord[] {
	return [...agents.values()].toSorted((one, other) => (one.vtep.network < other.vtep.network ? -1 : 1));
}

/** All families of a pool or none; `had` is kept. */
function allocate(
	state: OverlayState,
	network: string | undefined,
	ip: string,
	had: Allocation = {},
	wanted: Allocation = {},
): { allocation: Allocation; shortages: Shortage[] } {
	const ipv4 = pick(state, { network, family: 4 }, ip, had.subnet, wanted.subnet);
	const ipv6 = pick(state, { network, family: 6 }, ip, had.subnet6, wanted.subnet6);
	const shortages = [ipv4, ipv6].flatMap(({ shortage }) => shortage ?? []);
	if (shortages.length > 0) return { allocation: had, shortages };
	return { allocation: present({ subnet: ipv4.block, subnet6: ipv6.block }), shortages };
}

function pick(
	state: OverlayState,
	name: PoolName,
	owner: string,
	had: Subnet | undefined,
	wanted: Subnet | undefined,
): { block?: Subnet | undefined; shortage?: Shortage } {
	const pool = poolOf(state, name);
	if (had !== undefined || pool === undefined) return { block: had };
	const { space, free } = pool;
	const former = formerBlocks(state, owner).find((block) => indexOf(space, block) !== undefined);
	if (former !== undefined) return { block: former };
	const index = wanted && indexOf(space, wanted);
	if (index !== undefined && isFree(free, index)) return { block: wanted };
	const lowest = lowestOf(free);
	if (lowest !== undefined) return { block: blockAt(space, lowest) };
	const what = name.network === undefined ? 'address for a VTEP' : `/${space.prefix}`;
	const message = `no ${what} of ${formatSubnet(space.subnet)} is free`;
	return { shortage: { ...name, message } };
}

/** What an agent had that nobody else may have yet. */
function formerBlocks({ freed, freedBy }: OverlayState, owner: string): Subnet[] {
	return Array.from(freedBy.get(owner) ?? [], (key) => freed.get(key)?.block).filter((block) => block !== undefined);
}

function unfree(draft: Draft, block: Subnet): void {
	const key = formatSubnet(block);
	if (draft.state.freed.has(key)) draft.put({ kind: 'freed', key, value: undefined });
}

function sameAgent(one: AgentRecord, other: AgentRecord): boolean {
	const blocks = holdingsOf(one);
	const others = holdingsOf(other);
	return (
		one.instance === other.instance &&
		blocks.length === others.length &&
		blocks.every(({ block }, at) => sameSubnet(block, others[at]?.block))
	);
}

function subnet6(block: Subnet | undefined): Allocation {
	return block === undefined ? {} : { subnet6: block };
}
