// What all messages about queueing disciplines and filters have in common. include/uapi/linux/rtnetlink.h, pkt_sched.h

import { type Attribute, type Attributes, decodeAttributes, nested, text } from './attribute.ts';
import type { Link } from './link.ts';
import { NetlinkError } from './netlink-error.ts';

export const TCA_KIND = 1;
export const TCA_OPTIONS = 2;

const LENGTH = 20;

/** The fixed part of such messages, struct tcmsg. Handles have their major number in the upper 16 bits. */
export function tcmsg(
	link: Pick<Link, 'index'>,
	{ handle = 0, parent = 0, info = 0 }: { handle?: number; parent?: number; info?: number },
): Buffer {
	const fixed = Buffer.alloc(LENGTH);
	const view = new DataView(fixed.buffer, fixed.byteOffset);
	view.setInt32(4, link.index, true);
	view.setUint32(8, handle, true);
	view.setUint32(12, parent, true);
	view.setUint32(16, info, true);
	return fixed;
}

/** The attributes that name a kind of discipline or filter, and its options. */
export function kindOf(kind: string, ...options: readonly Attribute[]): Attribute[] {
	return [text(TCA_KIND, kind), ...(options.length > 0 ? [nested(TCA_OPTIONS, ...options)] : [])];
}

/** The attributes of such a message. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeTrafficControl(payload: Buffer): Attributes {
	if (payload.length >= LENGTH) return decodeAttributes(payload, LENGTH);
	throw new NetlinkError('decoding a queueing discipline or filter', 'EBADMSG', 'truncated');
}
