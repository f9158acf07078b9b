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
const RTEXT_FILTER_BRVLAN_COMPRESSED = 4;
const IFLA_BRIDGE_VLAN_INFO = 2;

const BRIDGE_VLAN_INFO_PVID = 0x2;
const BRIDGE_VLAN_INFO_UNTAGGED = 0x4;
const BRIDGE_VLAN_INFO_RANGE_BEGIN = 0x8;
const BRIDGE_VLAN_INFO_RANGE_END = 0x10;

/** A port's membership in the VLANs from `first` to `last`; `native`: what comes untagged is put into this one. */
export interface PortVlans {
	readonly first: number;
	readonly last: number;
	readonly native: boolean;
}

function vlanInfo(id: number, flags: number): Attribute {
	const info = Buffer.alloc(4);
	info.writeUInt16LE(flags, 0);
	info.writeUInt16LE(id, 2);
	return bytes(IFLA_BRIDGE_VLAN_INFO, info);
}

function vlanRange(first: number, last: number): Attribute[] {
	if (first === last) return [vlanInfo(first, 0)];
	return [vlanInfo(first, BRIDGE_VLAN_INFO_RANGE_BEGIN), vlanInfo(last, BRIDGE_VLAN_INFO_RANGE_END)];
}

function rangeText(first: number, last: number): string {
	return first === last ? `VLAN ${first}` : `VLANs ${first} to ${last}`;
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
	const operation = `adding ${rangeText(first, last)} to port "${port.name}"`;
	return vlanRequest(operation, RTM_SETLINK, port, vlanRange(first, last));
}

/** Takes a port out of the VLANs from `first` to `last`. */
export function removeVlans(port: Pick<Link, 'index' | 'name'>, first: number, last: number): Request {
	const operation = `taking port "${port.name}" out of ${rangeText(first, last)}`;
	return vlanRequest(operation, RTM_DELLINK, port, vlanRange(first, last));
}

/**
 * The VLANs of which a port is a member, neighbouring ones with the same properties together: one by one, all 4094 would
 * not go into a datagram.
 */
export function listVlans(connection: Connection, port: Pick<Link, 'index' | 'name'>): PortVlans[] {
	return connection
		.dump({
			operation: `listing the VLANs of port "${port.name}"`,
			type: RTM_GETLINK,
			flags: 0,
			fixed: ifinfomsg({ family: AF_BRIDGE }),
			attributes: [u32(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED)],
		})
		.filter((payload) => payload.length >= 16 && payload.readInt32LE(4) === port.index)
		.flatMap(decodeVlans);
}

/** Reads the VLANs out of a link message of the bridge family: an attribute for each, or for both ends of a range. */
export function decodeVlans(payload: Buffer): PortVlans[] {
	if (payload.length < 16) throw new NetlinkError('decoding the VLANs of a port', 'EBADMSG', 'truncated');
	const vlans: PortVlans[] = [];
	let begun: number | undefined;
	for (const info of decodeList(decodeAttributes(payload, 16), IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO)) {
		if (info.length !== 4) continue;
		const [flags, id] = [info.readUInt16LE(0), info.readUInt16LE(2)];
		if ((flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) !== 0) {
			begun = id;
			continue;
		}
		vlans.push({ first: begun ?? id, last: id, native: (flags & BRIDGE_VLAN_INFO_PVID) !== 0 });
		begun = undefined;
	}
	return vlans;
}
