// The forwarding entries of a VXLAN device: behind which host a MAC address is. include/uapi/linux/neighbour.h,
// drivers/net/vxlan/vxlan_core.c

import { formatIp } from '../ip/address.ts';
import { requireIp } from './address-family.ts';
import { bytes, decodeAttributes, decodeBytes, noAttributes } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { decodeMac, encodeMac } from './link-message.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts';
import {
	NDA_DST,
	NDA_LLADDR,
	NDMSG,
	ndmsg,
	NTF_SELF,
	NUD_PERMANENT,
	RTM_DELNEIGH,
	RTM_GETNEIGH,
	RTM_NEWNEIGH,
} from './neighbour-message.ts';
import { NetlinkError } from './netlink-error.ts';

const AF_BRIDGE = 7;
const NUD_NOARP = 0x40;

/** A MAC address, and the host behind which it is. */
export interface ForwardingEntry {
	readonly mac: string;
	/** The address of the host on the underlay; '' when there is none. */
	readonly host: string;
}

/** Sends a MAC's packets to a host, wherever they went before. `EAFNOSUPPORT` when the device speaks the other family. */
export function setForwardingEntry(link: Pick<Link, 'index' | 'name'>, entry: ForwardingEntry): Request {
	return {
		...request(`setting forwarding entry ${entry.mac} of "${link.name}"`, RTM_NEWNEIGH, link, entry),
		flags: NLM_F_CREATE | NLM_F_REPLACE,
	};
}

/** Forgets where a MAC is. `ENOENT` when it is not known, or behind another host. */
export function removeForwardingEntry(link: Pick<Link, 'index' | 'name'>, entry: ForwardingEntry): Request {
	return request(`removing forwarding entry ${entry.mac} of "${link.name}"`, RTM_DELNEIGH, link, entry);
}

function request(
	operation: string,
	type: number,
	{ index }: Pick<Link, 'index'>,
	{ mac, host }: ForwardingEntry,
): Request {
	const attributes = [bytes(NDA_LLADDR, encodeMac(mac))];
	if (host !== '') attributes.push(bytes(NDA_DST, requireIp(host)));
	return {
		operation,
		type,
		flags: 0,
		fixed: ndmsg(AF_BRIDGE, index, NUD_PERMANENT | NUD_NOARP, NTF_SELF),
		attributes,
	};
}

/** The forwarding entries of a VXLAN device itself, those that it has learned as well. */
export function listForwardingEntries(connection: Connection, link: Pick<Link, 'index' | 'name'>): ForwardingEntry[] {
	return connection
		.dump({
			operation: `listing the forwarding entries of "${link.name}"`,
			type: RTM_GETNEIGH,
			flags: 0,
			fixed: ndmsg(AF_BRIDGE, link.index, 0, 0),
			attributes: [],
		})
		.filter(isForwardingEntry)
		.map(decodeForwardingEntry)
		.filter((found) => found.link === link.index)
		.map(({ mac, host }) => ({ mac, host }));
}

/** Whether a message about neighbours is about a forwarding entry of a device itself, and not of the bridge that it is in. */
export function isForwardingEntry(payload: Buffer): boolean {
	const { 0: family, 10: flags = 0 } = payload;
	return family === AF_BRIDGE && (flags & NTF_SELF) !== 0;
}

/** Decodes what RTM_NEWNEIGH carries of a forwarding entry. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeForwardingEntry(payload: Buffer): ForwardingEntry & { readonly link: number } {
	const attributes = payload.length < NDMSG ? noAttributes : decodeAttributes(payload, NDMSG);
	const mac = decodeBytes(attributes, NDA_LLADDR);
	if (mac === undefined) throw new NetlinkError('decoding a forwarding entry', 'EBADMSG', 'truncated');
	const host = decodeBytes(attributes, NDA_DST);
	return {
		link: new DataView(payload.buffer, payload.byteOffset).getInt32(4, true),
		mac: decodeMac(mac),
		host: host === undefined ? '' : formatIp(host),
	};
}
