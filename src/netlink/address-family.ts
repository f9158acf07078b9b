// The families of addresses by the kernel's numbers, include/linux/socket.h.

import { parseIp } from '../ip/address.ts';
import { type Cidr, parseCidr } from '../ip/cidr.ts';
import { NetlinkError } from './netlink-error.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** The family of an address of 4 or 16 bytes. */
export function addressFamily(ip: Uint8Array): number {
	return ip.length === 4 ? AF_INET : AF_INET6;
}

/** The bytes of an address that goes to the kernel. Throws NetlinkError `EINVAL`. */
export function requireIp(text: string): Uint8Array {
	return parseIp(text) ?? refuse('an address', text);
}

/** An address with its prefix length that goes to the kernel. Throws NetlinkError `EINVAL`. */
export function requireCidr(text: string): Cidr {
	return parseCidr(text) ?? refuse('an address with a prefix length', text);
}

function refuse(what: string, text: string): never {
	throw new NetlinkError(`encoding ${what}`, 'EINVAL', `got "${text}"`);
}
