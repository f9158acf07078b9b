// What all messages of nf_tables have in common. include/uapi/linux/netfilter/nfnetlink.h, nf_tables.h

import { type Attribute, type Attributes, decodeAttributes } from './attribute.ts';
import type { Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';

export const NFNL_SUBSYS_NFTABLES = 10;

/** A member of a list: of the expressions of a rule, of the elements of a set. */
export const NFTA_LIST_ELEM = 1;

/** struct nfgenmsg */
const FIXED = 4;

// The families of tables, include/uapi/linux/netfilter.h.
export const NFPROTO_INET = 1;
export const NFPROTO_IPV4 = 2;
export const NFPROTO_BRIDGE = 7;
export const NFPROTO_IPV6 = 10;

/** A table, which every part of it names. */
export interface Table {
	/** NFPROTO_INET, for one. */
	readonly family: number;
	readonly name: string;
}

/** A request about a table or a part of it. */
export function nftRequest(
	table: Table,
	operation: string,
	message: number,
	flags: number,
	attributes: readonly Attribute[],
): Request {
	return {
		operation,
		type: (NFNL_SUBSYS_NFTABLES << 8) | message,
		flags,
		fixed: Buffer.of(table.family, 0, 0, 0),
		attributes,
	};
}

/** The attributes of a message about `what`. Throws NetlinkError `EBADMSG` when they are truncated. */
export function decodeNftMessage(payload: Buffer, what: string): Attributes {
	if (payload.length < FIXED) throw new NetlinkError(`decoding ${what}`, 'EBADMSG', 'truncated');
	return decodeAttributes(payload, FIXED);
}
