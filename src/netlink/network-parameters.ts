// What the kernel tells of parameters of network devices that somebody changes. include/uapi/linux/netconf.h

import { AF_INET, AF_INET6 } from './address-family.ts';
import { decodeAttributes, decodeNumber, noAttributes } from './attribute.ts';
import { NetlinkError } from './netlink-error.ts';

const NETCONFA_IFINDEX = 1;
const NETCONFA_FORWARDING = 2;
const NETCONFA_RP_FILTER = 3;

/** The family, padded as a header is. */
const NETCONFMSG = 4;

/** As a link: all that are there. */
const ALL = 0xffffffff;

/** Parameters that were changed, by their paths below /proc/sys/net; `name` is that of the link with the number `link`. */
export function decodeParameters(payload: Buffer, link: number, name: string): Map<string, string> {
	if (payload.length < NETCONFMSG) throw new NetlinkError('decoding parameters', 'EBADMSG', 'truncated');
	const attributes = payload.length === NETCONFMSG ? noAttributes : decodeAttributes(payload, NETCONFMSG);
	const index = decodeNumber(attributes, NETCONFA_IFINDEX);
	const forwarding = decodeNumber(attributes, NETCONFA_FORWARDING);
	const reversePath = decodeNumber(attributes, NETCONFA_RP_FILTER);
	const found = new Map<string, string>();
	if (index === ALL && forwarding !== undefined) {
		if (payload[0] === AF_INET) found.set('ipv4/ip_forward', String(forwarding));
		if (payload[0] === AF_INET6) found.set('ipv6/conf/all/forwarding', String(forwarding));
	}
	if (index === link && payload[0] === AF_INET && reversePath !== undefined) {
		found.set(`ipv4/conf/${name}/rp_filter`, String(reversePath));
	}
	return found;
}
