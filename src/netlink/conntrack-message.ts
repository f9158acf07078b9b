// Messages about connections that the kernel tracks. include/uapi/linux/netfilter/nfnetlink_conntrack.h

import {
	type Attribute,
	type Attributes,
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeNested,
	nested,
	noAttributes,
	u32,
	u8,
} from './attribute.ts';
import type { Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
export const IPCTNL_MSG_CT_GET = 1;
export const IPCTNL_MSG_CT_DELETE = 2;
export const IPCTNL_MSG_CT_GET_STATS = 5;

const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_FILTER = 25;
const CTA_FILTER_ORIG_FLAGS = 1;
const CTA_FILTER_REPLY_FLAGS = 2;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const CTA_STATS_GLOBAL_ENTRIES = 1;

// net/netfilter/nf_internals.h
const CTA_FILTER_F_CTA_IP_SRC = 1 << 0;
const CTA_FILTER_F_CTA_IP_DST = 1 << 1;
const CTA_FILTER_F_CTA_PROTO_NUM = 1 << 3;
const CTA_FILTER_F_CTA_PROTO_DST_PORT = 1 << 5;

/** struct nfgenmsg */
const FIXED = 4;

/** Which connections of a family; of what is absent, any. */
export interface FamilyFilter {
	readonly family: number;
	readonly protocol: number | undefined;
	readonly port: number | undefined;
	readonly address?: Uint8Array | undefined;
	readonly repliesFrom?: Uint8Array | undefined;
}

/** A connection as the kernel describes it. */
export interface Tracked {
	readonly protocol: number | undefined;
	readonly port: number | undefined;
	readonly address: Buffer | undefined;
	readonly repliesFrom: Buffer | undefined;
}

/** A request about connections of one family, AF_INET or AF_INET6. */
export function trackedRequest(
	operation: string,
	message: number,
	family: number,
	attributes: readonly Attribute[],
): Request {
	const type = (NFNL_SUBSYS_CTNETLINK << 8) | message;
	return { operation, type, flags: 0, fixed: Buffer.of(family, 0, 0, 0), attributes };
}

/**
 * The attributes by which the kernel selects connections: from 5.8 on when it lists them, from 6.11 on when it forgets them.
 * Before, it ignores them in the one case; in the other, it misses the rest of the tuple, and refuses with `EINVAL`.
 */
export function encodeFilter({ protocol, port, address, repliesFrom }: FamilyFilter): Attribute[] {
	const original: Attribute[] = [];
	let originalFlags = 0;
	if (address !== undefined) {
		original.push(nested(CTA_TUPLE_IP, bytes(CTA_IP_V4_DST, address)));
		originalFlags |= CTA_FILTER_F_CTA_IP_DST;
	}
	if (protocol !== undefined) {
		const transport = [u8(CTA_PROTO_NUM, protocol)];
		originalFlags |= CTA_FILTER_F_CTA_PROTO_NUM;
		if (port !== undefined) {
			transport.push(bytes(CTA_PROTO_DST_PORT, Uint8Array.of(port >> 8, port)));
			originalFlags |= CTA_FILTER_F_CTA_PROTO_DST_PORT;
		}
		original.push(nested(CTA_TUPLE_PROTO, ...transport));
	}
	const attributes = [nested(CTA_TUPLE_ORIG, ...original)];
	const flags = [u32(CTA_FILTER_ORIG_FLAGS, originalFlags)];
	if (repliesFrom !== undefined) {
		attributes.push(nested(CTA_TUPLE_REPLY, nested(CTA_TUPLE_IP, bytes(CTA_IP_V4_SRC, repliesFrom))));
		flags.push(u32(CTA_FILTER_REPLY_FLAGS, CTA_FILTER_F_CTA_IP_SRC));
	}
	return [...attributes, nested(CTA_FILTER, ...flags)];
}

/** Decodes what IPCTNL_MSG_CT_NEW carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeTracked(payload: Buffer): Tracked {
	const attributes = decodeAttributesOf(payload);
	const original = decodeNested(attributes, CTA_TUPLE_ORIG);
	const transport = decodeNested(original, CTA_TUPLE_PROTO);
	const port = decodeBytes(transport, CTA_PROTO_DST_PORT);
	return {
		protocol: decodeBytes(transport, CTA_PROTO_NUM)?.[0],
		port: port === undefined ? undefined : ((port[0] ?? 0) << 8) | (port[1] ?? 0),
		address: decodeAddress(original, CTA_IP_V4_DST, CTA_IP_V6_DST),
		repliesFrom: decodeAddress(decodeNested(attributes, CTA_TUPLE_REPLY), CTA_IP_V4_SRC, CTA_IP_V6_SRC),
	};
}

/** How many connections the kernel tracks, as IPCTNL_MSG_CT_GET_STATS answers. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeCount(payload: Buffer): number {
	const attributes = payload.length < FIXED ? noAttributes : decodeAttributes(payload, FIXED);
	const count = decodeBytes(attributes, CTA_STATS_GLOBAL_ENTRIES);
	if (count?.length !== 4) throw new NetlinkError('counting tracked connections', 'EBADMSG', 'truncated');
	return new DataView(count.buffer, count.byteOffset).getUint32(0);
}

/** The attributes in a message about a connection that name it, among all that there ever were. Throws as {@link decodeTracked}. */
export function identityOf(payload: Buffer): Attribute[] {
	const attributes = decodeAttributesOf(payload);
	const identity = [nested(CTA_TUPLE_ORIG, decodeBytes(attributes, CTA_TUPLE_ORIG) ?? Buffer.alloc(0))];
	for (const type of [CTA_ID, CTA_ZONE]) {
		const value = decodeBytes(attributes, type);
		if (value !== undefined) identity.push(bytes(type, value));
	}
	return identity;
}

function decodeAttributesOf(payload: Buffer): Attributes {
	const attributes = payload.length < FIXED ? noAttributes : decodeAttributes(payload, FIXED);
	// Without it, the kernel would take a request to forget as one to forget everything.
	if (decodeBytes(attributes, CTA_TUPLE_ORIG) !== undefined) return attributes;
	throw new NetlinkError('decoding a tracked connection', 'EBADMSG', 'truncated');
}

function decodeAddress(tuple: Attributes, ...types: readonly number[]): Buffer | undefined {
	const ip = decodeNested(tuple, CTA_TUPLE_IP);
	for (const type of types) {
		const address = decodeBytes(ip, type);
		if (address !== undefined) return address;
	}
	return undefined;
}
