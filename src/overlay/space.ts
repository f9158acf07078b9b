// What is handed out: a subnet in blocks of one size, counted from its beginning.

import { ADDRESS_BITS } from '../ipam/address.ts';
import type { Span } from '../ipam/span.ts';
import { contains, lastAddress, type Subnet } from '../ipam/subnet.ts';
import type { NetworkPart } from './configuration.ts';
import { overlaps } from './subnet-text.ts';

/** A subnet in blocks, of which those with an index in `given` may be given to agents. */
export interface Space {
	readonly subnet: Subnet;
	/** The prefix length of a block. */
	readonly prefix: number;
	readonly given: Span;
}

/** An overlay subnet in agent subnets, of which the first and the last are given, too. */
export function agentSubnetsOf({ subnet, prefix }: NetworkPart): Space {
	return { subnet, prefix, given: { first: 0n, last: (1n << BigInt(prefix - subnet.prefix)) - 1n } };
}

/** A VTEP subnet in addresses; of each family, the first and the last are given to nobody. */
export function vtepAddressesOf(subnet: Subnet): Space {
	const prefix = ADDRESS_BITS[subnet.family];
	return { subnet, prefix, given: { first: 1n, last: (1n << BigInt(prefix - subnet.prefix)) - 2n } };
}

/** The block with an index. */
export function blockAt({ subnet: { family, network }, prefix }: Space, index: bigint): Subnet {
	return { family, network: network + (index << BigInt(ADDRESS_BITS[family] - prefix)), prefix };
}

/** The index of a block that may be given; undefined when it is none of this space. */
export function indexOf({ subnet, prefix, given }: Space, block: Subnet): bigint | undefined {
	if (block.prefix !== prefix || !contains(subnet, block)) return undefined;
	const index = (block.network - subnet.network) >> BigInt(ADDRESS_BITS[subnet.family] - prefix);
	return index < given.first || index > given.last ? undefined : index;
}

/** The indexes of all blocks that have an address of another subnet; undefined when there is none. */
export function indexesWithin({ subnet, prefix }: Space, other: Subnet): Span | undefined {
	if (!overlaps(subnet, other)) return undefined;
	const shift = BigInt(ADDRESS_BITS[subnet.family] - prefix);
	const from = other.network < subnet.network ? subnet.network : other.network;
	const [end, otherEnd] = [lastAddress(subnet), lastAddress(other)];
	const to = otherEnd > end ? end : otherEnd;
	return { first: (from - subnet.network) >> shift, last: (to - subnet.network) >> shift };
}
