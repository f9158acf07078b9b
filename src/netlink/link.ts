// Network devices of any kind. include/uapi/linux/if_link.h, rtnetlink(7)

import {
	type Attribute,
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeNested,
	decodeNumber,
	decodeText,
	nested,
	text,
	u32,
} from './attribute.ts';
import { type BridgePort, decodeBridgePort } from './bridge-port.ts';
import type { Connection } from './connection.ts';
import {
	decodeMac,
	encodeMac,
	IFF_PROMISC,
	IFF_UP,
	ifinfomsg,
	IFLA_ADDRESS,
	IFLA_IFNAME,
	IFLA_INFO_KIND,
	IFLA_INFO_SLAVE_DATA,
	IFLA_INFO_SLAVE_KIND,
	IFLA_LINKINFO,
	IFLA_MASTER,
	IFLA_MTU,
	RTM_NEWLINK,
} from './link-message.ts';
import type { Request } from './message.ts';
import { isKernelError, NetlinkError } from './netlink-error.ts';

const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFLA_LINK = 5;
const IFLA_OPERSTATE = 16;
const IFLA_IFALIAS = 20;
const IFLA_EXT_MASK = 29;

// RFC 2863, include/uapi/linux/if.h. Unknown is the state of a device that had its carrier from the beginning.
const IF_OPER_UNKNOWN = 0;
const IF_OPER_UP = 6;

/** Leaves out the counters, half of what the kernel says of a link. */
const RTEXT_FILTER_SKIP_STATS = 8;
const withoutCounters = u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);

/** The longest alias that the kernel keeps, in bytes (IFALIASZ less the terminating zero). */
export const MAX_ALIAS = 255;

/** A network device as the kernel describes it. */
export interface Link {
	readonly index: number;
	readonly name: string;
	/** `bridge`, `veth`, … or '' for a physical device. */
	readonly kind: string;
	readonly up: boolean;
	readonly promiscuous: boolean;
	/** Whether packets pass: a bridge without a forwarding port drops what the host sends. */
	readonly operational: boolean;
	readonly mtu: number;
	/** Six bytes with colons, lower case, or '' for a device without one. */
	readonly mac: string;
	readonly alias: string;
	/** The index of the bridge of which this is a port, or 0. */
	readonly master: number;
	/** The index of a veth's other end, in that end's namespace, or 0. */
	readonly peer: number;
	/** What the bridge knows of this port, when it is one. */
	readonly port: BridgePort | undefined;
}

/** Decodes what RTM_NEWLINK carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeLink(payload: Buffer): Link {
	if (payload.length < 16) throw new NetlinkError('decoding a link', 'EBADMSG', 'truncated');
	const fixed = new DataView(payload.buffer, payload.byteOffset);
	const flags = fixed.getUint32(8, true);
	const attributes = decodeAttributes(payload, 16);
	const info = decodeNested(attributes, IFLA_LINKINFO);
	const kind = decodeText(info, IFLA_INFO_KIND) ?? '';
	const operstate = decodeNumber(attributes, IFLA_OPERSTATE);
	return {
		index: fixed.getInt32(4, true),
		name: decodeText(attributes, IFLA_IFNAME) ?? '',
		kind,
		up: (flags & IFF_UP) !== 0,
		promiscuous: (flags & IFF_PROMISC) !== 0,
		operational: operstate === IF_OPER_UP || operstate === IF_OPER_UNKNOWN,
		mtu: decodeNumber(attributes, IFLA_MTU) ?? 0,
		mac: decodeMac(decodeBytes(attributes, IFLA_ADDRESS)),
		alias: decodeText(attributes, IFLA_IFALIAS) ?? '',
		master: decodeNumber(attributes, IFLA_MASTER) ?? 0,
		peer: decodeNumber(attributes, IFLA_LINK) ?? 0,
		port:
			decodeText(info, IFLA_INFO_SLAVE_KIND) === 'bridge'
				? decodeBridgePort(decodeNested(info, IFLA_INFO_SLAVE_DATA))
				: undefined,
	};
}

/** Asks for the link with a name or an index. `ENODEV` when there is none. */
export function getLink(link: string | number): Request {
	const byName = typeof link === 'string';
	return {
		operation: `looking up interface ${byName ? `"${link}"` : link}`,
		type: RTM_GETLINK,
		flags: 0,
		fixed: ifinfomsg(byName ? {} : { index: link }),
		attributes: byName ? [text(IFLA_IFNAME, link), withoutCounters] : [withoutCounters],
	};
}

/** The link with a name or an index, or undefined when there is none. */
export function findLink(connection: Connection, link: string | number): Link | undefined {
	try {
		return decodeLink(connection.get(getLink(link)));
	} catch (error) {
		if (isKernelError(error, 'ENODEV')) return undefined;
		throw error;
	}
}

/** The ports of a bridge. */
export function listPorts(connection: Connection, bridge: Link): Link[] {
	return connection
		.dump({
			operation: `listing the ports of bridge "${bridge.name}"`,
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg(),
			attributes: [u32(IFLA_MASTER, bridge.index), withoutCounters],
		})
		.map(decodeLink)
		.filter((link) => link.master === bridge.index);
}

/** All veths of this namespace. */
export function listVeths(connection: Connection): Link[] {
	return connection
		.dump({
			operation: 'listing veth interfaces',
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg(),
			attributes: [nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'veth')), withoutCounters],
		})
		.map(decodeLink)
		.filter((link) => link.kind === 'veth');
}

/** What to change of a link; what is not named stays. */
export interface LinkChanges {
	readonly up?: boolean;
	readonly promiscuous?: boolean;
	readonly mtu?: number;
	readonly mac?: string;
	readonly alias?: string;
	/** The index of the bridge to join. */
	readonly master?: number;
}

/** Changes a link, which is named by its index, or else by its name. `attributes` carries what its kind has besides. */
export function changeLink(
	link: { readonly index?: number; readonly name: string },
	changes: LinkChanges,
	...attributes: Attribute[]
): Request {
	if (link.index === undefined) attributes.push(text(IFLA_IFNAME, link.name));
	const flags = (changes.up === true ? IFF_UP : 0) | (changes.promiscuous === true ? IFF_PROMISC : 0);
	const change = (changes.up === undefined ? 0 : IFF_UP) | (changes.promiscuous === undefined ? 0 : IFF_PROMISC);
	if (changes.mtu !== undefined) attributes.push(u32(IFLA_MTU, changes.mtu));
	if (changes.mac !== undefined) attributes.push(bytes(IFLA_ADDRESS, encodeMac(changes.mac)));
	if (changes.alias !== undefined) attributes.push(bytes(IFLA_IFALIAS, new TextEncoder().encode(changes.alias)));
	if (changes.master !== undefined) attributes.push(u32(IFLA_MASTER, changes.master));
	return {
		operation: `changing interface "${link.name}"`,
		type: RTM_NEWLINK,
		flags: 0,
		fixed: ifinfomsg({ index: link.index ?? 0, flags, change }),
		attributes,
	};
}

/** Deletes a link; of a veth, both ends. Returns whether it was there. */
export function deleteLink(connection: Connection, link: Pick<Link, 'index' | 'name'>): boolean {
	try {
		connection.execute({
			operation: `deleting interface "${link.name}"`,
			type: RTM_DELLINK,
			flags: 0,
			fixed: ifinfomsg({ index: link.index }),
			attributes: [],
		});
		return true;
	} catch (error) {
		if (isKernelError(error, 'ENODEV')) return false;
		throw error;
	}
}
