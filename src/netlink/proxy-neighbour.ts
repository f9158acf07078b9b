// Addresses for which an interface of the host answers in the place of whoever has them. include/uapi/linux/neighbour.h

import { addressFamily, requireIp } from './address-family.ts';
import { bytes } from './attribute.ts';
import type { Link } from './link.ts';
import { NLM_F_CREATE, type Request } from './message.ts';
import { NDA_DST, ndmsg, NTF_PROXY, RTM_DELNEIGH, RTM_NEWNEIGH } from './neighbour-message.ts';

function request(type: number, flags: number, operation: string, { index }: Pick<Link, 'index'>, ip: string): Request {
	const address = requireIp(ip);
	return {
		operation,
		type,
		flags,
		fixed: ndmsg(addressFamily(address), index, 0, NTF_PROXY),
		attributes: [bytes(NDA_DST, address)],
	};
}

/** Has a link answer for an address, whether or not it does already. */
export function addProxyNeighbour(link: Pick<Link, 'index' | 'name'>, ip: string): Request {
	return request(RTM_NEWNEIGH, NLM_F_CREATE, `answering for ${ip} on "${link.name}"`, link, ip);
}

/** Has it answer no more; `ENOENT` when it does not. */
export function removeProxyNeighbour(link: Pick<Link, 'index' | 'name'>, ip: string): Request {
	return request(RTM_DELNEIGH, 0, `answering no more for ${ip} on "${link.name}"`, link, ip);
}
