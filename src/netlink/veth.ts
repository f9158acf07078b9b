// Pairs of virtual Ethernet devices. include/uapi/linux/veth.h

import { bytes, nested, text, u32 } from './attribute.ts';
import {
	encodeMac,
	ifinfomsg,
	IFF_UP,
	IFLA_ADDRESS,
	IFLA_IFNAME,
	IFLA_INFO_DATA,
	IFLA_INFO_KIND,
	IFLA_LINKINFO,
	IFLA_MASTER,
	IFLA_MTU,
	IFLA_NET_NS_FD,
	RTM_NEWLINK,
} from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';

const VETH_INFO_PEER = 1;

/** A pair to be: one end here, as a port of a bridge or for itself, the other in a container or here, too. */
export interface VethPair {
	readonly name: string;
	/** The index of the bridge of which this end becomes a port. */
	readonly master?: number;
	readonly mtu: number;
	readonly mac?: string;
	readonly peer: {
		readonly name: string;
		readonly mac?: string;
		/** A descriptor of the network namespace in which this end is born. */
		readonly namespace?: number;
	};
}

/**
 * Creates a pair in one message: this end up and in its bridge, the other end down in the container, since the kernel
 * refuses a peer that is born up (`ENOTCONN`).
 */
export function createVeth(pair: VethPair): Request {
	const peer = [text(IFLA_IFNAME, pair.peer.name), u32(IFLA_MTU, pair.mtu)];
	if (pair.peer.mac !== undefined) peer.push(bytes(IFLA_ADDRESS, encodeMac(pair.peer.mac)));
	if (pair.peer.namespace !== undefined) peer.push(u32(IFLA_NET_NS_FD, pair.peer.namespace));

	const attributes = [
		text(IFLA_IFNAME, pair.name),
		u32(IFLA_MTU, pair.mtu),
		nested(
			IFLA_LINKINFO,
			text(IFLA_INFO_KIND, 'veth'),
			nested(IFLA_INFO_DATA, bytes(VETH_INFO_PEER, Buffer.concat([ifinfomsg(), ...peer]))),
		),
	];
	if (pair.master !== undefined) attributes.push(u32(IFLA_MASTER, pair.master));
	if (pair.mac !== undefined) attributes.push(bytes(IFLA_ADDRESS, encodeMac(pair.mac)));
	return {
		operation: `creating veth "${pair.name}" with peer "${pair.peer.name}"`,
		type: RTM_NEWLINK,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed: ifinfomsg({ flags: IFF_UP }),
		attributes,
	};
}
