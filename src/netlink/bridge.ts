// Bridges. include/uapi/linux/if_link.h, IFLA_BR_*

import {
	type Attribute,
	bytes,
	decodeAttributes,
	decodeNested,
	decodeNumber,
	nested,
	text,
	u32,
	u8,
} from './attribute.ts';
import type { Connection } from './connection.ts';
import { decodeLink, getLink, type Link } from './link.ts';
import {
	encodeMac,
	ifinfomsg,
	IFLA_ADDRESS,
	IFLA_IFNAME,
	IFLA_INFO_DATA,
	IFLA_INFO_KIND,
	IFLA_LINKINFO,
	IFLA_MTU,
	RTM_NEWLINK,
} from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const RTM_GETLINK = 18;
const IFLA_BR_VLAN_FILTERING = 7;

/**
 * Creates a bridge, which is down. With its MAC given at its birth, the kernel never moves it to that of a port, and udev
 * leaves it alone (addr_assign_type NET_ADDR_SET). `EEXIST` when any device has the name.
 */
export function createBridge(name: string, options: { readonly mtu: number; readonly mac: string }): Request {
	return {
		operation: `creating bridge "${name}"`,
		type: RTM_NEWLINK,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed: ifinfomsg(),
		attributes: [
			text(IFLA_IFNAME, name),
			u32(IFLA_MTU, options.mtu),
			bytes(IFLA_ADDRESS, encodeMac(options.mac)),
			nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'bridge')),
		],
	};
}

/** The attribute that turns VLAN filtering on, for a link message that is about the bridge. `EOPNOTSUPP` without it. */
export function vlanFiltering(): Attribute {
	return nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'bridge'), nested(IFLA_INFO_DATA, u8(IFLA_BR_VLAN_FILTERING, 1)));
}

/** Whether the ports of a bridge pass only the VLANs that they are members of. */
export function filtersVlans(connection: Connection, bridge: number): boolean {
	const payload = connection.get(getLink(bridge));
	if (payload.length < 16) throw new NetlinkError('decoding a link', 'EBADMSG', 'truncated');
	const link = decodeAttributes(payload, 16);
	return decodeNumber(decodeNested(decodeNested(link, IFLA_LINKINFO), IFLA_INFO_DATA), IFLA_BR_VLAN_FILTERING) === 1;
}

/**
 * Asks for a bridge that cannot be: with a multicast address as its MAC. The kernel's answer tells whether it could make
 * one: `EADDRNOTAVAIL` (br_validate in net/bridge/br_netlink.c) that it could, `EOPNOTSUPP` that it has no bridges,
 * `EPERM` that we may not.
 */
export function impossibleBridge(name: string): Request {
	return createBridge(name, { mtu: 1500, mac: '01:00:00:00:00:00' });
}

/** All bridges of this namespace. */
export function listBridges(connection: Connection): Link[] {
	return connection
		.dump({
			operation: 'listing bridges',
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg(),
			attributes: [nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'bridge'))],
		})
		.map(decodeLink)
		.filter((link) => link.kind === 'bridge');
}
