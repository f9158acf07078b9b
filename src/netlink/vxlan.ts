// VXLAN devices: tunnel end points, RFC 7348. include/uapi/linux/if_link.h, IFLA_VXLAN_*

import { formatIp } from '../ip/address.ts';
import { AF_INET6, addressFamily, requireIp } from './address-family.ts';
import {
	type Attribute,
	bytes,
	decodeAttributes,
	decodeBytes,
	decodeNested,
	decodeNumber,
	nested,
	text,
	u32,
	u8,
} from './attribute.ts';
import type { Connection } from './connection.ts';
import { decodeLink, getLink, type Link } from './link.ts';
import {
	encodeMac,
	ifinfomsg,
	IFLA_ADDRESS,
	IFLA_IFNAME,
	IFLA_INFO_DATA,
	IFLA_INFO_KIND,
	IFLA_LINKINFO,
	IFLA_MTU,
	RTM_NEWLINK,
} from './link-message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from './message.ts';
import { isKernelError, NetlinkError } from './netlink-error.ts';

const IFLA_VXLAN_ID = 1;
const IFLA_VXLAN_LOCAL = 4;
const IFLA_VXLAN_LEARNING = 7;
const IFLA_VXLAN_PORT = 15;
const IFLA_VXLAN_LOCAL6 = 17;
const IFLA_VXLAN_UDP_CSUM = 18;

const IFINFOMSG = 16;

/** The header of a VXLAN packet, of UDP, and of the Ethernet frame inside. RFC 7348 §5 */
const VXLAN_UDP_ETHERNET = 8 + 8 + 14;

/** What is sent along with each packet by an underlay of a family, in bytes: what the MTU is smaller by. */
export const VXLAN_OVERHEAD = { 4: VXLAN_UDP_ETHERNET + 20, 6: VXLAN_UDP_ETHERNET + 40 } as const;

/** What a tunnel end point cannot change once it is there. */
export interface VxlanIdentity {
	readonly vni: number;
	/** The UDP port. */
	readonly port: number;
}

export interface Vxlan extends VxlanIdentity {
	/** The address of this host on the underlay, from which it sends. Its family is that of the tunnels. '' for any. */
	readonly local: string;
	/** Whether packets that arrive tell where MAC addresses are. */
	readonly learning: boolean;
}

/**
 * Creates a tunnel end point, which is down, learns nothing, and sends UDP checksums: receivers merge packets only with
 * them, and a NAT on the way has made wrong ones out of none (Linux before 5.7, ea64d8d6c675). `EEXIST` when any device has the
 * name, or another one the VNI and port.
 */
export function createVxlan(
	name: string,
	options: VxlanIdentity & { readonly local: string; readonly mtu: number; readonly mac: string },
): Request {
	const port = Uint8Array.of(options.port >> 8, options.port & 0xff);
	const data = [
		u32(IFLA_VXLAN_ID, options.vni),
		...changeable({ ...options, learning: false }),
		bytes(IFLA_VXLAN_PORT, port),
		u8(IFLA_VXLAN_UDP_CSUM, 1),
	];
	return {
		operation: `creating VXLAN device "${name}"`,
		type: RTM_NEWLINK,
		flags: NLM_F_CREATE | NLM_F_EXCL,
		fixed: ifinfomsg(),
		attributes: [
			text(IFLA_IFNAME, name),
			u32(IFLA_MTU, options.mtu),
			bytes(IFLA_ADDRESS, encodeMac(options.mac)),
			ofVxlan(...data),
		],
	};
}

/** The attribute that changes what can be changed, for a link message that is about the device. */
export function vxlanOptions(options: Pick<Vxlan, 'local' | 'learning'>): Attribute {
	return ofVxlan(...changeable(options));
}

function changeable({ local, learning }: Pick<Vxlan, 'local' | 'learning'>): Attribute[] {
	const address = requireIp(local);
	const type = addressFamily(address) === AF_INET6 ? IFLA_VXLAN_LOCAL6 : IFLA_VXLAN_LOCAL;
	return [bytes(type, address), u8(IFLA_VXLAN_LEARNING, Number(learning))];
}

function ofVxlan(...data: Attribute[]): Attribute {
	return nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, 'vxlan'), nested(IFLA_INFO_DATA, ...data));
}

/** The device with a name, and what it is as a tunnel end point, if it is one; undefined when there is none. */
export function findVxlan(
	connection: Connection,
	name: string,
): { readonly link: Link; readonly vxlan: Vxlan | undefined } | undefined {
	try {
		const payload = connection.get(getLink(name));
		return { link: decodeLink(payload), vxlan: decodeVxlan(payload) };
	} catch (error) {
		if (isKernelError(error, 'ENODEV')) return undefined;
		throw error;
	}
}

/** Decodes what RTM_NEWLINK carries; undefined: another kind of device. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeVxlan(payload: Buffer): Vxlan | undefined {
	if (payload.length < IFINFOMSG) throw new NetlinkError('decoding a VXLAN device', 'EBADMSG', 'truncated');
	const info = decodeNested(decodeAttributes(payload, IFINFOMSG), IFLA_LINKINFO);
	const data = decodeNested(info, IFLA_INFO_DATA);
	const vni = decodeNumber(data, IFLA_VXLAN_ID);
	const port = decodeBytes(data, IFLA_VXLAN_PORT);
	if (vni === undefined || port?.length !== 2) return undefined;
	const local = decodeBytes(data, IFLA_VXLAN_LOCAL) ?? decodeBytes(data, IFLA_VXLAN_LOCAL6);
	return {
		vni,
		port: ((port[0] ?? 0) << 8) | (port[1] ?? 0),
		local: local === undefined ? '' : formatIp(local),
		learning: decodeNumber(data, IFLA_VXLAN_LEARNING) === 1,
	};
}
