// What all messages about links have in common. include/uapi/linux/if_link.h, include/uapi/linux/if.h

export const RTM_NEWLINK = 16;

export const IFLA_ADDRESS = 1;
export const IFLA_IFNAME = 3;
export const IFLA_MTU = 4;
export const IFLA_MASTER = 10;
export const IFLA_LINKINFO = 18;
export const IFLA_AF_SPEC = 26;
export const IFLA_NET_NS_FD = 28;

export const IFLA_INFO_KIND = 1;
export const IFLA_INFO_DATA = 2;
export const IFLA_INFO_SLAVE_KIND = 4;
export const IFLA_INFO_SLAVE_DATA = 5;

export const IFF_UP = 0x1;
export const IFF_PROMISC = 0x100;

/** The fixed part of link messages, struct ifinfomsg. */
export function ifinfomsg(options: { index?: number; family?: number; flags?: number; change?: number } = {}): Buffer {
	const { index = 0, family = 0, flags = 0, change = flags } = options;
	const fixed = Buffer.alloc(16);
	const view = new DataView(fixed.buffer, fixed.byteOffset);
	fixed[0] = family;
	view.setInt32(4, index, true);
	view.setUint32(8, flags, true);
	view.setUint32(12, change, true);
	return fixed;
}

/** The six bytes of a valid MAC address. */
export function encodeMac(mac: string): Uint8Array {
	const octets = mac.split(':');
	const bytes = new Uint8Array(octets.length);
	for (let at = 0; at < octets.length; at++) bytes[at] = Number.parseInt(octets[at] ?? '', 16);
	return bytes;
}

/** A MAC address in its usual form: lower case, with colons; '' when there is none. */
export function decodeMac(value: Buffer | undefined): string {
	const hex = value?.toString('hex') ?? '';
	if (hex.length !== 12) return hex;
	return `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}:${hex.slice(6, 8)}:${hex.slice(8, 10)}:${hex.slice(10)}`;
}
