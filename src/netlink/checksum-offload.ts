// Who computes the checksums of packets inside a tunnel. include/uapi/linux/ethtool_netlink.h,
// include/uapi/linux/genetlink.h
//
// A container leaves the checksums of TCP and UDP to the device that sends, so the one inside a tunnel is left to the network
// card, below the header of the tunnel. Cards that do not know the tunnel's port, and some that claim to, send it wrong, and the
// receiver drops the packet: pings pass, connections hang. A tunnel without the feature computes it before it wraps the packet.

import {
	decodeAttributes,
	decodeBytes,
	decodeNested,
	decodeNumber,
	flag,
	nested,
	noAttributes,
	text,
	u32,
} from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR_FAMILY_ID = 1;
const CTRL_ATTR_FAMILY_NAME = 2;

const ETHTOOL_MSG_FEATURES_GET = 11;
const ETHTOOL_MSG_FEATURES_SET = 12;
const ETHTOOL_A_FEATURES_HEADER = 1;
const ETHTOOL_A_FEATURES_WANTED = 3;
const ETHTOOL_A_FEATURES_ACTIVE = 4;
const ETHTOOL_A_HEADER_DEV_NAME = 2;
const ETHTOOL_A_HEADER_FLAGS = 3;
const ETHTOOL_FLAG_COMPACT_BITSETS = 1;
const ETHTOOL_FLAG_OMIT_REPLY = 2;
const ETHTOOL_A_BITSET_SIZE = 2;
const ETHTOOL_A_BITSET_BITS = 3;
const ETHTOOL_A_BITSET_VALUE = 4;
const ETHTOOL_A_BITSET_BITS_BIT = 1;
const ETHTOOL_A_BITSET_BIT_NAME = 2;
const ETHTOOL_A_BITSET_BIT_VALUE = 3;

/** What ethtool calls it, for any protocol. */
const FEATURE = 'tx-checksum-ip-generic';
/** NETIF_F_HW_CSUM_BIT, include/linux/netdev_features.h */
const FEATURE_BIT = 3;

const GENL_HEADER = 4;

function genlHeader(command: number): Buffer {
	return Buffer.from([command, 1, 0, 0]);
}

/** Asks for the number of ethtool's family of messages. `ENOENT` on kernels before 5.6, which have none. */
export function getEthtoolFamily(): Request {
	return {
		operation: 'looking up the family "ethtool"',
		type: GENL_ID_CTRL,
		flags: 0,
		fixed: genlHeader(CTRL_CMD_GETFAMILY),
		attributes: [text(CTRL_ATTR_FAMILY_NAME, 'ethtool')],
	};
}

/** The number of a family. Throws NetlinkError `EBADMSG` when it is not there. */
export function decodeFamily(payload: Buffer): number {
	const attributes = payload.length < GENL_HEADER ? noAttributes : decodeAttributes(payload, GENL_HEADER);
	const family = decodeNumber(attributes, CTRL_ATTR_FAMILY_ID);
	if (family === undefined) throw new NetlinkError('decoding a family of messages', 'EBADMSG', 'truncated');
	return family;
}

/** Has a device leave checksums to the one below, or compute them itself. */
export function setChecksumOffload(family: number, name: string, wanted: boolean): Request {
	const bit = [text(ETHTOOL_A_BITSET_BIT_NAME, FEATURE), ...(wanted ? [flag(ETHTOOL_A_BITSET_BIT_VALUE)] : [])];
	return {
		operation: `turning ${wanted ? 'on' : 'off'} checksum offload of "${name}"`,
		type: family,
		flags: 0,
		fixed: genlHeader(ETHTOOL_MSG_FEATURES_SET),
		attributes: [
			header(name, ETHTOOL_FLAG_OMIT_REPLY),
			nested(ETHTOOL_A_FEATURES_WANTED, nested(ETHTOOL_A_BITSET_BITS, nested(ETHTOOL_A_BITSET_BITS_BIT, ...bit))),
		],
	};
}

/** Asks whether a device leaves checksums to the one below. `ENODEV` when there is none. */
function getChecksumOffload(family: number, name: string): Request {
	return {
		operation: `looking up checksum offload of "${name}"`,
		type: family,
		flags: 0,
		fixed: genlHeader(ETHTOOL_MSG_FEATURES_GET),
		attributes: [header(name, ETHTOOL_FLAG_COMPACT_BITSETS)],
	};
}

function header(name: string, flags: number): Buffer {
	return nested(ETHTOOL_A_FEATURES_HEADER, text(ETHTOOL_A_HEADER_DEV_NAME, name), u32(ETHTOOL_A_HEADER_FLAGS, flags));
}

/** Decodes what a question for features is answered. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeChecksumOffload(payload: Buffer): boolean {
	const attributes = payload.length < GENL_HEADER ? noAttributes : decodeAttributes(payload, GENL_HEADER);
	const active = decodeNested(attributes, ETHTOOL_A_FEATURES_ACTIVE);
	const first = decodeBytes(active, ETHTOOL_A_BITSET_VALUE)?.[0];
	if (first === undefined || decodeNumber(active, ETHTOOL_A_BITSET_SIZE) === undefined) {
		throw new NetlinkError('decoding features of a device', 'EBADMSG', 'truncated');
	}
	return (first & (1 << FEATURE_BIT)) !== 0;
}

/** Whether a device leaves checksums to the one below; `generic` is of NETLINK_GENERIC, `family` that of ethtool. */
export function findChecksumOffload(generic: Connection, family: number, name: string): boolean {
	return decodeChecksumOffload(generic.get(getChecksumOffload(family, name)));
}
