// The master's state in memory: the records, and the pools that follow from them.

import type { Subnet } from '../ipam/subnet.ts';
import type { VtepSettings } from './configuration.ts';
import {
	createPool,
	giveBack,
	holdingsOf,
	type Pool,
	type PoolName,
	spaceOfNetwork,
	spaceOfVteps,
	takeFrom,
} from './pool.ts';
import type { AgentRecord, FreedRecord, NetworkRecord, RemovedRecord, Write } from './records.ts';
import type { Space } from './space.ts';

export interface OverlayState {
	/** Undefined before the first start. */
	readonly vtep: VtepSettings | undefined;
	/** By name. */
	readonly networks: ReadonlyMap<string, NetworkRecord>;
	/** Of those that were removed by a request, by name. */
	readonly removed: ReadonlyMap<string, RemovedRecord>;
	/** By address. */
	readonly agents: ReadonlyMap<string, AgentRecord>;
	/** By the text of what was freed, the oldest first. */
	readonly freed: ReadonlyMap<string, FreedRecord>;
	/** Of each agent, what it had, as the keys of `freed`. */
	readonly freedBy: ReadonlyMap<string, ReadonlySet<string>>;
	/** Pools are made when they are asked for, and kept up to date from then on. */
	readonly pools: Map<string, NamedPool>;
}

interface NamedPool {
	readonly name: PoolName;
	readonly pool: Pool;
}

/** A state that can be changed, by {@link applyWrite} alone. */
export interface LiveState extends OverlayState {
	vtep: VtepSettings | undefined;
	readonly networks: Map<string, NetworkRecord>;
	readonly removed: Map<string, RemovedRecord>;
	readonly agents: Map<string, AgentRecord>;
	readonly freed: Map<string, FreedRecord>;
	readonly freedBy: Map<string, Set<string>>;
}

/** A state without records. */
export function createState(): LiveState {
	return {
		vtep: undefined,
		networks: new Map(),
		removed: new Map(),
		agents: new Map(),
		freed: new Map(),
		freedBy: new Map(),
		pools: new Map(),
	};
}

/** The networks in the order of the file. */
export function networksOf({ networks }: OverlayState): NetworkRecord[] {
	return [...networks.values()].toSorted((one, other) => one.position - other.position);
}

/** A pool; undefined when there is nothing to hand out. */
export function poolOf(state: OverlayState, name: PoolName): Pool | undefined {
	const known = state.pools.get(keyOf(name));
	if (known !== undefined) return known.pool;
	const space = spaceOf(state, name);
	if (space === undefined) return undefined;
	const held = Array.from(state.agents.values(), holdingsOf)
		.flat()
		.filter((holding) => keyOf(holding.pool) === keyOf(name))
		.map(({ block }) => block);
	const barred = Array.from(state.freed.values(), ({ block }) => block);
	const pool = createPool(space, held, barred);
	state.pools.set(keyOf(name), { name, pool });
	return pool;
}

function spaceOf({ vtep, networks }: OverlayState, { network, family }: PoolName): Space | undefined {
	if (network === undefined) return vtep && spaceOfVteps(vtep, family);
	const record = networks.get(network);
	return record && spaceOfNetwork(record.network, family);
}

function keyOf({ network = '', family }: PoolName): string {
	return `${family} ${network}`;
}

/** Applies a write, and gives the one that takes it back. */
export function applyWrite(state: LiveState, write: Write): Write {
	switch (write.kind) {
		case 'vtep': {
			const before = state.vtep;
			state.vtep = write.value;
			forgetPools(state, undefined);
			return { ...write, value: before };
		}
		case 'network': {
			const before = state.networks.get(write.key);
			put(state.networks, write.key, write.value);
			forgetPools(state, write.key);
			return { ...write, value: before };
		}
		case 'removed': {
			const before = state.removed.get(write.key);
			put(state.removed, write.key, write.value);
			return { ...write, value: before };
		}
		case 'agent':
			return { ...write, value: putAgent(state, write.key, write.value) };
		default:
			return { ...write, value: putFreed(state, write.key, write.value) };
	}
}

function putAgent(state: LiveState, ip: string, value: AgentRecord | undefined): AgentRecord | undefined {
	const before = state.agents.get(ip);
	for (const { pool, block } of before === undefined ? [] : holdingsOf(before)) {
		changePool(state, pool, (known) => giveBack(known, block));
	}
	for (const { pool, block } of value === undefined ? [] : holdingsOf(value)) {
		changePool(state, pool, (known) => takeFrom(known, block));
	}
	put(state.agents, ip, value);
	return before;
}

function putFreed(state: LiveState, key: string, value: FreedRecord | undefined): FreedRecord | undefined {
	const before = state.freed.get(key);
	put(state.freed, key, value);
	if (before !== undefined) {
		const others = state.freedBy.get(before.owner);
		others?.delete(key);
		if (others?.size === 0) state.freedBy.delete(before.owner);
		unbar(state, before.block);
	}
	if (value !== undefined) {
		const { owner, block } = value;
		put(state.freedBy, owner, (state.freedBy.get(owner) ?? new Set()).add(key));
		for (const { name } of state.pools.values()) changePool(state, name, (known) => takeFrom(known, block));
	}
	return before;
}

/** What was freed may be given again. */
function unbar(state: LiveState, block: Subnet): void {
	for (const [key, { name, pool }] of state.pools) {
		if (name.family !== block.family) continue;
		if (block.prefix === pool.space.prefix) changePool(state, name, (known) => giveBack(known, block));
		// What is still barred by others of its size is found out anew.
		else state.pools.delete(key);
	}
}

function changePool({ pools }: LiveState, name: PoolName, change: (pool: Pool) => Pool): void {
	const known = pools.get(keyOf(name));
	if (known !== undefined) pools.set(keyOf(name), { name, pool: change(known.pool) });
}

function forgetPools({ pools }: LiveState, network: string | undefined): void {
	for (const family of [4, 6] as const) pools.delete(keyOf({ network, family }));
}

function put<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
	if (value === undefined) map.delete(key);
	else map.set(key, value);
}
