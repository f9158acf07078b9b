// `"addressing": "routed"`: every address of a half is a container's, the first and the last, too.
//
// The containers' addresses have no subnet, so that none is lost to its network, its broadcasts and its gateway. The
// gateway lies outside the half, on the link; the host has a route for the half to the link.

import { type Fields, readString, refuse } from '../cni/fields.ts';
import type { Result, Route } from '../cni/result.ts';
import { hash32 } from '../linux/hash.ts';
import { type Address, ADDRESS_BITS, type Family, formatAddress } from './address.ts';
import type { Range } from './range.ts';
import { rangeAround, type RangeSet } from './range-set.ts';
import { formatSubnet, lastAddress, type Subnet } from './subnet.ts';

/** The gateway of each family, where addresses are routed. */
export type OnLinkGateways = Readonly<Record<Family, Address>>;

/** A leased address for which the host has to have a route. */
export interface RoutedAddress {
	readonly address: string;
	/** Where the route leads, `9.0.1.0/27`: all of its addresses are on the link of this one. */
	readonly subnet: string;
	/** The address by which the host shows itself on the link. */
	readonly gateway: string;
}

/** What a main plugin in the same process learns besides the result, of which it is no part. */
export interface Leased extends Result {
	readonly routed: readonly RoutedAddress[];
}

/** From include/uapi/linux/rtnetlink.h: to be reached without a gateway. */
const RT_SCOPE_LINK = 253;

/** `169.254.32.0` and `fe80::1`. */
const IPV4_GATEWAYS = 0xa9fe2000;
const IPV6_GATEWAY = 0xfe80n * 2n ** 112n + 1n;

/** Whether `ipam.addressing` says so. Throws CniError (invalid configuration) when it says something else. */
export function isRouted(fields: Fields | undefined): boolean {
	const value = (fields && readString(fields, 'addressing')) ?? 'bridged';
	if (fields === undefined || value === 'bridged') return false;
	if (value !== 'routed') refuse(fields, 'addressing', 'one of "bridged", "routed"', value);
	return value === 'routed';
}

/** The gateways of a network, if its addresses are routed. Throws CniError (invalid configuration). */
export function readOnLinkGateways(fields: Fields, network: string): OnLinkGateways | undefined {
	return isRouted(fields) ? onLinkGateways(network) : undefined;
}

/**
 * Link-local addresses, RFC 3927 and RFC 4291 §2.5.6. The IPv4 one follows from the network's name, from 169.254.32.1 to
 * 169.254.63.254: a container in two networks must be able to tell their gateways apart, as strict reverse path filtering
 * does. An IPv6 one belongs to its link by itself.
 */
function onLinkGateways(network: string): OnLinkGateways {
	const hash = hash32(network);
	const value = BigInt(IPV4_GATEWAYS + (hash % 32) * 256 + ((hash >>> 5) % 254) + 1);
	return { 4: { family: 4, value }, 6: { family: 6, value: IPV6_GATEWAY } };
}

/** All of a subnet. */
export function routedRange(subnet: Subnet, gateway: Address): Range {
	return { subnet, prefix: ADDRESS_BITS[subnet.family], gateway, first: subnet.network, last: lastAddress(subnet) };
}

/** What the host has to know of leased addresses: nothing of those that are bridged. */
export function routedAddresses(sets: readonly RangeSet[], addresses: readonly Address[]): RoutedAddress[] {
	const routed: RoutedAddress[] = [];
	for (const address of addresses) {
		for (const set of sets) {
			const range = rangeAround(set, address);
			if (range?.prefix !== ADDRESS_BITS[address.family]) continue;
			const [subnet, gateway] = [formatSubnet(range.subnet), formatAddress(range.gateway)];
			routed.push({ address: formatAddress(address), subnet, gateway });
		}
	}
	return routed;
}

/**
 * The routes by which a container reaches its gateways, which come before all others. In IPv4 they name no gateway by
 * `0.0.0.0`, since the reference plugins would put that of the family into its place.
 */
export function onLinkRoutes(routed: readonly RoutedAddress[]): Route[] {
	if (routed.length === 0) return [];
	return [...new Set(routed.map(({ gateway }) => gateway))].map((gateway) =>
		gateway.includes(':')
			? { dst: `${gateway}/128`, scope: RT_SCOPE_LINK }
			: { dst: `${gateway}/32`, gw: '0.0.0.0', scope: RT_SCOPE_LINK },
	);
}
