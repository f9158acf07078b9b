// Subnets: what they contain, and their halves.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { parseCidr } from '../ip/cidr.ts';
import { type Address, ADDRESS_BITS, addressOf, type Family, formatAddress } from './address.ts';

/** A subnet by its first address, the network address. */
export interface Subnet {
	readonly family: Family;
	readonly network: bigint;
	/** Prefix length in bits. */
	readonly prefix: number;
}

const MAPPED_BITS = ADDRESS_BITS[6] - ADDRESS_BITS[4];

/** Takes `9.0.1.5/26` apart. Undefined when it is no CIDR. */
function parseSubnet(text: string): { address: Address; prefix: number } | undefined {
	const cidr = parseCidr(text);
	if (cidr === undefined) return undefined;
	const address = addressOf(cidr.ip);
	const isMapped = address.family === 4 && cidr.ip.length === ADDRESS_BITS[6] / 8;
	const prefix = cidr.prefix - (isMapped ? MAPPED_BITS : 0);
	return prefix >= 0 ? { address, prefix } : undefined;
}

/**
 * Reads a subnet such as `9.0.1.0/26` or `fd00:9::/64`, the value of a key of the configuration. Throws CniError
 * (invalid configuration) when it is none, when it has host bits set, or when it is not of the `family` that is wanted.
 */
export function readSubnet(text: string, key: string, family?: Family): Subnet {
	const cidr = parseSubnet(text);
	if (cidr === undefined || (family !== undefined && cidr.address.family !== family)) {
		const kind = family === undefined ? 'a subnet' : `an IPv${family} subnet`;
		const example = family === 6 ? 'fd00:9::/64' : '9.0.1.0/26';
		throw invalid(key, text, `is not ${kind}, write it as "${example}"`);
	}
	const { address, prefix } = cidr;
	const network = address.value & ~hostMask(address.family, prefix);
	const subnet = { family: address.family, network, prefix };
	if (network !== address.value) throw invalid(key, text, `is not aligned, write "${formatSubnet(subnet)}"`);
	return subnet;
}

/** The error of a key whose value cannot be used. */
export function invalid(key: string, value: string, why: string): CniError {
	return new CniError(CniErrorCode.invalidConfiguration, `reading ${key}: "${value}" ${why}`);
}

/** The text of a subnet, `9.0.1.0/26`. */
export function formatSubnet({ family, network, prefix }: Subnet): string {
	return `${formatAddress({ family, value: network })}/${prefix}`;
}

/** The last address of a subnet; in IPv4 the broadcast address. */
export function lastAddress({ family, network, prefix }: Subnet): bigint {
	return network | hostMask(family, prefix);
}

/** Whether a subnet lies in another, or is the same. */
export function contains(outer: Subnet, inner: Subnet): boolean {
	return outer.family === inner.family && outer.network <= inner.network && lastAddress(inner) <= lastAddress(outer);
}

/** Whether an address lies in a subnet. */
export function hasAddress(subnet: Subnet, { family, value }: Address): boolean {
	return family === subnet.family && subnet.network <= value && value <= lastAddress(subnet);
}

/** The two halves of a subnet, the low one first. Undefined for a single address. */
export function splitSubnet(subnet: Subnet): readonly [Subnet, Subnet] | undefined {
	const prefix = subnet.prefix + 1;
	if (prefix > ADDRESS_BITS[subnet.family]) return undefined;
	const low = { ...subnet, prefix };
	return [low, { ...low, network: lastAddress(low) + 1n }];
}

/** The bits of an address that a prefix leaves to the hosts. */
function hostMask(family: Family, prefix: number): bigint {
	return (1n << BigInt(ADDRESS_BITS[family] - prefix)) - 1n;
}
