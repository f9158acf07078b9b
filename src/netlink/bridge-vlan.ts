// The VLANs of a bridge's port. include/uapi/linux/if_bridge.h

import { type Attribute, bytes, decodeAttributes, decodeList, nested, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { ifinfomsg, IFLA_AF_SPEC } from './link-message.ts';
import type { Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const RTM_SETLINK = 19;
const AF_BRIDGE = 7;

const IFLA_EXT_MASK = 29;
const RTEXT_FILTER_BRVLAN = 2;
const IFLA_BRIDGE_VLAN_INFO = 2;

const BRIDGE_VLAN_INFO_PVID = 0x2;
const BRIDGE_VLAN_INFO_UNTAGGED = 0x4;
const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8;
const BRIDGE_VLAN_INFO_RANGE_END = 0x10;

/** A port's membership: untagged in its own VLAN (`native`), tagged in others. */
export interface PortVlan {
	readonly id: number;
	readonly native: boolean;
}

function vlanInfo(id: number, flags: number): Attribute {
	const info = Buffer.alloc(4);
	info.writeUInt16LE(flags, 0);
	info.writeUInt16LE(id, 2);
	return bytes(IFLA_BRIDGE_VLAN_INFO, info);
}

function vlanRequest(operation: string, type: number, port: Pick<Link, 'index'>, info: readonly Attribute[]): Request {
	return {
		operation,
		type,
		flags: 0,
		fixed: ifinfomsg({ family: AF_BRIDGE, index: port.index }),
		attributes: [nested(IFLA_AF_SPEC, ...info)],
	};
}

/** Makes a port an untagged member of a VLAN, and puts what comes untagged into it. */
export function addNativeVlan(port: Pick<Link, 'index' | 'name'>, id: number): Request {
	const info = [vlanInfo(id, BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED)];
	return vlanRequest(`putting port "${port.name}" into VLAN ${id}`, RTM_SETLINK, port, info);
}

/** Makes a port a tagged member of the VLANs from `first` to `last`. */
export function addTaggedVlans(port: Pick<Link, 'index' | 'name'>, first: number, last: number): Request {
	const info =
		first === last
			? [vlanInfo(first, 0)]
			: [vlanInfo(first, BRIDGE_VLAN_INFO_RANGE_BEGIN), vlanInfo(last, BRIDGE_VLAN_INFO_RANGE_END)];
	return vlanRequest(`adding VLANs ${first} to ${last} to port "${port.name}"`, RTM_SETLINK, port, info);
}

/** Takes a port out of a VLAN. */
export function removeVlan(port: Pick<Link, 'index' | 'name'>, id: number): Request {
	return vlanRequest(`taking port "${port.name}" out of VLAN ${id}`, RTM_DELLINK, port, [vlanInfo(id, 0)]);
}

/** The VLANs of which a port is a member. */
export function listVlans(connection: Connection, port: Pick<Link, 'index' | 'name'>): PortVlan[] {
	return connection
		.dump({
			operation: `listing the VLANs of port "${port.name}"`,
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg({ family: AF_BRIDGE }),
			attributes: [u32(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN)],
		})
		.filter((payload) => payload.length >= 16 && payload.readInt32LE(4) === port.index)
		.flatMap(decodeVlans);
}

/** Reads the VLANs out of a link message of the bridge family, in which each has an attribute of the same type. */
export function decodeVlans(payload: Buffer): PortVlan[] {
	if (payload.length < 16) throw new NetlinkError('decoding the VLANs of a port', 'EBADMSG', 'truncated');
	return decodeList(decodeAttributes(payload, 16), IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO)
		.filter((info) => info.length === 4)
		.map((info) => ({
			id: info.readUInt16LE(2),
			native: (info.readUInt16LE(0) & BRIDGE_VLAN_INFO_PVID) !== 0,
		}));
}
