// Permanent neighbours: who has an address behind a link, told to the kernel instead of asked by it.
// include/uapi/linux/neighbour.h

import { formatIp } from '../ip/address.ts';
import { AF_INET, AF_INET6, addressFamily, requireIp } from './address-family.ts';
import { bytes, decodeAttributes, decodeBytes, noAttributes, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import type { Link } from './link.ts';
import { decodeMac, encodeMac } from './link-message.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts';
import {
	NDA_DST,
	NDA_LLADDR,
	NDMSG,
	ndmsg,
	NTF_PROXY,
	NUD_PERMANENT,
	RTM_DELNEIGH,
	RTM_GETNEIGH,
	RTM_NEWNEIGH,
} from './neighbour-message.ts';
import { NetlinkError } from './netlink-error.ts';

const NDA_IFINDEX = 8;

/** Who has an address. */
export interface Neighbour {
	readonly ip: string;
	readonly mac: string;
}

/** Makes somebody the permanent holder of an address, whoever was before. */
export function setNeighbour({ index, name }: Pick<Link, 'index' | 'name'>, { ip, mac }: Neighbour): Request {
	const address = requireIp(ip);
	return {
		operation: `setting neighbour ${ip} of "${name}"`,
		type: RTM_NEWNEIGH,
		flags: NLM_F_CREATE | NLM_F_REPLACE,
		fixed: ndmsg(addressFamily(address), index, NUD_PERMANENT, 0),
		attributes: [bytes(NDA_DST, address), bytes(NDA_LLADDR, encodeMac(mac))],
	};
}

/** Forgets the holder of an address. `ENOENT` when there is none. */
export function removeNeighbour({ index, name }: Pick<Link, 'index' | 'name'>, ip: string): Request {
	const address = requireIp(ip);
	return {
		operation: `removing neighbour ${ip} of "${name}"`,
		type: RTM_DELNEIGH,
		flags: 0,
		fixed: ndmsg(addressFamily(address), index, 0, 0),
		attributes: [bytes(NDA_DST, address)],
	};
}

/** The permanent neighbours of a link, of both families. */
export function listNeighbours(connection: Connection, link: Pick<Link, 'index' | 'name'>): Neighbour[] {
	return connection
		.dump({
			operation: `listing the neighbours of "${link.name}"`,
			type: RTM_GETNEIGH,
			flags: 0,
			fixed: ndmsg(0, 0, 0, 0),
			attributes: [u32(NDA_IFINDEX, link.index)],
		})
		.map(decodeNeighbour)
		.filter((found) => found.link === link.index && found.permanent)
		.map(({ ip, mac }) => ({ ip, mac }));
}

/** A neighbour with what is only of interest to find it. */
interface FoundNeighbour extends Neighbour {
	readonly link: number;
	readonly permanent: boolean;
}

/** Whether a message about neighbours is about an IP address, and not a forwarding entry or for somebody else. */
export function isNeighbour(payload: Buffer): boolean {
	const { 0: family, 10: flags = 0 } = payload;
	return (family === AF_INET || family === AF_INET6) && (flags & NTF_PROXY) === 0;
}

/** Decodes what RTM_NEWNEIGH carries. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeNeighbour(payload: Buffer): FoundNeighbour {
	const attributes = payload.length < NDMSG ? noAttributes : decodeAttributes(payload, NDMSG);
	const ip = decodeBytes(attributes, NDA_DST);
	if (ip === undefined) throw new NetlinkError('decoding a neighbour', 'EBADMSG', 'truncated');
	const fixed = new DataView(payload.buffer, payload.byteOffset);
	return {
		link: fixed.getInt32(4, true),
		ip: formatIp(ip),
		mac: decodeMac(decodeBytes(attributes, NDA_LLADDR)),
		permanent: fixed.getUint16(8, true) === NUD_PERMANENT,
	};
}
