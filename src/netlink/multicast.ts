// The IPv6 multicast groups to which a device listens. include/uapi/linux/rtnetlink.h, RTM_GETMULTICAST

import { formatIp } from '../ip/address.ts';
import { ifaddrmsg } from './address.ts';
import { AF_INET6, requireIp } from './address-family.ts';
import { decodeAttributes, decodeBytes } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { NetlinkError } from './netlink-error.ts';

const RTM_GETMULTICAST = 58;
const IFA_MULTICAST = 7;

/** The groups of a link, RFC 5952 texts. */
export function listMulticastGroups(connection: Connection, link: Pick<Link, 'index' | 'name'>): string[] {
	const payloads = connection.dump({
		operation: `listing the multicast groups of "${link.name}"`,
		type: RTM_GETMULTICAST,
		flags: 0,
		fixed: ifaddrmsg(AF_INET6, 0, link.index),
		attributes: [],
	});
	const groups: string[] = [];
	for (const payload of payloads) {
		const group = decodeMulticastGroup(payload);
		if (group.link === link.index) groups.push(group.ip);
	}
	return groups;
}

/** Decodes what RTM_GETMULTICAST answers. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeMulticastGroup(payload: Buffer): { readonly link: number; readonly ip: string } {
	const ip = payload.length < 8 ? undefined : decodeBytes(decodeAttributes(payload, 8), IFA_MULTICAST);
	if (ip === undefined) throw new NetlinkError('decoding a multicast group', 'EBADMSG', 'truncated');
	return { link: new DataView(payload.buffer, payload.byteOffset).getUint32(4, true), ip: formatIp(ip) };
}

/** The group in which neighbours look for the holder of an IPv6 address, RFC 4291 §2.7.1. */
export function solicitedNodeGroup(ip: string): string {
	const group = requireIp('ff02::1:ff00:0');
	group.set(requireIp(ip).subarray(13), 13);
	return formatIp(group);
}
