// IP addresses as numbers, so that one arithmetic serves both families.

import { formatIp, parseIp } from '../ip/address.ts';

export type Family = 4 | 6;

export interface Address {
	readonly family: Family;
	readonly value: bigint;
}

/** The length of an address in bits. */
export const ADDRESS_BITS = { 4: 32, 6: 128 } as const;

/** What the upper 96 bits of an IPv4-mapped address are, RFC 4291 §2.5.5.2. */
const MAPPED = 0xffffn;

/** Reads an address; an IPv4-mapped IPv6 address is the IPv4 address, as in Go. Undefined when the text is none. */
export function parseAddress(text: string): Address | undefined {
	const bytes = parseIp(text);
	return bytes && addressOf(bytes);
}

/** The address of 4 or 16 bytes; an IPv4-mapped one is the IPv4 address. */
export function addressOf(bytes: Uint8Array): Address {
	let value = 0n;
	for (let at = 0; at < bytes.length; at++) value = (value << 8n) | BigInt(bytes[at] ?? 0);
	if (bytes.length === 4) return { family: 4, value };
	return value >> 32n === MAPPED ? { family: 4, value: BigInt.asUintN(32, value) } : { family: 6, value };
}

/** The text of an address: dotted decimal, or RFC 5952. */
export function formatAddress({ family, value }: Address): string {
	if (family === 4) {
		// Not by bytes: the search for a free address in a large half formats thousands.
		const bits = Number(value);
		return `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`;
	}
	const bytes = new Uint8Array(ADDRESS_BITS[family] / 8);
	for (let at = bytes.length - 1, rest = value; at >= 0; at--, rest >>= 8n) bytes[at] = Number(rest & 0xffn);
	return formatIp(bytes);
}
