// The pools: what there is to hand out, and what of it is free.

import type { Family } from '../ipam/address.ts';
import { type Span, without } from '../ipam/span.ts';
import type { Subnet } from '../ipam/subnet.ts';
import type { Network, VtepSettings } from './configuration.ts';
import { type FreeSpans, give, take } from './free-spans.ts';
import type { AgentRecord } from './records.ts';
import { agentSubnetsOf, indexesWithin, indexOf, type Space, vtepAddressesOf } from './space.ts';

export interface Pool {
	readonly space: Space;
	readonly free: FreeSpans;
}

/** Which pool: that of a network's agent subnets, or without a network that of the VTEP addresses. */
export interface PoolName {
	readonly network: string | undefined;
	readonly family: Family;
}

/** Something that an agent has out of a pool. */
export interface Holding {
	readonly pool: PoolName;
	readonly block: Subnet;
}

/** All that an agent has. */
export function holdingsOf({ vtep, vtep6, networks }: AgentRecord): Holding[] {
	const vteps = [vtep, vtep6].map((block) => ({ network: undefined, block }));
	const subnets = Array.from(networks, ([network, { subnet, subnet6 }]) =>
		[subnet, subnet6].map((block) => ({ network, block })),
	).flat();
	return [...vteps, ...subnets].flatMap(({ network, block }) =>
		block === undefined ? [] : [{ pool: { network, family: block.family }, block }],
	);
}

/** What a network has to hand out in a family; undefined when it is not in it. */
export function spaceOfNetwork({ ipv4, ipv6 }: Network, family: Family): Space | undefined {
	const part = family === 4 ? ipv4 : ipv6;
	return part && agentSubnetsOf(part);
}

/** The VTEP addresses of a family; undefined when there are none. */
export function spaceOfVteps({ subnet, subnet6 }: VtepSettings, family: Family): Space | undefined {
	const range = family === 4 ? subnet : subnet6;
	return range && vtepAddressesOf(range);
}

/** A pool of which some blocks are held, and others must not be given for other reasons, whatever their size. */
export function createPool(space: Space, held: readonly Subnet[], barred: Iterable<Subnet>): Pool {
	const taken: Span[] = [];
	for (const block of held) {
		const index = indexOf(space, block);
		if (index !== undefined) taken.push({ first: index, last: index });
	}
	for (const block of barred) {
		const span = indexesWithin(space, block);
		if (span !== undefined) taken.push(span);
	}
	return { space, free: without(space.given, taken) };
}

/** The pool without a block, or whatever has an address in common with it. */
export function takeFrom({ space, free }: Pool, block: Subnet): Pool {
	const span = indexesWithin(space, block);
	return { space, free: span === undefined ? free : take(free, span) };
}

/** The pool with one of its blocks given back. */
export function giveBack({ space, free }: Pool, block: Subnet): Pool {
	const index = indexOf(space, block);
	return { space, free: index === undefined ? free : give(free, { first: index, last: index }) };
}
