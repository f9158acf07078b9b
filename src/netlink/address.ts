// IP addresses of a device. include/uapi/linux/if_addr.h

import { bytes, decodeAttributes, decodeBytes, decodeNumber, noAttributes, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import { addressFamily, requireCidr } from './address-family.ts';
import { formatIp, isLinkLocal } from '../ip/address.ts';
import { lastOf } from '../ip/cidr.ts';
import type { Link } from './link.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_FLAGS = 8;

const IFA_F_NODAD = 0x02;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;

const RT_SCOPE_LINK = 253;

/** An address as the kernel has it. */
export interface Address {
	/** The index of the link that has it. */
	readonly link: number;
	/** With its prefix length: `9.0.1.2/27`. */
	readonly cidr: string;
	readonly family: 4 | 6;
	/** Valid on this link only, as IPv6 makes one for itself. */
	readonly linkLocal: boolean;
	/** Duplicate address detection is still under way: not usable yet. */
	readonly tentative: boolean;
	/** Duplicate address detection found another holder. */
	readonly duplicate: boolean;
}

/** The fixed part of messages about addresses, struct ifaddrmsg. */
export function ifaddrmsg(family: number, prefix: number, index: number): Buffer {
	const fixed = Buffer.alloc(8);
	fixed[0] = family;
	fixed[1] = prefix;
	new DataView(fixed.buffer, fixed.byteOffset).setUint32(4, index, true);
	return fixed;
}

/**
 * Gives a link an address in CIDR form, usable at once unless `detectDuplicates`. A link-local one is never
 * where packets to other links come from. `EEXIST` when the link has it.
 */
export function addAddress(link: Pick<Link, 'index' | 'name'>, cidr: string, detectDuplicates = false): Request {
	const { ip, prefix } = requireCidr(cidr);
	const fixed = ifaddrmsg(addressFamily(ip), prefix, link.index);
	if (isLinkLocal(ip)) fixed[3] = RT_SCOPE_LINK;
	const attributes = [bytes(IFA_LOCAL, ip), bytes(IFA_ADDRESS, ip)];
	if (ip.length === 4 && prefix < 31) {
		attributes.push(bytes(IFA_BROADCAST, lastOf({ ip, prefix })));
	}
	if (ip.length === 16 && !detectDuplicates) attributes.push(u32(IFA_FLAGS, IFA_F_NODAD));
	return {
		operation: `adding address ${cidr} to "${link.name}"`,
		type: RTM_NEWADDR,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed,
		attributes,
	};
}

/** Takes an address from a link. `EADDRNOTAVAIL` when it has it not. */
export function removeAddress(link: Pick<Link, 'index' | 'name'>, cidr: string): Request {
	const { ip, prefix } = requireCidr(cidr);
	return {
		operation: `removing address ${cidr} from "${link.name}"`,
		type: RTM_DELADDR,
		flags: 0,
		fixed: ifaddrmsg(addressFamily(ip), prefix, link.index),
		attributes: [bytes(IFA_LOCAL, ip), bytes(IFA_ADDRESS, ip)],
	};
}

/** The addresses of a link, IPv4 first. */
export function listAddresses(connection: Connection, link: Pick<Link, 'index' | 'name'>): Address[] {
	const request = listRequest(`listing the addresses of "${link.name}"`, link.index);
	const addresses: Address[] = [];
	for (const payload of connection.dump(request)) {
		const address = decodeAddress(payload);
		if (address.link === link.index) addresses.push(address);
	}
	return addresses;
}

/** The addresses of all links, IPv4 first. */
export function listAllAddresses(connection: Connection): Address[] {
	return connection.dump(listRequest('listing the addresses of all links', 0)).map(decodeAddress);
}

function listRequest(operation: string, link: number): Request {
	return { operation, type: RTM_GETADDR, flags: 0, fixed: ifaddrmsg(0, 0, link), attributes: [] };
}

/** Decodes what RTM_NEWADDR carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeAddress(payload: Buffer): Address {
	const attributes = payload.length < 8 ? noAttributes : decodeAttributes(payload, 8);
	const ip = decodeBytes(attributes, IFA_LOCAL) ?? decodeBytes(attributes, IFA_ADDRESS);
	if (ip === undefined) throw new NetlinkError('decoding an address', 'EBADMSG', 'truncated');
	const { 1: prefix, 2: shortFlags = 0, 3: scope } = payload;
	const flags = decodeNumber(attributes, IFA_FLAGS) ?? shortFlags;
	return {
		link: new DataView(payload.buffer, payload.byteOffset).getUint32(4, true),
		cidr: `${formatIp(ip)}/${prefix}`,
		family: ip.length === 4 ? 4 : 6,
		linkLocal: scope === RT_SCOPE_LINK,
		tentative: (flags & IFA_F_TENTATIVE) !== 0,
		duplicate: (flags & IFA_F_DADFAILED) !== 0,
	};
}
