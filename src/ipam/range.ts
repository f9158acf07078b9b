// A range: addresses of one subnet, and what goes with each of them.

import { type Address, formatAddress } from './address.ts';
import type { Span } from './span.ts';
import { formatSubnet, lastAddress, type Subnet } from './subnet.ts';

/** From the lowest address that a container can have to the highest; some between may be given to nobody. */
export interface Range extends Span {
	readonly subnet: Subnet;
	/** The prefix length of the containers' addresses: that of the subnet, or all bits where they are routed. */
	readonly prefix: number;
	/** The bridge's address; it may lie between the others, or outside the subnet where they are routed. */
	readonly gateway: Address;
}

/** Whether an address lies in a range. */
export function inRange(range: Range, { family, value }: Address): boolean {
	return range.first <= value && value <= range.last && family === range.subnet.family;
}

/** An address of the range with the prefix length that goes with it, `9.0.1.2/27`. */
export function formatInRange(range: Range, address: Address): string {
	return `${formatAddress(address)}/${range.prefix}`;
}

/** How messages name a range: by its subnet, or by its ends when there is more in the subnet. */
export function formatRange({ subnet, gateway, first, last }: Range): string {
	const { family, network } = subnet;
	const isWhole = first <= network + (gateway.value === network + 1n ? 2n : 1n) && last >= lastAddress(subnet) - 1n;
	if (isWhole) return formatSubnet(subnet);
	return `${formatAddress({ family, value: first })}-${formatAddress({ family, value: last })}`;
}
